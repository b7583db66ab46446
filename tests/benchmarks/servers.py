"""Child processes that answer a line of JSON with a line of JSON: diopter's servers and the peers. What they print
besides is shown only if they fail."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Server:
    def __init__(self, command: list) -> None:
        self.command = [str(word) for word in command]
        self.log = tempfile.TemporaryFile("w+")
        environment = {**os.environ, "LD_LIBRARY_PATH": ""}
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment
        )

    def __call__(self, **request) -> dict:
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its log says why; below
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait()
            self.log.seek(0)
            sys.exit(f"{' '.join(self.command)} ended with {self.process.returncode}:\n{self.log.read()[-3000:]}")
        return json.loads(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class PeerServer(Server):
    def __init__(self, python: Path, name: str, folder: Path, threads: int) -> None:
        super().__init__([python, ROOT / "tests/benchmarks/sweep_peer.py", name, folder, threads])
        about = self(do="about")
        self.name, self.sites = about["name"], about["sites"]


def peers(
    folder: Path, threads: int, names: tuple[str, ...] = ("lens 2", "lens 4", "transformers", "nnsight")
) -> list[PeerServer]:
    """Those whose environment is there; one line about each that is not."""
    here, lens2 = Path(sys.executable), ROOT / ".deps/peers-tl2/bin/python"
    found = []
    for name in names:
        module = {"lens 4": "transformer_lens"}.get(name, name)
        if name == "lens 2" and not lens2.exists():
            print("left out: TransformerLens 2.18, as .deps/peers-tl2 is missing (./dev peers)")
        elif name != "lens 2" and importlib.util.find_spec(module) is None:
            print(f"left out: {module}, as it is not installed in {here.parent.parent} (./dev peers)")
        else:
            found.append(PeerServer(lens2 if name == "lens 2" else here, name.split()[0], folder, threads))
    return found
