"""Random GPT-2 weights in GPT-2's names and layout, and the Hugging Face folder they are stored in. Needs torch and
safetensors only, so both environments can import it."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


class Shape:
    def __init__(self, layers, heads, width, mlp, vocabulary=31, context=16, activation="gelu_new", tied=True):
        self.layers, self.heads, self.width, self.mlp = layers, heads, width, mlp
        self.vocabulary, self.context, self.activation, self.tied = vocabulary, context, activation, tied


def random_weights(shape, seed):
    """Every weight, bias and gain random, in GPT-2's names and layout ([in, out])."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*size, scale):
        return torch.randn(*size, generator=generator) * scale

    d, f = shape.width, shape.mlp
    weights = {
        "wte.weight": noise(shape.vocabulary, d, scale=0.5),
        "wpe.weight": noise(shape.context, d, scale=0.4),
        "ln_f.weight": 1 + noise(d, scale=0.3),
        "ln_f.bias": noise(d, scale=0.3),
    }
    for layer in range(shape.layers):
        h = f"h.{layer}."
        for norm in ("ln_1", "ln_2"):
            weights[h + norm + ".weight"] = 1 + noise(d, scale=0.3)
            weights[h + norm + ".bias"] = noise(d, scale=0.3)
        weights[h + "attn.c_attn.weight"] = noise(d, 3 * d, scale=1.2 / d**0.5)
        weights[h + "attn.c_attn.bias"] = noise(3 * d, scale=0.3)
        weights[h + "attn.c_proj.weight"] = noise(d, d, scale=1 / d**0.5)
        weights[h + "attn.c_proj.bias"] = noise(d, scale=0.3)
        weights[h + "mlp.c_fc.weight"] = noise(d, f, scale=1 / d**0.5)
        weights[h + "mlp.c_fc.bias"] = noise(f, scale=0.3)
        weights[h + "mlp.c_proj.weight"] = noise(f, d, scale=1 / f**0.5)
        weights[h + "mlp.c_proj.bias"] = noise(d, scale=0.3)
    if not shape.tied:
        weights["lm_head.weight"] = noise(shape.vocabulary, d, scale=0.5)
    return weights


def write_folder(shape, weights, folder):
    folder = Path(folder)
    folder.mkdir(parents=True)
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "n_embd": shape.width,
        "n_inner": shape.mlp,
        "vocab_size": shape.vocabulary,
        "n_positions": shape.context,
        "activation_function": shape.activation,
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": shape.tied,
    }
    (folder / "config.json").write_text(json.dumps(config))
    stored = {
        (name if name.startswith("lm_head") else "transformer." + name): value.contiguous()
        for name, value in weights.items()
    }
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})


def read_folder(folder):
    """What write_folder wrote: the shape, and the weights in the names of random_weights."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    shape = Shape(
        config["n_layer"],
        config["n_head"],
        config["n_embd"],
        config["n_inner"],
        config["vocab_size"],
        config["n_positions"],
        config["activation_function"],
        config["tie_word_embeddings"],
    )
    return shape, {
        name.removeprefix("transformer."): value for name, value in load_file(folder / "model.safetensors").items()
    }
