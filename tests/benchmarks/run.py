#!/usr/bin/env python3
"""./dev bench [NAME...]: what docs/performance.md holds, measured again. Names: machine, study, verbs, forward, generate,
text, rebuild, sweeps.

Medians with quartiles of alternating or repeated runs; nothing here fails on time. Without names: all but sweeps, which take hours
and are measured by rows: ./dev bench sweeps --rows 'resid_pre late' --rounds 3; their options are those of tests/benchmarks/sweeps.py."""
import argparse
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def seconds_of(command, times, **options):
    out = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        out.append(time.perf_counter() - start)
    return out


def show(name, values, unit="s", scale=1.0):
    low, middle, high = (v * scale for v in statistics.quantiles(values, n=4))
    print(f"  {name:<44} {middle:9.3f} {unit}   quartiles {low:.3f} .. {high:.3f}, n = {len(values)}")


def built(build, name):
    subprocess.run(["ninja", "-C", build, name], check=True, stdout=subprocess.DEVNULL)
    return next(path for path in build.rglob(name) if path.is_file())


def machine(build):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    import torch
    a = torch.rand(2048, 2048)
    times = []
    for _ in range(8):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    print(f"machine: {model}, {torch.get_num_threads()} threads, {platform.platform()}, torch {torch.__version__}")
    print(f"  GEMM peak, fp32, 2048^3: {2 * 2048**3 / min(times) / 1e9:.0f} GFLOP/s")


def study(build):
    print("study: experiments/ioi_patching.toml, process start to stored result and report")
    with tempfile.TemporaryDirectory() as store:
        command = [build / "bin/diopter", "run", ROOT / "experiments/ioi_patching.toml", "--store", store, "--force"]
        show("diopter run", seconds_of(command, 9))


def verbs(build):
    print("verbs that need no model")
    with tempfile.TemporaryDirectory() as store:
        subprocess.run([build / "bin/diopter", "run", ROOT / "experiments/ioi_patching.toml", "--store", store], check=True, stdout=subprocess.DEVNULL)
        for words in (["runs"], ["show", "@1"], ["tensor", "@1", "effect"], ["sql", "select count(*) from v_run"]):
            show(" ".join(words[:1]), seconds_of([build / "bin/diopter", *words, "--store", store], 15), "ms", 1e3)
        show("plugin list", seconds_of([build / "bin/diopter", "plugin", "list"], 15), "ms", 1e3)


def forward(build):
    print("forward: GPT-2-small shape against transformers (sdpa); below 1 diopter is faster")
    subprocess.run([sys.executable, ROOT / "tests/benchmarks/forward_vs_transformers.py", built(build, "forward_bench"), "20", "2"], check=True)


def generate(build):
    print("generate: 128 new tokens from 15, GPT-2-small shape, against transformers (sdpa); below 1 diopter is faster")
    subprocess.run([sys.executable, ROOT / "tests/benchmarks/generate_vs_transformers.py", built(build, "generate_bench"), "11", "2"], check=True)


def text(build):
    subprocess.run([built(build, "text_bench")], check=True)


def sweeps(build, options):
    subprocess.run([sys.executable, ROOT / "tests/benchmarks/sweeps.py", built(build, "sweep_bench"), *options], check=True)


def rebuild(build):
    print("rebuild after touching one plugin")
    source = ROOT / "plugins/patching/patching.cpp"
    times = []
    for _ in range(3):
        source.touch()
        times += seconds_of(["ninja", "-C", str(build), "diopter-all"], 1, env={"PATH": "/usr/bin:/bin", "CCACHE_DISABLE": "1"})
    show("patching", times)


def main():
    names = {"machine": machine, "study": study, "verbs": verbs, "forward": forward, "generate": generate, "text": text, "rebuild": rebuild}
    long = {"sweeps": sweeps}
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("names", nargs="*", choices=[*names, *long, []], default=[])
    for option in ("--rounds", "--rows", "--threads", "--sample"):
        parser.add_argument(option)
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    options = [word for option in ("rounds", "rows", "threads", "sample") if (value := getattr(arguments, option)) is not None
               for word in (f"--{option}", value)] + ["--small"] * arguments.small
    for name in arguments.names or names:
        if name in long:
            long[name](arguments.build, options)
        else:
            names[name](arguments.build)
    return 0


if __name__ == "__main__":
    sys.exit(main())
