"""OUTDIR: every hook value of TransformerLens, and its logits after noise was added at each hook point.

OUTDIR/MODEL/ is a Hugging Face folder; OUTDIR/MODEL.BATCH.safetensors holds `ids` (-1 pads on the right) and for each hook
`value/NAME`, `noise/NAME` and `logits/NAME` (`logits` alone: without an edit). What belongs to padding means nothing.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from engine_models import Shape, random_weights, transformer_lens, write_folder

MODELS = {
    "two_layers": Shape(2, 4, 20, 28),
    "three_layers_relu_untied": Shape(3, 2, 12, 10, activation="relu", tied=False),
    "one_wide_head": Shape(2, 1, 16, 64, vocabulary=53, context=9),
}
BATCHES = {"even": [6, 6, 6], "padded": [3, 8, 5, 1]}
# Switches of TransformerLens under which a hook point fires; others fire always.
SWITCHED = {"hook_attn_in": "use_attn_in", "hook_q_input": "use_split_qkv_input", "hook_k_input": "use_split_qkv_input",
            "hook_v_input": "use_split_qkv_input", "hook_result": "use_attn_result", "hook_mlp_in": "use_hook_mlp_in"}


def batch(lengths, vocabulary, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocabulary, (len(lengths), max(lengths)), generator=generator)
    for row, length in enumerate(lengths):
        ids[row, length:] = -1
    return ids


def outputs(model, names, ids, noise_seed):
    """Of the hooks `names`: value, noise, logits after the edit."""
    generator = torch.Generator().manual_seed(noise_seed)
    tokens = ids.clamp_min(0)
    _, cache = model.run_with_cache(tokens, names_filter=lambda name: name in names)
    tensors = {}
    for name in names:
        value = cache[name]
        noise = torch.randn(value.shape, generator=generator) * 0.5
        if name.endswith("hook_scale"):
            noise = noise.abs()
        if name.endswith("hook_pattern"):  # in diopter nothing attends to padding, whatever an edit says
            noise = noise * (ids >= 0)[:, None, None, :]
        tensors["value/" + name], tensors["noise/" + name] = value, noise
        tensors["logits/" + name] = model.run_with_hooks(tokens, fwd_hooks=[(name, lambda x, hook, noise=noise: x + noise)])
    return tensors


def main(out):
    for number, (name, shape) in enumerate(MODELS.items()):
        weights = random_weights(shape, seed=10 + number)
        write_folder(shape, weights, out / name)
        plain = transformer_lens(shape, weights)
        every = [hook for hook in plain.hook_dict if hook.rsplit(".", 1)[-1] not in SWITCHED]
        for kind, lengths in BATCHES.items():
            ids = batch(lengths, shape.vocabulary, seed=20 + number)
            tensors = outputs(plain, every, ids, noise_seed=1)
            tensors["ids"], tensors["logits"] = ids, plain(ids.clamp_min(0))
            for switch in sorted(set(SWITCHED.values())):
                model = transformer_lens(shape, weights, **{switch: True})
                hooks = [hook for hook in model.hook_dict if SWITCHED.get(hook.rsplit(".", 1)[-1]) == switch]
                tensors |= outputs(model, hooks, ids, noise_seed=2)
            save_file({key: value.contiguous().clone() for key, value in tensors.items()}, out / f"{name}.{kind}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
