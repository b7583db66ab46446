"""Small random GPT-2 models, as a Hugging Face folder and as an unprocessed TransformerLens model with the same numbers."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformer_lens import HookedTransformer, HookedTransformerConfig


torch.set_num_threads(1)  # tiny tensors: more threads only wait for each other


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
    weights = {"wte.weight": noise(shape.vocabulary, d, scale=0.5), "wpe.weight": noise(shape.context, d, scale=0.4),
               "ln_f.weight": 1 + noise(d, scale=0.3), "ln_f.bias": noise(d, scale=0.3)}
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
    config = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_layer": shape.layers, "n_head": shape.heads,
              "n_embd": shape.width, "n_inner": shape.mlp, "vocab_size": shape.vocabulary, "n_positions": shape.context,
              "activation_function": shape.activation, "layer_norm_epsilon": 1e-5, "tie_word_embeddings": shape.tied}
    (folder / "config.json").write_text(json.dumps(config))
    stored = {(name if name.startswith("lm_head") else "transformer." + name): value.contiguous() for name, value in weights.items()}
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})


def transformer_lens(shape, weights, **switches):
    """HookedTransformer without any weight processing."""
    heads, d = shape.heads, shape.width
    e = d // heads
    config = HookedTransformerConfig(
        n_layers=shape.layers, d_model=d, n_ctx=shape.context, d_head=e, n_heads=heads, d_mlp=shape.mlp,
        act_fn=shape.activation, d_vocab=shape.vocabulary, eps=1e-5, normalization_type="LN", device="cpu",
        default_prepend_bos=False, **switches)
    model = HookedTransformer(config)
    state = model.state_dict()

    def put(name, value):
        assert state[name].shape == value.shape, (name, state[name].shape, value.shape)
        state[name] = value.clone()

    put("embed.W_E", weights["wte.weight"])
    put("pos_embed.W_pos", weights["wpe.weight"])
    put("ln_final.w", weights["ln_f.weight"])
    put("ln_final.b", weights["ln_f.bias"])
    put("unembed.W_U", weights.get("lm_head.weight", weights["wte.weight"]).T)
    put("unembed.b_U", torch.zeros(shape.vocabulary))
    for layer in range(shape.layers):
        h, b = f"h.{layer}.", f"blocks.{layer}."
        for norm, name in (("ln_1", "ln1"), ("ln_2", "ln2")):
            put(b + name + ".w", weights[h + norm + ".weight"])
            put(b + name + ".b", weights[h + norm + ".bias"])
        fused, bias = weights[h + "attn.c_attn.weight"], weights[h + "attn.c_attn.bias"]
        for i, letter in enumerate("QKV"):
            put(b + f"attn.W_{letter}", fused[:, i * d:(i + 1) * d].reshape(d, heads, e).permute(1, 0, 2))
            put(b + f"attn.b_{letter}", bias[i * d:(i + 1) * d].reshape(heads, e))
        put(b + "attn.W_O", weights[h + "attn.c_proj.weight"].reshape(heads, e, d))
        put(b + "attn.b_O", weights[h + "attn.c_proj.bias"])
        put(b + "mlp.W_in", weights[h + "mlp.c_fc.weight"])
        put(b + "mlp.b_in", weights[h + "mlp.c_fc.bias"])
        put(b + "mlp.W_out", weights[h + "mlp.c_proj.weight"])
        put(b + "mlp.b_out", weights[h + "mlp.c_proj.bias"])
    model.load_state_dict(state)
    model.requires_grad_(False)
    return model.eval()
