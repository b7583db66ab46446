"""Greedy generation by diopter, plain and under a steering edit, and by transformers, alternately on the same machine, threads
and model.

generate_vs_transformers.py GENERATE_BENCH [ROUNDS [THREADS]]   in the environment .deps/peers-hf

128 new tokens from a prompt of 15, GPT-2-small shape, random weights, fp32, keys and values cached on both sides. Prints the
median times, the rate, the medians and quartiles of the ratios of each round (below 1 diopter is faster), and the floor: all
weights read once per token at the bandwidth measured between the rounds (a product of one row with a matrix of 400 MB). On a
busy machine use one thread and read the ratios of processor times.
"""
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

POS, NEW = 15, 128


def spread(ratios: list[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f}   quartiles {low:.3f} .. {high:.3f}"


def main(executable: str, rounds: int, threads: int) -> None:
    torch.set_num_threads(threads)
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    model = GPT2LMHeadModel(GPT2Config(attn_implementation="sdpa", bos_token_id=None, eos_token_id=None)).eval()
    model.generation_config.eos_token_id = None
    matrix, row = torch.rand(10_000, 10_000), torch.rand(10_000)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        server = subprocess.Popen([executable, folder, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def ours(how: str) -> tuple[float, float]:
            server.stdin.write(f"{POS} {NEW} {how}\n")
            server.stdin.flush()
            wall, cpu = server.stdout.readline().split()
            return float(wall), float(cpu)

        def theirs() -> tuple[float, float]:
            ids = torch.randint(0, 50257, (1, POS))
            with torch.inference_mode():
                start, cpu = time.perf_counter(), time.process_time()
                out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False, use_cache=True,
                                     pad_token_id=0)
                seconds = time.perf_counter() - start, time.process_time() - cpu
            assert out.shape[1] == POS + NEW
            return seconds

        def bandwidth() -> float:
            start = time.perf_counter()
            torch.mv(matrix, row)
            return matrix.numel() * 4 / (time.perf_counter() - start)

        sides = {"diopter": lambda: ours("plain"), "steered": lambda: ours("steered"), "transformers": theirs}
        rows, bandwidths = [], []
        for round_number in range(rounds + 1):
            names = list(sides)
            names = names[round_number % 3:] + names[:round_number % 3]
            row_of = {name: sides[name]() for name in names}
            bandwidths.append(max(bandwidth() for _ in range(3)))
            if round_number > 0:
                rows.append(row_of)
        server.stdin.close()
        server.wait()

    for name in sides:
        seconds, cpu = (statistics.median(r[name][i] for r in rows) for i in (0, 1))
        print(f"  {name:<14} {seconds:6.2f} s   {NEW / seconds:6.1f} tokens/s   {seconds / NEW * 1e3:6.2f} ms a token"
              f"   processor {cpu / NEW * 1e3:6.2f} ms a token")
    weights = sum(p.numel() for p in model.parameters()) * 4
    read = statistics.median(bandwidths)
    print(f"  floor          {weights / read * NEW:6.2f} s   {weights / 1e6:.0f} MB a token at {read / 1e9:.1f} GB/s")
    for what, i in (("time", 0), ("processor time", 1)):
        print(f"  diopter / transformers, {what:<14} {spread([r['diopter'][i] / r['transformers'][i] for r in rows])}")
        print(f"  steered / plain, {what:<21} {spread([r['steered'][i] / r['diopter'][i] for r in rows])}")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[2:]]
    main(sys.argv[1], *(numbers + [11, 2][len(numbers):]))
