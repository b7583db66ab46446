"""What the comparisons share: the speed at large products, medians and quartiles as text, the model they run on."""

import platform
import random
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))
from gpt2_weights import Shape, random_weights, write_folder  # noqa: E402
from sweep_operations import Model  # noqa: E402

CONTEXT = 2048


def write_model(model: Model, folder: Path) -> None:
    """Weights of a size that makes patches matter: logits and effects are of the order of some units."""
    shape = Shape(model.layers, model.heads, model.width, model.hidden, model.vocabulary, CONTEXT)
    write_folder(shape, random_weights(shape, seed=3), folder)


class GemmPeak:
    """The best rate of a product of 2048 x 2048 matrices that PyTorch's kernels reach, in operations a second. Measured
    again in every round, the best so far counts: a floor that is too high would flatter."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.n, self.best = 2048, 0.0
        a, b = torch.rand(self.n, self.n, dtype=dtype), torch.rand(self.n, self.n, dtype=dtype)
        packed = torch.ops.mkldnn._reorder_linear_weight(b, self.n)
        linear = torch.ops.mkldnn._linear_pointwise
        self.kernels = [
            lambda: torch.mm(a, b),
            lambda: linear(a, b, None, "none", [], ""),
            lambda: linear(a, packed, None, "none", [], ""),
        ]
        self.measure()  # the first products also start the threads

    def measure(self) -> None:
        for kernel in self.kernels:
            for _ in range(3):
                start = time.perf_counter()
                kernel()
                self.best = max(self.best, 2 * self.n**3 / (time.perf_counter() - start))


def title(model: Model, threads: int) -> str:
    processor = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    machine = f"{processor}, {platform.platform()}, torch {torch.__version__}, {threads} threads"
    shape = f"{model.layers} layers, width {model.width}, {model.heads} heads, vocabulary {model.vocabulary:,}"
    return f"{machine}\nrandom weights: {shape}, context {CONTEXT:,}"


def quartiles(values: list[float]) -> tuple[float, str]:
    """The median, and the quartiles as text; of a single round there are none."""
    if len(values) < 2:
        return values[0], "one round"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, f"{short(low)} .. {short(high)}"


def ratio_of_medians(above: list[float], below: list[float]) -> tuple[float, float, float]:
    """The ratio, and the ends of its 95 % interval: of 2,000 samples of the rounds, drawn with replacement."""
    pairs, draw, drawn = list(zip(above, below)), random.Random(1), []
    for _ in range(2000):
        some_above, some_below = zip(*draw.choices(pairs, k=len(pairs)))
        drawn.append(statistics.median(some_above) / statistics.median(some_below))
    drawn.sort()
    return statistics.median(above) / statistics.median(below), drawn[50], drawn[-51]


def short(value: float) -> str:
    """Three digits, or down to the thousandth."""
    return (
        f"{value:,.0f}"
        if value >= 100
        else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"
    )
