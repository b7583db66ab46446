"""Random models of every family but GPT-2 with transformers' own logits, for the parity test of the forward pass.

families_oracle.py OUTDIR
  index.json            [{"name", "family"}]
  NAME/                 the model, by save_pretrained
  NAME/expected.safetensors
    ids [batch, pos] (-1: pad), logits [batch, pos, vocab] fp32 eager; resid_pre.L [batch, pos, d_model] and
    pattern.L [batch, head, pos, key]; logits.DTYPE and exact.DTYPE [batch, pos, vocab] fp32: computed in DTYPE, and in
    fp32 of the weights that DTYPE holds

Every weight, bias and gain is random, none has its initial value. Rows have unequal lengths, padded at the right, with an
attention mask; what belongs to pads means nothing.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Gemma2Config, GPTNeoXConfig, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config
from transformers.utils import logging

from model_oracle import padded_ids

TINY = dict(num_hidden_layers=2, num_attention_heads=4, hidden_size=32, intermediate_size=52, max_position_embeddings=24, vocab_size=97,
            bos_token_id=0, eos_token_id=0, pad_token_id=None)
GROUPED = dict(TINY, num_key_value_heads=2)
ODD = dict(GROUPED, num_hidden_layers=3, head_dim=6, num_attention_heads=6, hidden_size=30)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8}
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 3.0}


def neox(**changes):
    return GPTNeoXConfig(**dict(TINY, **changes))


CASES = {
    "gpt_neox": {
        "parallel": neox(),
        "sequential": neox(use_parallel_residual=False),
        "all_rotary": neox(rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}),
        "half_rotary_gelu_new": neox(rope_parameters={"rope_type": "default", "rope_theta": 700.0, "partial_rotary_factor": 0.5}, hidden_act="gelu_new"),
        "tied_without_attention_bias": neox(tie_word_embeddings=True, attention_bias=False),
        "odd_heads_large_eps": neox(num_attention_heads=3, hidden_size=30, num_hidden_layers=3, layer_norm_eps=1e-2,
                                    rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.4}),
    },
    "llama": {
        "plain": LlamaConfig(**TINY),
        "grouped": LlamaConfig(**GROUPED),
        "one_kv_head_tied": LlamaConfig(**dict(TINY, num_key_value_heads=1, tie_word_embeddings=True)),
        "biases_own_head_size": LlamaConfig(**dict(ODD, attention_bias=True, mlp_bias=True)),
        "llama3_scaling": LlamaConfig(**dict(GROUPED, rope_parameters=LLAMA3)),
        "linear_scaling_large_eps": LlamaConfig(**dict(GROUPED, rope_parameters=LINEAR, rms_norm_eps=1e-2)),
        "gelu": LlamaConfig(**dict(GROUPED, hidden_act="gelu")),
    },
    "mistral": {
        "window": MistralConfig(**dict(GROUPED, sliding_window=5)),
        "window_of_one": MistralConfig(**dict(GROUPED, sliding_window=1)),
        "no_window": MistralConfig(**dict(GROUPED, sliding_window=None)),
        "window_longer_than_prompt": MistralConfig(**dict(GROUPED, sliding_window=100)),
        "own_head_size": MistralConfig(**dict(ODD, sliding_window=7)),
        "tied_one_layer": MistralConfig(**dict(GROUPED, num_hidden_layers=1, tie_word_embeddings=True, sliding_window=3)),
    },
    "qwen2": {
        "plain": Qwen2Config(**GROUPED),
        "tied": Qwen2Config(**dict(GROUPED, tie_word_embeddings=True)),
        "window_from_layer_1": Qwen2Config(**dict(GROUPED, num_hidden_layers=3, use_sliding_window=True, sliding_window=4, max_window_layers=1)),
        "ungrouped": Qwen2Config(**dict(TINY, num_key_value_heads=4)),
        "odd_heads": Qwen2Config(**dict(TINY, num_attention_heads=6, num_key_value_heads=3, hidden_size=36, num_hidden_layers=3)),
        "theta": Qwen2Config(**dict(GROUPED, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})),
    },
    "qwen3": {
        "plain": Qwen3Config(**dict(GROUPED, head_dim=8)),
        "own_head_size": Qwen3Config(**ODD),
        "biases": Qwen3Config(**dict(GROUPED, head_dim=10, attention_bias=True)),
        "tied": Qwen3Config(**dict(GROUPED, head_dim=8, tie_word_embeddings=True)),
        "window": Qwen3Config(**dict(GROUPED, head_dim=8, num_hidden_layers=3, use_sliding_window=True, sliding_window=6, max_window_layers=2)),
        "large_eps": Qwen3Config(**dict(GROUPED, head_dim=8, rms_norm_eps=1e-2)),
    },
    "gemma2": {
        "plain": Gemma2Config(**dict(GROUPED, head_dim=8, query_pre_attn_scalar=8, sliding_window=5)),
        "own_head_size": Gemma2Config(**dict(ODD, query_pre_attn_scalar=13, sliding_window=7)),
        "tight_caps": Gemma2Config(**dict(GROUPED, head_dim=8, query_pre_attn_scalar=8, sliding_window=5, attn_logit_softcapping=2.0,
                                          final_logit_softcapping=3.0)),
        "no_caps": Gemma2Config(**dict(GROUPED, head_dim=8, query_pre_attn_scalar=8, sliding_window=5, attn_logit_softcapping=None,
                                       final_logit_softcapping=None)),
        "own_layer_types": Gemma2Config(**dict(GROUPED, num_hidden_layers=3, head_dim=8, query_pre_attn_scalar=8, sliding_window=4,
                                               layer_types=["full_attention", "sliding_attention", "sliding_attention"])),
        "biases_four_layers": Gemma2Config(**dict(GROUPED, num_hidden_layers=4, head_dim=8, query_pre_attn_scalar=8, sliding_window=6, attention_bias=True)),
    },
}


def randomised(config, generator):
    """`config` as a model in which nothing has its initial value; Gemma's stored gains are around 0."""
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                gain = name.endswith("weight") and config.model_type != "gemma2"
                parameter.copy_(noise * 0.3 + (1.0 if gain else 0.0))
            elif "embed" in name or "lm_head" in name:
                parameter.copy_(noise * 0.4)
            else:
                parameter.copy_(noise * parameter.shape[1] ** -0.5)
    return model


