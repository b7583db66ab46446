"""How the cost of a patching sweep grows with layers, positions, prompts, heads and the model's size, and a model of it.

growth.py SWEEP_BENCH [--rounds N] [--threads N]   in the environment .deps/peers-hf

Each curve varies one thing. The model of the cost is

    seconds = operations / rate * (1 + c / width)

with the operations of base, donor and all cells as counted from the rules of exact reuse (sweep_operations.py), the
rate of products and the share c / width of what grows with the width instead of its square: norms, activations, sums
and copies. Both constants are fitted to all points together; each row says how far its own time is from the model.

At the end: what the same sweep costs on models that were not run, from the same formula.
"""

import argparse
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import measures
from servers import Server
from sweep_operations import Model, Pair
from sweep_rows import Row, write_prompts

VOCABULARY = 8192  # the answers' columns alone are read


@dataclass(frozen=True)
class Point:
    curve: str
    value: int
    model: Model
    row: Row


def shape(layers: int = 6, width: int = 768, heads: int = 12) -> Model:
    return Model(layers=layers, heads=heads, width=width, hidden=4 * width, vocabulary=VOCABULARY)


def everything_but_bos(length: int) -> Pair:
    return Pair(length, frozenset(range(1, length)))


def by_position(model: Model, length: int, prompts: int) -> Row:
    axes = {"layer": list(range(model.layers)), "pos": list(range(length))}
    return Row("resid_pre", "resid_pre", axes, everything_but_bos(length), prompts=prompts)


def points() -> list[Point]:
    found = []
    for layers in (3, 6, 12, 24):
        found.append(Point("layers", layers, shape(layers), by_position(shape(layers), 15, 4)))
    for length in (15, 30, 60, 120):
        found.append(Point("positions", length, shape(), by_position(shape(), length, 1)))
    for prompts in (1, 4, 16, 64):
        found.append(Point("prompts", prompts, shape(), by_position(shape(), 15, prompts)))
    for heads in (6, 12, 24, 48):
        model = shape(heads=heads)
        axes = {"layer": list(range(model.layers)), "head": list(range(heads))}
        found.append(Point("heads", heads, model, Row("z", "z", axes, everything_but_bos(15), prompts=4)))
    for width in (256, 512, 1024, 2048):
        model = shape(width=width, heads=width // 64)
        found.append(Point("width", width, model, by_position(model, 15, 8)))
    return found


def operations(point: Point) -> float:
    cells, reference, _ = point.row.operations(point.model)
    return cells + reference


def seconds_of(point: Point, executable: Path, threads: int, rounds: int) -> float:
    with tempfile.TemporaryDirectory() as made:
        folder, prompts = Path(made) / "model", Path(made) / "prompts.safetensors"
        measures.write_model(point.model, folder)
        write_prompts(point.row, VOCABULARY, prompts)
        diopter = Server([executable, folder, threads])
        diopter(**point.row.request(prompts, []))  # the first one also fills caches
        walls = [diopter(**point.row.request(prompts, []))["wall"] for _ in range(rounds)]
        diopter.close()
    return statistics.median(walls)


def fitted(found: list[tuple[Point, float]]) -> tuple[float, float]:
    """rate and c by least squares of relative errors: with u = operations / seconds and v = u / width,
    u / rate + v * c / rate should be 1 at every point."""
    uu = uv = vv = su = sv = 0.0
    for point, seconds in found:
        u = operations(point) / seconds
        v = u / point.model.width
        uu, uv, vv, su, sv = uu + u * u, uv + u * v, vv + v * v, su + u, sv + v
    determinant = uu * vv - uv * uv
    a, b = (su * vv - sv * uv) / determinant, (sv * uu - su * uv) / determinant
    return 1 / a, b / a


def cost(model_operations: float, width: int, rate: float, c: float) -> float:
    return model_operations / rate * (1 + c / width)


def elsewhere(rate: float, c: float) -> None:
    """resid_pre at every layer and position of 8 and of 1,000 prompts of 15 tokens."""
    print("\nmodels that were not run: resid_pre, every layer and position, prompts of 15 tokens that differ after BOS")
    print(f"  {'model':<22} {'prompts':>8} {'TFLOP':>12} {'this machine':>14} {'64 nodes of 10 TFLOP/s':>24}")
    named = {
        "GPT-2 small": Model(),
        "GPT-2 XL": Model(layers=48, heads=25, width=1600, hidden=6400),
        "7 billion parameters": Model(layers=32, heads=32, width=4096, hidden=16512),  # its three MLP matrices of 11,008
    }
    for name, model in named.items():
        for prompts in (8, 1000):
            total = sum(by_position(model, 15, prompts).operations(model)[:2])
            here = cost(total, model.width, rate, c)
            print(
                f"  {name:<22} {prompts:>8,} {total / 1e12:>12,.1f} {measures.short(here):>12} s"
                f" {measures.short(total / 64 / 10e12 * (1 + c / model.width)):>22} s"
            )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("executable", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    wanted = parser.parse_args()
    print(measures.title(shape(), wanted.threads))
    found = [(point, seconds_of(point, wanted.executable, wanted.threads, wanted.rounds)) for point in points()]
    rate, c = fitted(found)
    print(f"seconds = operations / {rate / 1e9:.0f} GFLOP/s * (1 + {c:.0f} / width)\n")
    print(f"  {'varied':<10} {'value':>6} {'cells':>7} {'GFLOP':>10} {'seconds':>9} {'model':>9} {'measured/model':>15}")
    curve = ""
    for point, seconds in found:
        expected = cost(operations(point), point.model.width, rate, c)
        print(
            f"  {point.curve if point.curve != curve else '':<10} {point.value:>6} {point.row.cells:>7,}"
            f" {operations(point) / 1e9:>10,.1f} {seconds:>9.3f} {expected:>9.3f} {seconds / expected:>15.2f}"
        )
        curve = point.curve
    elsewhere(rate, c)


if __name__ == "__main__":
    main()
