#!/usr/bin/env python3
"""A study on a model of the hub: the built-in model, served by a hub on this machine under another name, gives the same
fingerprints, hash and numbers from the cache as from its folder, wherever the cache lies.  hub_model_test.py BUILD SOURCE"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import hub_harness as harness
from hub_harness import Place, expect, scenario
from hub_server import Servers

BUILD, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
ORGANISM = BUILD / "share/diopter/organism"
MANIFEST = SOURCE / "experiments/ioi_patching.toml"
harness.DIOPTER = BUILD / "bin/diopter"
harness.SERVERS = Servers()


def organism_files():
    return {path.name: path.read_bytes() for path in ORGANISM.iterdir() if path.is_file()}


def in_shards(files):
    """model.safetensors as two shards with their index."""
    data = files.pop("model.safetensors")
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    names = sorted(n for n in header if n != "__metadata__")
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        body, entries = b"", {}
        for name in part:
            start, end = header[name]["data_offsets"]
            piece = data[8 + length + start:8 + length + end]
            entries[name] = {**header[name], "data_offsets": [len(body), len(body) + len(piece)]}
            body += piece
        text = json.dumps(entries).encode()
        text += b" " * (-len(text) % 8)
        shard = f"model-{number:05}-of-00002.safetensors"
        files[shard] = struct.pack("<Q", len(text)) + text + body
        weight_map.update({name: shard for name in part})
    files["model.safetensors.index.json"] = json.dumps({"metadata": {}, "weight_map": weight_map}).encode()
    return files


def diopter(place, *arguments, cwd=None, **env):
    return subprocess.run([harness.DIOPTER, *map(str, arguments)], env=place.environment(**env), capture_output=True, text=True, timeout=120, cwd=cwd)


def sql(place, store, query):
    done = diopter(place, "sql", query, "--store", store, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["rows"]


def info(place, model):
    done = diopter(place, "model", "info", model, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def not_there_then_there(folder):
    place = Place(folder, "one", scenario(files=organism_files()))
    run = lambda model: diopter(place, "run", MANIFEST, f"model.source={model}", "--store", folder / "store")
    for model in ("org/tiny", "org/tiny@v1", "gpt2"):
        done = run(model)
        assert done.returncode == 2 and f"model '{model}' is not on this machine; diopter model pull {model}, or give a directory" in done.stderr, done.stderr
    done = run("a b")
    assert done.returncode == 2 and "neither a folder nor the name of a model of the hub" in done.stderr, done.stderr
    assert not place.scenario.requests, "running never asks the hub"
    expect(place, place.pull(), 0)
    asked = len(place.scenario.requests)
    done = run("org/tiny")
    assert done.returncode == 0, done.stderr
    pinned = run("org/tiny@" + "c" * 40)  # another name, the same content: answered by the stored run
    assert pinned.returncode == 0 and len(sql(place, folder / "store", "select * from v_run")) == 1, pinned.stdout + pinned.stderr
    assert len(place.scenario.requests) == asked, "running never asks the hub"
    local = diopter(place, "run", MANIFEST, f"model.source={ORGANISM}", "--store", folder / "local")
    assert local.returncode == 0, local.stderr
    query = "select fingerprint, short_id from v_run"
    ours, theirs = sql(place, folder / "store", query), sql(place, folder / "local", query)
    assert ours[0]["fingerprint"] == theirs[0]["fingerprint"], (ours, theirs)
    rows = sql(place, folder / "store", "select model, json_extract(config, '$.model.source') as source, json_extract(config, '$.model.commit') as pinned from run join run_doc on run_doc.run_seq = run.seq")
    assert rows == [{"model": "org/tiny", "source": "org/tiny", "pinned": "c" * 40}], rows
    meta = sql(place, folder / "store", "select meta from input_file where kind = 'model'")
    assert json.loads(meta[0]["meta"])["commit"] == "c" * 40, meta
    values = "select name, value from v_metric_last order by name"
    assert sql(place, folder / "store", values) == sql(place, folder / "local", values)
    print(f"  run on org/tiny: fingerprint {ours[0]['fingerprint'][:12]} and metrics as from the folder; commit recorded; no question to the hub")


def anywhere(folder):
    place = Place(folder, "moved", scenario(files=organism_files()))
    expect(place, place.pull(), 0)
    here = info(place, "org/tiny")
    assert here["name"] == "org/tiny" and here["sha256"] == info(place, ORGANISM)["sha256"], here
    place.cache = place.cache.rename(folder / "elsewhere")
    there = info(place, "org/tiny")
    assert there["sha256"] == here["sha256"] and there["folder"] != here["folder"]
    by_link = info(place, pathlib.Path(there["folder"]) / "model.safetensors")  # a link into blobs stands for its folder
    assert by_link["sha256"] == here["sha256"]
    shutil.copytree(there["folder"], folder / "copied")  # the links followed: a plain folder
    assert info(place, folder / "copied")["sha256"] == here["sha256"]
    print(f"  model info: {here['sha256'][:12]} from the cache, the cache moved, a link, a copy")


def every_reader(folder):
    for name, files in (("whole", organism_files()), ("shards", in_shards(organism_files()))):
        place = Place(folder, f"reader-{name}", scenario(files=files))
        expect(place, place.pull(), 0)
        done = diopter(place, "peek", "org/tiny", "The capital of France is the city of", "--top", "3")
        assert done.returncode == 0, done.stderr
        same = diopter(place, "peek", "organism", "The capital of France is the city of", "--top", "3")
        assert done.stdout == same.stdout, done.stdout + same.stdout
        assert diopter(place, "tokenize", "org/tiny", "a text").stdout == diopter(place, "tokenize", "organism", "a text").stdout != ""
        assert diopter(place, "hooks", "org/tiny").stdout == diopter(place, "hooks", "organism").stdout != ""
        assert diopter(place, "check", MANIFEST, "model.source=org/tiny").returncode == 0
    place.blob(next(n for n in files if n.startswith("model-00002"))).unlink()
    done = diopter(place, "hooks", "org/tiny")
    assert done.returncode == 6 and re.search(r"only in part: .* lacks model-00002-of-00002\.safetensors; diopter model pull org/tiny", done.stderr), done.stderr
    expect(place, place.pull(), 0)
    assert diopter(place, "hooks", "org/tiny").returncode == 0
    print("  peek, tokenize, hooks, check on one file and on shards; a lost shard is named, and pulled again")


def programs(folder):
    place = Place(folder, "programs", scenario())
    done = diopter(place, "model", "--help")
    assert done.returncode == 0 and "pull" in done.stdout and "info" in done.stdout, done.stdout
    assert "--include" in diopter(place, "model", "pull", "--help").stdout
    assert diopter(place, "model", "pull").returncode == 2
    needed = subprocess.run(["readelf", "-d", BUILD / "bin/diopter", BUILD / "libexec/diopter/diopter-host"], capture_output=True, text=True).stdout
    assert "libcurl" not in needed, "only diopter-pull needs libcurl"
    needed = subprocess.run(["readelf", "-d", BUILD / "libexec/diopter/diopter-pull"], capture_output=True, text=True).stdout
    assert "libcurl" in needed and "torch" not in needed
    print("  libcurl is needed by diopter-pull alone, which needs no LibTorch")


def main():
    with tempfile.TemporaryDirectory(prefix="diopter-hub-") as folder:
        for test in (not_there_then_there, anywhere, every_reader, programs):
            test(pathlib.Path(folder))
    print("hub_model: all as it should be")


if __name__ == "__main__":
    main()
