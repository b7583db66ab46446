"""OUTDIR: TransformerLens's activation patching tables on random models.

OUTDIR/MODEL/ is a Hugging Face folder; OUTDIR/MODEL.safetensors holds `clean`, `corrupted` [row, pos], `answer`, `foil` [row], the mean
logit differences `clean_metric`, `corrupted_metric`, and one tensor per table: the mean logit difference of each patched run.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformer_lens import patching

from engine_models import Shape, random_weights, transformer_lens, write_folder

MODELS = {"late": (Shape(3, 4, 20, 28), 3), "all_differ": (Shape(2, 3, 24, 20, activation="relu"), 0)}
TABLES = {
    "resid_pre": patching.get_act_patch_resid_pre,
    "resid_mid": patching.get_act_patch_resid_mid,
    "attn_out": patching.get_act_patch_attn_out,
    "mlp_out": patching.get_act_patch_mlp_out,
    "z": patching.get_act_patch_attn_head_out_all_pos,
    "q": patching.get_act_patch_attn_head_q_all_pos,
    "k": patching.get_act_patch_attn_head_k_all_pos,
    "v": patching.get_act_patch_attn_head_v_all_pos,
    "pattern": patching.get_act_patch_attn_head_pattern_all_pos,
    "z_by_pos": patching.get_act_patch_attn_head_out_by_pos,
    "q_by_pos": patching.get_act_patch_attn_head_q_by_pos,
    "k_by_pos": patching.get_act_patch_attn_head_k_by_pos,
    "v_by_pos": patching.get_act_patch_attn_head_v_by_pos,
    "pattern_by_dest": patching.get_act_patch_attn_head_pattern_by_pos,
    "pattern_by_dest_src": patching.get_act_patch_attn_head_pattern_dest_src_pos,
}


def main(out):
    for number, (name, (shape, first)) in enumerate(MODELS.items()):
        weights = random_weights(shape, seed=30 + number)
        write_folder(shape, weights, out / name)
        model = transformer_lens(shape, weights)
        generator = torch.Generator().manual_seed(40 + number)
        clean = torch.randint(0, shape.vocabulary, (5, 6), generator=generator)
        corrupted = clean.clone()
        corrupted[:, first:] = torch.randint(0, shape.vocabulary, (5, 6 - first), generator=generator)
        answer = torch.randint(0, shape.vocabulary, (5,), generator=generator)
        foil = (answer + 1 + torch.arange(5)) % shape.vocabulary

        def metric(logits):
            last = logits[:, -1]
            return (last.gather(1, answer[:, None]) - last.gather(1, foil[:, None])).mean()

        clean_logits, cache = model.run_with_cache(clean)
        tensors = {"clean": clean, "corrupted": corrupted, "answer": answer, "foil": foil,
                   "clean_metric": metric(clean_logits), "corrupted_metric": metric(model(corrupted))}
        for table, patched in TABLES.items():
            tensors[table] = patched(model, corrupted, cache, metric)
        save_file({key: value.contiguous().clone() for key, value in tensors.items()}, out / f"{name}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
