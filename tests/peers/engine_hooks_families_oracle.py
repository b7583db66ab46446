"""OUTDIR: as engine_hooks_oracle.py, for the families beside GPT-2: hook values and edits of TransformerLens on random models that
transformers made and saved (with the config keys of its version 4)."""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Gemma2Config, GPTNeoXConfig, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions import (convert_gemma_weights, convert_llama_weights, convert_mistral_weights,
                                                            convert_neox_weights, convert_qwen2_weights, convert_qwen3_weights)

from engine_hooks_oracle import SWITCHED, batch, outputs

BATCHES = {"even": [6, 6, 6], "padded": [3, 8, 5, 1]}
TINY = dict(num_hidden_layers=2, num_attention_heads=4, hidden_size=24, intermediate_size=28, max_position_embeddings=16, vocab_size=31,
            bos_token_id=0, eos_token_id=0, pad_token_id=None)
GROUPED = dict(TINY, num_key_value_heads=2)
# name: configuration, conversion of weights, what TransformerLens must be told beside the sizes
MODELS = {
    "neox_parallel": (GPTNeoXConfig(**TINY, rotary_pct=0.34), convert_neox_weights, dict(parallel_attn_mlp=True)),
    "neox_sequential": (GPTNeoXConfig(**TINY, rotary_pct=1.0, use_parallel_residual=False), convert_neox_weights, {}),
    "llama": (LlamaConfig(**TINY), convert_llama_weights, {}),
    "llama_grouped": (LlamaConfig(**GROUPED), convert_llama_weights, {}),
    "mistral_window": (MistralConfig(**GROUPED, sliding_window=3), convert_mistral_weights,
                       dict(use_local_attn=True, window_size=3, attn_types=["local", "local"])),
    "qwen2": (Qwen2Config(**GROUPED), convert_qwen2_weights, {}),
    "qwen3": (Qwen3Config(**GROUPED, head_dim=8), convert_qwen3_weights, dict(use_qk_norm=True)),
    "gemma2": (Gemma2Config(**GROUPED, head_dim=8, query_pre_attn_scalar=8, sliding_window=4, attn_logit_softcapping=5.0, final_logit_softcapping=9.0),
               convert_gemma_weights,
               dict(use_local_attn=True, window_size=4, attn_types=["local", "global"], attn_scores_soft_cap=5.0, output_logits_soft_cap=9.0,
                    use_normalization_before_and_after=True)),
}


def random_model(config, seed):
    """Everything random; Gemma's stored gains are around 0."""
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()  # sdpa has no soft cap
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                gain = name.endswith("weight") and config.model_type != "gemma2"
                parameter.copy_(noise * 0.3 + (1.0 if gain else 0.0))
            else:
                parameter.copy_(noise * (0.5 if "embed" in name or "lm_head" in name else parameter.shape[1] ** -0.5))
    return model


def transformer_lens(model, convert, told, **switches):
    """HookedTransformer without any weight processing."""
    config, neox = model.config, model.config.model_type == "gpt_neox"
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    grouped = getattr(config, "num_key_value_heads", config.num_attention_heads)
    tl = HookedTransformerConfig(
        n_layers=config.num_hidden_layers, d_model=config.hidden_size, n_ctx=config.max_position_embeddings, d_head=head,
        n_heads=config.num_attention_heads, n_key_value_heads=grouped if grouped != config.num_attention_heads else None,
        d_mlp=config.intermediate_size, d_vocab=config.vocab_size, device="cpu", default_prepend_bos=False,
        act_fn=getattr(config, "hidden_act", None) or config.hidden_activation if config.model_type != "gemma2" else config.hidden_activation,
        eps=config.layer_norm_eps if neox else config.rms_norm_eps, normalization_type="LN" if neox else "RMS", final_rms=not neox,
        gated_mlp=not neox, positional_embedding_type="rotary", rotary_adjacent_pairs=False,
        rotary_dim=int(config.rotary_pct * head) if neox else head, rotary_base=int(config.rope_theta),
        original_architecture=type(model).__name__, **told, **switches)
    made = HookedTransformer(tl)
    missing, unexpected = made.load_state_dict(convert(model, tl), strict=False)
    left = [name for name in missing if not name.endswith(("mask", "IGNORE", "rotary_sin", "rotary_cos")) and ".b_" not in name and name != "unembed.b_U"]
    assert not left and not unexpected, (left, unexpected)
    made.requires_grad_(False)
    return made.eval()


def main(out):
    torch.set_num_threads(1)
    for number, (name, (config, convert, told)) in enumerate(MODELS.items()):
        source = random_model(config, seed=40 + number)
        source.save_pretrained(out / name)
        plain = transformer_lens(source, convert, told)
        every = [hook for hook in plain.hook_dict if hook.rsplit(".", 1)[-1] not in SWITCHED]
        for kind, lengths in BATCHES.items():
            ids = batch(lengths, config.vocab_size, seed=20 + number)
            tensors = outputs(plain, every, ids, noise_seed=1)
            tensors["ids"], tensors["logits"] = ids, plain(ids.clamp_min(0))
            with torch.inference_mode():
                gap = (tensors["logits"] - source(ids.clamp_min(0)).logits).abs().max().item()
            assert gap < 1e-4, f"TransformerLens and transformers differ by {gap} on {name}"
            for switch in sorted(set(SWITCHED.values())):
                if switch == "use_attn_in" and plain.cfg.n_key_value_heads is not None:
                    continue  # TransformerLens has no such point under grouped heads
                model = transformer_lens(source, convert, told, **{switch: True})
                hooks = [hook for hook in model.hook_dict if SWITCHED.get(hook.rsplit(".", 1)[-1]) == switch]
                tensors |= outputs(model, hooks, ids, noise_seed=2)
            rows, longest = ids.shape
            for key, value in tensors.items():  # one axis [batch pos head] in TransformerLens
                if ".q_norm." in key or ".k_norm." in key:
                    if not key.startswith("logits/"):
                        tensors[key] = value.reshape(rows, longest, -1, value.shape[-1])
            save_file({key: value.contiguous().clone() for key, value in tensors.items()}, out / f"{name}.{kind}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
