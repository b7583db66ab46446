#!/usr/bin/env python3
"""Makes a small organism from its manifest, whole and in pieces: a training that is interrupted, killed and run again ends
with the same bytes, on one thread and on two. training_test.py BUILD SOURCE"""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

BUILD, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
STEPS = 80
SMALL = ["run.corpus.documents=3000", f"run.train.steps={STEPS}", "run.train.d_model=64", "run.train.d_mlp=128", "run.train.n_layers=2",
         "run.train.checkpoint_every=4", "run.train.log_every=4"]


def command(store, threads):
    return [BUILD / "bin/diopter", "run", SOURCE / "experiments/organism/organism.toml", "--store", store, *SMALL, f"execution.threads={threads}"]


def diopter(*arguments):
    return subprocess.run([BUILD / "bin/diopter", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=True).stdout


def checkpoints(store):
    """{path: time written} of the checkpoints that stand now. The process that is watched renames its folders meanwhile: one that
    is gone when it is looked into holds no checkpoint (os.walk passes over it, rglob would not)."""
    found = {}
    for folder, _, names in os.walk(store):
        if pathlib.Path(folder).name == "checkpoint" and "state.json" in names:
            try:
                found[folder] = (pathlib.Path(folder) / "state.json").stat().st_mtime_ns
            except FileNotFoundError:
                continue
    return found


def train(store, threads, stop=None):
    """Runs the manifest; with a signal, sends it once a checkpoint stands. The exit code."""
    process = subprocess.Popen(command(store, threads), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if stop is not None:
        deadline = time.monotonic() + 100
        known = checkpoints(store)
        while process.poll() is None and time.monotonic() < deadline:
            if any(known.get(folder) != written for folder, written in checkpoints(store).items()):
                break
            time.sleep(0.01)
        process.send_signal(stop)
    out, err = process.communicate(timeout=300)
    assert process.returncode == {None: 0, signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}[stop], (process.returncode, out, err)
    return out + err


def result(store):
    """Hashes of the stored model, and every loss that the store has."""
    run = json.loads(diopter("runs", "--store", store, "--json", "--status", "succeeded"))["rows"]
    train_run = next(row for row in run if row["entry"] == "train")
    losses = json.loads(diopter("metrics", train_run["id"], "loss", "--limit", "0", "--store", store, "--json"))
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
             for path in (store / "artifacts").rglob("model/*") if path.name in ("model.safetensors", "config.json", "tokenizer.json")}
    assert set(files) == {"model.safetensors", "config.json", "tokenizer.json"}, files
    return files, losses


def main():
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        train(tmp / "whole", threads=1)
        files, losses = result(tmp / "whole")
        said = train(tmp / "pieces", threads=2, stop=signal.SIGINT)
        assert "run the manifest again" in said, said
        train(tmp / "pieces", threads=2, stop=signal.SIGKILL)
        train(tmp / "pieces", threads=2)
        again, losses_again = result(tmp / "pieces")
        assert again == files, f"other bytes after stopping and going on: {files} and {again}"
        points = [(row["step"], row["value"]) for row in losses["rows"]]
        points_again = [(row["step"], row["value"]) for row in losses_again["rows"]]
        assert points == points_again, f"other losses: {points} and {points_again}"
        assert [step for step, _ in points] == list(range(4, STEPS + 1, 4)), points
        assert points[-1][1] < points[0][1] - 1, points
        config = json.loads(next((tmp / "whole" / "artifacts").rglob("model/config.json")).read_text())
        assert config["bos_token_id"] == 0 and config["eos_token_id"] == 0, config
        print(f"training: {len(points)} losses and 3 files equal after an interrupt and a kill, with 1 and 2 threads; "
              f"loss {points[0][1]:.3f} -> {points[-1][1]:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
