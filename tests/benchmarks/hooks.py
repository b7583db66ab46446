"""Forwards that show their values, the logit lens and a whole study: diopter and TransformerLens, alternately.

hooks.py HOOKS_BENCH BUILD [--rounds N] [--rows PATTERN] [--threads N] [--small]   in the environment .deps/peers-hf

HOOKS_BENCH is the executable, BUILD the build folder. Every side's values must be diopter's; a difference ends in an
error. No autograd, the same threads and prompts. Rows:
plain    each side's own forward
bus      a hook bus to which nobody has subscribed
cache    all hook points that TransformerLens 2.18 keeps by default, and all logits
lens     the logit lens after every layer: five most likely tokens, entropy, KL from the output
ioi      experiments/ioi_patching.toml from process start to the stored result and the HTML page

--small  a tiny model and short prompts: shows in a minute that all agree; its times mean nothing
"""

import argparse
import fnmatch
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import torch
from safetensors.numpy import load_file

import measures
from measures import quartiles
from servers import ROOT, PeerServer, Server, peers
from sweep_operations import SMALL, Model

TOLERANCE = 1e-4  # of a tensor's root mean square, of normalised effects; in a lens of a nat or the root mean square
# Of the largest logit, as of every raw metric: of log-probabilities in a lens.
LOG_PROB_TOLERANCE = 1e-5
KEPT = [
    "hook_embed",
    "hook_pos_embed",
    *(
        f"blocks.*.{name}"
        for name in (
            "hook_resid_pre",
            "ln1.hook_scale",
            "ln1.hook_normalized",
            "attn.hook_q",
            "attn.hook_k",
            "attn.hook_v",
            "attn.hook_attn_scores",
            "attn.hook_pattern",
            "attn.hook_z",
            "hook_attn_out",
            "hook_resid_mid",
            "ln2.hook_scale",
            "ln2.hook_normalized",
            "mlp.hook_pre",
            "mlp.hook_post",
            "hook_mlp_out",
            "hook_resid_post",
        )
    ),
    "ln_final.hook_scale",
    "ln_final.hook_normalized",
]
NAMED_BY_GOALS = "TransformerLens 2.18"


def alternately(sides: dict, rounds: int) -> dict[str, list[dict]]:
    """[side] -> the answers of all rounds, in an order that turns; the first round is not kept."""
    answers = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            answer = sides[name]()
            if number > 0:
                answers[name].append(answer)
    return answers


