"""nnsight as a peer: a trace per cell of a transformers model, logits at the last token only."""

import importlib.metadata

import torch
import transformers
from nnsight import NNsight
from transformers import GPT2LMHeadModel

from sweep_peer import Peer, Task


class NNsightPeer(Peer):
    sites = ["resid_pre", "attn_out", "mlp_out", "z"]  # a pattern is no module's output

    def __init__(self, folder: str) -> None:
        self.name = "nnsight " + ".".join(importlib.metadata.version("nnsight").split(".")[:2])
        transformers.utils.logging.disable_progress_bar()
        model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()
        self.model, self.layers, self.vocabulary = NNsight(model), model.config.n_layer, model.config.vocab_size
        self.head_width = model.config.n_embd // model.config.n_head

    def site(self, layer: int) -> torch.Tensor:
        """Inside a trace: the site's value, [prompt, pos, width]."""
        block = self.model.transformer.h[layer]
        if self.task.site == "resid_pre":
            return block.input
        if self.task.site == "z":
            return block.attn.c_proj.input
        return block.attn.output[0] if self.task.site == "attn_out" else block.mlp.output

    def prepare(self, task: Task) -> tuple[torch.Tensor, torch.Tensor]:
        self.task = task
        donor = []
        with self.model.trace(task.clean, use_cache=False, logits_to_keep=1):
            for layer in range(self.layers):
                donor.append(self.site(layer).clone().save())
            clean = self.model.output.logits[:, -1].save()
        with self.model.trace(task.corrupted, use_cache=False, logits_to_keep=1):
            base = self.model.output.logits[:, -1].save()
        self.donor = donor
        task.refer_to(clean)
        return task.measure(base), task.measure(clean)

    def cell(self, layer: int, pos: int | None = None, head: int | None = None) -> torch.Tensor:
        donor = self.donor[layer]
        positions = slice(None) if pos is None else slice(pos, pos + 1)
        columns = slice(None) if head is None else slice(head * self.head_width, (head + 1) * self.head_width)
        with self.model.trace(self.task.corrupted, use_cache=False, logits_to_keep=1):
            self.site(layer)[:, positions, columns] = donor[:, positions, columns]
            logits = self.model.output.logits[:, -1].save()
        return self.task.measure(logits)

    def cells(self, cells: list[dict]) -> list[torch.Tensor]:
        return [self.cell(**cell) for cell in cells]

    def forward(self, ids: torch.Tensor) -> None:
        with self.model.trace(ids, use_cache=False):
            self.model.output.save()
