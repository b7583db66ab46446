#!/usr/bin/env python3
"""What a user can get wrong, from the outside: each case has its sentence, its exit code, and leaves nothing half-written.
bad_input_test.py BUILD SOURCE"""
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

BUILD, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
ORGANISM = BUILD / "share/diopter/organism"
MANIFEST = SOURCE / "experiments/ioi_patching.toml"
checked = 0


def diopter(*arguments, **options):
    return subprocess.run([BUILD / "bin/diopter", *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def expect(name, result, code, *patterns):
    global checked
    checked += 1
    talk = result.stderr + result.stdout
    assert result.returncode == code, f"{name}: exit {result.returncode}, expected {code}\n{talk}"
    for pattern in patterns:
        assert re.search(pattern, talk), f"{name}: '{pattern}' is not in\n{talk}"
    print(f"  {name}: exit {code}, {talk.strip().splitlines()[0][:110] if talk.strip() else ''}")


def model_with(folder, change):
    """A copy of the built-in model, changed by `change(folder)`."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ORGANISM, folder)
    change(folder)
    return folder


def rewrite_config(folder, **keys):
    config = json.loads((folder / "config.json").read_text())
    config.update(keys)
    (folder / "config.json").write_text(json.dumps(config))


def with_nan(folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
    name = next(n for n in header if n != "__metadata__" and n.endswith("ln_f.weight"))
    start = 8 + struct.unpack("<Q", data[:8])[0] + header[name]["data_offsets"][0]
    data[start:start + 4] = struct.pack("<f", float("nan"))
    (folder / "model.safetensors").write_bytes(data)


def models(tmp, store):
    run = lambda folder: diopter("run", MANIFEST, f"model.source={folder}", "--store", store)
    cut = lambda folder: os.truncate(folder / "model.safetensors", 100_000)
    garbage = lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 1000)
    folder = tmp / "model"
    expect("no weights", run(model_with(folder, lambda f: (f / "model.safetensors").unlink())), 1, "safetensors")
    expect("truncated weights", run(model_with(folder, cut)), 1, r"model\.safetensors")
    expect("corrupt header", run(model_with(folder, garbage)), 1, r"model\.safetensors")
    expect("NaN weights", run(model_with(folder, with_nan)), 1, r"finite weights[\s\S]*ln_f")
    expect("unknown family", run(model_with(folder, lambda f: rewrite_config(f, model_type="gpt3"))), 2, "gpt3")
    expect("config contradicts weights", run(model_with(folder, lambda f: rewrite_config(f, n_layer=5))), 1, r"h\.4\.")
    expect("heads do not divide", run(model_with(folder, lambda f: rewrite_config(f, n_head=7))), 2, "n_head|heads")
    expect("no tokenizer", run(model_with(folder, lambda f: (f / "tokenizer.json").unlink())), 2, "tokenizer")
    expect("no such model", diopter("run", MANIFEST, "model.source=./nowhere", "--store", store), 2, "not on this machine", "nothing was run")
    rows = json.loads(diopter("runs", "--store", store, "--json", "--all", "--limit", "0").stdout)["rows"]
    assert rows and all(row["status"] == "failed" and row["error"] for row in rows), rows  # each failure is recorded with its sentence


def stores(tmp):
    notes = tmp / "notes"
    notes.mkdir()
    sqlite3.connect(notes / "runs.db").execute("create table diary (day)").connection.commit()
    expect("not our store", diopter("run", MANIFEST, "--store", notes), 3, "runs.db")
    assert sqlite3.connect(notes / "runs.db").execute("select count(*) from sqlite_master").fetchone()[0] == 1
    newer = tmp / "newer"
    assert diopter("run", MANIFEST, "--store", newer).returncode == 0
    database = sqlite3.connect(newer / "runs.db")
    database.execute("pragma user_version = 99")
    database.commit()
    database.close()
    expect("newer store", diopter("run", MANIFEST, "--store", newer), 3, "99")
    broken = tmp / "broken"
    broken.mkdir()
    (broken / "runs.db").write_bytes(b"SQLite format 3\0" + b"\x07" * 5000)
    expect("damaged store", diopter("runs", "--store", broken), 3, "runs.db")
    expect("no store", diopter("runs", "--store", tmp / "none"), 3, "no run store")
    (tmp / "file").write_text("x")
    expect("store is a file", diopter("run", MANIFEST, "--store", tmp / "file"), 3, "file")


def full_disk(tmp, store):
    """Files may not grow past 64 KiB: what a full disk looks like to a process."""
    script = f"ulimit -f 64; trap '' XFSZ; exec {BUILD}/bin/diopter run {MANIFEST} --force --store {store}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    global checked
    checked += 1
    assert result.returncode in (1, 3, 5), (result.returncode, result.stderr)
    assert "error" in result.stderr or "warning" in result.stderr, result.stderr
    after = diopter("run", MANIFEST, "--store", store)
    assert after.returncode == 0, after.stderr
    assert sqlite3.connect(store / "runs.db").execute("pragma integrity_check").fetchone()[0] == "ok"
    print(f"  full disk: exit {result.returncode}, and the next run is fine")


def interrupt(tmp):
    manifest = tmp / "long.toml"
    rows = "".join(f'[[prompts.p.rows]]\nclean = "When Mary and John went to the store, John gave a {o} to"\n'
                   f'corrupted = "When Mary and John went to the store, Mary gave a {o} to"\nanswer = " Mary"\nfoil = " John"\n'
                   for o in ("drink", "book", "ball", "ring", "bag", "letter"))
    manifest.write_text('schema = 1\n[experiment]\nname = "long"\n[model]\nsource = "organism"\n' + rows +
                        '[[run]]\nid = "a"\nkind = "patching"\nprompts = "p"\n'
                        '[[run]]\nid = "b"\nkind = "patching"\nprompts = "p"\nsite = "pattern"\nover = "layer head dest src"\n'
                        "[execution]\nthreads = 1\n")
    store = tmp / "interrupted"
    process = subprocess.Popen([BUILD / "bin/diopter", "run", manifest, "--store", store], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # until the first run is stored
        time.sleep(0.05)
        listed = diopter("runs", "--store", store, "--json", "--status", "succeeded")
        if listed.returncode == 0 and json.loads(listed.stdout)["total"] >= 1:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    result = subprocess.CompletedProcess([], process.returncode, out, err)
    expect("interrupt", result, 130, "stopped")
    rows = json.loads(diopter("runs", "--store", store, "--json", "--all").stdout)["rows"]
    states = {row["entry"]: row["status"] for row in rows}
    assert states == {"a": "succeeded", "b": "cancelled"}, states
    again = diopter("run", manifest, "--store", store)
    expect("the same command goes on", again, 0, "stored already")
    rows = json.loads(diopter("runs", "--store", store, "--json", "--status", "succeeded").stdout)
    assert rows["total"] == 2, rows


def commands(tmp, store):
    expect("unknown verb", diopter("rusn"), 2, "did you mean")
    expect("unknown flag", diopter("runs", "--limt", "3", "--store", store), 2, "--limi?t")
    expect("no such run", diopter("show", "ZZZZZZZZ", "--store", store), 4)
    expect("writing SQL", diopter("sql", "delete from run", "--store", store), 2, "reading")
    expect("unknown hook", diopter("peek", "organism", "hi", "--hooks", "blocks.*.hook_resid_pst"), 2, "did you mean 'blocks.\\*.hook_resid_post'")
    expect("not UTF-8", diopter("tokenize", "organism", b"\xff\xfe".decode("utf-8", "surrogateescape")), 6, "byte 0")
    expect("error as JSON", diopter("show", "ZZZZZZZZ", "--store", store, "--json"), 4, '"schema": ?"diopter.error/1"')
    expect("a missing manifest", diopter("run", tmp / "none.toml", "--store", store), 2, "no such file", "nothing was run")
    (tmp / "empty.toml").write_text("")
    expect("an empty manifest", diopter("check", tmp / "empty.toml"), 2, "schema|experiment")
    expect("a plugin directory that is not there", diopter("plugin", "list", "--plugin-path", tmp / "none"), 2, "cannot search for plugins")
    fake = tmp / "plugins"
    fake.mkdir()
    (fake / "fake.diopter.so").write_bytes((BUILD / "lib/diopter/plugins/patching.diopter.so").read_bytes().replace(b"torch=2.", b"torch=9."))
    expect("a plugin for another LibTorch", diopter("plugin", "show", fake / "fake.diopter.so"), 6, "built for LibTorch 9", "rebuild")
    (fake / "fake.diopter.so").write_bytes((BUILD / "lib/diopter/plugins/patching.diopter.so").read_bytes()[:9000])
    expect("a truncated plugin", diopter("plugin", "show", fake / "fake.diopter.so"), 6, "cut short")


def main():
    with tempfile.TemporaryDirectory() as folder:
        tmp = pathlib.Path(folder)
        store = tmp / "store"
        models(tmp, store)
        commands(tmp, store)
        stores(tmp)
        full_disk(tmp, tmp / "newer2")
        interrupt(tmp)
    print(f"bad input: {checked} cases, each with its sentence and exit code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
