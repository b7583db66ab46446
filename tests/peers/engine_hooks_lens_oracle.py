"""OUTDIR: as engine_hooks_oracle.py, for models in TransformerLens' own layout: random HookedTransformers of its own configurations, saved
as config.json and a state dict (safetensors or torch.save), all biases and gains randomised."""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformer_lens import HookedTransformer, HookedTransformerConfig

from engine_hooks_oracle import SWITCHED, batch, outputs

BATCHES = {"even": [6, 6, 6], "padded": [3, 8, 5, 1]}
BASE = dict(n_layers=2, d_model=24, d_head=8, n_heads=3, n_ctx=16, d_vocab=31, device="cpu", default_prepend_bos=False)
FULL = dict(BASE, d_mlp=40, act_fn="gelu_new")
ROTARY = dict(FULL, act_fn="silu", normalization_type="RMS", positional_embedding_type="rotary", gated_mlp=True)
ONLY = dict(BASE, attn_only=True)
# name: configuration, file of the weights
MODELS = {
    "attention_only": (ONLY, "model_final.pth"),
    "attention_only_folded": (dict(ONLY, normalization_type="LNPre", n_heads=5), "model.safetensors"),
    "attention_only_without_norm": (dict(ONLY, normalization_type=None, n_layers=3), "model.pt"),
    "attention_only_one_layer": (dict(ONLY, n_layers=1, n_heads=2, eps=1e-2, use_attn_scale=False), "weights.bin"),
    "attention_only_rotary": (dict(ONLY, positional_embedding_type="rotary", normalization_type="RMSPre"), "model.safetensors"),
    "attention_only_window": (dict(ONLY, use_local_attn=True, window_size=3, attn_types=["local", "global"], attn_scale=2.5), "model.pth"),
    "full": (FULL, "model.safetensors"),
    "full_folded_solu": (dict(FULL, normalization_type="LNPre", act_fn="solu"), "model_final.pth"),
    "full_without_norm": (dict(FULL, normalization_type=None, act_fn="relu", n_heads=2), "model.pt"),
    "full_gelu_by_layer": (dict(FULL, act_fn="gelu", scale_attn_by_inverse_layer_idx=True, n_layers=3), "model.safetensors"),
    "rotary_gated_grouped": (dict(ROTARY, n_heads=4, n_key_value_heads=2, use_qk_norm=True), "model.safetensors"),
    "rotary_grouped_by_one": (dict(ROTARY, n_key_value_heads=3, rotary_base=500), "model.pth"),
    "rotary_parallel_folded": (dict(ROTARY, normalization_type="RMSPre", parallel_attn_mlp=True, rotary_dim=4, gated_mlp=False), "model.safetensors"),
    "norms_before_and_after_capped": (dict(ROTARY, use_normalization_before_and_after=True, attn_scores_soft_cap=4.0, output_logits_soft_cap=6.0,
                                           use_NTK_by_parts_rope=True, NTK_original_ctx_len=8, NTK_by_parts_factor=4.0), "model.safetensors"),
}
BUFFERS = ("mask", "IGNORE", "rotary_sin", "rotary_cos")


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            last = name.rsplit(".", 1)[-1]
            if last == "w":
                parameter.copy_(noise * 0.3 + 1)
            elif last.lstrip("_").startswith("b"):
                parameter.copy_(noise * 0.3)
            elif last in ("W_E", "W_pos"):
                parameter.copy_(noise * 0.5)
            elif last == "W_O":
                parameter.copy_(noise * (parameter.shape[0] * parameter.shape[1]) ** -0.5)
            else:
                parameter.copy_(noise * parameter.shape[-2] ** -0.5)
            if last == "b_in" and model.cfg.gated_mlp:
                parameter.zero_()  # added behind the product: refused when it is anything
    model.requires_grad_(False)
    return model.eval()


def hooked(settings, state=None, **switches):
    model = HookedTransformer(HookedTransformerConfig(**settings, **switches))
    if state is None:
        return model
    model.load_state_dict(state)
    return model.requires_grad_(False).eval()


def save(folder, model, file):
    folder.mkdir()
    config = {key: str(value) if isinstance(value, torch.dtype) else value for key, value in model.cfg.to_dict().items()}
    (folder / "config.json").write_text(json.dumps(config, default=float))
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    if file.endswith(".safetensors"):
        save_file(state, folder / file)
    else:
        torch.save(state, folder / file)


def main(out):
    torch.set_num_threads(1)
    for number, (name, (settings, file)) in enumerate(MODELS.items()):
        plain = randomise(hooked(settings), seed=60 + number)
        save(out / name, plain, file)
        state = plain.state_dict()
        for kind, lengths in BATCHES.items():
            ids = batch(lengths, plain.cfg.d_vocab, seed=20 + number)
            fired = plain.run_with_cache(ids.clamp_min(0))[1].keys()
            tensors = outputs(plain, [hook for hook in fired if hook.rsplit(".", 1)[-1] not in SWITCHED], ids, noise_seed=1)
            tensors["ids"], tensors["logits"] = ids, plain(ids.clamp_min(0))
            for switch in sorted(set(SWITCHED.values())):
                if switch == "use_attn_in" and plain.cfg.n_key_value_heads not in (None, plain.cfg.n_heads):
                    continue  # TransformerLens has no such point under grouped heads
                model = hooked(settings, state, **{switch: True})
                fired = model.run_with_cache(ids.clamp_min(0))[1].keys()
                hooks = [hook for hook in fired if SWITCHED.get(hook.rsplit(".", 1)[-1]) == switch]
                tensors |= outputs(model, hooks, ids, noise_seed=2)
            rows, longest = ids.shape
            for key, value in tensors.items():  # one axis [batch pos head] in TransformerLens
                if (".q_norm." in key or ".k_norm." in key) and not key.startswith("logits/"):
                    tensors[key] = value.reshape(rows, longest, -1, value.shape[-1])
            save_file({key: value.contiguous().clone() for key, value in tensors.items()}, out / f"{name}.{kind}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
