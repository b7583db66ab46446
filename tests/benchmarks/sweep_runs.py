"""All rounds of one row of sweeps.py: times, memory, and whether everybody found the same numbers."""

import dataclasses
import random
from pathlib import Path

import torch

from servers import PeerServer, Server
from sweep_operations import Model
from sweep_rows import PEER_BATCH, Row

TOLERANCE = 1e-4  # logits or nats; of large logits RELATIVE of the largest, roundings of a forward in float32
RELATIVE = 1e-5
FLOAT32 = "diopter, float32"  # the peer of a row in another precision


class Runs:
    def __init__(
        self, row: Row, model: Model, everybody: list[PeerServer], diopter: Server, prompts: Path, sample: int
    ) -> None:
        self.row, self.diopter, self.prompts = row, diopter, prompts
        self.peers = [peer for peer in everybody if row.site in peer.sites]
        self.sample, self.differing = min(sample, row.cells), row.differing(model)
        self.random = random.Random(row.name)
        names = [peer.name for peer in self.peers] + ([FLOAT32] if row.compute != "float32" else [])
        self.ours: list[dict] = []  # per round
        self.seconds: dict[str, list[float]] = {name: [] for name in names}
        self.difference = dict.fromkeys(names, 0.0)
        self.largest = self.effect = (
            0.0  # of diopter's values at the sampled cells, and of their distance to the base run
        )

    def warm_up(self) -> str:
        """One corner of the sweep by diopter, two cells by each peer; what diopter answered if it has no such sweep."""
        corner = {name: indices[-1:] for name, indices in self.row.axes.items()}
        answer = self.diopter(**self.row.request(self.prompts, [], corner))
        if "error" in answer:
            return answer["error"]
        for peer in self.peers:
            self.peer_round(peer, [0, self.row.cells - 1], slice(0, min(PEER_BATCH, self.row.prompts)))
        return ""

    def round(self, number: int) -> None:
        """Everybody once, in an order that turns."""
        row = self.row
        flat = self.sampled_cells()
        first = self.random.randrange(0, row.prompts, PEER_BATCH)
        batch = slice(first, min(first + PEER_BATCH, row.prompts))
        sides = {"diopter": lambda: self.sweep(row, flat)}
        for peer in self.peers:
            sides[peer.name] = lambda peer=peer: self.peer_round(peer, flat, batch)
        if row.compute != "float32":
            sides[FLOAT32] = lambda: self.sweep(dataclasses.replace(row, compute="float32"), flat, batch)
        names = list(sides)
        turn = number % len(names)
        answers = {name: sides[name]() for name in names[turn:] + names[:turn]}
        ours = answers.pop("diopter")
        self.ours.append(ours)
        for name, answer in answers.items():
            self.seconds[name].append(answer["total"])
            self.compare(name, ours, answer, batch)

    def sampled_cells(self) -> list[int]:
        """Half of them can differ from the base run. To a peer all cells cost the same, so this favours nobody."""
        half = self.random.sample(self.differing, min(self.sample // 2, len(self.differing)))
        others = sorted(set(range(self.row.cells)) - set(half))
        return sorted(half + self.random.sample(others, self.sample - len(half)))

    def sweep(self, row: Row, flat: list[int], batch: slice = slice(None)) -> dict:
        answer = self.diopter(**row.request(self.prompts, flat))
        if "error" in answer:
            raise SystemExit(f"{row.name}: {answer['error']}")
        if batch != slice(None):
            for key in ("base", "donor"):
                answer[key] = answer[key][batch]
            answer["values"] = [cell[batch] for cell in answer["values"]]
        return {**answer, "total": answer["wall"]}

    def peer_round(self, peer: PeerServer, flat: list[int], batch: slice) -> dict:
        row = self.row
        reference = peer(
            do="prepare",
            prompts=str(self.prompts),
            first=batch.start,
            count=batch.stop - batch.start,
            site=row.site,
            metric=row.metric,
        )
        cells = peer(do="cells", cells=[row.cell(cell) for cell in flat])
        batches = row.prompts / (batch.stop - batch.start)
        total = batches * (reference["seconds"] + row.cells * cells["seconds"] / len(flat))
        return {**reference, "values": cells["values"], "total": total}

    def compare(self, name: str, ours: dict, theirs: dict, batch: slice) -> None:
        base, donor = (torch.tensor(ours[key][batch], dtype=torch.float64) for key in ("base", "donor"))
        values = torch.tensor([cell[batch] for cell in ours["values"]], dtype=torch.float64)
        mine = torch.cat([values, base[None], donor[None]])
        other = torch.tensor([*theirs["values"], theirs["base"], theirs["donor"]], dtype=torch.float64)
        apart = (mine - other).abs().nan_to_num(nan=float("inf"))
        self.difference[name] = max(self.difference[name], apart.max().item())
        self.largest = max(self.largest, mine.abs().max().item())
        self.effect = max(self.effect, (values - base).abs().max().item())

    def ratios(self, name: str) -> list[float]:
        return [theirs / ours["wall"] for theirs, ours in zip(self.seconds[name], self.ours)]

    def disagreeing(self) -> list[str]:
        """Of float32 only: bfloat16 differs by its rounding, which is printed, not judged."""
        if self.row.compute != "float32":
            return []
        allowed = max(TOLERANCE, RELATIVE * self.largest)
        return [
            f"{self.row.name}: {name} and diopter differ by {found:.2g}, more than {allowed:.2g}"
            for name, found in self.difference.items()
            if not found <= allowed
        ]
