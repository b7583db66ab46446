"""Plain transformers as a peer: one forward per cell with hooks on the modules, logits at the last token only.

Patterns are no module's output: for them an attention function of our own is registered that sets their entries.
"""

import torch
import transformers
from transformers import AttentionInterface, GPT2LMHeadModel

from sweep_peer import Peer, Task

PATTERN = {"keep": None, "set": None}  # what the attention function below does with the pattern of (layer)


def attention_with_pattern(module, query, key, value, attention_mask, scaling=None, **_):
    length = query.size(-2)
    scores = torch.matmul(query, key.transpose(-1, -2)) * scaling
    pattern = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), float("-inf")).softmax(-1)
    if PATTERN["keep"] is not None:
        PATTERN["keep"][module.layer_idx] = pattern
    if PATTERN["set"] is not None and PATTERN["set"][0] == module.layer_idx:
        PATTERN["set"][1](pattern)
    return torch.matmul(pattern, value).transpose(1, 2), pattern


AttentionInterface.register("with_pattern", attention_with_pattern)


class Transformers(Peer):
    sites = ["resid_pre", "attn_out", "mlp_out", "z", "pattern"]

    def __init__(self, folder: str) -> None:
        self.name = "transformers " + ".".join(transformers.__version__.split(".")[:2])
        transformers.utils.logging.disable_progress_bar()
        self.model = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()
        self.vocabulary = self.model.config.vocab_size
        self.head_width = self.model.config.n_embd // self.model.config.n_head

    def last_logits(self, ids: torch.Tensor) -> torch.Tensor:
        return self.model(ids, use_cache=False, logits_to_keep=1).logits[:, -1]

    def hook(self, layer: int, change):
        """`change(value)` gets the site's value, [prompt, pos, width], and changes it in place."""
        block = self.model.transformer.h[layer]
        if self.task.site == "resid_pre":
            return block.register_forward_pre_hook(lambda module, inputs: change(inputs[0]))
        if self.task.site == "z":
            return block.attn.c_proj.register_forward_pre_hook(lambda module, inputs: change(inputs[0]))
        module = block.attn if self.task.site == "attn_out" else block.mlp
        return module.register_forward_hook(
            lambda module, inputs, output: change(output[0] if isinstance(output, tuple) else output)
        )

    def prepare(self, task: Task) -> tuple[torch.Tensor, torch.Tensor]:
        self.task = task
        self.model.set_attn_implementation("with_pattern" if task.site == "pattern" else "sdpa")
        self.donor = {}
        if task.site == "pattern":
            PATTERN["keep"] = self.donor
            clean = self.last_logits(task.clean)
            PATTERN["keep"] = None
        else:

            def keep(layer):
                return lambda value: self.donor.__setitem__(layer, value.clone())

            handles = [self.hook(layer, keep(layer)) for layer in range(self.model.config.n_layer)]
            clean = self.last_logits(task.clean)
            for handle in handles:
                handle.remove()
        task.refer_to(clean)
        return task.measure(self.last_logits(task.corrupted)), task.measure(clean)

    def cell(
        self,
        layer: int,
        pos: int | None = None,
        head: int | None = None,
        dest: int | None = None,
        src: int | None = None,
    ) -> torch.Tensor:
        donor = self.donor[layer]
        if self.task.site == "pattern":
            PATTERN["set"] = layer, lambda pattern: pattern[:, head, dest, src].copy_(donor[:, head, dest, src])
            logits = self.last_logits(self.task.corrupted)
            PATTERN["set"] = None
            return self.task.measure(logits)
        positions = slice(None) if pos is None else slice(pos, pos + 1)
        columns = slice(None) if head is None else slice(head * self.head_width, (head + 1) * self.head_width)

        def put(value):
            value[:, positions, columns] = donor[:, positions, columns]

        handle = self.hook(layer, put)
        logits = self.last_logits(self.task.corrupted)
        handle.remove()
        return self.task.measure(logits)

    def cells(self, cells: list[dict]) -> list[torch.Tensor]:
        return [self.cell(**cell) for cell in cells]

    def forward(self, ids: torch.Tensor) -> None:
        self.model(ids, use_cache=False)
