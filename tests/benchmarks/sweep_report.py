"""What sweeps.py prints: a block per row, and a table of all rows at the end."""

import statistics

from measures import GemmPeak, quartiles, short
from sweep_operations import Model
from sweep_rows import Row
from sweep_runs import FLOAT32, Runs

NAMED_BY_GOALS = "TransformerLens 2.18"
SIDES = "  {:<22} {:>10}{} {:>8}  {:<18} {:<8} {}"  # side, seconds, scaled?, ratio, quartiles, goal, largest difference
ROWS = "  {:<26} {:>7} {:>9} {:>6} {:>8} {:>7} {:>9} {:>7} {:>7} {:>6} {:>7} {:>7}"
HEADING = ("", "cells", "GFLOP", "+ runs", "counted", "floor", "diopter", "/ floor", "goal", "ratio", "goal", "MB")


def giga(operations: float) -> str:
    return f"{operations / 1e9:,.1f}" if operations < 1e11 else f"{operations / 1e9:,.0f}"


def mega(memory: float) -> str:
    return f"{memory / 1e6:,.0f}"


def goal_of(relation: str, goal: float | None) -> str:
    return f"{relation} {goal:g}" if goal else ""


class Report:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.lines: list[str] = []  # of the table of all rows

    def row(self, runs: Runs, peak: GemmPeak, fewer: str) -> None:
        """`fewer`: what is to be said about the memory of a smaller sweep."""
        row, ours = runs.row, runs.ours
        cells, references, computed = row.operations(self.model)
        floor = (cells + references) / peak.best
        seconds = statistics.median(answer["wall"] for answer in ours)
        above, spread = quartiles([answer["wall"] / floor for answer in ours])
        growth = max(answer["peak"] - answer["idle"] for answer in ours)
        goal = goal_of("<=", row.floor_goal)
        rounds = f"{len(ours)} round{'s' if len(ours) > 1 else ''}"
        tokens = f"{row.prompts:,} x {row.pair.length:,} tokens"
        print(f"\n{row.name}: {row.cells:,} cells, {tokens}, {row.metric}, {row.compute}, {rounds}")
        print(SIDES.format("", "seconds", " ", "ratio", "quartiles", "goal", "largest difference").rstrip())
        note = f"(ratio to the floor of {short(floor)} s)"
        print(SIDES.format("diopter", short(seconds), " ", short(above), spread, goal, note))
        for name in runs.seconds:
            self.peer(runs, name)
        print(f"  floor       {giga(cells)} GFLOP of the cells + {giga(references)} of base and donor run")
        print(f"              at the peak of {giga(peak.best)} GFLOP/s")
        self.counted(ours[-1], cells + references, computed)
        print(f"  memory      {mega(growth)} MB above the idle model{fewer}", end="")
        print(f", at most {mega(max(answer['peak'] for answer in ours))} MB")
        print(f"  checked     {runs.sample} cells a round; effects up to {runs.effect:.3g}", end="")
        print(f", values up to {runs.largest:.3g}", flush=True)
        self.remember(runs, (cells, references, floor, seconds, above, growth))

    @staticmethod
    def against(row: Row) -> str:
        """The peer that the row's goal is about."""
        return NAMED_BY_GOALS if row.compute == "float32" else FLOAT32

    def peer(self, runs: Runs, name: str) -> None:
        ratio, spread = quartiles(runs.ratios(name))
        goal = goal_of(">=", runs.row.goal) if name == self.against(runs.row) else ""
        scaled = " " if name == FLOAT32 else "*"
        seconds = short(statistics.median(runs.seconds[name]))
        print(SIDES.format(name, seconds, scaled, short(ratio), spread, goal, f"{runs.difference[name]:.1e}"))

    @staticmethod
    def counted(answer: dict, necessary: float, computed: int) -> None:
        own, references = answer["operations"], answer["reference_operations"]
        if own > 0:
            print(f"  counted     {giga(own)} + {giga(references)} GFLOP", end="")
            print(f", {(own + references) / necessary:.3f} times the necessary; ", end="")
        else:
            print("  counted     no operations, as this engine does not count; ", end="")
        print(f"{answer['computed']:,} cells computed, necessary {computed:,}")

    def remember(self, runs: Runs, numbers: tuple) -> None:
        cells, references, floor, seconds, above, growth = numbers
        row, counted = runs.row, runs.ours[-1]["operations"]
        against = self.against(row)
        ratio = short(statistics.median(runs.ratios(against))) if against in runs.seconds else "-"
        line = [row.name, f"{row.cells:,}", giga(cells), giga(references), giga(counted) if counted > 0 else "-"]
        line += [short(floor), short(seconds), short(above), goal_of("<=", row.floor_goal)]
        line += [ratio, goal_of(">=", row.goal), mega(growth)]
        self.lines.append(ROWS.format(*line))

    def missing(self, row: Row, why: str) -> None:
        print(f"\n{row.name}: left out, as diopter answers: {why}", flush=True)
        self.lines.append(f"  {row.name:<26} {why}")

    def end(self) -> None:
        print("\nAll rows. GFLOP necessary in cells, and in base and donor runs; counted by diopter in cells; floor")
        print(f"and diopter in seconds, medians; ratio of {NAMED_BY_GOALS} to diopter (of a bfloat16 row: of float32);")
        print("MB above the idle model.")
        print(ROWS.format(*HEADING))
        for line in self.lines:
            print(line)
        print("  * a random sample of cells, scaled to all", flush=True)
