#!/usr/bin/env python3
"""Habits that a machine can check: files stay small, no unfinished markers, no absolute paths of somebody's machine."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
LIMIT = 400
MARKERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|not implemented|GTEST_DISABLED|DISABLED_")
PLACES = re.compile(r"(^|[^\w.$}])/(home|root|work|opt|Users)/")


def main():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True, text=True)
    files = [ROOT / name for name in listed.stdout.split("\n") if name.endswith((".cpp", ".hpp", ".h", ".py", ".cmake", ".txt", ".toml", ".sh", ".md"))]
    problems = []
    for path in files:
        if not path.is_file() or path.name == "check_sources.py":
            continue
        text = path.read_text(errors="replace")
        name = path.relative_to(ROOT)
        lines = text.count("\n")
        if path.suffix in (".cpp", ".hpp", ".h") and lines > LIMIT:
            problems.append(f"{name} has {lines} lines (limit {LIMIT}): two ideas in one file?")
        for number, line in enumerate(text.split("\n"), 1):
            if path.suffix != ".md" and MARKERS.search(line):
                problems.append(f"{name}:{number}: unfinished: {line.strip()[:80]}")
            if PLACES.search(line):
                problems.append(f"{name}:{number}: a path of one machine: {line.strip()[:80]}")
    plugin = ROOT / "plugins/patching/patching.cpp"
    if plugin.read_text().count("\n") > 150:
        problems.append("plugins/patching/patching.cpp has more than 150 lines")
    for problem in problems:
        print("error:", problem)
    print(f"sources: {len(files)} files checked, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
