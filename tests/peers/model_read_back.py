"""The peers' reading of files that diopter wrote.

model_read_back.py safetensors FILE OUT.json      names, dtypes, shapes and hashes as the package safetensors sees them
model_read_back.py gpt2 FOLDER IDS.json OUT.safetensors [FOLDER IDS.json OUT.safetensors ...]
    logits of transformers' GPT2LMHeadModel.from_pretrained(FOLDER); fails unless every tensor was read
"""
import hashlib
import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

NAMES = {torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.float16: "F16", torch.bfloat16: "BF16",
         torch.int32: "I32", torch.float32: "F32", torch.int64: "I64", torch.float64: "F64"}


def content(tensor: torch.Tensor) -> bytes:
    return bytes(tensor.contiguous().flatten().view(torch.uint8).numpy()) if tensor.numel() else b""


def describe_safetensors(path: Path, out: Path) -> None:
    with safe_open(path, framework="pt") as file:
        tensors = {}
        for name in file.keys():
            tensor = file.get_tensor(name)
            digest = hashlib.sha256(content(tensor if tensor.dim() else tensor.reshape(1))).hexdigest()
            tensors[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "sha256": digest}
        out.write_text(json.dumps({"tensors": tensors, "metadata": file.metadata() or {}}), encoding="utf-8")


def gpt2_logits(folder: Path, ids: Path, out: Path) -> None:
    from transformers import GPT2LMHeadModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    model, report = GPT2LMHeadModel.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    unread = {key: sorted(map(str, report[key])) for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if report[key]}
    if unread:
        raise SystemExit(f"transformers did not read {folder} completely: {unread}")
    with torch.inference_mode():
        logits = model.eval()(torch.tensor(json.loads(ids.read_text()))).logits
    save_file({"logits": logits.contiguous()}, out)


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    if command == "safetensors":
        describe_safetensors(*map(Path, paths))
    else:
        for i in range(0, len(paths), 3):
            gpt2_logits(*map(Path, paths[i : i + 3]))
