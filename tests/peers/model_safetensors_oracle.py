"""A file of every dtype written by the Python package safetensors, with hashes of its tensors.

model_safetensors_oracle.py OUTDIR
  written_by_python.safetensors
  expected.json   {"tensors": {name: {"dtype", "shape", "sha256" of the bytes}}, "metadata": {...}}
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from model_read_back import describe_safetensors

DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.float16, torch.bfloat16, torch.int32, torch.float32,
          torch.int64, torch.float64]


def main(out: Path) -> None:
    torch.manual_seed(0)
    tensors = {f"values.{str(dtype).removeprefix('torch.')}": (torch.randn(3, 5) * 30).to(dtype) for dtype in DTYPES}
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(4, 0)
    tensors["name with ü and \"quotes\""] = torch.arange(7.0)
    path = out / "written_by_python.safetensors"
    save_file(tensors, path, metadata={"format": "pt", "note": "two\nlines"})
    describe_safetensors(path, out / "expected.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
