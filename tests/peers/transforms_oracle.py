"""OUTDIR: weights as TransformerLens processes them.

OUTDIR/MODEL/ is a Hugging Face folder; OUTDIR/MODEL.STEPS.safetensors, STEPS being names of transforms joined by '+', holds
canonical names: "W_U", "0.W_Q" [head, d_model, d_head], ...
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

import engine_hooks_families_oracle as families
import engine_hooks_oracle as gpt2
from engine_models import random_weights, transformer_lens, write_folder

STEPS = ("fold_ln", "center_writing_weights", "center_unembed", "fold_value_biases")
MODEL_LEVEL = {"embed.W_E": "W_E", "pos_embed.W_pos": "W_pos", "unembed.W_U": "W_U", "unembed.b_U": "b_U"}
IN_BLOCK = {"attn.W_Q": "W_Q", "attn.W_K": "W_K", "attn._W_K": "W_K", "attn.W_V": "W_V", "attn._W_V": "W_V", "attn.W_O": "W_O",
            "attn.b_Q": "b_Q", "attn.b_K": "b_K", "attn._b_K": "b_K", "attn.b_V": "b_V", "attn._b_V": "b_V", "attn.b_O": "b_O",
            "mlp.W_in": "W_in", "mlp.W_gate": "W_gate", "mlp.W_out": "W_out", "mlp.b_in": "b_in", "mlp.b_out": "b_out"}


def canonical(state):
    out = {}
    for name, value in state.items():
        if name in MODEL_LEVEL:
            out[MODEL_LEVEL[name]] = value
        elif name.startswith("blocks."):
            _, layer, rest = name.split(".", 2)
            if rest in IN_BLOCK:
                out[f"{layer}.{IN_BLOCK[rest]}"] = value
    return {name: value.contiguous().clone() for name, value in out.items()}


def save(out, name, make, steps):
    model = make()
    model.load_and_process_state_dict(model.state_dict(), **{step: step in steps for step in STEPS}, refactor_factored_attn_matrices=False)
    save_file(canonical(model.state_dict()), out / f"{name}.{'+'.join(steps)}.safetensors")


def main(out):
    torch.set_num_threads(1)
    for number, (name, shape) in enumerate(gpt2.MODELS.items()):
        weights = random_weights(shape, seed=10 + number)
        write_folder(shape, weights, out / name)
        for steps in (STEPS, STEPS[:1], STEPS[:2], STEPS[2:3], STEPS[3:], (STEPS[0], STEPS[3])):
            save(out, name, lambda: transformer_lens(shape, weights), steps)
    for number, (name, (config, convert, told)) in enumerate(families.MODELS.items()):
        source = families.random_model(config, seed=60 + number)
        source.save_pretrained(out / name)
        layer_norm, capped = config.model_type == "gpt_neox", config.model_type == "gemma2"
        steps = [step for step in STEPS if (layer_norm or step != STEPS[1]) and not (capped and step == STEPS[2])]
        for some in (steps, steps[:1], steps[-1:]):
            save(out, name, lambda: families.transformer_lens(source, convert, told), some)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
