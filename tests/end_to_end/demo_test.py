#!/usr/bin/env python3
"""Runs experiments/ioi_patching.toml as `./dev demo` does and asserts what a reader of its map would say:
demo_test.py BUILD SOURCE."""
import json
import pathlib
import subprocess
import sys
import tempfile

BUILD, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def diopter(*arguments, store):
    result = subprocess.run([BUILD / "bin/diopter", *arguments, "--store", store], capture_output=True, text=True)
    assert result.returncode == 0, f"diopter {' '.join(map(str, arguments))}: exit {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        store = str(pathlib.Path(folder) / "runs")
        text = diopter("run", SOURCE / "experiments/ioi_patching.toml", store=store)
        for part in ("clean", "corrupted", "effect", "stored", "report"):
            assert part in text, f"the demo does not show '{part}':\n{text}"

        rows = json.loads(diopter("sql", "select count(*) as n from v_run where status='succeeded'", "--json", store=store))["rows"]
        assert rows[0]["n"] == 1, rows

        tensor = json.loads(diopter("tensor", "@1", "effect", "--json", store=store))
        dims = tensor["dims"]
        assert [d["name"] for d in dims][-2:] == ["layer", "pos"], dims
        layers, positions = tensor["shape"][-2:]
        flat = tensor["values"]  # row-major; the metric axis has one entry
        values = [flat[layer * positions:(layer + 1) * positions] for layer in range(layers)]
        labels = dims[-1]["labels"]
        assert (layers, positions) == (4, 15), (layers, positions)
        assert labels[10] == " John" or labels[10] == " Mary", labels  # the second name: what differs
        # At layer 0 the second name decides; after it everything stands at the last token, most of all at layer 1.
        top = [max(range(positions), key=lambda p: values[layer][p]) for layer in range(layers)]
        assert top == [10, 14, 14, 14], top
        best = max((values[layer][p], layer, p) for layer in range(layers) for p in range(positions))
        assert best[1:] == (1, 14) and abs(best[0] - 1.0102) < 1e-3, best
        assert abs(values[0][10] - 1) < 1e-4 and abs(values[3][14] - 1.0068) < 1e-3, (values[0][10], values[3][14])
        assert all(abs(values[l][p]) < 1e-6 for l in range(layers) for p in range(10)), "positions before the difference moved"

        clean = json.loads(diopter("tensor", "@1", "clean_metric", "--json", store=store))["values"][0]
        corrupted = json.loads(diopter("tensor", "@1", "corrupted_metric", "--json", store=store))["values"][0]
        assert clean > 3 and corrupted < -3, (clean, corrupted)

        page = (pathlib.Path(store) / "reports/ioi.html").read_text()
        assert "</html>" in page and len(page) > 1_000_000, len(page)
        if len(sys.argv) > 3:  # a Python with transformers
            subprocess.run([sys.argv[3], SOURCE / "tests/end_to_end/rederive.py", store, BUILD / "share/diopter/organism", "3"], check=True)
        print(f"demo: clean {clean:.2f}, corrupted {corrupted:.2f}, maximum per layer at positions {top}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
