"""What sweeps.py prints: a block per row, and a table of all rows at the end."""
import statistics

from measures import GemmPeak, quartiles, short
from sweep_operations import Model
from sweep_rows import Row
from sweep_runs import FLOAT32, Runs

NAMED_BY_GOALS = "TransformerLens 2.18"


class Report:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.lines: list[str] = []  # of the last table

    def row(self, runs: Runs, peak: GemmPeak, fewer: str) -> None:
        row, ours = runs.row, runs.ours
        cells, references, computed = row.operations(self.model)
        floor = (cells + references) / peak.best
        seconds = statistics.median(answer["wall"] for answer in ours)
        above, spread = quartiles([answer["wall"] / floor for answer in ours])
        goal = f"<= {row.floor_goal}" if row.floor_goal else ""
        print(f"\n{row.name}: {row.cells:,} cells, {row.prompts:,} x {row.pair.length:,} tokens, {row.metric}, {row.compute}, "
              f"{len(ours)} round{'s' if len(ours) > 1 else ''}")
        print(f"  {'':<22} {'seconds':>10}   {'ratio':>8}  {'quartiles':<18} {'goal':<8} largest difference")
        print(f"  {'diopter':<22} {short(seconds):>10}   {short(above):>8}  {spread:<18} {goal:<8} "
              f"(ratio to the floor of {short(floor)} s)")
        for name in runs.seconds:
            self.peer(runs, name)
        self.work(runs, peak, cells, references, computed)
        last = ours[-1]
        growth = max(answer["peak"] - answer["idle"] for answer in ours)
        memory = f"{growth / 1e6:,.0f} MB"
        print(f"  memory      at most {max(a['peak'] for a in ours) / 1e6:,.0f} MB, {memory} above the idle model{fewer}; processor "
              f"{short(statistics.median(a['cpu'] for a in ours))} s")
        print(f"  checked     {runs.sample} cells a round; effects up to {runs.effect:.3g}, values up to {runs.largest:.3g}", flush=True)
        against = FLOAT32 if row.compute != "float32" else NAMED_BY_GOALS
        ratio = short(statistics.median(runs.ratios(against))) if against in runs.seconds else "-"
        counted = f"{last['operations'] / 1e9:,.0f}" if last["operations"] > 0 else "-"
        self.lines.append(f"  {row.name:<28} {row.cells:>7,} {cells / 1e9:>10,.0f} {references / 1e9:>7,.0f} {counted:>9} {short(floor):>8} "
                          f"{short(seconds):>9} {short(above):>7} {goal:>7} {ratio:>7} {f'>= {row.goal:g}' if row.goal else '':>7} {memory:>10}")

    @staticmethod
    def peer(runs: Runs, name: str) -> None:
        row = runs.row
        ratio, spread = quartiles(runs.ratios(name))
        named = name == (FLOAT32 if row.compute != "float32" else NAMED_BY_GOALS)
        goal = f">= {row.goal:g}" if named and row.goal else ""
        scaled = " " if name == FLOAT32 else "*"
        print(f"  {name:<22} {short(statistics.median(runs.seconds[name])):>10}{scaled}  {short(ratio):>8}  {spread:<18} {goal:<8} "
              f"{runs.difference[name]:.1e}")

    @staticmethod
    def work(runs: Runs, peak: GemmPeak, cells: float, references: float, computed: int) -> None:
        last = runs.ours[-1]
        print(f"  operations  necessary {cells / 1e9:,.1f} + {references / 1e9:,.1f} GFLOP (cells + base and donor run), peak "
              f"{peak.best / 1e9:,.0f} GFLOP/s")
        if last["operations"] > 0:
            both = (last["operations"] + last["reference_operations"]) / (cells + references)
            print(f"              counted {last['operations'] / 1e9:,.1f} + {last['reference_operations'] / 1e9:,.1f} GFLOP, "
                  f"{both:.3f} times the necessary")
        else:
            print("              counted: none, this engine counts no operations")
        print(f"              computed {last['computed']:,} of {last['cells']:,} cells, necessary {computed:,}")

    def missing(self, row: Row, why: str) -> None:
        print(f"\n{row.name}: left out, as diopter answers: {why}", flush=True)
        self.lines.append(f"  {row.name:<28} {why}")

    def end(self) -> None:
        print("\nAll rows; GFLOP in cells and in base and donor runs; seconds are medians; ratio to TransformerLens 2.18 (bfloat16: to float32)")
        print(f"  {'':<28} {'cells':>7} {'necessary':>10} {'+ runs':>7} {'counted':>9} {'floor s':>8} {'diopter s':>9} {'x floor':>7} {'goal':>7} "
              f"{'ratio':>7} {'goal':>7} {'memory':>10}")
        for line in self.lines:
            print(line)
        print("  * a random sample of cells, scaled to all", flush=True)
