"""Forward time of diopter and of transformers (sdpa), alternately on the same machine, threads, model and batch.

forward_vs_transformers.py FORWARD_BENCH [ROUNDS [THREADS]]   in the environment .deps/peers-hf; FORWARD_BENCH is the executable

Two models with random weights: GPT-2-small's shape in float32, Llama 3.2 1B's in bfloat16. Prints, per shape of the batch, the
median times, the median of the ratio diopter / transformers of each round, and its quartiles. Below 1 diopter is faster. Both
sides run one forward of a round right after the other, so that other load hits both. On a busy machine use one thread and read
the ratio of processor times; the other columns are wall-clock.
"""
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))
import large_model_oracle  # noqa: E402


def small(folder):
    GPT2LMHeadModel(GPT2Config()).save_pretrained(folder)


MODELS = [("GPT-2-small shape, float32", small, "float32", [(8, 15), (1, 128), (1, 1024), (16, 128)]),
          ("Llama 3.2 1B shape, bfloat16", large_model_oracle.write, "bfloat16", [(1, 512)])]


def spread(ratios: list[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:>7.3f}  {low:.3f} .. {high:.3f} "


class Ours:
    def __init__(self, executable: str, folder: Path, threads: int, dtype: str) -> None:
        self.server = subprocess.Popen([executable, "--serve", folder, str(threads), dtype], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, batch: int, pos: int) -> tuple[float, float]:
        self.server.stdin.write(f"{batch} {pos}\n")
        self.server.stdin.flush()
        wall, cpu = self.server.stdout.readline().split()
        return float(wall), float(cpu)

    def close(self) -> None:
        self.server.stdin.close()
        self.server.wait()


class Theirs:
    def __init__(self, folder: Path, dtype: str) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), attn_implementation="sdpa").eval()

    def __call__(self, batch: int, pos: int) -> tuple[float, float]:
        ids = torch.randint(0, self.model.config.vocab_size, (batch, pos))
        with torch.inference_mode():
            start, cpu = time.perf_counter(), time.process_time()
            self.model(ids, use_cache=False)
            return time.perf_counter() - start, time.process_time() - cpu


def compare(ours: Ours, theirs: Theirs, batch: int, pos: int, rounds: int) -> None:
    rows = []
    for warm in range(rounds + 2):
        pair = (ours(batch, pos), theirs(batch, pos)) if warm % 2 else (theirs(batch, pos), ours(batch, pos))[::-1]
        if warm >= 2:
            rows.append(pair)
    wall = spread([a[0] / b[0] for a, b in rows])
    cpu = spread([a[1] / b[1] for a, b in rows])
    medians = [statistics.median(side[0] for side in column) * 1e3 for column in zip(*rows)]
    print(f"{batch:>5} x {pos:<4} {medians[0]:>8.1f}ms {medians[1]:>11.1f}ms {wall} {cpu}", flush=True)


def main(executable: str, rounds: int, threads: int) -> None:
    torch.set_num_threads(threads)
    logging.disable_progress_bar()
    for name, make, dtype, shapes in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))
            ours, theirs = Ours(executable, folder, threads, dtype), Theirs(folder, dtype)
            print(f"{name}\n{'batch x pos':>12} {'diopter':>10} {'transformers':>13} {'ratio':>7}  {'quartiles':<14} {'cpu ratio':>9}  quartiles")
            for batch, pos in shapes:
                compare(ours, theirs, batch, pos, rounds)
            ours.close()


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[2:]]
    main(sys.argv[1], *(numbers + [20, 2][len(numbers):]))
