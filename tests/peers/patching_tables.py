"""TransformerLens's activation patching tables of one model, on two kinds of prompts."""

import torch
from safetensors.torch import save_file
from transformer_lens import patching

# For k and v these count cfg.n_key_value_heads (TransformerLens 2.18): its hook_k and hook_v hold the kv heads, before they are
# repeated for the query heads that share them. A cell of `k` changes what all of those read.
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
ROWS, LENGTH = 5, 6
FIRST_DIFFERENT = {"late": 3, "all_differ": 0}  # position


def prompts(vocabulary, first, seed):
    generator = torch.Generator().manual_seed(seed)
    clean = torch.randint(0, vocabulary, (ROWS, LENGTH), generator=generator)
    other = torch.randint(0, vocabulary - 1, (ROWS, LENGTH - first), generator=generator)
    corrupted = clean.clone()
    corrupted[:, first:] = other + (other >= clean[:, first:])  # never the clean token
    answer = torch.randint(0, vocabulary, (ROWS,), generator=generator)
    return {"clean": clean, "corrupted": corrupted, "answer": answer, "foil": (answer + 1 + torch.arange(ROWS)) % vocabulary}


def save_tables(model, folder, name, seed):
    """FOLDER/NAME.PROMPTS.safetensors for both kinds of prompts: `clean`, `corrupted` [row, pos], `answer`, `foil` [row], the mean logit
    differences `clean_metric`, `corrupted_metric`, `largest_logit` of both runs, and one tensor per table: the mean logit difference
    of each patched run. A parallel block has no resid_mid, here as in diopter, hence no such table."""
    for kind, first in FIRST_DIFFERENT.items():
        tensors = prompts(model.cfg.d_vocab, first, seed)
        answer, foil, corrupted = tensors["answer"], tensors["foil"], tensors["corrupted"]

        def metric(logits):
            last = logits[:, -1]
            return (last.gather(1, answer[:, None]) - last.gather(1, foil[:, None])).mean()

        clean_logits, cache = model.run_with_cache(tensors["clean"])
        corrupted_logits = model(corrupted)
        tensors |= {"clean_metric": metric(clean_logits), "corrupted_metric": metric(corrupted_logits),
                    "largest_logit": torch.maximum(clean_logits.abs().max(), corrupted_logits.abs().max())}
        for table, patched in TABLES.items():
            if table == "resid_mid" and model.cfg.parallel_attn_mlp:
                assert not any("resid_mid" in hook for hook in cache), "a parallel block with a resid_mid"
                continue
            tensors[table] = patched(model, corrupted, cache, metric)
        save_file({key: value.contiguous().clone() for key, value in tensors.items()}, folder / f"{name}.{kind}.safetensors")
