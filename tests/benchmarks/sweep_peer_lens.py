"""TransformerLens as a peer: patching by its own functions, 2.x with a HookedTransformer, 4.x with a bridge."""

import importlib.metadata
from collections.abc import Callable

import pandas
import torch
from transformer_lens import patching

from gpt2_weights import read_folder
from sweep_peer import Peer, Task

# Per site and axes: TransformerLens's function, from which the setter and the activation's name are taken.
FUNCTIONS = {
    ("resid_pre", ("layer", "pos")): patching.get_act_patch_resid_pre,
    ("attn_out", ("layer", "pos")): patching.get_act_patch_attn_out,
    ("mlp_out", ("layer", "pos")): patching.get_act_patch_mlp_out,
    ("z", ("layer", "head")): patching.get_act_patch_attn_head_out_all_pos,
    ("z", ("layer", "pos", "head")): patching.get_act_patch_attn_head_out_by_pos,
    ("pattern", ("layer", "head", "dest", "src")): patching.get_act_patch_attn_head_pattern_dest_src_pos,
}


def hooked_transformer(folder: str):
    from engine_models import transformer_lens

    return transformer_lens(*read_folder(folder))


def bridge(folder: str):
    from transformer_lens.model_bridge import TransformerBridge

    model = TransformerBridge.boot_transformers(folder, device="cpu")
    model.enable_compatibility_mode(no_processing=True)
    return model.eval()


class Lens(Peer):
    sites = sorted({site for site, _ in FUNCTIONS})

    def __init__(self, folder: str) -> None:
        version = importlib.metadata.version("transformer-lens")
        self.name = "TransformerLens " + ".".join(version.split(".")[:2])
        self.model = hooked_transformer(folder) if version.startswith("2.") else bridge(folder)
        self.vocabulary = self.model.cfg.d_vocab
        self.task: Task | None = None

    def prepare(self, task: Task) -> tuple[torch.Tensor, torch.Tensor]:
        self.task = task
        hook = {"z": "attn.hook_z", "pattern": "attn.hook_pattern"}.get(task.site, "hook_" + task.site)
        logits, self.cache = self.model.run_with_cache(task.clean, names_filter=lambda name: name.endswith("." + hook))
        task.refer_to(logits[:, -1])
        return task.measure(self.model(task.corrupted)[:, -1]), task.measure(logits[:, -1])

    def cells(self, cells: list[dict]) -> list[torch.Tensor]:
        of = FUNCTIONS[self.task.site, tuple(cells[0])].keywords
        values = []

        def metric(logits):
            values.append(self.task.measure(logits[:, -1]))
            return values[-1].mean()

        patching.generic_activation_patch(
            self.model,
            self.task.corrupted,
            self.cache,
            metric,
            of["patch_setter"],
            of["activation_name"],
            index_df=pandas.DataFrame(cells),
        )
        return values

    def forward(self, ids: torch.Tensor) -> None:
        self.model(ids)

    def cache(self, ids: torch.Tensor) -> Callable[[], dict]:
        logits, cache = self.model.run_with_cache(ids)
        return lambda: {
            "names": list(cache),
            "bytes": sum(value.numel() * value.element_size() for value in cache.values()),
            "digests": {**{name: digest(value) for name, value in cache.items()}, "logits": digest(logits)},
        }

    def lens(self, ids: torch.Tensor) -> Callable[[], dict]:
        """Layer by layer, so that never more than [pos, d_vocab] is held beside the output."""
        logits, cache = self.model.run_with_cache(ids, names_filter=lambda name: name.endswith("hook_resid_post"))
        output = logits.log_softmax(-1)
        top, entropy, kl = [], [], []
        for layer in range(self.model.cfg.n_layers):
            lens = self.model.unembed(self.model.ln_final(cache["resid_post", layer])).log_softmax(-1)
            top.append(lens.topk(5, -1))
            entropy.append(-(lens.exp() * lens).sum(-1))
            kl.append((output.exp() * (output - lens)).sum(-1))
        return lambda: {
            "largest_logit": logits.abs().max().item(),
            "token": [best.indices[..., 0].flatten().tolist() for best in top],
            "log_prob": [best.values[..., 0].flatten().tolist() for best in top],
            "entropy": [row.flatten().tolist() for row in entropy],
            "kl": [row.flatten().tolist() for row in kl],
        }


def digest(value: torch.Tensor) -> list[float]:
    """As hooks_bench's."""
    flat = value.double().flatten().nan_to_num(0, 0, 0)
    wave = torch.arange(len(flat), dtype=torch.float64).mul(0.1).cos()
    return [torch.dot(flat, wave).item() / len(flat), flat.square().mean().sqrt().item()]
