"""Random models in the files and layouts people have beside save_pretrained's safetensors, with transformers' own logits.

layouts_oracle.py OUTDIR STORIES260K GPT_NANO_SORT (folders that may be missing)
  index.json                     [{"name", "family", "path"}]; path: what to load, within OUTDIR or absolute
  NAME/...                       the model
  NAME/expected.safetensors      as families_oracle.py: ids (-1: pad), logits, resid_pre.L, pattern.L

Families: torch (pytorch_model.bin), nanogpt (ckpt.pt), mingpt (model.pt with config.json), llama2c (.bin, versions 0 and 1). What is
expected comes from transformers' GPT2LMHeadModel and LlamaForCausalLM; the files are written here, from their formats' descriptions.
"""
import base64
import json
import struct
import sys
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

from families_oracle import randomised as random_family
from model_oracle import padded_ids, randomised

TINY = dict(n_layer=2, n_head=4, n_embd=32, n_positions=24, vocab_size=97)
LINEAR = ("c_attn.weight", "c_fc.weight", "c_proj.weight")


def expectation(model, ids, mask):
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        result = model(ids, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True)
    expected = {"ids": torch.where(mask, ids, -1), "logits": result.logits}
    for layer in range(model.config.num_hidden_layers):
        expected[f"resid_pre.{layer}"] = result.hidden_states[layer]
        expected[f"pattern.{layer}"] = result.attentions[layer]
    return {key: value.contiguous().clone() for key, value in expected.items()}


def in_karpathys_layout(model, biases=True):
    """GPT2LMHeadModel's weights under the same names, nn.Linear's way round."""
    state = {}
    for name, value in model.state_dict().items():
        if name.endswith(".bias") and not biases:
            assert not value.any(), name
            continue
        state[name] = value.T.contiguous() if name.endswith(LINEAR) else value
    state["lm_head.weight"] = state["transformer.wte.weight"] if model.config.tie_word_embeddings else state["lm_head.weight"]
    return state


def nano_cases():
    args = lambda c, bias: dict(n_layer=c.n_layer, n_head=c.n_head, n_embd=c.n_embd, block_size=c.n_positions, bias=bias, vocab_size=c.vocab_size,
                                dropout=0.1)
    plain = dict(TINY, activation_function="gelu")
    for name, settings, bias, kind in [
        ("plain", plain, True, {}), ("without_biases", plain, False, {}), ("compiled", plain, True, dict(prefix="_orig_mod.")),
        ("compiled_distributed_without_biases", plain, False, dict(prefix="_orig_mod.module.")),
        ("older_torch", dict(plain, n_layer=3, n_head=3, n_embd=39, n_positions=17), True, dict(legacy=True)),
        ("with_masks", dict(plain, n_layer=1, n_head=1, n_embd=8), True, dict(masks=True)),
        ("with_optimizer_state", plain, False, dict(optimizer=True)),
    ]:
        yield "nanogpt." + name, GPT2Config(**settings, bos_token_id=0, eos_token_id=0), bias, kind, args


def write_nano(out, name, config, bias, kind, args, generator):
    model = randomised(config, generator)
    if not bias:
        with torch.no_grad():
            for key, value in model.named_parameters():
                if key.endswith(".bias"):
                    value.zero_()
    state = in_karpathys_layout(model, bias)
    if kind.get("masks"):
        for layer in range(config.n_layer):
            state[f"transformer.h.{layer}.attn.bias"] = torch.ones(config.n_positions, config.n_positions).tril().view(1, 1, config.n_positions, -1)
    saved = {"model": {kind.get("prefix", "") + key: value for key, value in state.items()}, "model_args": args(config, bias), "iter_num": 10,
             "best_val_loss": torch.tensor(2.0), "config": {"dataset": "letters", "learning_rate": 1e-3}}
    if kind.get("optimizer"):
        optimizer = torch.optim.AdamW([torch.nn.Parameter(value.clone()) for value in state.values()], betas=(0.9, 0.95))
        saved["optimizer"] = optimizer.state_dict()
    torch.save(saved, out / name / "ckpt.pt", _use_new_zipfile_serialization=not kind.get("legacy", False))
    return model


def write_min(out, name, config, generator):
    model = randomised(config, generator)
    state = in_karpathys_layout(model)
    for layer in range(config.n_layer):
        state[f"transformer.h.{layer}.attn.bias"] = torch.ones(config.n_positions, config.n_positions).tril().view(1, 1, config.n_positions, -1)
    torch.save(state, out / name / "model.pt")
    (out / name / "config.json").write_text(json.dumps(dict(
        model_type="mingpt", n_layer=config.n_layer, n_head=config.n_head, n_embd=config.n_embd, vocab_size=config.vocab_size,
        block_size=config.n_positions, embd_pdrop=0.1, resid_pdrop=0.1, attn_pdrop=0.1)))
    return model


