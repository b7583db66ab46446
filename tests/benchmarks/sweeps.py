"""Patching sweeps by diopter and its peers, alternately in one run, on one model with random weights.

sweeps.py SWEEP_BENCH [--rounds N] [--rows PATTERN] [--threads N] [--sample N] [--small]
in the environment .deps/peers-hf; SWEEP_BENCH is the executable

In each round diopter runs all cells of a row. Each peer runs base, donor and a random sample of the cells, one forward
a cell, as these packages are used; the same cells for all; its time is scaled to all cells and marked with *. Its
values must be diopter's: a difference above 1e-4 logits (or 1e-5 of the largest) ends in an error. No autograd
anywhere, the same threads, prompts and precision. Peers other than TransformerLens compute the logits of the last
token only.

floor    necessary operations (sweep_operations.py, written apart from diopter: all cells, base and donor run) at the
         best speed of a large matrix product measured in the same run. No exact sweep by these kernels is faster.
ratio    time of the peer / time of diopter, the median of the rounds and its quartiles.
--rows   measures only rows whose name matches, e.g. 'resid_pre late', 'z*', '*tokens|*prompts'
--small  a tiny model and short prompts: shows in a minute that all agree; its times mean nothing
"""

import argparse
import fnmatch
import statistics
import sys
import tempfile
from pathlib import Path

import torch

import measures
from servers import PeerServer, Server, peers
from sweep_operations import SMALL, Model
from sweep_report import Report
from sweep_rows import Row, count, rows, write_prompts
from sweep_runs import Runs


def own_forwards(executable: Path, folder: Path, threads: int, everybody: list[PeerServer], rounds: int) -> None:
    """Each side's plain forward: what a ratio to a slow peer would be worth."""
    diopter = Server([executable, folder, threads])
    sides = {"diopter": lambda: diopter(do="forward", batch=8, pos=15)["wall"]}
    for peer in everybody:
        sides[peer.name] = lambda peer=peer: peer(do="forward", batch=8, pos=15)["seconds"]
    found = {name: [] for name in sides}
    for number in range(rounds + 2):
        for name, run in sides.items():
            seconds = run()
            if number >= 2:
                found[name].append(seconds)
    diopter.close()
    plain = next((name for name in found if name.startswith("transformers")), "diopter")
    print(f"own forward, 8 x 15 tokens, all logits: median, ratio to {plain}")
    for name, seconds in found.items():
        ratio, spread = measures.quartiles([ours / theirs for ours, theirs in zip(seconds, found[plain])])
        print(f"  {name:<22} {statistics.median(seconds) * 1e3:>8.1f} ms   {ratio:.2f}   {spread}")


def memory_of(row: Row, executable: Path, folder: Path, threads: int, prompts: Path) -> str:
    """The same sweep with fewer cells in a fresh process."""
    if not row.fewer:
        return ""
    diopter = Server([executable, folder, threads])
    answer = diopter(**row.request(prompts, [], row.fewer))
    diopter.close()
    return f" ({(answer['peak'] - answer['idle']) / 1e6:,.0f} MB with {count(row.fewer):,} cells)"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("executable", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default="*")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sample", type=int, default=24)
    parser.add_argument("--small", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    model = SMALL if wanted.small else Model()
    table = rows(model, long=(64, 128), many=200) if wanted.small else rows(model, long=(512, 2048), many=2048)
    patterns = wanted.rows.split("|")
    chosen = [row for row in table if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns)]
    if not chosen:
        sys.exit(f"no row matches '{wanted.rows}'; there are: " + ", ".join(row.name for row in table))
    print(measures.title(model, wanted.threads))
    wrong, report = [], Report(model)
    with tempfile.TemporaryDirectory() as made:
        folder, prompts = Path(made) / "model", Path(made) / "prompts.safetensors"
        measures.write_model(model, folder)
        everybody = peers(folder, wanted.threads)
        own_forwards(wanted.executable, folder, wanted.threads, everybody, 2 * wanted.rounds)
        peaks = {}
        for row in chosen:
            write_prompts(row, model.vocabulary, prompts)
            diopter = Server([wanted.executable, folder, wanted.threads])  # a fresh one: its memory is this row's
            runs = Runs(row, model, everybody, diopter, prompts, wanted.sample)
            why = runs.warm_up()
            if why:
                report.missing(row, why)
            else:
                peak = peaks.setdefault(row.compute, measures.GemmPeak(getattr(torch, row.compute)))
                for number in range(min(wanted.rounds, row.most_rounds)):
                    peak.measure()
                    runs.round(number)
                report.row(runs, peak, memory_of(row, wanted.executable, folder, wanted.threads, prompts))
                wrong += runs.disagreeing()
            diopter.close()
        report.end()
        for peer in everybody:
            peer.close()
    for sentence in wrong:
        print(f"error: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