def save_case(out, name, model, ids, mask):
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        result = model(ids, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True)
    expected = {"ids": torch.where(mask, ids, -1), "logits": result.logits}
    for layer in range(model.config.num_hidden_layers):
        expected[f"resid_pre.{layer}"] = result.hidden_states[layer]
        expected[f"pattern.{layer}"] = result.attentions[layer]
    model.save_pretrained(out / name)
    for dtype in (torch.bfloat16, torch.float16):
        short = str(dtype).removeprefix("torch.")
        # Not model.to(dtype), which would round the rotary frequencies as well.
        low = AutoModelForCausalLM.from_pretrained(out / name, dtype=dtype, attn_implementation="eager").eval()
        with torch.inference_mode():
            expected[f"logits.{short}"] = low(ids, attention_mask=mask.long()).logits.float()
            # Not low.float(): constants such as Gemma's factor of the embedding would stay rounded.
            for parameter in model.parameters():
                parameter.copy_(parameter.to(dtype))
            expected[f"exact.{short}"] = model(ids, attention_mask=mask.long()).logits
            model = AutoModelForCausalLM.from_pretrained(out / name, dtype=torch.float32, attn_implementation="eager").eval()
    save_file({key: value.contiguous().clone() for key, value in expected.items()}, out / name / "expected.safetensors")


def main(out):
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    index = []
    for family, cases in CASES.items():
        for seed, (case, config) in enumerate(cases.items()):
            generator = torch.Generator().manual_seed(seed)
            ids, mask = padded_ids(4, config.max_position_embeddings, config.vocab_size, generator)
            name = f"{family}.{case}"
            save_case(out, name, randomised(config, generator), ids, mask)
            index.append({"name": name, "family": family})
    (out / "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
