"""A Llama of 1.24 billion parameters (the shape of Llama 3.2 1B) with random weights in bfloat16, and transformers' logits.

large_model_oracle.py OUTDIR
  model/                  config.json, two shards with their index, no tokenizer (2.5 GB)
  expected.safetensors    ids [1, pos], logits [1, pos, vocab] computed in bfloat16, exact: in float32 of the same weights

The weights are written tensor by tensor: nothing here holds the model twice.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig

SHAPE = dict(vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8,
             head_dim=64, max_position_embeddings=131072, rms_norm_eps=1e-5, tie_word_embeddings=True,
             rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 8192})


def tensors_of(layer, generator):
    d, kv, mlp = SHAPE["hidden_size"], SHAPE["num_key_value_heads"] * SHAPE["head_dim"], SHAPE["intermediate_size"]
    prefix = f"model.layers.{layer}."
    shapes = {"self_attn.q_proj": (d, d), "self_attn.k_proj": (kv, d), "self_attn.v_proj": (kv, d), "self_attn.o_proj": (d, d),
              "mlp.gate_proj": (mlp, d), "mlp.up_proj": (mlp, d), "mlp.down_proj": (d, mlp)}
    drawn = {f"{prefix}{name}.weight": torch.randn(*shape, generator=generator).mul_(shape[1] ** -0.5).bfloat16() for name, shape in shapes.items()}
    for name in ("input_layernorm", "post_attention_layernorm"):
        drawn[f"{prefix}{name}.weight"] = (1 + 0.3 * torch.randn(d, generator=generator)).bfloat16()
    return drawn


def write(folder):
    generator = torch.Generator().manual_seed(0)
    LlamaConfig(**SHAPE, dtype="bfloat16").save_pretrained(folder)
    d = SHAPE["hidden_size"]
    shard = {"model.embed_tokens.weight": torch.randn(SHAPE["vocab_size"], d, generator=generator).mul_(0.05).bfloat16(),
             "model.norm.weight": (1 + 0.3 * torch.randn(d, generator=generator)).bfloat16()}
    index = {}
    for number in (1, 2):
        for layer in range(8 * (number - 1), 8 * number):
            shard |= tensors_of(layer, generator)
        name = f"model-{number:05}-of-00002.safetensors"
        save_file(shard, folder / name, metadata={"format": "pt"})
        index |= {tensor: name for tensor in shard}
        shard = {}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))


def main(out):
    folder = out / "model"
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    ids = torch.randint(0, SHAPE["vocab_size"], (1, 24), generator=torch.Generator().manual_seed(1))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
    with torch.inference_mode():
        logits = model(ids).logits.float()
        exact = model.float()(ids).logits
    save_file({"ids": ids, "logits": logits.contiguous(), "exact": exact.contiguous()}, out / "expected.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
