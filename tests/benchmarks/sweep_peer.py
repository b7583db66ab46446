"""One peer of sweeps.py and hooks.py, in a process of its own.

sweep_peer.py NAME FOLDER THREADS   NAME: lens (TransformerLens of this environment), transformers, nnsight

Answers each line of standard input, a JSON object, with one line of JSON. No autograd. Seconds are wall-clock.
  {"do": "about"}
    name: the peer and its version; sites: what it can patch
  {"do": "prepare", "prompts": FILE, "first": N, "count": N, "site": NAME, "metric": NAME}
    base and donor run of these prompts; seconds, base, donor [prompt]
  {"do": "cells", "cells": [{axis: index}]}
    a patched forward per cell; seconds of all, values [cell][prompt]
  {"do": "forward", "batch": N, "pos": N} or {"do": "forward", "ids": [[token]]}
    one forward, all logits; seconds
  {"do": "cache", "ids": [[token]], "values": bool}   TransformerLens only
    one forward that keeps what it keeps by default; seconds, and if values are wanted names, bytes, digests
  {"do": "lens", "ids": [[token]], "values": bool}    TransformerLens only
    the logit lens after every layer: five most likely tokens, entropy, KL from the output; seconds, and if values are
    wanted largest_logit (of the output), token, log_prob, entropy, kl, each [layer][prompt and position]
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402


class Task:
    """The prompts and the metric of a sweep: clean values go into runs of the corrupted prompts."""

    def __init__(self, request: dict) -> None:
        rows = slice(request["first"], request["first"] + request["count"])
        tensors = {name: tensor[rows] for name, tensor in load_file(request["prompts"]).items()}
        self.clean, self.corrupted, self.answer, self.foil = (
            tensors[name] for name in ("clean", "corrupted", "answer", "foil")
        )
        self.site, self.metric, self.reference = request["site"], request["metric"], None

    def refer_to(self, clean_logits: torch.Tensor) -> None:
        """What kl_to_clean compares with. `clean_logits`: [prompt, d_vocab]"""
        if self.metric == "kl_to_clean":
            self.reference = clean_logits.log_softmax(-1)

    def measure(self, logits: torch.Tensor) -> torch.Tensor:
        """[prompt, d_vocab] at the last token -> [prompt]"""
        if self.metric == "kl_to_clean":
            return (self.reference.exp() * (self.reference - logits.log_softmax(-1))).sum(-1)
        return (logits.gather(1, self.answer[:, None]) - logits.gather(1, self.foil[:, None])).squeeze(1)


class Peer:
    """What a peer fulfils: `prepare(task)` -> base and donor metric; `cells(list)` -> metric of each; `forward`,
    `cache`, `lens` of ids, the last two -> a function that describes what was found, which is not timed."""

    name = ""
    sites: list[str] = []
    vocabulary = 0

    def answer(self, request: dict) -> dict:
        what = request["do"]
        if what == "about":
            return {"name": self.name, "sites": self.sites}
        if what == "prepare":
            task = Task(request)
            seconds, (base, donor) = timed(lambda: self.prepare(task))
            return {"seconds": seconds, "base": base.tolist(), "donor": donor.tolist()}
        if what == "cells":
            seconds, values = timed(lambda: self.cells(request["cells"]))
            return {"seconds": seconds, "values": [value.tolist() for value in values]}
        if "ids" in request:
            ids = torch.tensor(request["ids"])
        else:
            ids = torch.randint(0, self.vocabulary, (request["batch"], request["pos"]))
        seconds, describe = timed(lambda: getattr(self, what)(ids))
        return {"seconds": seconds, **(describe() if request.get("values") else {})}


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def load(name: str, folder: str) -> Peer:
    if name == "lens":
        from sweep_peer_lens import Lens

        return Lens(folder)
    if name == "transformers":
        from sweep_peer_transformers import Transformers

        return Transformers(folder)
    if name == "nnsight":
        from sweep_peer_nnsight import NNsightPeer

        return NNsightPeer(folder)
    raise SystemExit(f"no peer named {name}")


def main(name: str, folder: str, threads: int) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print goes to standard error
    peer = load(name, folder)
    torch.set_num_threads(threads)
    with torch.inference_mode():
        for line in sys.stdin:
            print(json.dumps(peer.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
