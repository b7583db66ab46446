#!/usr/bin/env python3
"""diopter and huggingface_hub share one cache: each reads what the other wrote, and both may pull at once.
hub_peer_test.py BUILD PYTHON, where PYTHON is that of the oracle environment."""
import os
import pathlib
import subprocess
import sys
import tempfile

import hub_harness as harness
from hub_harness import CHOSEN, Place, expect, scenario, tiny_files
from hub_server import Fault, Servers, slow

PYTHON = pathlib.Path(sys.argv[2])
if not PYTHON.exists():
    print(f"hub_peer: no oracle environment ({PYTHON}); ./dev peers makes it")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

harness.DIOPTER = pathlib.Path(sys.argv[1]) / "bin/diopter"
harness.SERVERS = Servers()

READ = """
import sys, pathlib, huggingface_hub as hub
folder = pathlib.Path(hub.snapshot_download(sys.argv[1], revision=sys.argv[2], local_files_only=True))
print("\\n".join(sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())))
assert pathlib.Path(hub.hf_hub_download(sys.argv[1], "config.json", revision=sys.argv[2], local_files_only=True)).read_bytes()
info = hub.scan_cache_dir()
assert not info.warnings, info.warnings
assert [r.repo_id for r in info.repos] == [sys.argv[1]], info
print("size", sum(r.size_on_disk for r in info.repos), file=sys.stderr)
"""
WRITE = """
import sys, huggingface_hub as hub
print(hub.snapshot_download(sys.argv[1], revision=sys.argv[2], allow_patterns=sys.argv[3:] or None))
"""


def hugging_face(place, script, *arguments, **env):
    done = start_hugging_face(place, script, *arguments, **env)
    out, err = done.communicate(timeout=120)
    assert done.returncode == 0, f"{place.name}: huggingface_hub failed\n{err[-2000:]}"
    return out, err


def start_hugging_face(place, script, *arguments, **env):
    environment = place.environment(HF_HUB_DISABLE_XET=1, HF_HUB_DISABLE_TELEMETRY=1, HF_HUB_DISABLE_PROGRESS_BARS=1, **env)
    return subprocess.Popen([PYTHON, "-c", script, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def they_read_ours(folder):
    options = {"main": {}, "v1": dict(refs={"v1": "c" * 40}), "refs/pr/2": dict(refs={"refs/pr/2": "c" * 40}), "c" * 40: {}}
    for number, (revision, more) in enumerate(options.items()):
        place = Place(folder, f"theirs-{number}", scenario(**more))
        expect(place, place.pull(what=f"org/tiny@{revision}"), 0)
        out, err = hugging_face(place, READ, "org/tiny", revision, HF_HUB_OFFLINE=1)
        assert out.split() == CHOSEN, out
        assert f"size {sum(len(tiny_files()[n]) for n in CHOSEN)}" in err, err
    print(f"  huggingface_hub reads what diopter wrote: {len(options)} kinds of revision, {len(CHOSEN)} files each")


def they_extend_ours(folder):
    place = Place(folder, "extend", scenario())
    expect(place, place.pull(), 0)
    asked = place.scenario.count("cdn")
    hugging_face(place, WRITE, "org/tiny", "main")
    assert place.scenario.count("cdn", "model.safetensors") == asked, "what diopter fetched was not fetched again"
    for name, data in place.scenario.files.items():
        assert (place.root / "snapshots" / ("c" * 40) / name).read_bytes() == data
    code, out, err = place.pull("--include", "*", "--include", "onnx/")
    assert code == 0 and out.count("was here") == len(place.scenario.files), out + err
    print(f"  huggingface_hub completes diopter's snapshot, and diopter finds all {len(place.scenario.files)} files there")


def we_read_theirs(folder):
    for revision in ("main", "v1", "c" * 40):
        place = Place(folder, f"ours-{revision[:4]}", scenario(refs={"main": "c" * 40, "v1": "c" * 40}))
        hugging_face(place, WRITE, "org/tiny", revision, *CHOSEN)
        theirs = place.tree()
        code, out, err = place.pull(what=f"org/tiny@{revision}", HF_HUB_OFFLINE=1)
        assert code == 0 and out.count("was here") == len(CHOSEN), out + err
        fetched = place.scenario.count("cdn")
        expect(place, place.pull(what=f"org/tiny@{revision}"), 0)
        assert place.scenario.count("cdn") == fetched, "what huggingface_hub fetched was fetched again"
        assert place.tree() == theirs, "and nothing of its cache was changed"
        place.scenario.requests.clear()
    print("  diopter reads what huggingface_hub wrote, for a branch, a tag and a commit, and changes nothing")


def part_of_theirs(folder):
    place = Place(folder, "part", scenario())
    hugging_face(place, WRITE, "org/tiny", "main", "config.json")
    code, out, err = place.pull(HF_HUB_OFFLINE=1)
    assert code == 6 and "only in part" in err and "lacks the weights" in err, out + err
    expect(place, place.pull(), 0, r"config\.json\t\d+\twas here", r"model\.safetensors\t41000\tfetched")
    out, _ = hugging_face(place, READ.replace('local_files_only=True))\nprint', f'allow_patterns={CHOSEN!r}, local_files_only=True))\nprint'),
                          "org/tiny", "main", HF_HUB_OFFLINE=1)
    assert out.split() == CHOSEN, out
    print("  diopter completes what huggingface_hub began")


def at_once(folder):
    place = Place(folder, "at-once", scenario(Fault("cdn", slow(1000, 0.05), None)))
    processes = [start_hugging_face(place, WRITE, "org/tiny", "main", *CHOSEN) for _ in range(2)] + [place.start() for _ in range(2)]
    while place.scenario.count("cdn", "model.safetensors") == 0 and any(p.poll() is None for p in processes):
        pass
    processes += [place.start() for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert place.scenario.count("cdn", "model.safetensors") == 1, "one of six fetched it, the others waited"
    for name in CHOSEN:
        assert (place.root / "snapshots" / ("c" * 40) / name).read_bytes() == place.scenario.files[name]
    assert not [path for path in place.tree() if path.endswith(".incomplete")]
    print("  two of huggingface_hub and four of diopter at once: one download, no remains")


def main():
    with tempfile.TemporaryDirectory(prefix="diopter-hub-") as folder:
        for test in (they_read_ours, they_extend_ours, we_read_theirs, part_of_theirs, at_once):
            test(pathlib.Path(folder))
    print("hub_peer: all as it should be")


if __name__ == "__main__":
    main()
