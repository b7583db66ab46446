"""Files as torch.save writes them, and files that would run code when loaded by Python.

torch_files_oracle.py OUTDIR
  NAME.pt           read: every key of
  NAME.safetensors  the same tensors, contiguous
  hostile/*.pt      refused
"""
import os
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32,
          torch.float64]


class Evil:
    def __reduce__(self):
        return os.system, ("touch owned",)


def cases():
    torch.manual_seed(0)
    base = torch.randn(6, 8)
    layer = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.LayerNorm(7), torch.nn.BatchNorm1d(7))
    yield "dtypes", {f"values.{str(dtype).removeprefix('torch.')}": (torch.randn(3, 5) * 30).to(dtype) for dtype in DTYPES}
    yield "views", {"whole": base, "transposed": base.T, "row": base[2], "column": base[:, 3], "block": base[1:4, 2:5], "steps": base[::2, ::3],
                    "expanded": base[0].expand(4, 8), "permuted": base.view(2, 3, 8).permute(2, 0, 1), "scalar": base[5, 7],
                    "empty": torch.zeros(4, 0), "same": base}
    yield "module", layer.state_dict()  # an OrderedDict with _metadata, BatchNorm's int64 counter
    yield "parameters", OrderedDict(layer.named_parameters())
    optimiser = torch.optim.AdamW(layer.parameters())
    layer(torch.randn(4, 5)).sum().backward()
    optimiser.step()
    yield "training", {"model": layer.state_dict(), "optimizer": optimiser.state_dict(), "model_args": {"n_layer": 2, "bias": False},
                       "iter_num": 5000, "best_val_loss": torch.tensor(1.5), "config": {"device": "cuda", "dtype": torch.bfloat16},
                       "shape": torch.Size([2, 3]), "on": torch.device("cuda", 0)}


def main(out):
    for name, saved in cases():
        weights = saved["model"] if "model" in saved else saved
        # As bytes: safetensors refuses what shares memory.
        save_file({key: value.detach().contiguous().clone() for key, value in weights.items()}, out / f"{name}.safetensors")
        torch.save(saved, out / f"{name}.pt")
        for suffix, options in {"legacy": dict(_use_new_zipfile_serialization=False), "protocol4": dict(pickle_protocol=4)}.items():
            torch.save(saved, out / f"{name}_{suffix}.pt", **options)
            save_file({key: value.detach().contiguous().clone() for key, value in weights.items()}, out / f"{name}_{suffix}.safetensors")
    hostile = out / "hostile"
    hostile.mkdir()
    torch.save({"w": torch.ones(2), "x": Evil()}, hostile / "system.pt")
    torch.save({"w": torch.ones(2), "x": Evil()}, hostile / "system_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 2), hostile / "module.pt")
    torch.save({"w": torch.ones(2), "path": Path("x")}, hostile / "path.pt")
    torch.save({"w": torch.ones(2, dtype=torch.complex64)}, hostile / "complex.pt")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), hostile / "script.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