class Bench:
    def __init__(self, wanted: argparse.Namespace, model: Model, folder: Path, names: tuple[str, ...]) -> None:
        self.rounds, self.model, self.wrong = wanted.rounds, model, []
        self.diopter = Server([wanted.executable, folder, wanted.threads])
        self.everybody = peers(folder, wanted.threads, names)
        self.peak = measures.GemmPeak(torch.float32)
        self.lenses = [peer for peer in self.everybody if peer.name.startswith("TransformerLens")]

    def ids(self, batch: int, pos: int) -> list[list[int]]:
        return torch.randint(
            0, self.model.vocabulary, (batch, pos), generator=torch.Generator().manual_seed(batch + pos)
        ).tolist()

    def measure_peak(self) -> dict:
        self.peak.measure()
        return {}

    def floor(self, batch: int, pos: int, unembedded: int, took: list[float]) -> None:
        """A line: the products of a forward whose rows are unembedded that often, at the GEMM peak of these rounds."""
        of, rows = self.model, batch * pos
        operations = (
            rows * (of.layers * (4 * of.projection + of.mlp) + unembedded * 2 * of.width * of.vocabulary)
            + batch * of.layers * of.attention(0, pos - 1)
        )
        seconds = operations / self.peak.best
        note = f"{operations / 1e9:,.0f} GFLOP at {self.peak.best / 1e9:,.0f} GFLOP/s, diopter's ratio to it"
        line("", "floor: products alone", [seconds], [time / seconds for time in took], "", note)

    def judge(self, what: str, difference: float) -> str:
        if not difference <= TOLERANCE:
            self.wrong.append(f"{what} differs by {difference:.2g}, more than {TOLERANCE:g}")
        return f"{difference:.1e}"

    def plain(self, shapes: list[tuple[int, int]]) -> None:
        heading("plain: all logits, nothing shown; ratio to transformers")
        for batch, pos in shapes:
            ids = self.ids(batch, pos)
            sides = {"diopter": lambda: self.diopter(do="forward", ids=ids, bus=False)}
            for peer in self.everybody:
                sides[peer.name] = lambda peer=peer: peer(do="forward", ids=ids)
            found = alternately(sides, self.rounds)
            against = next((name for name in found if name.startswith("transformers")), "diopter")
            for name in found:
                line(
                    shape_of(batch, pos),
                    name,
                    seconds(found[name]),
                    ratios(seconds(found[name]), seconds(found[against])),
                    "<= 1" if name == "diopter" else "",
                )

    def bus(self, shapes: list[tuple[int, int]]) -> None:
        heading("bus: a hook bus to which nobody has subscribed; ratio to none")
        for batch, pos in shapes:
            ids = self.ids(batch, pos)
            found = alternately(
                {
                    "no bus": lambda: self.diopter(do="forward", ids=ids, bus=False),
                    "bus": lambda: self.diopter(do="forward", ids=ids, bus=True),
                },
                self.rounds * (4 if batch * pos >= 1024 else 40),
            )
            with_bus, without = seconds(found["bus"]), seconds(found["no bus"])
            line(shape_of(batch, pos), "diopter", without)
            line("", "diopter, bus", with_bus, ratios(with_bus, without), "<= 1.01")
            for what, key in (("wall-clock", "seconds"), ("processor time", "cpu")):
                ratio, low, high = measures.ratio_of_medians(
                    *([answer[key] for answer in found[name]] for name in ("bus", "no bus"))
                )
                print(
                    f"  {'':<12} ratio of the medians, {what}: {ratio:.4f} (95 %: {low:.4f} .. {high:.4f}), "
                    f"{len(with_bus)} rounds in turn",
                    flush=True,
                )

    def cache(self, shapes: list[tuple[int, int]]) -> None:
        heading(
            "cache: all that TransformerLens keeps by default; diopter's ratio to its plain forward and one copy of "
            "what was kept, others' to diopter"
        )
        for batch, pos in shapes:
            ids = self.ids(batch, pos)
            ours = self.diopter(do="cache", ids=ids, points=KEPT, digests=True)
            differences = {
                peer.name: self.judge(f"cache {batch} x {pos}: {peer.name}'s {name}", difference)
                for peer in self.lenses
                for name, difference in [self.same_cache(peer, ids, ours)]
            }
            sides = {
                "plain": lambda: self.diopter(do="forward", ids=ids, bus=False),
                "diopter": lambda: self.diopter(do="cache", ids=ids, points=KEPT, digests=False),
            }
            for peer in self.lenses:
                sides[peer.name] = lambda peer=peer: peer(do="cache", ids=ids)
            sides["peak"] = self.measure_peak
            found = alternately(sides, self.rounds)
            kept, copies = seconds(found["diopter"]), [answer["copy_seconds"] for answer in found["diopter"]]
            floor = [plain + copy for plain, copy in zip(seconds(found["plain"]), copies)]
            line(
                shape_of(batch, pos),
                "diopter, plain + copy",
                floor,
                note=f"copy {statistics.median(copies) * 1e3:.1f} ms, "
                f"{ours['bytes'] / 1e6:,.0f} MB in {ours['tensors']} tensors",
            )
            line("", "diopter, all kept", kept, ratios(kept, floor), "<= 1.15")
            self.floor(batch, pos, 1, kept)
            for peer in self.lenses:
                line(
                    "",
                    peer.name,
                    seconds(found[peer.name]),
                    ratios(seconds(found[peer.name]), kept),
                    ">= 2" if peer.name == NAMED_BY_GOALS else "",
                    f"largest difference {differences[peer.name]}",
                )

    def same_cache(self, peer: PeerServer, ids: list, ours: dict) -> tuple[str, float]:
        """The tensor that differs most, relative to its root mean square. TransformerLens 2.18 keeps just these; 4.x
        keeps more, and its hook_normalized stands before the norm's gain and bias, not behind them as in 2.x and
        diopter."""
        theirs = peer(do="cache", ids=ids, values=True)
        if peer.name == NAMED_BY_GOALS and {*theirs["names"], "logits"} != set(ours["digests"]):
            self.wrong.append(
                f"{peer.name} keeps other hook points: {sorted(set(theirs['names']) ^ set(ours['digests']))}"
            )
        worst = ("nothing", 0.0)
        for name, (wave, size) in ours["digests"].items():
            if peer.name != NAMED_BY_GOALS and name.endswith("hook_normalized"):
                continue
            other_wave, other_size = theirs["digests"][name]
            difference = max(abs(wave - other_wave), abs(size - other_size)) / size
            worst = max(worst, (name, difference), key=lambda pair: pair[1])
        return worst

    def lens(self, shapes: list[tuple[int, int]]) -> None:
        heading(
            f"lens: logit lens after all {self.model.layers} layers, vocabulary {self.model.vocabulary:,}; "
            "ratio to diopter"
        )
        for batch, pos in shapes:
            ids = self.ids(batch, pos)
            ours = self.diopter(do="lens", ids=ids, values=True)
            notes = {
                peer.name: self.same_lens(
                    f"lens {batch} x {pos}: {peer.name}", peer(do="lens", ids=ids, values=True), ours
                )
                for peer in self.lenses
            }
            sides = {"diopter": lambda: self.diopter(do="lens", ids=ids, values=False)}
            for peer in self.lenses:
                sides[peer.name] = lambda peer=peer: peer(do="lens", ids=ids)
            sides["peak"] = self.measure_peak
            found = alternately(sides, self.rounds)
            line(shape_of(batch, pos), "diopter", seconds(found["diopter"]))
            self.floor(batch, pos, self.model.layers, seconds(found["diopter"]))
            for peer in self.lenses:
                line(
                    "",
                    peer.name,
                    seconds(found[peer.name]),
                    ratios(seconds(found[peer.name]), seconds(found["diopter"])),
                    ">= 3" if peer.name == NAMED_BY_GOALS else "",
                    notes[peer.name],
                )

    def same_lens(self, what: str, theirs: dict, ours: dict) -> str:
        """Entropy and KL agree to TOLERANCE of a nat or of their root mean square, log-probabilities as sweeps do."""
        apart = {
            key: float(numpy.abs(numpy.array(ours[key]) - numpy.array(theirs[key])).max())
            for key in ("log_prob", "entropy", "kl")
        }
        for key, difference in apart.items():
            rms = float(numpy.sqrt((numpy.array(ours[key]) ** 2).mean()))
            allowed = (
                LOG_PROB_TOLERANCE * theirs["largest_logit"] if key == "log_prob" else TOLERANCE * max(1.0, rms)
            )
            if not difference <= allowed:
                self.wrong.append(f"{what}'s {key} differs by {difference:.2g} nat, more than {allowed:.2g}")
        other_tokens = (numpy.array(ours["token"]) != numpy.array(theirs["token"])).mean()
        if not other_tokens <= 1e-3:  # near ties fall either way
            self.wrong.append(f"{what} has another most likely token at {100 * other_tokens:.2g} % of the places")
        differences = ", ".join(f"{key} {difference:.1e}" for key, difference in apart.items())
        return (
            f"largest differences in nat: {differences}; logits up to {theirs['largest_logit']:.0f}, KL up to "
            f"{numpy.array(ours['kl']).max():.0f}; {100 * (1 - other_tokens):.2f} % equal tokens"
        )

    def close(self) -> None:
        for server in (self.diopter, *self.everybody):
            server.close()


