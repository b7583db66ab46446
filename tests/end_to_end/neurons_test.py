#!/usr/bin/env python3
"""Neurons and intervals from the outside: experiments/ioi_neurons.toml, intervals of a patching run on 64:
neurons_test.py BUILD SOURCE [PYTHON with transformers]"""
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

BUILD, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def diopter(*arguments):
    result = subprocess.run([BUILD / "bin/diopter", *map(str, arguments)], capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, f"diopter {arguments}: exit {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout + result.stderr


def tensor(store, run, name):
    document = json.loads(diopter("tensor", run, name, "--json", "--store", store))
    assert all(value is not None for value in document["values"]), f"{name} of {run} has holes"
    return document


def values(store, run, name):
    return tensor(store, run, name)["values"]


def neurons(store):
    said = diopter("run", SOURCE / "experiments/ioi_neurons.toml", "--store", store)
    read, ablated = "@2", "@1"
    attribution = tensor(store, read, "attribution")
    assert attribution["shape"] == [4, 512] and [dim["name"] for dim in attribution["dims"]] == ["layer", "neuron"], attribution["shape"]
    for run in (read, ablated):
        assert tensor(store, run, "value")["shape"] == [1, 80]
    layers, indices = (values(store, read, f"selected.{column}") for column in ("layer", "neuron"))
    predicted, changes = values(store, read, "selected.attribution"), values(store, read, "change")
    flat = attribution["values"]
    ranked = sorted(range(len(flat)), key=lambda i: -abs(flat[i]))
    assert [(int(l), int(n)) for l, n in zip(layers, indices)][:40] == [divmod(place, 512) for place in ranked[:40]], "not the largest attributions"
    assert len(set(zip(layers, indices))) == 80, "a neuron was patched twice"
    assert all(abs(p - flat[int(l) * 512 + int(n)]) < 1e-9 for p, l, n in zip(predicted, layers, indices))
    low, high = values(store, read, "change_low"), values(store, read, "change_high")
    assert all(a <= c <= b for a, c, b in zip(low, changes, high)), "a change lies outside its interval"
    shown = json.loads(diopter("show", read, "--store", store, "--json"))
    metrics = {metric["name"]: metric["value"] for metric in shown["metrics"]}
    r = statistics.correlation(predicted[:40], changes[:40])
    assert abs(metrics["correlation"] - r) < 1e-9 and r > 0.8, (metrics["correlation"], r)
    assert metrics["selected_change"] > 5 * metrics["control_change"], metrics
    assert "[prefilter]" in said and "does not see" not in said.split("ablated")[0], said
    page = (pathlib.Path(store) / "reports/ioi_neurons.html").read_text()
    assert '"low"' in page and "correlate" in page, "the report lacks the intervals or the warning"
    return f"correlation {r:.3f}, {metrics['selected_change'] / metrics['control_change']:.0f} times the change of neurons by chance"


def intervals(folder, store):
    """Of 64 prompts the percentile interval is nearly that of normal theory."""
    manifest = folder / "intervals.toml"
    manifest.write_text(f"""schema = 1
[experiment]
name = "intervals"
[model]
source = "organism"
[prompts.ioi]
path = "{SOURCE}/experiments/prompts/ioi.jsonl"
[[run]]
id = "resid"
kind = "patching"
prompts = "ioi"
over = "layer"
metrics = ["logit_diff", "prob"]
normalise = "clean_corrupted"
site = "mlp_out"
intervals = 0.9
keep_prompts = true
[[report]]
file = "intervals.html"
  [[report.figure]]
  of = "resid/effect"
  as = "bar"
[execution]
threads = 1
""")
    diopter("run", manifest, "--store", store)
    kept = tensor(store, "@1", "per_prompt")
    assert kept["shape"] == [2, 4, 64] and [dim["name"] for dim in kept["dims"]] == ["metric", "layer", "prompt"], kept["shape"]
    low, high, mean = (values(store, "@1", name) for name in ("value_low", "value_high", "value"))
    worst = 0
    for cell in range(8):
        prompts = kept["values"][cell * 64:(cell + 1) * 64]
        assert abs(statistics.fmean(prompts) - mean[cell]) < 1e-5
        half = 1.6449 * statistics.stdev(prompts) / math.sqrt(64)
        worst = max(worst, abs(low[cell] - (mean[cell] - half)) / half, abs(high[cell] - (mean[cell] + half)) / half)
    assert worst < 0.35, worst  # skewed metrics reach further to one side
    effect = [values(store, "@1", f"effect{end}") for end in ("_low", "", "_high")]
    assert all(a < e < b for a, e, b in zip(*effect)), effect
    page = (pathlib.Path(store) / "reports/intervals.html").read_text()
    drawn = re.search(r'"high":"[^"]{20,}"', page)
    assert drawn, "the bars have no intervals"
    again = values(store, "@1", "effect_low")
    diopter("run", manifest, "--store", store, "--force")
    assert values(store, "@1", "effect_low") == again, "the same seed gives another interval"
    diopter("run", manifest, "run.resid.seed=5", "--store", store)
    assert values(store, "@1", "effect_low") != again, "another seed draws the same prompts"
    return worst


def main():
    python = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as folder:
        store = str(pathlib.Path(folder) / "runs")
        said = neurons(store)
        if python:
            subprocess.run([python, SOURCE / "tests/end_to_end/rederive_neurons.py", store, BUILD / "share/diopter/organism"], check=True)
        worst = intervals(pathlib.Path(folder), store)
    print(f"neurons: {said}; intervals differ from normal theory by at most {worst:.2f} of the half width")
    return 0


if __name__ == "__main__":
    sys.exit(main())
