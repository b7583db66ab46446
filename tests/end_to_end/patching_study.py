"""Studies of one run, a sweep over z with the prompts of experiments/prompts/ioi.jsonl, and what a store remembers of them."""
import json
import subprocess

MANIFEST = """schema = 1
[experiment]
name = "{name}"
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
metrics = ["logit_diff"]
"""


def write(file, model, prompts, over, run="", execution=""):
    """The manifest `file`; `run` and `execution`: further lines of those tables."""
    text = MANIFEST.format(name=file.stem, model=model, prompts=prompts, over=over)
    file.write_text(text + run + ("[execution]\n" + execution if execution else ""))
    return file


def command(build, manifest, store, settings=()):
    return [build / "bin/diopter", "run", manifest, "--store", store, *settings]


def diopter(build, *arguments):
    """What a verb that must succeed prints."""
    return subprocess.run([build / "bin/diopter", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=True).stdout


def rows(build, store, query):
    return json.loads(diopter(build, "sql", query, "--store", store, "--json"))["rows"]
