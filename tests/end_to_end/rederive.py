#!/usr/bin/env python3
"""Re-derives cells of a stored residual-stream patching run with transformers, from the stored token ids and the model's
files alone: rederive.py STORE MODEL_FOLDER [CELLS] [SEED]. Prints each cell and the largest difference; exit 1 above 1e-4."""
import json
import random
import sqlite3
import struct
import sys

import torch
from transformers import GPT2LMHeadModel

TOLERANCE = 1e-4  # on the raw logit difference


class Store:
    def __init__(self, folder):
        self.db = sqlite3.connect(f"file:{folder}/runs.db?mode=ro", uri=True)
        row = self.db.execute("SELECT id, config FROM v_run WHERE kind = 'patching' AND status = 'succeeded' ORDER BY started_at_us DESC LIMIT 1").fetchone()
        assert row, "the store has no succeeded patching run"
        self.run, self.config = row[0], json.loads(row[1])

    def tensor(self, name):
        """-> (values flat, shape, dims) of an inline tensor."""
        dtype, shape, dims, tensor_id = self.db.execute(
            "SELECT dtype, shape, dims, tensor_id FROM v_tensor WHERE run_id = ? AND name = ?", (self.run, name)).fetchone()
        data = self.db.execute("SELECT data FROM tensor WHERE id = ?", (tensor_id,)).fetchone()[0]
        code = {"f64": "d", "f32": "f", "i64": "q"}[dtype]
        return struct.unpack(f"<{len(data) // struct.calcsize(code)}{code}", data), json.loads(shape), json.loads(dims)


def logit_difference(model, ids, answer, foil, patch=None):
    """LD at the last token; `patch` = (layer, position, value): that residual stream entry is replaced before the block."""
    hook = None
    if patch:
        layer, position, value = patch

        def replace(_module, args):
            hidden = args[0].clone()
            hidden[0, position] = value
            return (hidden, *args[1:])

        hook = model.transformer.h[layer].register_forward_pre_hook(replace)
    logits = model(torch.tensor([ids])).logits[0, -1]
    if hook:
        hook.remove()
    return (logits[answer] - logits[foil]).item()


@torch.no_grad()
def main():
    store, folder = Store(sys.argv[1]), sys.argv[2]
    cells, seed = int(sys.argv[3]) if len(sys.argv) > 3 else 3, int(sys.argv[4]) if len(sys.argv) > 4 else 0
    assert store.config["site"] == "resid_pre" and store.config["over"] == "layer pos", store.config
    clean, corrupted = list(store.tensor("prompts.clean_ids")[0]), list(store.tensor("prompts.corrupted_ids")[0])
    answer, foil = store.tensor("prompts.answer_ids")[0][0], store.tensor("prompts.foil_ids")[0][0]
    value, shape, dims = store.tensor("value")
    effect = store.tensor("effect")[0]
    layers, positions = shape[-2], shape[-1]
    assert [d["name"] for d in dims][-2:] == ["layer", "pos"], dims

    model = GPT2LMHeadModel.from_pretrained(folder).eval()
    states = model(torch.tensor([clean]), output_hidden_states=True).hidden_states
    best, base = logit_difference(model, clean, answer, foil), logit_difference(model, corrupted, answer, foil)
    worst = max(abs(best - store.tensor("clean_metric")[0][0]), abs(base - store.tensor("corrupted_metric")[0][0]))
    print(f"clean {best:.4f}  corrupted {base:.4f}")
    chosen = random.Random(seed).sample(range(layers * positions), cells)
    chosen.append(max(range(layers * positions), key=lambda i: effect[i]))  # and the map's maximum
    for cell in chosen:
        layer, position = divmod(cell, positions)
        patched = logit_difference(model, corrupted, answer, foil, (layer, position, states[layer][0, position]))
        difference = abs(patched - value[cell])
        difference = max(difference, abs((patched - base) / (best - base) - effect[cell]))
        worst = max(worst, difference)
        print(f"layer {layer} pos {position:2d}: stored {value[cell]:.5f}  transformers {patched:.5f}  difference {difference:.1e}")
    print(f"{len(chosen)} cells of run {store.run}: largest difference {worst:.2e} (limit {TOLERANCE})")
    return 0 if worst < TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
