"""What transformers makes of a model folder: the reference that `diopter model verify` compares with.

transformers_reference.py FOLDER REQUEST OUT
  REQUEST         JSON: {"ids": [[...], ...], "texts": ["...", ...]}
  OUT.safetensors logits.R [pos, d_vocab], resid_pre.R [layer, pos, d_model] for each list of ids, float32
  OUT.json        {"made_by": "transformers X, torch Y", "texts": [[ids], ...] or null without a tokenizer}

Exit code 3: transformers is not there. Other errors: one line on stdout.
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", TOKENIZERS_PARALLELISM="false")


def token_lists(folder, texts):
    from transformers import AutoTokenizer
    if not any(os.path.exists(os.path.join(folder, name)) for name in ("tokenizer.json", "tokenizer.model", "vocab.json")):
        return None
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]


def main(folder, request, out):
    try:
        import torch
        import transformers
        from safetensors.torch import save_file
    except ImportError as error:
        print(error)
        return 3
    with open(request, encoding="utf-8") as file:
        asked = json.load(file)
    # Eager attention: fused kernels leave out what some families do to the scores.
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tensors = {}
    with torch.inference_mode():
        for row, ids in enumerate(asked["ids"]):
            result = model(torch.tensor([ids]), output_hidden_states=True, use_cache=False)
            tensors[f"logits.{row}"] = result.logits[0].float().contiguous()
            tensors[f"resid_pre.{row}"] = torch.cat(result.hidden_states[:-1]).float().contiguous()
    save_file(tensors, out + ".safetensors")
    made_by = f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}"
    with open(out + ".json", "w", encoding="utf-8") as file:
        json.dump({"made_by": made_by, "texts": token_lists(folder, asked["texts"])}, file)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except Exception as error:  # whatever stops transformers is what diopter shows
        print(f"{type(error).__name__}: {error}".splitlines()[0])
        sys.exit(1)
