#!/usr/bin/env python3
"""A sweep stays within execution.memory_budget, however many cells it has: peak memory of processes of their own, less that of one with a sweep of
a single cell and prompt. sweep_memory_test.py BUILD SOURCE"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import random_gpt2

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
MB = 1_000_000
BUDGET = 32 * MB
# Beside the budget (33 to 43 MB measured): the prompts and their tokens, values [cell, prompt] and what report and store make of them, shapes that
# oneDNN and LibTorch remember (core/cli/become_host.cpp), blocks that the allocator has not given back.
BESIDE = 56 * MB
COPIES = 4  # of the 64 prompts
MANIFEST = """schema = 1
[experiment]
name = "memory"
[model]
source = "{model}"
[prompts.ioi]
path = "{prompts}"
[[run]]
id = "z"
kind = "patching"
prompts = "ioi"
site = "z"
over = "{over}"
layers = {layers}
metrics = ["logit_diff"]
[execution]
threads = 1
memory_budget = {budget}
"""


def peak(folder, name, model, prompts, over, layers, budget):
    """(largest resident set of the process in bytes, cells of its sweep)"""
    manifest, store = folder / f"{name}.toml", folder / name
    manifest.write_text(MANIFEST.format(model=model, prompts=prompts, over=over, layers=layers, budget=json.dumps(f"{budget}B" if budget else "")))
    process = subprocess.Popen([BUILD / "bin/diopter", "run", manifest, "--store", store], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    run = json.loads(subprocess.run([BUILD / "bin/diopter", "show", "@1", "--json", "--store", store], capture_output=True, check=True).stdout)
    cells = [int(event["message"].split()[0]) for event in run["events"] if event["kind"] == "sweep"]
    assert len(cells) == 1 and not [event for event in run["events"] if event["kind"] == "sweep-plain"], run["events"]
    return usage.ru_maxrss * 1024, cells[0]


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = random_gpt2.write(folder / "model", BUILD / "share/diopter/organism", layers=6, width=128, heads=16)
        lines = (SOURCE / "experiments/prompts/ioi.jsonl").read_text().splitlines()
        (folder / "one.jsonl").write_text(lines[0] + "\n")
        (folder / "many.jsonl").write_text("\n".join(lines * COPIES) + "\n")
        every = list(range(6))
        floor, cells = peak(folder, "floor", model, folder / "one.jsonl", "layer", [0], BUDGET)
        assert cells == 1, cells
        many = lambda name, over, budget: peak(folder, name, model, folder / "many.jsonl", over, every, budget)
        free, _ = many("free", "layer pos", 8000 * MB)
        few, few_cells = many("few", "layer pos", BUDGET)
        most, most_cells = many("most", "layer pos head", BUDGET)
    grown = {name: (value - floor) / MB for name, value in (("free", free), ("few", few), ("most", most))}
    print(f"memory above a sweep of one cell: {grown['few']:.0f} MB for {few_cells} cells and {grown['most']:.0f} MB for {most_cells} cells of "
          f"{64 * COPIES} prompts under a budget of {BUDGET // MB} MB; {grown['free']:.0f} MB with enough for all prompts at once")
    assert most_cells >= 10 * few_cells, (few_cells, most_cells)
    assert free - few > 1.5 * BUDGET, "the budget bounds nothing here: all prompts at once take little more"
    assert few - floor <= BUDGET + BESIDE, grown
    assert most - floor <= BUDGET + BESIDE, grown
    assert most - few <= 24 * MB, f"memory grows with the cells: {grown}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
