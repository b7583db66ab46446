"""OUTDIR: as engine_patching_oracle.py, for the families beside GPT-2, on the random models of engine_hooks_families_oracle.py: parallel
blocks and partial rotary embeddings, fewer kv heads than heads, RMSNorm, gated MLPs, windows, norms of queries and keys, soft caps."""

import sys
from pathlib import Path

import torch

from engine_hooks_families_oracle import MODELS, random_model, transformer_lens
from patching_tables import save_tables


def main(out):
    torch.set_num_threads(1)  # tiny tensors: more threads only wait for each other
    for number, (name, (config, convert, told)) in enumerate(MODELS.items()):
        source = random_model(config, seed=60 + number)
        source.save_pretrained(out / name)
        save_tables(transformer_lens(source, convert, told), out, name, seed=70 + number)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
