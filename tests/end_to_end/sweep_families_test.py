#!/usr/bin/env python3
"""experiments/ioi_patching.toml with execution.verify=50 on the built-in model and a random one of every family: from the store, that 50 of its
56 or 60 cells were run again by a plain forward, and by how much the two differ. sweep_families_test.py BUILD SOURCE PYTHON_WITH_TRANSFORMERS"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
sys.path.insert(0, str(SOURCE / "tests/peers"))
ORGANISM = BUILD / "share/diopter/organism"
LAYERS, POSITIONS, WANTED = 4, 15, 50
SIZES = dict(num_hidden_layers=LAYERS, num_attention_heads=4, hidden_size=32, intermediate_size=52, max_position_embeddings=48, bos_token_id=0,
             eos_token_id=0, pad_token_id=None, vocab_size=json.loads((ORGANISM / "config.json").read_text())["vocab_size"])
GROUPED = dict(SIZES, num_key_value_heads=2)
OWN_HEADS = dict(GROUPED, head_dim=6, num_attention_heads=6, hidden_size=30)  # heads do not fill the stream


def of_transformers():
    """{name: configuration}; windows are shorter than the prompts."""
    from transformers import Gemma2Config, GPT2Config, GPTNeoXConfig, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config
    gemma = dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=5)
    return {
        "gpt2": GPT2Config(n_layer=LAYERS, n_head=4, n_embd=32, n_positions=48, vocab_size=SIZES["vocab_size"], bos_token_id=0, eos_token_id=0),
        "gpt_neox.parallel": GPTNeoXConfig(**SIZES),
        "gpt_neox.sequential": GPTNeoXConfig(**SIZES, use_parallel_residual=False),
        "llama": LlamaConfig(**SIZES),
        "llama.grouped": LlamaConfig(**GROUPED),
        "llama.biases": LlamaConfig(**OWN_HEADS, attention_bias=True, mlp_bias=True),
        "mistral.window": MistralConfig(**GROUPED, sliding_window=5),
        "mistral.no_window": MistralConfig(**GROUPED, sliding_window=None),
        "qwen2": Qwen2Config(**GROUPED),
        "qwen2.window": Qwen2Config(**GROUPED, use_sliding_window=True, sliding_window=4, max_window_layers=1),
        "qwen3": Qwen3Config(**OWN_HEADS),
        "gemma2": Gemma2Config(**GROUPED, **gemma),
        "gemma2.tight_caps": Gemma2Config(**GROUPED, **gemma, attn_logit_softcapping=2.0, final_logit_softcapping=3.0),
    }


def diopter(*arguments):
    result = subprocess.run([BUILD / "bin/diopter", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, f"diopter {arguments}: exit {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def attention_only(lens, folder):
    """A model of TransformerLens without its MLPs."""
    from safetensors.torch import load_file, save_file
    shutil.copytree(lens, folder)
    state = load_file(lens / "model.safetensors")
    save_file({name: value for name, value in state.items() if ".mlp." not in name and ".ln2." not in name}, folder / "model.safetensors")
    config = json.loads((lens / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"attn_only": True}))


def make_models(folder):
    import torch
    from families_oracle import randomised
    from model_oracle import randomised as random_gpt2
    from transformers.utils import logging
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    for number, (name, config) in enumerate(of_transformers().items()):
        generator = torch.Generator().manual_seed(number)
        model = random_gpt2(config, generator) if config.model_type == "gpt2" else randomised(config, generator)
        model.save_pretrained(folder / name)
        shutil.copy(ORGANISM / "tokenizer.json", folder / name)
    convert = lambda source, name, family: diopter("model", "convert", folder / source, folder / name, "--as", family)
    for family in ("nanogpt", "mingpt", "hooked_transformer"):
        convert("gpt2", family, family)
    convert("gpt_neox.parallel", "hooked_transformer.parallel", "hooked_transformer")
    attention_only(folder / "hooked_transformer", folder / "hooked_transformer.attention_only")


def families():
    """Of the list of families, so that a new one cannot be forgotten here."""
    text = (SOURCE / "core/model/family.cpp").read_text()
    found = re.findall(r"&(\w+)_family\(\)", text)
    assert len(found) >= 10, found
    return set(found)


def swept(name, source, store):
    """(cells verified, largest difference, moved): from the store."""
    diopter("run", SOURCE / "experiments/ioi_patching.toml", f"model.source={source}", f"execution.verify={WANTED}", "--store", store)
    run = json.loads(diopter("show", "@1", "--store", store, "--json"))
    said = [event["message"] for event in run["events"] if event["kind"] == "sweep"]
    assert run["status"] == "succeeded" and len(said) == 1, (name, run["status"], said)
    assert not [event for event in run["events"] if event["kind"] == "sweep-plain"], f"{name}: its cells are plain forwards, compared with themselves"
    found = re.fullmatch(r"(\d+) cells: (\d+) computed, .*?, (\d+) verified, largest difference ([0-9.e+-]+)", said[0])
    assert found, (name, said)
    cells, computed, verified = (int(found[i]) for i in (1, 2, 3))
    value = json.loads(diopter("tensor", "@1", "value", "--json", "--store", store))
    cells_of_the_run = 1
    for size in value["shape"]:
        cells_of_the_run *= size
    positions = POSITIONS - name.startswith("qwen")  # no BOS there
    assert cells == cells_of_the_run == LAYERS * positions and verified == WANTED, (name, said, value["shape"])
    assert computed > 0, (name, said)
    moved = max(value["values"]) - min(value["values"])
    largest = float(found[4])
    # What is compared must be there to differ, and by roundings only; the run itself fails above 1e-5 of the largest logit.
    assert 0 <= largest < 1e-3 * moved and largest < 1e-4, (name, largest, moved)
    return verified, largest, moved


def main():
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        models = folder / "models"
        make_models(models)
        sources = {"organism": "organism"} | {path.name: path for path in sorted(models.iterdir())}
        assert {name.split(".")[0] for name in sources} - {"organism"} == families(), "a family without a model here"
        print(f"{'model':32}{'verified':>9}{'largest difference':>20}{'values span':>13}")
        for name, source in sources.items():
            verified, largest, moved = swept(name, source, folder / "runs" / name)
            worst = max(worst, largest)
            print(f"{name:32}{verified:9}{largest:20.1e}{moved:13.3g}")
    print(f"sweeps of {len(sources)} models verified cell by cell: largest difference {worst:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
