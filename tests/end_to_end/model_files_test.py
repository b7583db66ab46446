#!/usr/bin/env python3
"""A model that is one file, from the outside: a llama2.c file and its tokenizer, written here, are described, tokenized, run, and known by
their content. model_files_test.py BUILD"""
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(sys.argv[1])
DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, POSITIONS = 16, 24, 2, 4, 2, 64
WORDS = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [" ", " a", " b", "ab", " ab"]
VOCABULARY = 259 + len(WORDS)


def tokenizer():
    pieces = [(0.0, "<unk>"), (0.0, "\n<s>\n"), (0.0, "\n</s>\n")] + [(0.0, f"<0x{byte:02X}>") for byte in range(256)]
    pieces += [(-float(place), word) for place, word in enumerate(WORDS)]
    encoded = [(score, text.encode()) for score, text in pieces]
    return struct.pack("<i", max(len(text) for _, text in encoded)) + b"".join(
        struct.pack("<fi", score, len(text)) + text for score, text in encoded)


def weights(seed):
    rng = random.Random(seed)
    head = DIM // HEADS
    def norm(size): return [1 + rng.gauss(0, 0.2) for _ in range(size)]
    def matrix(rows, columns): return [rng.gauss(0, columns ** -0.5) for _ in range(rows * columns)]
    out = matrix(VOCABULARY, DIM)
    for make in [lambda: norm(DIM), lambda: matrix(DIM, DIM), lambda: matrix(KV_HEADS * head, DIM), lambda: matrix(KV_HEADS * head, DIM),
                 lambda: matrix(DIM, DIM), lambda: norm(DIM), lambda: matrix(HIDDEN, DIM), lambda: matrix(DIM, HIDDEN),
                 lambda: matrix(HIDDEN, DIM)]:
        for _ in range(LAYERS):
            out += make()
    out += norm(DIM) + [0.0] * (POSITIONS * head)
    return struct.pack("<7i", DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, VOCABULARY, POSITIONS) + struct.pack(f"<{len(out)}f", *out)


def diopter(*arguments, code=0):
    result = subprocess.run([BUILD / "bin/diopter", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert result.returncode == code, f"{arguments}: exit {result.returncode}, expected {code}\n{result.stderr}{result.stdout}"
    return result.stdout + result.stderr if code else result.stdout


def main(tmp):
    model, store = tmp / "tiny.bin", tmp / "runs"
    model.write_bytes(weights(1))
    (tmp / "tokenizer.bin").write_bytes(tokenizer())
    info = json.loads(diopter("model", "info", model, "--json"))
    assert (info["name"], info["family"], info["n_kv_heads"], info["d_vocab"]) == ("tiny", "llama", KV_HEADS, VOCABULARY), info
    assert [file["name"] for file in info["files"]] == ["tiny.bin", "tokenizer.bin"] and info["tokenizer"]["tokens"] == VOCABULARY, info
    tokens = json.loads(diopter("tokenize", model, "ab b", "--json"))
    labels = [row["token"] for row in tokens["rows"]]
    assert labels == ["<s>", " ab", " b"], tokens

    manifest = tmp / "study.toml"
    manifest.write_text('schema = 1\n[experiment]\nname = "files"\n[model]\nsource = "tiny.bin"\n'
                        '[[prompts.p.rows]]\nclean = "ab b"\nanswer = "a"\nfoil = "b"\n'
                        '[[run]]\nid = "lens"\nkind = "logit_lens"\nprompts = "p"\n')
    diopter("check", manifest, "--store", store)
    diopter("run", manifest, "--store", store)
    runs = json.loads(diopter("runs", "--store", store, "--json"))["rows"]
    assert [run["status"] for run in runs] == ["succeeded"], runs
    diopter("run", manifest, "--store", store)
    assert len(json.loads(diopter("runs", "--store", store, "--json"))["rows"]) == 1, "the same file was run again"
    model.write_bytes(weights(2))
    diopter("run", manifest, "--store", store)
    assert len(json.loads(diopter("runs", "--store", store, "--json"))["rows"]) == 2, "another model passed for the same"

    model.write_bytes(weights(1)[:-4])
    assert "bytes for the sizes in its header" in diopter("run", manifest, "--store", store, code=2)
    model.write_bytes(b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00touch owned\x85R.")
    assert "got none of these" in diopter("model", "info", model, code=6)
    assert not pathlib.Path("owned").exists() and not (tmp / "owned").exists()
    print("a llama2.c file: described, tokenized, run, known by its content, refused when damaged")


with tempfile.TemporaryDirectory() as folder:
    main(pathlib.Path(folder))