def ioi(build: Path, rounds: int) -> list[str]:
    """Process start to stored result and page, diopter and a script on TransformerLens; what is wrong."""
    heading("ioi: the study of experiments/ioi_patching.toml end to end; ratio to diopter")
    lens = ROOT / ".deps/peers-tl2/bin/python"
    environment = {**os.environ, "LD_LIBRARY_PATH": ""}
    with tempfile.TemporaryDirectory() as made:
        store, out = Path(made) / "store", Path(made) / "script"
        out.mkdir()

        def timed(command: list) -> dict:
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
            return {"seconds": time.perf_counter() - start}

        program = build / "bin/diopter"
        sides = {
            "diopter": lambda: timed(
                [program, "run", ROOT / "experiments/ioi_patching.toml", "--store", store, "--force"]
            )
        }
        if lens.exists():
            script = [
                lens,
                ROOT / "tests/benchmarks/ioi_with_transformer_lens.py",
                out,
                build / "share/diopter/plotly.min.js",
            ]
            sides["script"] = lambda: timed(script)
        found = alternately(sides, rounds)
        line("60 cells", "diopter", seconds(found["diopter"]), goal="<= 1.5 s")
        if not lens.exists():
            return []
        subprocess.run(
            [program, "tensor", "@1", "effect", "--store", store, "--out", out / "ours.npy"],
            check=True,
            capture_output=True,
        )
        ours, theirs = numpy.load(out / "ours.npy"), load_file(out / "effect.safetensors")["effect"]
        apart = float(numpy.abs(ours.reshape(theirs.shape) - theirs).max())
        line(
            "",
            NAMED_BY_GOALS,
            seconds(found["script"]),
            ratios(seconds(found["script"]), seconds(found["diopter"])),
            ">= 10",
            f"largest difference {apart:.1e} of effects up to {numpy.abs(ours).max():.2f}",
        )
        return (
            [] if apart <= TOLERANCE else [f"ioi: the script's effects differ by {apart:.2g}, more than {TOLERANCE:g}"]
        )


