"""OUTDIR: TransformerLens's activation patching tables on random GPT-2 models.

OUTDIR/MODEL/ is a Hugging Face folder; for OUTDIR/MODEL.PROMPTS.safetensors see patching_tables.py.
"""

import sys
from pathlib import Path

from engine_models import Shape, random_weights, transformer_lens, write_folder
from patching_tables import save_tables

MODELS = {"gpt2": Shape(3, 4, 20, 28), "gpt2_relu": Shape(2, 3, 24, 20, activation="relu")}


def main(out):
    for number, (name, shape) in enumerate(MODELS.items()):
        weights = random_weights(shape, seed=30 + number)
        write_folder(shape, weights, out / name)
        save_tables(transformer_lens(shape, weights), out, name, seed=40 + number)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
