"""Operations that a patching sweep cannot avoid, for blocks like GPT-2's: sequential, all heads with keys of their own.

Written from the rules of exact reuse alone, knowing nothing of diopter's engine, so that the operations it counts can
be held against these:

1. In each layer only positions whose residual stream differs from the base run are computed, and of those only what
   the metric reads: in the last layer keys and values there; queries, attention and MLP at the last position alone.
2. The metric's answers cost their columns of the unembedding; a metric of whole distributions (kl) the vocabulary.
3. A cell that cannot differ by equal tokens and causality costs nothing. A residual patch at the first position that
   differs makes the donor's keys, values and stream there, in all later layers: all known. A residual patch that
   makes the embeddings the donor's is the donor's run.
4. Where a site enters its layer: `_own_layer`, `_resid_pre`. Base and donor runs are common to all cells and are
   counted apart; positions that they share (equal tokens so far) are computed once.

An operation is a multiplication or an addition of a matrix product (two per multiply-accumulate). A query at position
q has q + 1 keys. Norms, activations, softmax and sums are not counted.

sweep_operations.py   checks the nine figures of the goal table; no packages needed
"""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    layers: int = 12
    heads: int = 12
    width: int = 768
    hidden: int = 3072
    vocabulary: int = 50257

    @property
    def head(self) -> int:
        return self.width // self.heads

    # one position, one layer
    @property
    def projection(self) -> int:  # Q, K, V or O of all heads
        return 2 * self.width * self.width

    @property
    def mlp(self) -> int:
        return 4 * self.width * self.hidden

    def attention(self, first: int, last: int) -> int:
        """Scores and weighted values of the queries first..last."""
        keys = (last + 1) * (last + 2) // 2 - first * (first + 1) // 2
        return 4 * self.width * max(keys, 0)


SMALL = Model(layers=4, heads=4, width=64, hidden=256, vocabulary=997)  # for a quick look whether all agree


@dataclass(frozen=True)
class Pair:
    """A clean and a corrupted prompt of `length` tokens; `differ` are the positions at which their tokens do."""

    length: int
    differ: frozenset

    @property
    def first(self) -> int:
        return min(self.differ)

    @property
    def last(self) -> int:
        return self.length - 1


BY_POSITION = ("resid_pre", "attn_out", "mlp_out")


def metric_operations(model: Model, metric: str) -> int:
    return 2 * model.width * {"logit_diff": 2, "kl_to_clean": model.vocabulary}[metric]


def _layers_from(model: Model, layer: int, start: int, end: int, entering: range | None = None) -> int:
    """The layers `layer`.. where the stream at start..end differs; `entering`: the positions at which it does so on
    entering the first of them, if fewer."""
    total = 0
    for at in range(layer, model.layers):
        changed = range(start, end + 1) if entering is None else entering
        entering = None
        if at < model.layers - 1:
            total += (
                3 * len(changed) * model.projection
                + model.attention(start, end)
                + (end - start + 1) * (model.projection + model.mlp)
            )
        else:
            queries = 1 if end in changed else 0
            total += (
                (2 * len(changed) + queries) * model.projection
                + model.attention(end, end)
                + model.projection
                + model.mlp
            )
    return total


def _resid_pre(model: Model, pair: Pair, layer: int, pos: int) -> int | None:
    if pos < pair.first or (layer == 0 and (pos not in pair.differ or pair.differ == {pos})):
        return None
    known = pos == pair.first
    start = pos + 1 if known else pos
    if start > pair.last:
        return None
    last_layer = layer == model.layers - 1
    queries = 1 if last_layer else pair.last - start + 1
    here = model.attention(pair.last if last_layer else start, pair.last) + queries * (model.projection + model.mlp)
    return here + _layers_from(model, layer + 1, start, pair.last)


def _own_layer(model: Model, site: str, positions: range) -> int:
    """Of what is changed at `positions` of this block's stream, in that block."""
    if site == "mlp_out":
        return 0
    one = model.mlp
    if site in ("z", "pattern"):
        one += 2 * model.head * model.width  # that head's rows of O
    total = len(positions) * one
    if site == "pattern":
        total += sum(2 * model.head * (dest + 1) for dest in positions)  # the pattern's row times the values
    return total


def cell_operations(
    model: Model, pair: Pair, site: str, layer: int, pos: int | None, src: int | None = None
) -> int | None:
    """Of one cell and prompt, without the metric; None: it cannot differ from the base or from the donor run. `pos`:
    the position, of patterns the destination; None: all."""
    if site == "resid_pre":
        return _resid_pre(model, pair, layer, pos)
    if (pos is not None and pos < pair.first) or (src is not None and src > pos):
        return None
    positions = range(pair.first, pair.length) if pos is None else range(pos, pos + 1)
    if layer == model.layers - 1:
        if pair.last not in positions:
            return None
        positions = range(pair.last, pair.length)
    return _own_layer(model, site, positions) + _layers_from(model, layer + 1, positions[0], pair.last, positions)


def reference_operations(model: Model, pair: Pair, metric: str) -> int:
    """Base and donor run of one prompt: the base whole, the donor from the first position that differs."""
    return (
        _layers_from(model, 0, 0, pair.last)
        + _layers_from(model, 0, pair.first, pair.last)
        + 2 * metric_operations(model, metric)
    )


def sweep_operations(
    model: Model, pair: Pair, site: str, axes: dict[str, list[int]], metric: str = "logit_diff"
) -> tuple[int, int]:
    """Of one prompt: all cells of the axes (layer, and any of pos, head, dest, src), and how many are computed."""
    total = computed = 0
    heads = len(axes.get("head", [None]))
    for layer in axes["layer"]:
        for pos in axes.get("pos", axes.get("dest", [None])):
            for src in axes.get("src", [None]):
                cell = cell_operations(model, pair, site, layer, pos, src)
                if cell is not None:
                    computed += heads
                    total += heads * (cell + metric_operations(model, metric))
    return total, computed


LATE = Pair(15, frozenset({10}))
BOS = Pair(15, frozenset(range(1, 15)))
ALL = Pair(15, frozenset(range(15)))
GOALS = [
    ("resid_pre", "late", 91),
    ("resid_pre", "BOS", 784),
    ("resid_pre", "all", 896),
    ("z", "late", 451),
    ("z", "BOS", 1238),
    ("z", "all", 1325),
    ("z by position", "late", 1239),
    ("z by position", "BOS", 8113),
    ("z by position", "all", 9246),
]


def check() -> int:
    """The goals' column of necessary GFLOP is that of the cells of 8 prompts, base and donor runs not among them."""
    model, wrong = Model(), 0
    for name, pairs, expected in GOALS:
        axes = {"layer": list(range(12))}
        if name != "resid_pre":
            axes["head"] = list(range(12))
        if name != "z":
            axes["pos"] = list(range(15))
        pair = {"late": LATE, "BOS": BOS, "all": ALL}[pairs]
        total, _ = sweep_operations(model, pair, name.split()[0], axes)
        found = 8 * total / 1e9
        wrong += round(found) != expected
        print(
            f"{name:<14} {pairs:<5} {found:8.1f} GFLOP, goal table {expected:5}; base and donor runs "
            f"{8 * reference_operations(model, pair, 'logit_diff') / 1e9:5.1f}"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(check())
