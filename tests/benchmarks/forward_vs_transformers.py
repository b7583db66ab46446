"""Forward time of diopter and of transformers (sdpa), alternately on the same machine, threads, model and batch.

forward_vs_transformers.py FORWARD_BENCH [ROUNDS [THREADS]]   in the environment .deps/peers-hf; FORWARD_BENCH is the executable

Prints, per shape, the median times, the median of the ratio diopter / transformers of each round, and its quartiles. Below 1
diopter is faster. Both sides run one forward of a round right after the other, so that other load hits both. On a busy
machine use one thread and read the ratio of processor times; the other columns are wall-clock.
"""
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

SHAPES = [(8, 15), (1, 128), (1, 1024), (16, 128)]


def spread(ratios: list[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:>7.3f}  {low:.3f} .. {high:.3f} "


def main(executable: str, rounds: int, threads: int) -> None:
    torch.set_num_threads(threads)
    logging.disable_progress_bar()
    model = GPT2LMHeadModel(GPT2Config(attn_implementation="sdpa")).eval()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        server = subprocess.Popen([executable, "--serve", folder, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def ours(batch: int, pos: int) -> tuple[float, float]:
            server.stdin.write(f"{batch} {pos}\n")
            server.stdin.flush()
            wall, cpu = server.stdout.readline().split()
            return float(wall), float(cpu)

        def theirs(batch: int, pos: int) -> tuple[float, float]:
            ids = torch.randint(0, 50257, (batch, pos))
            with torch.inference_mode():
                start, cpu = time.perf_counter(), time.process_time()
                model(ids, use_cache=False)
                return time.perf_counter() - start, time.process_time() - cpu

        print(f"{'batch x pos':>12} {'diopter':>10} {'transformers':>13} {'ratio':>7}  {'quartiles':<14} {'cpu ratio':>9}  quartiles")
        for batch, pos in SHAPES:
            rows = []
            for warm in range(rounds + 2):
                pair = (ours(batch, pos), theirs(batch, pos)) if warm % 2 else (theirs(batch, pos), ours(batch, pos))[::-1]
                if warm >= 2:
                    rows.append(pair)
            wall = spread([a[0] / b[0] for a, b in rows])
            cpu = spread([a[1] / b[1] for a, b in rows])
            medians = [statistics.median(side[0] for side in column) * 1e3 for column in zip(*rows)]
            print(f"{batch:>5} x {pos:<4} {medians[0]:>8.1f}ms {medians[1]:>11.1f}ms {wall} {cpu}", flush=True)
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[2:]]
    main(sys.argv[1], *(numbers + [20, 2][len(numbers):]))
