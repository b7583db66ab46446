#!/usr/bin/env python3
"""The table of docs/parity.md from what the parity tests measured in this build tree.

parity_table.py BUILD DOCUMENT [--write]
  Prints a row per family. Fails when a difference is above its gate, when a family that the document lists was not measured, or
  the other way round. --write puts the table into the document between its marks.
"""
import json
import os
import pathlib
import sys

BEGIN, END = "<!-- begin: ./dev parity -->\n", "<!-- end: ./dev parity -->\n"
HEAD = """| family | models | layers, query / key heads, d_model | max abs logit | logits | residual streams | patterns | hook points | logits after an edit |
|---|---|---|---|---|---|---|---|---|
"""


def measured(build):
    lines = [line for file in sorted((build / "parity").glob("*.jsonl")) for line in file.read_text().splitlines()]
    if not lines:
        print("nothing was measured: the parity tests did not run, ./dev peers makes their Python environments")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    return [json.loads(line) for line in lines]


def span(rows, key):
    low, high = min(row[key] for row in rows), max(row[key] for row in rows)
    return f"{low}" if low == high else f"{low} - {high}"


def worst(rows, what):
    found = [row["difference"] for row in rows if row["what"] == what]
    return f"{max(found):.1e}".replace("e-0", "e-") if found else ""


def table(rows):
    text = HEAD
    for family in sorted({row["family"] for row in rows}):
        own = [row for row in rows if row["family"] == family]
        shape = f"{span(own, 'n_layers')}, {span(own, 'n_heads')} / {span(own, 'n_kv_heads')}, {span(own, 'd_model')}"
        scale = max((row["scale"] for row in own if row["what"] == "logits"), default=0)
        differences = [worst(own, what) for what in ("logits", "stream", "pattern", "hooks", "edits")]
        text += f"| {family} | {len({row['model'] for row in own})} | {shape} | {scale:.3g} | " + " | ".join(differences) + " |\n"
    return text


def families_of(text):
    return {line.split("|")[1].strip() for line in text.splitlines()[2:] if line.startswith("|")}


def main(build, document, write):
    rows, text = measured(build), document.read_text()
    made = table(rows)
    print(made, end="")
    above = [row for row in rows if row["difference"] > row["gate"]]
    for row in above:
        print(f"above its gate: {row}", file=sys.stderr)
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    if write:
        document.write_text(before + BEGIN + made + END + after)
    elif families_of(old) != families_of(made):
        print(f"{document} lists {sorted(families_of(old))}, measured were {sorted(families_of(made))}; ./dev parity writes it anew", file=sys.stderr)
        return 1
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), "--write" in sys.argv[3:]))
