"""experiments/ioi_patching.toml as a script on TransformerLens 2.18: process start to a stored table and one HTML page.

ioi_with_transformer_lens.py OUT [PLOTLY_JS]   in the environment .deps/peers-tl2

Writes OUT/effect.safetensors and OUT/ioi.html.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/peers"))

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformer_lens import patching  # noqa: E402

from engine_models import transformer_lens  # noqa: E402
from gpt2_weights import read_folder  # noqa: E402

CLEAN = "When Mary and John went to the store, John gave a drink to"
CORRUPTED = "When Mary and John went to the store, Mary gave a drink to"
ORGANISM = ROOT / "experiments/organism"


def main(out: Path, plotly: str) -> None:
    model = transformer_lens(*read_folder(ORGANISM))
    tokenizer = Tokenizer.from_file(str(ORGANISM / "tokenizer.json"))
    bos = [tokenizer.token_to_id("<|endoftext|>")]
    clean, corrupted = (torch.tensor([bos + tokenizer.encode(text).ids]) for text in (CLEAN, CORRUPTED))
    answer, foil = (tokenizer.encode(word).ids[0] for word in (" Mary", " John"))

    def metric(logits):
        return logits[0, -1, answer] - logits[0, -1, foil]

    with torch.inference_mode():
        clean_logits, cache = model.run_with_cache(clean)
        base, donor = metric(model(corrupted)), metric(clean_logits)
        effect = (patching.get_act_patch_resid_pre(model, corrupted, cache, metric) - base) / (donor - base)
    save_file({"effect": effect.clone()}, out / "effect.safetensors")
    figures = [[{"type": kind, "z": effect.tolist()}] for kind in ("heatmap", "surface")]
    plots = "".join(
        f"<div id=f{i}></div><script>Plotly.newPlot('f{i}', {json.dumps(figure)})</script>"
        for i, figure in enumerate(figures)
    )
    (out / "ioi.html").write_text(f"<!doctype html><meta charset=utf-8><script>{plotly}</script>{plots}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).read_text() if len(sys.argv) > 2 else "")
