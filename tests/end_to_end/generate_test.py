#!/usr/bin/env python3
"""Generation from the outside: experiments/generate.toml, edits with files, the verb with its stream, JSON and interrupt:
generate_test.py BUILD SOURCE [PYTHON with transformers]"""
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time

BUILD, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
ORGANISM = BUILD / "share/diopter/organism"
PROMPT = "When Mary and John went to the store, John gave a drink to"
TRANSFORMERS = """
import json, sys, torch
from transformers import GPT2LMHeadModel
model = GPT2LMHeadModel.from_pretrained(sys.argv[1]).eval()
ids = torch.tensor([json.loads(sys.argv[2])])
out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, eos_token_id=None, pad_token_id=0)
print(json.dumps(out[0, ids.shape[1]:].tolist()))
"""


def diopter(*arguments, code=0):
    result = subprocess.run([BUILD / "bin/diopter", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert result.returncode == code, f"diopter {arguments}: exit {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result


def texts(store, run):
    shown = json.loads(diopter("show", run, "--store", store, "--json").stdout)
    table = next(o["doc"] for o in shown["outputs"] if o.get("name") == "texts")
    columns = {c["name"]: c["values"] for c in table["columns"] if "values" in c}
    return shown, list(zip(columns["edit"], columns["text"], columns["finish"]))


def study(store):
    diopter("run", SOURCE / "experiments/generate.toml", "--store", store)
    _, plain = texts(store, "@4")
    assert plain == [("", " Mary.", "end_token"), ("", " Tom. Tom thanked Anna.", "end_token")], plain
    _, sampled = texts(store, "@3")
    assert len(sampled) == 6 and len({text for _, text, _ in sampled}) > 2, sampled
    _, down = texts(store, "@2")
    assert [row for row in down if row[0] == "coefficient 1"] == [("coefficient 1", *row[1:]) for row in plain], down
    assert not any(" Mary" in text or " Tom" in text for edit, text, _ in down if edit == "coefficient 0"), down
    _, other = texts(store, "@1")
    assert [text for _, text, _ in other] == [" John.", " Anna."], other
    page = (pathlib.Path(store) / "reports/generate.html").read_text()
    assert "coefficient 0.5" in page and " John." in page, "the report lacks the texts"
    again = diopter("run", SOURCE / "experiments/generate.toml", "--store", store, "--force", "--json").stdout
    assert json.loads(again), again
    assert texts(store, "@3")[1] == sampled, "the same seed drew other texts"
    return plain


def safetensors(path, **tensors):
    header, data = {}, b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def manifest(folder, edit, run="", rows='clean = "When Mary and John went to the store, John gave a drink to"'):
    path = folder / "m.toml"
    path.write_text(f"""schema = 1
[experiment]
name = "edits"
[model]
source = "organism"
[[prompts.p.rows]]
{rows}
[[run]]
id = "g"
kind = "generate"
prompts = "p"
max_new_tokens = 6
{run}
[[run.edit]]
{edit}
[execution]
threads = 1
""")
    return path


def edits(folder, store, plain):
    where = 'hook = "blocks.2.hook_resid_post"\npositions = "last+generated"'
    safetensors(folder / "zero.safetensors", v=[0.0] * 128)
    diopter("run", manifest(folder, f'op = "add"\nvalue = "zero.safetensors"\ncoefficient = 8\n{where}'), "--store", store)
    shown, rows = texts(store, "@1")
    assert rows == plain[:1], rows
    assert any("edit 1 fired but changed no bit" in event["message"] for event in shown["events"]), shown["events"]
    safetensors(folder / "one.safetensors", value=[5.0 if i % 3 else -9.0 for i in range(128)], other=[1.0])
    diopter("run", manifest(folder, f'op = "add"\nvalue = "one.safetensors"\ncoefficient = [0, 8]\n{where}'), "--store", store)
    rows = texts(store, "@1")[1]
    assert [row[1:] for row in rows[:1]] == [plain[0][1:]] and rows[0][1] != rows[1][1], rows
    diopter("run", manifest(folder, f'op = "replace"\nvalue = 0.0\n{where}'), "--store", store)
    replaced = texts(store, "@1")[1]
    diopter("run", manifest(folder, f'op = "zero"\n{where}'), "--store", store)
    assert texts(store, "@1")[1] == replaced, "replaced by the number 0 is not zeroed"

    safetensors(folder / "two.safetensors", a=[1.0], b=[2.0])
    (folder / "vector.npy").write_bytes(b"\x93NUMPY")
    (folder / "broken.safetensors").write_bytes(b"\xff" * 40)
    refused = [
        ('op = "add"\nvalue = "two.safetensors"', "'two.safetensors' holds 2 tensors (a and b)"),
        ('op = "add"\nvalue = "vector.npy"', "'vector.npy' is not a .safetensors file"),
        ('op = "add"\nvalue = "broken.safetensors"', "broken.safetensors"),
        ('op = "add"\nvalue = "@other/vector"', "which is an output of a run"),
        ('op = "replace"\nvalue = "corrupted"', "the prompts of run 'g' have no 'corrupted' text"),
        ('op = "add"\nvalue = 1.0\nhook_ = 1', "unknown key 'hook_'"),
        ('op = "scale"\ncoefficient = 2\nsources = { token = " Mary Ann" }', "' Mary Ann' is 3 tokens (' Mary', ' A' and 'nn'); give one"),
    ]
    for edit, sentence in refused:
        result = diopter("run", manifest(folder, f'{edit}\nhook = "blocks.2.hook_resid_post"'), "--store", store, code=2)
        assert sentence in result.stderr and "m.toml:1" in result.stderr, f"'{sentence}' is not in\n{result.stderr}"
    result = diopter("run", manifest(folder, 'op = "zero"\nhook = "blocks.0.hook_mlp_out"', "top_k = 4"), "--store", store, code=2)
    assert "top_k and top_p have no effect at temperature 0" in result.stderr, result.stderr
    result = diopter("run", manifest(folder, 'op = "zero"\nhook = "blocks.0.hook_mlp_out"\npositions = [60]'), "--store", store, code=1)
    assert "would never fire" in result.stdout + result.stderr, result.stdout + result.stderr
    return len(refused) + 2


def verb(python):
    plain = diopter("generate", "organism", PROMPT)
    assert plain.stdout == " Mary.\n" and "ended by end_token" in plain.stderr, (plain.stdout, plain.stderr)
    stopped = diopter("generate", "organism", PROMPT, "--stop", "ry", "-q")
    assert stopped.stdout == " Ma\n" and stopped.stderr == "", (stopped.stdout, stopped.stderr)
    document = json.loads(diopter("generate", "organism", PROMPT, "--past-end", "--max-new-tokens", "24", "--json").stdout)
    text = document["texts"][0]
    assert text["finish"] == "length" and len(text["tokens"]) == len(text["log_probs"]) == document["new_tokens"] == 24, document
    if python:
        theirs = subprocess.run([python, "-c", TRANSFORMERS, ORGANISM, json.dumps(document["ids"])], capture_output=True, text=True, check=True)
        assert json.loads(theirs.stdout) == text["tokens"], (theirs.stdout, text["tokens"])
    draws = [json.loads(diopter("generate", "organism", "The", "--temperature", "1", "--samples", "4", "--seed", seed, "--json").stdout)["texts"]
             for seed in ("3", "3", "4")]
    assert draws[0] == draws[1], "the same seeds drew other texts"
    drawn = [[(text["seed"], text["tokens"]) for text in texts] for texts in draws]  # log-probabilities differ by rounding
    assert drawn[0][1:] == drawn[2][:3], "seeds 4 to 6 of one call are not those of the other"
    result = diopter("generate", "organism", "x", "--max-new-tokens", "0", code=2)
    assert "max_new_tokens is 0" in result.stderr, result.stderr


def interrupt():
    """Ctrl-C in the middle of many long samples: what there is, and 130."""
    command = [BUILD / "bin/diopter", "generate", "organism", "The", "--past-end", "--max-new-tokens", "90", "--temperature", "1", "--samples", "3000",
               "--threads", "1", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS="1"))
    status = pathlib.Path(f"/proc/{process.pid}/status")
    while not int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("SigCgt")), 16) & 2:
        time.sleep(0.02)  # the handler is not there yet
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, talk = process.communicate(timeout=60)
    document = json.loads(out)
    finishes = {text["finish"] for text in document["texts"]}
    assert process.returncode == 130 and "interrupted" in finishes and "interrupted" in talk, (process.returncode, finishes, talk)
    assert document["new_tokens"] < 3000 * 90, document["new_tokens"]
    return document["new_tokens"]


def main():
    python = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as folder:
        store = str(pathlib.Path(folder) / "runs")
        plain = study(store)
        refused = edits(pathlib.Path(folder), store, plain)
    verb(python)
    print(f"generate: texts of the study as expected, {refused} manifests refused, interrupted after {interrupt()} tokens, "
          f"24 tokens {'equal those of transformers' if python else 'not compared with transformers'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
