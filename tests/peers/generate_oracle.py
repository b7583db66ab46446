"""transformers' greedy continuations of random models of every family, each prompt on its own.

generate_oracle.py OUTDIR
  index.json            [{"name", "family", "ends": bool}]
  NAME/                 the model, by save_pretrained; where `ends`, generation_config.json names two ids that end texts
  NAME/expected.safetensors
    prompts [row, pos] (-1: pad); tokens [row, new] (-1: the text has ended), log_probs [row, new] of them, at temperature 1

Prompts reach the end of the context where the texts fill it. No step is a near tie: the best logit is 1e-3 above the next.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2Config
from transformers.utils import logging

import families_oracle
import model_oracle

LENGTHS = [3, 11, 1, 7, 12]
NEW = 12


def continuation(model, prompt):
    """Greedy, by generate(); and the log-probability of each token."""
    # The cache of a sliding window of one slices [-0:] and keeps every key: that model is run without.
    cached = getattr(model.config, "sliding_window", None) != 1
    result = model.generate(prompt[None], max_new_tokens=NEW, do_sample=False, use_cache=cached, return_dict_in_generate=True,
                            output_logits=True, pad_token_id=0, attention_mask=torch.ones_like(prompt[None]))
    tokens = result.sequences[0, len(prompt):]
    logits = torch.stack([step[0] for step in result.logits]).double()
    best = logits.topk(2).values
    return tokens, logits.log_softmax(-1).gather(1, tokens[:, None])[:, 0], (best[:, 0] - best[:, 1]).min().item()


def save_case(out, name, model, ends, generator):
    """False when a step is a near tie: then the caller draws another model."""
    config = model.config
    model.generation_config.eos_token_id = None
    model.config.eos_token_id = None
    prompts = [torch.randint(0, config.vocab_size, (n,), generator=generator) for n in LENGTHS]
    rows = [continuation(model, prompt) for prompt in prompts]
    if min(row[2] for row in rows) < 1e-3 or len({t for row in rows for t in row[0].tolist()}) < 6:
        return False
    if ends:
        model.generation_config.eos_token_id = [int(rows[0][0][5]), int(rows[3][0][2])]
        rows = [continuation(model, prompt) for prompt in prompts]
    expected = {"prompts": torch.full((len(rows), max(LENGTHS)), -1), "tokens": torch.full((len(rows), NEW), -1),
                "log_probs": torch.zeros(len(rows), NEW)}
    for i, (prompt, (tokens, log_probs, _)) in enumerate(zip(prompts, rows)):
        expected["prompts"][i, :len(prompt)] = prompt
        expected["tokens"][i, :len(tokens)] = tokens
        expected["log_probs"][i, :len(tokens)] = log_probs.float()
    model.save_pretrained(out / name)
    save_file(expected, out / name / "expected.safetensors")
    return True


def main(out):
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    cases = {"gpt2": {"plain": GPT2Config(**model_oracle.TINY), "untied": GPT2Config(**dict(model_oracle.TINY, tie_word_embeddings=False)),
                      "scaled_by_layer": GPT2Config(**dict(model_oracle.TINY, n_layer=3, scale_attn_by_inverse_layer_idx=True))},
             **families_oracle.CASES}
    index = []
    for family, configs in cases.items():
        for number, (case, config) in enumerate(configs.items()):
            name, ends = f"{family}.{case}", number % 2 == 1
            for seed in range(100):
                generator = torch.Generator().manual_seed(seed)
                make = model_oracle.randomised if family == "gpt2" else families_oracle.randomised
                if save_case(out, name, make(config, generator), ends, generator):
                    break
            else:
                raise SystemExit(f"{name}: every model has a near tie")
            index.append({"name": name, "family": family, "ends": ends})
    (out / "index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
