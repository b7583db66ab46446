#!/usr/bin/env python3
"""What the built files need: bin/diopter no LibTorch; plugins only libtorch_cpu, libc10, the SDK and the C++ runtime, no
RUNPATH, one exported symbol; diopter-host LibTorch and the SDK."""
import pathlib
import re
import subprocess
import sys

BUILD = pathlib.Path(sys.argv[1])
RUNTIME = {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2"}
SANITIZERS = re.compile(r"lib(asan|ubsan|tsan)\.so")


def needed(path):
    text = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"NEEDED.*\[(.*?)\]", text)), "RUNPATH" in text or "RPATH" in text


def main():
    problems = []
    light, _ = needed(BUILD / "bin/diopter")
    if any("torch" in name or "c10" in name or "diopter_sdk" in name for name in light):
        problems.append(f"bin/diopter needs {sorted(light)}: it must not load LibTorch")
    host, _ = needed(BUILD / "libexec/diopter/diopter-host")
    for name in ("libtorch_cpu.so", "libc10.so", "libdiopter_sdk.so.1"):
        if name not in host:
            problems.append(f"diopter-host does not name {name}")
    plugins = sorted((BUILD / "lib/diopter/plugins").glob("*.diopter.so"))
    for plugin in plugins:
        names, runpath = needed(plugin)
        extra = {n for n in names - RUNTIME - {"libtorch_cpu.so", "libc10.so", "libdiopter_sdk.so.1"} if not SANITIZERS.match(n)}
        if extra:
            problems.append(f"{plugin.name} needs {sorted(extra)}")
        if runpath:
            problems.append(f"{plugin.name} has a RUNPATH")
        symbols = subprocess.run(["nm", "-D", "--defined-only", plugin], check=True, capture_output=True, text=True).stdout.split("\n")
        exported = {line.split()[-1] for line in symbols if line.strip()}
        if exported != {"diopter_entry"}:
            problems.append(f"{plugin.name} exports {sorted(exported)[:5]}, expected diopter_entry alone")
    for problem in problems:
        print("error:", problem)
    print(f"link: diopter, diopter-host and {len(plugins)} plugins checked, {len(problems)} problems")
    return 1 if problems or len(plugins) < 3 else 0


if __name__ == "__main__":
    sys.exit(main())
