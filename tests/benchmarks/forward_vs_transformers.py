"""Forward time of diopter and of transformers (sdpa), alternately on the same machine, threads, model and batch.

forward_vs_transformers.py FORWARD_BENCH [ROUNDS]   in the environment .deps/peers-hf; FORWARD_BENCH is the built executable

Prints, per shape, the median times, the median of the ratio diopter / transformers of each round, and its quartiles. Below 1
diopter is faster. Both sides run one forward of a round right after the other, so that other load hits both.
"""
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel

SHAPES = [(8, 15), (1, 128), (1, 1024), (16, 128)]


def main(executable: str, rounds: int) -> None:
    torch.set_num_threads(2)
    model = GPT2LMHeadModel(GPT2Config(attn_implementation="sdpa")).eval()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        server = subprocess.Popen([executable, "--serve", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def ours(batch: int, pos: int) -> float:
            server.stdin.write(f"{batch} {pos}\n")
            server.stdin.flush()
            return float(server.stdout.readline())

        def theirs(batch: int, pos: int) -> float:
            ids = torch.randint(0, 50257, (batch, pos))
            with torch.inference_mode():
                start = time.perf_counter()
                model(ids, use_cache=False)
                return time.perf_counter() - start

        print(f"{'batch x pos':>12} {'diopter':>10} {'transformers':>13} {'ratio':>7}  quartiles")
        for batch, pos in SHAPES:
            times = []
            for warm in range(rounds + 2):
                pair = (ours(batch, pos), theirs(batch, pos)) if warm % 2 else (theirs(batch, pos), ours(batch, pos))[::-1]
                if warm >= 2:
                    times.append(pair)
            ratios = sorted(a / b for a, b in times)
            quartiles = statistics.quantiles(ratios, n=4)
            medians = [statistics.median(column) * 1e3 for column in zip(*times)]
            print(f"{batch:>5} x {pos:<4} {medians[0]:>8.1f}ms {medians[1]:>11.1f}ms {statistics.median(ratios):>7.3f}  "
                  f"{quartiles[0]:.3f} .. {quartiles[2]:.3f}", flush=True)
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20)
