#!/usr/bin/env python3
"""Re-derives a stored `neurons` run (donor values, metric at the last token) with transformers, from the stored token ids
and the model's files alone: every attribution, and the exact change of some neurons.
rederive_neurons.py STORE MODEL_FOLDER; exit 1 above 1e-4."""
import json
import sqlite3
import struct
import sys

import torch
from transformers import GPT2LMHeadModel

TOLERANCE = 1e-4  # logits


class Run:
    def __init__(self, folder):
        self.db = sqlite3.connect(f"file:{folder}/runs.db?mode=ro", uri=True)
        self.id, config = self.db.execute("SELECT id, config FROM v_run WHERE entry = 'read' AND status = 'succeeded'").fetchone()
        config = json.loads(config)
        assert (config["direction"], config["replace_by"], config["positions"]) == ("denoise", "donor", "read"), config

    def tensor(self, name):
        dtype, shape, tensor_id = self.db.execute("SELECT dtype, shape, tensor_id FROM v_tensor WHERE run_id = ? AND name = ?", (self.id, name)).fetchone()
        data = self.db.execute("SELECT data FROM tensor WHERE id = ?", (tensor_id,)).fetchone()[0]
        code, kind = {"f64": ("d", torch.float64), "f32": ("f", torch.float32), "i64": ("q", torch.int64)}[dtype]
        return torch.tensor(struct.unpack(f"<{len(data) // struct.calcsize(code)}{code}", data), dtype=kind).view(json.loads(shape))


def activations(model, ids, patch=None):
    """-> (last token's logits, activations [layer, neuron], what enters the final norm); `patch` = (layer, neuron, value)."""
    seen, hooks = {}, []

    def see(layer):
        def look(_module, _args, out):
            if patch and patch[0] == layer:
                out = out.clone()
                out[0, -1, patch[1]] = patch[2]
            seen[layer] = out[0, -1]
            return out
        return look

    for layer, block in enumerate(model.transformer.h):
        hooks.append(block.mlp.act.register_forward_hook(see(layer)))
    hooks.append(model.transformer.ln_f.register_forward_pre_hook(lambda _module, args: seen.update(final=args[0][0, -1])))
    logits = model(ids.unsqueeze(0)).logits[0, -1]
    for hook in hooks:
        hook.remove()
    return logits, torch.stack([seen[layer] for layer in range(len(model.transformer.h))]), seen["final"]


@torch.no_grad()
def main():
    run, model = Run(sys.argv[1]), GPT2LMHeadModel.from_pretrained(sys.argv[2]).eval()
    clean, corrupted = run.tensor("prompts.clean_ids"), run.tensor("prompts.corrupted_ids")
    answers, foils = run.tensor("prompts.answer_ids").flatten(), run.tensor("prompts.foil_ids").flatten()
    rows = range(clean.shape[0])
    chosen = [0, 1, 7, 39, 40, 60]  # of the candidates
    layers, neurons = run.tensor("selected.layer").long(), run.tensor("selected.neuron").long()
    norm = model.transformer.ln_f
    attribution, changes = 0, torch.zeros(len(chosen))
    for row in rows:
        donor_ids, base_ids = clean[row][clean[row] >= 0], corrupted[row][corrupted[row] >= 0]
        _, donor, _ = activations(model, donor_ids)
        logits, base, final = activations(model, base_ids)
        u = (model.lm_head.weight[answers[row]] - model.lm_head.weight[foils[row]]) * norm.weight
        u = u - u.mean()
        scale = (final.var(unbiased=False) + norm.eps).sqrt()
        along = torch.stack([block.mlp.c_proj.weight @ u for block in model.transformer.h])  # [layer, neuron]
        attribution = attribution + (donor - base) * along / scale / len(rows)
        for i, place in enumerate(chosen):
            layer, neuron = layers[place].item(), neurons[place].item()
            patched, _, _ = activations(model, base_ids, (layer, neuron, donor[layer, neuron]))
            changes[i] += ((patched - logits)[answers[row]] - (patched - logits)[foils[row]]) / len(rows)
    worst = [(attribution - run.tensor("attribution")).abs().max().item(), (changes - run.tensor("change")[0][chosen]).abs().max().item()]
    print(f"{attribution.numel()} attributions: largest difference {worst[0]:.1e}; {len(chosen)} exact changes: {worst[1]:.1e} (limit {TOLERANCE})")
    return 0 if max(worst) < TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
