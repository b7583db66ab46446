#!/usr/bin/env python3
"""A sweep stays within execution.memory_budget, however many cells it has: peak memory of processes of their own, less that of one with a sweep of
a single cell and prompt. sweep_memory_test.py BUILD SOURCE

Beside what a sweep holds, a process keeps two things that no budget speaks of: what oneDNN and LibTorch remember of products they have made (up to
48 shapes, core/cli/become_host.cpp), and blocks that were freed and stay with the allocator. Without these two (BARE) nothing is left beside the
budget: all that grows, of prompts, cells, report and store too, must fit in it. As users run it (USUAL), both come on top."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import patching_study
import random_gpt2

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
MB = 1_000_000
BUDGET = 32 * MB
PLENTY = 8000 * MB
REMEMBERED = 56 * MB  # by libraries and allocator, as far as it exceeds the budget (32 to 43 MB measured, where a sweep itself holds 10)
COPIES = 4  # of the 64 prompts
USUAL = {}
BARE = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "0", "LRU_CACHE_CAPACITY": "1", "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536",
        "MALLOC_TRIM_THRESHOLD_": "65536"}


def peak(manifest, settings):
    """(largest resident set of the process in bytes, cells of its sweep)"""
    store = manifest.with_suffix("")
    process = subprocess.Popen(patching_study.command(BUILD, manifest, store), env=os.environ | settings, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    run = json.loads(patching_study.diopter(BUILD, "show", "@1", "--json", "--store", store))
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

        def measured(name, settings, prompts, over, layers, budget):
            manifest = patching_study.write(folder / f"{name}.toml", model, folder / prompts, over, f"layers = {layers}\n",
                                            f'threads = 1\nmemory_budget = "{budget}B"\n')
            return peak(manifest, settings)

        def grown(name, settings):
            """{sweep: bytes above a sweep of one cell}, {sweep: cells}"""
            floor, cells = measured(f"{name}_floor", settings, "one.jsonl", "layer", [0], BUDGET)
            assert cells == 1, cells
            found = {sweep: measured(f"{name}_{sweep}", settings, "many.jsonl", over, list(range(6)), budget) for sweep, over, budget in
                     (("few", "layer pos", BUDGET), ("most", "layer pos head", BUDGET), ("free", "layer pos", PLENTY))}
            return {sweep: peak - floor for sweep, (peak, _) in found.items()}, {sweep: cells for sweep, (_, cells) in found.items()}

        bare, cells = grown("bare", BARE)
        usual, _ = grown("usual", USUAL)
    for how, found in (("without what libraries and allocator remember", bare), ("as users run it", usual)):
        print(f"memory above a sweep of one cell, {how}: {found['few'] / MB:.1f} MB for {cells['few']} cells and {found['most'] / MB:.1f} MB for "
              f"{cells['most']} cells of {64 * COPIES} prompts under a budget of {BUDGET // MB} MB; {found['free'] / MB:.1f} MB with enough for all "
              "prompts at once")
    assert cells["most"] >= 10 * cells["few"], cells
    for found in (bare, usual):
        assert found["free"] - found["few"] > 1.5 * BUDGET, "the budget bounds nothing here: all prompts at once take little more"
    assert max(bare["few"], bare["most"]) <= BUDGET, bare
    assert abs(bare["most"] - bare["few"]) <= 4 * MB, f"memory grows with the cells: {bare}"
    assert max(usual["few"], usual["most"]) <= BUDGET + REMEMBERED, usual
    assert usual["most"] - usual["few"] <= 24 * MB, f"memory grows with the cells: {usual}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