def write_bin_folder(folder, model, shards):
    model.save_pretrained(folder)
    state = model.state_dict()
    (folder / "model.safetensors").unlink()
    if not shards:
        torch.save(state, folder / "pytorch_model.bin")
        return
    names = sorted(state)
    parts = [names[i::shards] for i in range(shards)]
    files = [f"pytorch_model-{i + 1:05}-of-{shards:05}.bin" for i in range(shards)]
    for part, file in zip(parts, files):
        torch.save({name: state[name] for name in part}, folder / file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(
        {"metadata": {}, "weight_map": {name: file for part, file in zip(parts, files) for name in part}}))


def neighbours(weight, head):
    """Rows of q or k in the order of llama2.c, which turns entries 2i and 2i+1 of a head, from transformers', which turns i and i + head/2."""
    rows, columns = weight.shape
    return weight.view(rows // head, 2, head // 2, columns).transpose(1, 2).reshape(rows, columns)


def halves(weight, head):
    rows, columns = weight.shape
    return weight.view(rows // head, head // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def llama2c_bytes(model, version):
    c, state = model.config, model.state_dict()
    head = c.hidden_size // c.num_attention_heads
    layers = range(c.num_hidden_layers)
    every = lambda name: [state[f"model.layers.{i}.{name}.weight"] for i in layers]
    rotary = lambda name: [neighbours(weight, head) for weight in every(name)]
    norm1, norm2 = every("input_layernorm"), every("post_attention_layernorm")
    attention = rotary("self_attn.q_proj") + rotary("self_attn.k_proj") + every("self_attn.v_proj") + every("self_attn.o_proj")
    mlp = every("mlp.gate_proj") + every("mlp.down_proj") + every("mlp.up_proj")
    embed, last = [state["model.embed_tokens.weight"]], [state["model.norm.weight"]]
    sizes = [c.hidden_size, c.intermediate_size, c.num_hidden_layers, c.num_attention_heads, c.num_key_value_heads, c.vocab_size,
             c.max_position_embeddings]
    if version == 0:
        if not c.tie_word_embeddings:
            sizes[5] = -sizes[5]
        header = struct.pack("<7i", *sizes)
        tables = [torch.full((c.max_position_embeddings, head), float("nan"))]  # cosines and sines nobody reads
        parts = embed + norm1 + attention + norm2 + mlp + last + tables
    else:
        header = struct.pack("<Ii7iB", 0x616b3432, 1, *sizes, int(c.tie_word_embeddings)).ljust(256, b"\0")
        parts = norm1 + norm2 + last + embed + attention + mlp
    if not c.tie_word_embeddings:
        parts = parts + [state["lm_head.weight"]]
    return header + b"".join(part.float().contiguous().numpy().astype("<f4").tobytes() for part in parts)


def stories(folder):
    """The trained model as transformers' LlamaForCausalLM, read from its file here, with a reader of its own."""
    raw = (folder / "stories260K.bin").read_bytes()
    dim, hidden, layers, heads, kv_heads, vocab, positions = struct.unpack_from("<7i", raw)
    assert vocab > 0
    values = torch.from_numpy(numpy.frombuffer(raw, "<f4", offset=28).copy())
    head, at = dim // heads, 0

    def take(*shape):
        nonlocal at
        size = int(numpy.prod(shape))
        at += size
        return values[at - size:at].view(*shape)

    state = {"model.embed_tokens.weight": take(vocab, dim)}
    for name, shape in [("input_layernorm", [dim]), ("self_attn.q_proj", [dim, dim]), ("self_attn.k_proj", [kv_heads * head, dim]),
                        ("self_attn.v_proj", [kv_heads * head, dim]), ("self_attn.o_proj", [dim, dim]), ("post_attention_layernorm", [dim]),
                        ("mlp.gate_proj", [hidden, dim]), ("mlp.down_proj", [dim, hidden]), ("mlp.up_proj", [hidden, dim])]:
        for layer in range(layers):
            weight = take(*shape)
            turned = name.endswith(("q_proj", "k_proj"))
            state[f"model.layers.{layer}.{name}.weight"] = halves(weight, head) if turned else weight
    state["model.norm.weight"] = take(dim)
    config = LlamaConfig(hidden_size=dim, intermediate_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                         num_key_value_heads=kv_heads, vocab_size=vocab, max_position_embeddings=positions, rms_norm_eps=1e-5,
                         tie_word_embeddings=True)
    model = LlamaForCausalLM(config).eval()
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model


def write_nano_sort(source, folder):
    """A trained minGPT and the activations stored with it."""
    def read(name):
        return {key: torch.from_numpy(numpy.frombuffer(base64.b64decode(t["data"]), "<f4").copy()).view(t["shape"])
                for key, t in json.loads((source / name).read_text()).items() if isinstance(t, dict) and "data" in t}

    config = json.loads((source / "gpt-nano-sort-model.json").read_text())["config"]
    torch.save(read("gpt-nano-sort-model.json"), folder / "model.pt")
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "mingpt"}))
    seen = read("gpt-nano-sort-t0-partials.json")
    expected = {"ids": seen["idx"].long(), "logits": seen["lm_head"], "resid_pre.0": seen["x"], "resid_pre.1": seen["block0"],
                "resid_pre.2": seen["block1"], "pattern.0": seen["attSm"]}
    save_file({key: value.contiguous() for key, value in expected.items()}, folder / "expected.safetensors")


