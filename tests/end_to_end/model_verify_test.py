#!/usr/bin/env python3
"""`diopter model verify`: equal models are called equal, changed ones not, and every way of having no reference has its sentence.
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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder  # nothing may be left there
        with_stored(pathlib.Path(folder), with_transformers(pathlib.Path(folder)))
        pythons_that_fail(pathlib.Path(folder))
    print("model verify: all as expected")
