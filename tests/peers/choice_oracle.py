"""What transformers' warpers keep of logits, in the order in which its generate() applies them.

choice_oracle.py OUTDIR
  index.json            [{"name", "temperature", "top_k", "top_p"}]
  expected.safetensors  NAME.logits [row, token] fp32, NAME.kept: the same after TemperatureLogitsWarper,
                        TopKLogitsWarper, TopPLogitsWarper (those whose parameter does something)
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers.generation import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

RULES = [(t, k, p) for t in (0.5, 1.0, 1.7) for k in (0, 1, 3, 40, 97, 1000) for p in (1.0, 0.999, 0.9, 0.5, 0.1, 1e-6)]


def logits_of(kind: str, generator: torch.Generator) -> torch.Tensor:
    noise = torch.randn(6, 97, generator=generator)
    if kind == "random":
        return noise * 3
    if kind == "flat":
        return torch.zeros(6, 97)
    if kind == "ties":
        return (noise * 2).round()
    if kind == "one_above_p":
        noise[:, 5] += 30
        return noise
    if kind == "two_equal_best":
        noise[:, 3] = noise[:, 88] = 9
        return noise
    if kind == "steps":  # probabilities that are sums of powers of two: the border is hit exactly
        return torch.log(torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.0625])).repeat(6, 1)
    if kind == "large_vocabulary":
        return torch.randn(2, 50257, generator=generator) * 4
    raise ValueError(kind)


def main(out: Path) -> None:
    tensors, index = {}, []
    generator = torch.Generator().manual_seed(1)
    for kind in ("random", "flat", "ties", "one_above_p", "two_equal_best", "steps", "large_vocabulary"):
        logits = logits_of(kind, generator)
        rules = RULES if kind != "large_vocabulary" else [(0.7, 0, 0.9), (1.0, 50, 1.0), (1.3, 200, 0.95)]
        for temperature, top_k, top_p in rules:
            processors = LogitsProcessorList()
            if temperature != 1.0:
                processors.append(TemperatureLogitsWarper(temperature))
            if top_k != 0:
                processors.append(TopKLogitsWarper(top_k))
            if top_p < 1.0:
                processors.append(TopPLogitsWarper(top_p))
            name = f"{kind}.{len(index)}"
            index.append({"name": name, "temperature": temperature, "top_k": top_k, "top_p": top_p})
            tensors[f"{name}.logits"] = logits.clone()
            tensors[f"{name}.kept"] = processors(None, logits.clone()).clone()
    save_file(tensors, out / "expected.safetensors")
    (out / "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
