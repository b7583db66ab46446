"""Small random GPT-2 models, as a Hugging Face folder and as an unprocessed TransformerLens model with the same numbers."""

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig

from gpt2_weights import Shape, random_weights, write_folder  # noqa: F401  (the oracles take all four from here)

torch.set_num_threads(1)  # tiny tensors: more threads only wait for each other


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
