"""Runs `diopter model pull` against hub_server, and compares a cache file by file with what it must hold."""
import os
import pathlib
import random
import re
import resource
import subprocess

import hub_server
from hub_server import Scenario

DIOPTER = pathlib.Path("bin/diopter")  # set by the tests
SERVERS = None
TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n"


def random_bytes(seed, size):
    return random.Random(seed).randbytes(size)


def tiny_files():
    """A repository as they are: the model, and what pull leaves alone."""
    return {
        "README.md": b"# A model\n" * 20,
        "config.json": b'{"model_type": "gpt2", "n_layer": 2}' + b" " * 500,
        "generation_config.json": b"{}\n",
        "merges.txt": b"",  # empty files exist
        "model.safetensors": random_bytes(1, 41_000),
        "tokenizer.json": random_bytes(2, 9_000),
        "model.onnx": random_bytes(3, 100),
        "flax_model.msgpack": random_bytes(4, 100),
        "modeling_tiny.py": b"import os\n",
        "onnx/decoder.onnx": random_bytes(5, 100),
        "original/consolidated.00.pth": random_bytes(6, 100),
    }


CHOSEN = ["config.json", "generation_config.json", "merges.txt", "model.safetensors", "tokenizer.json"]


class Place:
    """A cache of its own and a scenario on the servers."""

    def __init__(self, folder, name, scenario, servers=None):
        self.folder, self.name, self.scenario = folder / name, name, scenario
        self.folder.mkdir(parents=True)
        self.cache = self.folder / "hub"
        self.endpoint = (servers or SERVERS).add(name, scenario)

    @property
    def root(self):
        return self.cache / ("models--" + self.scenario.repo.replace("/", "--"))

    def environment(self, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING", "TRANSFORMERS_", "DIOPTER_HUB", "XDG_", "SSL_", "REQUESTS_CA", "CURL_CA")) and not k.lower().endswith("_proxy")}
        env.update(HOME=str(self.folder), HF_HUB_CACHE=str(self.cache), HF_ENDPOINT=self.endpoint, DIOPTER_HUB_PAUSE="0", LC_ALL="C.UTF-8")
        env.update({k: str(v) for k, v in more.items()})
        return env

    def start(self, *arguments, what=None, limit=None, **env):
        before = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
        return subprocess.Popen([DIOPTER, "model", "pull", what or self.scenario.repo, *arguments], env=self.environment(**env),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before)

    def pull(self, *arguments, **options):
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def tree(self):
        """path -> bytes of a file, or the target of a link."""
        out = {}
        for path in self.cache.rglob("*") if self.cache.exists() else ():
            if path.is_symlink():
                out[str(path.relative_to(self.cache))] = os.readlink(path)
            elif path.is_file():
                out[str(path.relative_to(self.cache))] = path.read_bytes()
        return out

    def blob(self, name):
        return self.root / "blobs" / hub_server.etag_of(name, self.scenario.files[name])

    def check_tree(self, whole, partial=None, reference="main", touched=()):
        """The cache holds `whole` files, the beginnings `partial` {name: least and most bytes}, the reference once all is there,
        locks of what was touched, the tag; and nothing else."""
        partial = partial or {}
        tree, s = self.tree(), self.scenario
        repo = self.root.name
        wanted = {}
        if whole or partial or touched:
            assert tree.pop("CACHEDIR.TAG", b"").startswith(TAG), f"{self.name}: no CACHEDIR.TAG in {sorted(tree)}"
        for name in whole:
            etag = hub_server.etag_of(name, s.files[name])
            wanted[f"{repo}/blobs/{etag}"] = s.files[name]
            wanted[f"{repo}/snapshots/{s.commit}/{name}"] = "../" * (2 + name.count("/")) + f"blobs/{etag}"
            wanted[f".locks/{repo}/{etag}.lock"] = b""
        for name, (least, most) in partial.items():
            etag = hub_server.etag_of(name, s.files[name])
            wanted[f".locks/{repo}/{etag}.lock"] = b""
            got = tree.pop(f"{repo}/blobs/{etag}.incomplete", None)
            assert got is not None, f"{self.name}: no beginning of {name} in {sorted(tree)}"
            assert least <= len(got) <= most, f"{self.name}: {len(got)} bytes of {name}, expected {least} to {most}"
            assert got == s.files[name][:len(got)], f"{self.name}: the beginning of {name} is not that of the file"
        for name in touched:
            wanted[f".locks/{repo}/{hub_server.etag_of(name, s.files[name])}.lock"] = b""
        if reference:
            wanted[f"{repo}/refs/{reference}"] = s.commit.encode()
        missing, extra = sorted(set(wanted) - set(tree)), sorted(set(tree) - set(wanted))
        assert not missing and not extra, f"{self.name}: missing {missing}, unexpected {extra}"
        for path, content in wanted.items():
            assert tree[path] == content, f"{self.name}: {path} has other content"

    def check_whole(self, names=CHOSEN, reference="main"):
        self.check_tree(names, reference=reference)
        for name in names:  # through the links, as a reader sees them
            assert (self.root / "snapshots" / self.scenario.commit / name).read_bytes() == self.scenario.files[name], name
        assert self.scenario.leaks == 0, f"{self.name}: the token went to the storage"


def before(name):
    return CHOSEN[:CHOSEN.index(name)]


def expect(place, result, code, *patterns):
    returncode, out, err = result
    assert returncode == code, f"{place.name}: exit {returncode}, expected {code}\n{out}{err}"
    for pattern in patterns:
        assert re.search(pattern, out + err), f"{place.name}: '{pattern}' is not in\n{out}{err}"
    if code != 0 and "cannot create" not in err:
        assert re.search("^error: .+\nhelp: .+", err), f"{place.name}: an error has a sentence and a help\n{err}"
    return err


def scenario(*faults, **options):
    return Scenario(options.pop("files", None) or tiny_files(), faults, **options)
