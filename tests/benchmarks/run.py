#!/usr/bin/env python3
"""./dev bench [NAME...]: what docs/performance.md holds, measured again. Names: machine, study, verbs, forward,
generate, text, rebuild, sweeps, growth, hooks.

Medians with quartiles of alternating or repeated runs; nothing here fails on time. Without names: all but sweeps,
growth and hooks, which take long and are measured by rows: ./dev bench sweeps --rows 'resid_pre late' --rounds 3. Their options
are those of tests/benchmarks/sweeps.py, growth.py and hooks.py."""
import argparse
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]


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
        study = [build / "bin/diopter", "run", ROOT / "experiments/ioi_patching.toml", "--store", store]
        subprocess.run(study, check=True, stdout=subprocess.DEVNULL)
        for words in (["runs"], ["show", "@1"], ["tensor", "@1", "effect"], ["sql", "select count(*) from v_run"]):
            show(" ".join(words[:1]), seconds_of([build / "bin/diopter", *words, "--store", store], 15), "ms", 1e3)
        show("plugin list", seconds_of([build / "bin/diopter", "plugin", "list"], 15), "ms", 1e3)


def forward(build):
    print("forward: GPT-2-small shape against transformers (sdpa); below 1 diopter is faster")
    bench = built(build, "forward_bench")
    subprocess.run([sys.executable, FOLDER / "forward_vs_transformers.py", bench, "20", "2"], check=True)


def generate(build):
    print("generate: 128 new tokens from 15, GPT-2-small shape, against transformers (sdpa); below 1 diopter is faster")
    bench = built(build, "generate_bench")
    subprocess.run([sys.executable, FOLDER / "generate_vs_transformers.py", bench, "11", "2"], check=True)


def text(build):
    subprocess.run([built(build, "text_bench")], check=True)


def sweeps(build, options):
    subprocess.run([sys.executable, FOLDER / "sweeps.py", built(build, "sweep_bench"), *options], check=True)


def growth(build, options):
    subprocess.run([sys.executable, FOLDER / "growth.py", built(build, "sweep_bench"), *options], check=True)


def hooks(build, options):
    subprocess.run(["ninja", "-C", build, "diopter-all"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, FOLDER / "hooks.py", built(build, "hooks_bench"), build, *options], check=True)


def rebuild(build):
    print("rebuild after touching one plugin")
    source = ROOT / "plugins/patching/patching.cpp"
    times = []
    for _ in range(3):
        source.touch()
        environment = {"PATH": "/usr/bin:/bin", "CCACHE_DISABLE": "1"}
        times += seconds_of(["ninja", "-C", str(build), "diopter-all"], 1, env=environment)
    show("patching", times)


def main():
    names = {function.__name__: function for function in (machine, study, verbs, forward, generate, text, rebuild)}
    long = {"sweeps": sweeps, "growth": growth, "hooks": hooks}
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("names", nargs="*", choices=[*names, *long, []], default=[])
    for option in ("--rounds", "--rows", "--threads", "--sample"):
        parser.add_argument(option)
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    options = ["--small"] if arguments.small else []
    for option in ("rounds", "rows", "threads", "sample"):
        value = getattr(arguments, option)
        options += [] if value is None else [f"--{option}", value]
    for name in arguments.names or names:
        if name in long:
            long[name](arguments.build, options)
        else:
            names[name](arguments.build)
    return 0


if __name__ == "__main__":
    sys.exit(main())