def main(out, stories_folder, nano_sort_folder):
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    index = []

    def add(name, path, model, generator):
        longest = min(model.config.max_position_embeddings, 40)
        ids, mask = padded_ids(4, longest, model.config.vocab_size, generator)
        save_file(expectation(model, ids, mask), out / name / "expected.safetensors")
        index.append({"name": name, "family": name.split(".")[0], "path": path})

    for seed, (name, config, bias, kind, args) in enumerate(nano_cases()):
        generator = torch.Generator().manual_seed(seed)
        (out / name).mkdir()
        add(name, f"{name}/ckpt.pt" if seed % 2 else name, write_nano(out, name, config, bias, kind, args, generator), generator)
    for seed, (name, settings) in enumerate({"plain": TINY, "odd": dict(TINY, n_layer=3, n_head=3, n_embd=39, n_positions=17)}.items()):
        generator = torch.Generator().manual_seed(50 + seed)
        (out / f"mingpt.{name}").mkdir()
        config = GPT2Config(**settings, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0)
        add(f"mingpt.{name}", f"mingpt.{name}", write_min(out, f"mingpt.{name}", config, generator), generator)
    small = dict(num_hidden_layers=2, num_attention_heads=4, hidden_size=32, intermediate_size=52, max_position_embeddings=24, vocab_size=97,
                 bos_token_id=0, eos_token_id=0, pad_token_id=None)
    grouped = dict(small, num_key_value_heads=2, rms_norm_eps=1e-5)
    for seed, (name, config, shards) in enumerate([
            ("gpt2", GPT2Config(**TINY, bos_token_id=0, eos_token_id=0), 0), ("gpt2_sharded", GPT2Config(**TINY, bos_token_id=0, eos_token_id=0), 3),
            ("llama_sharded", LlamaConfig(**grouped), 2), ("neox", GPTNeoXConfig(**small), 0), ("llama_tied", LlamaConfig(**dict(grouped, tie_word_embeddings=True)), 0),
            ("llama_biases", LlamaConfig(**dict(grouped, attention_bias=True, mlp_bias=True)), 4)]):
        generator = torch.Generator().manual_seed(70 + seed)
        model = randomised(config, generator) if name.startswith("gpt2") else random_family(config, generator)
        write_bin_folder(out / f"torch.{name}", model, shards)
        add(f"torch.{name}", f"torch.{name}", model, generator)
    for seed, (name, settings, version) in enumerate([
            ("tied", dict(grouped, tie_word_embeddings=True), 0), ("untied", grouped, 0), ("ungrouped", dict(small, rms_norm_eps=1e-5, num_key_value_heads=4), 0),
            ("version1_tied", dict(grouped, tie_word_embeddings=True), 1), ("version1_untied", dict(grouped, num_hidden_layers=3), 1),
            ("one_kv_head", dict(grouped, num_key_value_heads=1, num_hidden_layers=1, hidden_size=24, num_attention_heads=6), 1)]):
        generator = torch.Generator().manual_seed(90 + seed)
        model = random_family(LlamaConfig(**settings), generator)
        (out / f"llama2c.{name}").mkdir()
        (out / f"llama2c.{name}" / "tiny.bin").write_bytes(llama2c_bytes(model, version))
        add(f"llama2c.{name}", f"llama2c.{name}/tiny.bin", model, generator)
    if (stories_folder / "stories260K.bin").exists():
        model = stories(stories_folder)
        (out / "stories.260K").mkdir()
        assert llama2c_bytes(model, 0)[:28 + 4 * 512 * 64] == (stories_folder / "stories260K.bin").read_bytes()[:28 + 4 * 512 * 64]
        add("stories.260K", str((stories_folder / "stories260K.bin").resolve()), model, torch.Generator().manual_seed(7))
    if (nano_sort_folder / "gpt-nano-sort-model.json").exists():
        (out / "nano_sort").mkdir()
        write_nano_sort(nano_sort_folder, out / "nano_sort")
        index.append({"name": "nano_sort", "family": "mingpt", "path": "nano_sort"})
    (out / "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
