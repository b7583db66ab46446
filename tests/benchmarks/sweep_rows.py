"""The rows of the goal table for sweeps: which cells, which prompts, which ratio is aimed at."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file

from sweep_operations import Model, Pair, cell_operations, reference_operations, sweep_operations

HOOKS = {
    "resid_pre": "blocks.{layer}.hook_resid_pre",
    "attn_out": "blocks.{layer}.hook_attn_out",
    "mlp_out": "blocks.{layer}.hook_mlp_out",
    "z": "blocks.{layer}.attn.hook_z",
    "pattern": "blocks.{layer}.attn.hook_pattern",
}
PEER_BATCH = 64  # prompts in one forward of a peer


@dataclass(frozen=True)
class Row:
    name: str
    site: str
    axes: dict[str, list[int]]  # in the order of the cells, the last fastest
    pair: Pair
    prompts: int = 8
    metric: str = "logit_diff"
    compute: str = "float32"
    goal: float | None = None  # times TransformerLens 2.18; of a row in another precision: times diopter in float32
    floor_goal: float | None = 1.3
    most_rounds: int = 1000
    fewer: dict[str, list[int]] = field(
        default_factory=dict
    )  # axes of a smaller sweep: its peak memory should be the same

    @property
    def cells(self) -> int:
        return count(self.axes)

    def cell(self, flat: int) -> dict[str, int]:
        index = {}
        for name, values in reversed(self.axes.items()):
            flat, at = divmod(flat, len(values))
            index[name] = values[at]
        return {name: index[name] for name in self.axes}

    def differing(self, model: Model) -> list[int]:
        """The cells that can differ from the base run."""
        found = []
        for flat in range(self.cells):
            cell = self.cell(flat)
            if (
                cell_operations(
                    model, self.pair, self.site, cell["layer"], cell.get("pos", cell.get("dest")), cell.get("src")
                )
                is not None
            ):
                found.append(flat)
        return found

    def operations(self, model: Model) -> tuple[float, float, int]:
        """Necessary ones of the cells, those of base and donor runs, and how many cells are computed."""
        cells, computed = sweep_operations(model, self.pair, self.site, self.axes, self.metric)
        return self.prompts * cells, self.prompts * reference_operations(model, self.pair, self.metric), computed

    def request(self, prompts: Path, sample: list[int], axes: dict[str, list[int]] | None = None) -> dict:
        return {
            "do": "sweep",
            "prompts": str(prompts),
            "hooks": [HOOKS[self.site]],
            "metric": self.metric,
            "compute": self.compute,
            "axes": [{"name": name, "indices": indices} for name, indices in (axes or self.axes).items()],
            "sample": sample,
        }


def count(axes: dict[str, list[int]]) -> int:
    cells = 1
    for values in axes.values():
        cells *= len(values)
    return cells


def write_prompts(row: Row, vocabulary: int, path: Path) -> None:
    """Random tokens of the lower half of the vocabulary; answers and foils are of the upper half: none stands in a
    prompt."""
    generator = torch.Generator().manual_seed(7)
    half = vocabulary // 2
    clean = torch.randint(0, half, (row.prompts, row.pair.length), generator=generator)
    corrupted = clean.clone()
    at = sorted(row.pair.differ)
    corrupted[:, at] = (clean[:, at] + torch.randint(1, half, (row.prompts, len(at)), generator=generator)) % half
    answer = half + torch.randint(0, half - 1, (row.prompts,), generator=generator)
    foil = half + (answer - half + torch.randint(1, half - 1, (row.prompts,), generator=generator)) % (half - 1)
    save_file({"clean": clean, "corrupted": corrupted, "answer": answer, "foil": foil}, path)


def pairs_of(length: int, late: int) -> dict[str, Pair]:
    return {
        "late": Pair(length, frozenset({late})),
        "BOS": Pair(length, frozenset(range(1, length))),
        "all": Pair(length, frozenset(range(length))),
    }


def rows(model: Model, long: tuple[int, int], many: int) -> list[Row]:
    """`long`: the lengths of the long prompts; `many`: how many prompts the row with many prompts has."""
    layers, heads, length = list(range(model.layers)), list(range(model.heads)), 15
    positions = list(range(length))
    pairs = pairs_of(length, 10)
    by_position = {"layer": layers, "pos": positions}
    by_head = {"layer": layers, "head": heads}
    by_head_and_position = {"layer": layers, "pos": positions, "head": heads}
    by_dest_and_src = {"layer": layers, "head": heads, "dest": positions, "src": positions}

    table = []
    for which, goal in (("late", 55), ("BOS", 8.5), ("all", 7.5)):
        table.append(Row(f"resid_pre {which}", "resid_pre", by_position, pairs[which], goal=goal))
    for which, goal in (("late", 12), ("BOS", 4.5), ("all", 4.2)):
        table.append(Row(f"z {which}", "z", by_head, pairs[which], goal=goal))
    for which, goal in (("late", 65), ("BOS", 10), ("all", 9)):
        table.append(Row(f"z by position {which}", "z", by_head_and_position, pairs[which], goal=goal))
    for site in ("attn_out", "mlp_out"):
        table.append(Row(f"{site} late", site, by_position, pairs["late"], goal=50))
    for which, goal in (("late", 80), ("BOS", 25)):
        table.append(Row(f"pattern {which}", "pattern", by_dest_and_src, pairs[which], goal=goal))
    table.append(Row("resid_pre late kl", "resid_pre", by_position, pairs["late"], metric="kl_to_clean"))
    table.append(Row("z BOS kl", "z", by_head, pairs["BOS"], metric="kl_to_clean"))
    for which in ("late", "BOS"):
        table.append(
            Row(f"resid_pre {which} bfloat16", "resid_pre", by_position, pairs[which], compute="bfloat16", goal=2.5)
        )
    for tokens, most_rounds in zip(long, (1000, 1)):
        every = {"layer": layers, "pos": list(range(0, tokens, 16))}
        table.append(
            Row(
                f"resid_pre {tokens:,} tokens",
                "resid_pre",
                every,
                pairs_of(tokens, 1)["BOS"],
                prompts=1,
                floor_goal=1.4,
                most_rounds=most_rounds,
                fewer={"layer": layers, "pos": list(range(0, tokens, 64))},
            )
        )
    some = {"layer": layers[2::4], "pos": positions}
    table.append(Row(f"resid_pre late {many:,} prompts", "resid_pre", some, pairs["late"], prompts=many))
    return table