def seconds(answers: list[dict]) -> list[float]:
    return [answer["seconds"] for answer in answers]


def ratios(above: list[float], below: list[float]) -> list[float]:
    return [a / b for a, b in zip(above, below)]


def shape_of(batch: int, pos: int) -> str:
    return f"{batch} x {pos:,}"


def heading(text: str) -> None:
    print(f"\n{text}\n  {'batch x pos':<12} {'':<24} {'ms':>9}   {'ratio':>7}  {'quartiles':<18} goal", flush=True)


def line(
    shape: str, name: str, times: list[float], ratio: list[float] | None = None, goal: str = "", note: str = ""
) -> None:
    middle, spread = quartiles(ratio) if ratio else (None, "")
    shown = "" if middle is None else f"{middle:.3f}" if middle < 10 else f"{middle:.1f}"
    milliseconds = f"{statistics.median(times) * 1e3:,.1f}"
    text = f"  {shape:<12} {name:<24} {milliseconds:>9}   {shown:>7}  {spread:<18} {goal:<8} {note}"
    print(text.rstrip(), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("executable", type=Path)
    parser.add_argument("build", type=Path)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--rows", default="*")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--small", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    model = SMALL if wanted.small else Model()
    shapes = [(8, 15), (1, 64)] if wanted.small else [(8, 15), (1, 128), (1, 1024), (16, 128)]
    table = {
        "plain": shapes,
        "bus": shapes[:3],
        "cache": shapes[:3],
        "lens": shapes[1:2] if wanted.small else shapes[2:3],
    }
    chosen = [name for name in (*table, "ioi") if fnmatch.fnmatch(name, wanted.rows)]
    if not chosen:
        sys.exit(f"no row matches '{wanted.rows}'; there are: {', '.join((*table, 'ioi'))}")
    print(measures.title(model, wanted.threads))
    wrong = []
    if chosen != ["ioi"]:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made) / "model"
            measures.write_model(model, folder)
            alone = all(name in ("bus", "ioi") for name in chosen)  # rows that need none of these peers
            bench = Bench(wanted, model, folder, () if alone else ("lens 2", "lens 4", "transformers"))
            for name in chosen:
                if name != "ioi":
                    getattr(bench, name)(table[name])
            bench.close()
            wrong += bench.wrong
    if "ioi" in chosen:
        wrong += ioi(wanted.build, wanted.rounds)
    for sentence in wrong:
        print(f"error: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
