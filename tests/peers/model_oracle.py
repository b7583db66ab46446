"""Random GPT-2 models with transformers' own logits, for the parity test of the forward pass.

model_oracle.py OUTDIR
  index.json            [{"name", "tiny"}]
  NAME/                 the model, by save_pretrained
  NAME/expected.safetensors
    ids [batch, pos] (-1: pad), logits [batch, pos, vocab] fp32 eager, logits64 of the same weights in float64;
    tiny models: resid_pre.L [batch, pos, d_model] and pattern.L [batch, head, pos, key]

Every weight, bias, norm gain and position embedding is random, none has its initial value. Rows have unequal lengths,
padded at the right, with an attention mask; logits of pads mean nothing.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

TINY = dict(n_layer=2, n_head=4, n_embd=32, n_positions=24, vocab_size=97)
CASES = {
    "plain": TINY,
    "odd_head_size": dict(TINY, n_layer=3, n_head=3, n_embd=39, n_positions=17),
    "inner_size_relu": dict(TINY, n_inner=52, activation_function="relu"),
    "exact_gelu_large_eps": dict(TINY, activation_function="gelu", layer_norm_epsilon=1e-2),
    "small_eps": dict(TINY, layer_norm_epsilon=1e-12, n_positions=11),
    "untied": dict(TINY, tie_word_embeddings=False),
    "unscaled_attention": dict(TINY, scale_attn_weights=False),
    "scaled_by_layer": dict(TINY, n_layer=3, scale_attn_by_inverse_layer_idx=True),
    "one_head_one_layer_silu": dict(TINY, n_layer=1, n_head=1, n_embd=7, activation_function="silu", n_inner=3),
    "quick_gelu_sharded": dict(TINY, n_layer=4, activation_function="quick_gelu"),
}
SMALL = {"gpt2_small_narrow": 0.55, "gpt2_small_wide": 4.0}  # standard deviation of the logits


def randomised(config: GPT2Config, generator: torch.Generator) -> GPT2LMHeadModel:
    """`config` as a model in which nothing has its initial value."""
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                gain = name.endswith("weight")
                parameter.copy_(noise * 0.3 + (1.0 if gain else 0.0))
            elif "wte" in name or "wpe" in name or "lm_head" in name:
                parameter.copy_(noise * 0.4)
            else:
                parameter.copy_(noise * parameter.shape[0] ** -0.5)
    return model


def padded_ids(rows: int, longest: int, vocab: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.randint(1, longest + 1, (rows,), generator=generator)
    lengths[0] = longest
    mask = torch.arange(longest)[None, :] < lengths[:, None]
    ids = torch.randint(0, vocab, (rows, longest), generator=generator)
    return ids, mask


def save_case(out: Path, name: str, model: GPT2LMHeadModel, ids: torch.Tensor, mask: torch.Tensor, hooks: bool) -> None:
    expected = {"ids": torch.where(mask, ids, -1)}
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        result = model(ids, attention_mask=mask.long(), output_hidden_states=hooks, output_attentions=hooks)
        expected["logits"] = result.logits.clone()
        if hooks:
            for layer in range(model.config.n_layer):
                expected[f"resid_pre.{layer}"] = result.hidden_states[layer].clone()
                expected[f"pattern.{layer}"] = result.attentions[layer].clone()
    shards = dict(max_shard_size="40KB") if "sharded" in name else {}
    model.save_pretrained(out / name, **shards)
    with torch.inference_mode():
        expected["logits64"] = model.double()(ids, attention_mask=mask.long()).logits
    save_file({key: value.contiguous() for key, value in expected.items()}, out / name / "expected.safetensors")


def main(out: Path) -> None:
    torch.set_num_threads(2)
    logging.disable_progress_bar()
    index = []
    for seed, (name, settings) in enumerate(CASES.items()):
        generator = torch.Generator().manual_seed(seed)
        config = GPT2Config(**settings, bos_token_id=0, eos_token_id=0)
        ids, mask = padded_ids(4, config.n_positions, config.vocab_size, generator)
        save_case(out, name, randomised(config, generator), ids, mask, hooks=True)
        index.append({"name": name, "tiny": True})
    for seed, (name, spread) in enumerate(SMALL.items()):
        generator = torch.Generator().manual_seed(100 + seed)
        config = GPT2Config()
        model = randomised(config, generator)
        with torch.no_grad():  # the final norm's output has about unit variance
            model.transformer.wte.weight.mul_(spread / (0.4 * config.n_embd**0.5))
        ids, mask = padded_ids(2, 15, config.vocab_size, generator)
        save_case(out, name, model, ids, mask, hooks=False)
        index.append({"name": name, "tiny": False})
    (out / "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
