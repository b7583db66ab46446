#!/usr/bin/env python3
"""`diopter model verify` and `convert`: equal models are called equal, changed ones not, and every way of having no reference has its sentence.
model_verify_test.py BUILD SOURCE PYTHON_WITH_TRANSFORMERS"""
import json
import os
import pathlib
import shutil
import stat
import struct
import subprocess
import sys
import tempfile

BUILD, PYTHON = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
ORGANISM = BUILD / "share/diopter/organism"


def verify(*arguments, code=0, environment=None):
    command = [BUILD / "bin/diopter", "model", "verify", *map(str, arguments), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert result.returncode == code, f"{arguments}: exit {result.returncode}, expected {code}\n{result.stderr}{result.stdout}"
    return json.loads(result.stdout) if result.stdout else result.stderr


def changed(folder, tensor, by):
    """A copy of the built-in model in which the first number of a tensor is larger by `by`."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ORGANISM, folder)
    data = bytearray((folder / "model.safetensors").read_bytes())
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    start = 8 + length + next(about for name, about in header.items() if name.endswith(tensor))["data_offsets"][0]
    value = struct.unpack("<f", data[start:start + 4])[0]
    data[start:start + 4] = struct.pack("<f", value + by)
    (folder / "model.safetensors").write_bytes(data)
    return folder


def python_that(folder, name, lines):
    path = folder / name
    path.write_text("#!/bin/sh\n" + lines + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def with_transformers(tmp):
    stored = tmp / "reference.safetensors"
    now = verify("organism", "--python", PYTHON, "--save", stored)
    assert now["equal"] and now["same_top"] == now["positions"] == 66, now
    assert now["texts"] >= 30 and not now["text_mismatches"], now
    assert 0 < now["log_probs"] <= now["gate"] <= 1e-4 and max(now["resid_pre"]) < 1e-4 and len(now["resid_pre"]) == 4, now
    assert "transformers" in now["against"], now
    print(f"  organism against {now['against']}: log-probabilities {now['log_probs']:.2g}, stream {max(now['resid_pre']):.2g}")

    broken = changed(tmp / "unreadable", "ln_f.bias", 0)
    (broken / "config.json").write_text((broken / "config.json").read_text().replace('"gelu_new"', '"gelu_newest"'))
    verify(broken, "--python", PYTHON, code=6)  # diopter does not know it either
    return stored


def with_stored(tmp, stored):
    nothing = {**os.environ, "PATH": "/nonexistent", "DIOPTER_PYTHON": ""}
    same = verify("organism", "--against", stored, environment=nothing)
    assert same["equal"] and same["resid_pre"] == [], same
    # One number of 1.1 million, changed by a hundredth.
    for tensor in ("ln_f.bias", "h.0.attn.c_attn.bias", "h.3.mlp.c_fc.weight"):
        other = verify(changed(tmp / "changed", tensor, 0.01), "--against", stored, code=1)
        assert not other["equal"] and other["log_probs"] > other["gate"], (tensor, other)
        print(f"  {tensor}[0] + 0.01: log-probabilities {other['log_probs']:.2g}, more than {other['gate']:.2g}")

    beside = changed(tmp / "beside", "ln_f.bias", 0)
    assert "no Python here has transformers" in verify(beside, code=6, environment=nothing)
    shutil.copy(stored, beside / "diopter_reference.safetensors")
    found = verify(beside, environment=nothing)
    assert found["equal"] and "diopter_reference.safetensors (made by transformers" in found["against"], found

    weights = ORGANISM / "model.safetensors"
    assert "is not a reference" in verify("organism", "--against", weights, code=6)
    small = changed(tmp / "small", "ln_f.bias", 0)
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps({**config, "vocab_size": config["vocab_size"] - 1}))
    assert "made for another model" in verify(small, "--against", stored, code=6)
    assert "cannot" in verify("organism", "--against", stored, "--save", "/proc/nothing/x.safetensors", code=3)


def pythons_that_fail(tmp):
    assert "without" in verify("organism", "--python", python_that(tmp, "without", "echo no torch here; exit 3"), code=6)
    said = verify("organism", "--python", python_that(tmp, "failing", "echo ValueError: no such architecture; exit 1"), code=1)
    assert "ValueError: no such architecture" in said, said
    slow = verify("organism", "--python", python_that(tmp, "slow", "sleep 60"), "--time-limit", 1, code=1)
    assert "within 1 s" in slow, slow
    assert "does not run" in verify("organism", "--python", tmp / "absent", code=6)
    assert not list(tmp.glob("diopter-verify-*")), "a temporary folder was left"


def convert(*arguments, code=0):
    result = subprocess.run([BUILD / "bin/diopter", "model", "convert", *map(str, arguments), "--json"], capture_output=True, text=True, timeout=300)
    assert result.returncode == code, f"{arguments}: exit {result.returncode}, expected {code}\n{result.stderr}{result.stdout}"
    return json.loads(result.stdout) if result.stdout else result.stderr


def nanogpt(folder):
    """A checkpoint as nanoGPT's train.py writes it."""
    import torch
    torch.manual_seed(0)
    size, layers, vocabulary, context = 32, 2, 65, 24
    shapes = {"transformer.wte.weight": (vocabulary, size), "transformer.wpe.weight": (context, size)}
    for layer in range(layers):
        block = f"transformer.h.{layer}."
        shapes |= {block + "ln_1.weight": (size,), block + "attn.c_attn.weight": (3 * size, size), block + "attn.c_proj.weight": (size, size),
                   block + "ln_2.weight": (size,), block + "mlp.c_fc.weight": (4 * size, size), block + "mlp.c_proj.weight": (size, 4 * size)}
    shapes["transformer.ln_f.weight"] = (size,)
    state = {name: torch.randn(shape) * (0.3 if len(shape) == 1 else shape[-1] ** -0.5) + (len(shape) == 1) for name, shape in shapes.items()}
    state["lm_head.weight"] = state["transformer.wte.weight"]
    sizes = dict(n_layer=layers, n_head=4, n_embd=size, block_size=context, bias=False, vocab_size=vocabulary, dropout=0.1)
    folder.mkdir()
    torch.save({"model": state, "model_args": sizes, "iter_num": 7, "config": {"dataset": "shakespeare_char"}}, folder / "ckpt.pt")
    return folder / "ckpt.pt"


def conversions(tmp):
    """What is written is what transformers then computes as diopter does."""
    checkpoint = nanogpt(tmp / "nano")
    made = convert(checkpoint, tmp / "gpt2")
    assert made["from"] == "nanogpt" and made["to"] == "gpt2" and made["files"] == ["config.json", "model.safetensors"], made
    assert made["logits"] < 1e-5 < made["largest_logit"], made
    found = verify(tmp / "gpt2", "--python", PYTHON)
    assert found["equal"] and found["family"] == "gpt2", found
    print(f"  nanoGPT's checkpoint as gpt2: read back {made['logits']:.2g}, against transformers {found['log_probs']:.2g}")
    said = verify(checkpoint, "--python", PYTHON, code=6)
    assert "is a file of weights" in said and "diopter model convert" in said, said

    convert("organism", tmp / "copy")
    assert (tmp / "copy/model.safetensors").read_bytes() == (ORGANISM / "model.safetensors").read_bytes()
    assert (tmp / "copy/tokenizer.json").read_bytes() == (ORGANISM / "tokenizer.json").read_bytes()
    lens = convert("organism", tmp / "lens", "--as", "hooked_transformer", "--transforms", "fold_ln,center_writing_weights")
    assert lens["to"] == "hooked_transformer" and lens["logits"] < 1e-4, lens
    half = convert("organism", tmp / "half", "--dtype", "bfloat16")
    assert 2 * (tmp / "half/model.safetensors").stat().st_size < 1.02 * (ORGANISM / "model.safetensors").stat().st_size, half
    assert verify(tmp / "half", "--python", PYTHON)["equal"]

    ends = changed(tmp / "ends", "ln_f.bias", 0)
    (ends / "generation_config.json").write_text('{"eos_token_id": [3, 7]}')
    assert "generation_config.json" in convert(ends, tmp / "ends_too")["files"]
    assert json.loads((tmp / "ends_too/generation_config.json").read_text()) == {"eos_token_id": [3, 7]}

    before = sorted(path.name for path in tmp.iterdir())
    assert "is there already" in convert("organism", tmp / "copy", code=2)
    assert "the llama layout can hold" in convert("organism", tmp / "other", "--as", "llama", code=6)
    assert "gpt3" in convert("organism", tmp / "other", "--as", "gpt3", code=6)
    assert "fold_nl" in convert("organism", tmp / "other", "--transforms", "fold_nl", code=6)
    convert("organism", "/proc/nothing/other", code=3)
    assert sorted(path.name for path in tmp.iterdir()) == before, "something half-made was left"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder  # nothing may be left there
        with_stored(pathlib.Path(folder), with_transformers(pathlib.Path(folder)))
        pythons_that_fail(pathlib.Path(folder))
        conversions(pathlib.Path(folder))
    print("model verify: all as expected")
