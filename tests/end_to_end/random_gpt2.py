"""A random GPT-2 with the tokenizer of the built-in model, as a Hugging Face folder; nothing but the standard library."""
import array
import json
import random
import shutil
import struct

VOCABULARY = 2623  # of the built-in model's tokenizer


def shapes(layers, width):
    out = {"wte.weight": (VOCABULARY, width), "wpe.weight": (96, width), "ln_f.weight": (width,), "ln_f.bias": (width,)}
    for layer in range(layers):
        block = f"h.{layer}."
        out |= {block + "ln_1.weight": (width,), block + "ln_1.bias": (width,), block + "ln_2.weight": (width,), block + "ln_2.bias": (width,),
                block + "attn.c_attn.weight": (width, 3 * width), block + "attn.c_attn.bias": (3 * width,),
                block + "attn.c_proj.weight": (width, width), block + "attn.c_proj.bias": (width,),
                block + "mlp.c_fc.weight": (width, 4 * width), block + "mlp.c_fc.bias": (4 * width,),
                block + "mlp.c_proj.weight": (4 * width, width), block + "mlp.c_proj.bias": (width,)}
    return out


def write(folder, organism, layers, width, heads, seed=1):
    """Every weight normal: gains around 1, products of unit variance. One stretch of prime length of numbers serves all tensors, each from
    a place of its own, since drawing millions of them takes Python seconds."""
    generator = random.Random(seed)
    period = 65521
    drawn = [generator.gauss(0, 1) for _ in range(period)]
    folder.mkdir(parents=True)
    header, data, at = {}, [], 0
    for name, shape in shapes(layers, width).items():
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        scale = 0.3 if len(shape) == 1 or name.startswith("w") else shape[0] ** -0.5
        middle = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
        scaled = array.array("f", (middle + scale * x for x in drawn))
        first = generator.randrange(period)
        values = (scaled * (2 + count // period))[first:first + count]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": (at, at + 4 * count)}
        data.append(values.tobytes())
        at += 4 * count
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
    config = json.loads((organism / "config.json").read_text())
    config |= {"n_layer": layers, "n_embd": width, "n_inner": 4 * width, "n_head": heads}
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(organism / "tokenizer.json", folder / "tokenizer.json")
    return folder
