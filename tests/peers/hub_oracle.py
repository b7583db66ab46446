"""What huggingface_hub makes of ids, of the environment, of patterns and of ETags.  hub_oracle.py OUTDIR"""
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys

from huggingface_hub.file_download import _normalize_etag, repo_folder_name
from huggingface_hub.utils import filter_repo_objects, validate_repo_id
from huggingface_hub.utils._validators import HFValidationError

OUT = pathlib.Path(sys.argv[1])

ASK = """
import json
from huggingface_hub import constants, get_token
print(json.dumps({"cache": constants.HF_HUB_CACHE, "token_file": constants.HF_TOKEN_PATH, "endpoint": constants.ENDPOINT,
                  "offline": constants.HF_HUB_OFFLINE, "progress": not constants.HF_HUB_DISABLE_PROGRESS_BARS,
                  "etag_seconds": constants.HF_HUB_ETAG_TIMEOUT, "silence_seconds": constants.HF_HUB_DOWNLOAD_TIMEOUT,
                  "token": get_token()}))
"""


def is_id(text):
    try:
        validate_repo_id(text)
        return True
    except HFValidationError:
        return False


def ids():
    texts = ["gpt2", "org/name", "a", "A.b-c_d", "a/b/c", "", "/", "a/", "/a", ".a", "a.", "-a", "a-", "_a", "a_", "a--b", "a..b", "a.git", "o/a.git",
             "o.git/a", "a b", "a\n", "a\\b", "..", ".", "../a", "a/..", "x" * 96, "x" * 97, "o/" + "x" * 96, "o" * 96 + "/x", "o" * 97 + "/x",
             "caf\u00e9", "\u6587", "a:b", "a~b", "a%2fb", "a/_", "_/_"]
    rng = random.Random(7)
    texts += ["".join(rng.choice("ab0-._/") for _ in range(rng.randint(1, 8))) for _ in range(3000)]
    return [{"text": t, "valid": is_id(t), "folder": repo_folder_name(repo_id=t, repo_type="model") if is_id(t) else ""} for t in dict.fromkeys(texts)]


def environments():
    home = str(OUT / "home")
    (OUT / "home/.cache/huggingface").mkdir(parents=True)
    (OUT / "home/.cache/huggingface/token").write_text("hf_default\n")
    (OUT / "home/h").mkdir()
    (OUT / "home/h/token").write_text("  hf_inhome \n")
    (OUT / "home/t").write_text("hf_elsewhere")
    options = [("HF_HOME", ["$HOME/h"]), ("HF_HUB_CACHE", ["/c1"]), ("HUGGINGFACE_HUB_CACHE", ["~/c2"]), ("XDG_CACHE_HOME", ["/x"])]
    cases = []
    for chosen in itertools.product(*[[None, *values] for _, values in options]):
        cases.append({name: value for (name, _), value in zip(options, chosen) if value})
    cases += [{"HF_HOME": "${HOME}/h/$NOT_SET"}, {"HF_HOME": "~"}, {"HF_HUB_CACHE": "/a/$HOME_/b"}, {"HF_HUB_CACHE": "/a$"}, {"HF_HUB_CACHE": "/a${HOME"},
              {"HF_HUB_CACHE": "/a/~"}, {"HF_TOKEN_PATH": "~/t"}, {"HF_TOKEN": "hf_x"}, {"HF_TOKEN": " hf_x\r\n"}, {"HF_TOKEN": "   "},
              {"HUGGING_FACE_HUB_TOKEN": "hf_old"}, {"HF_TOKEN": "hf_x", "HUGGING_FACE_HUB_TOKEN": "hf_old"}, {"HF_TOKEN": " ", "HUGGING_FACE_HUB_TOKEN": "hf_old"},
              {"HF_ENDPOINT": "http://mirror.example:8080/hub/"}, {"HF_ENDPOINT": "https://m//"}, {"HF_HUB_ETAG_TIMEOUT": "3", "HF_HUB_DOWNLOAD_TIMEOUT": "77"}]
    cases += [{name: value} for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS") for value in ("1", "on", "Yes", "TRUE", "0", "no", "2")]
    cases += [{"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"}]
    out = []
    for case in cases:
        env = {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **case}
        done = subprocess.run([sys.executable, "-c", ASK], env=env, check=True, capture_output=True, text=True)
        out.append({"environment": {"HOME": home, **case}, "settings": json.loads(done.stdout)})
    return out


def patterns():
    names = ["config.json", "model.safetensors", "onnx/model.onnx", "a/b/c.txt", "[x].json", "README.md", ".gitattributes"]
    out = []
    for pattern in ["*", "*.json", "onnx/", "onnx/*", "*/c.txt", "a*", "?onfig.json", "[cm]*", "[!c]*", "[[]x].json", "README", ".*", "a/", "model.*"]:
        out.append({"pattern": pattern, "names": names, "matching": sorted(filter_repo_objects(names, allow_patterns=[pattern]))})
    return out


def etags():
    sha, git = "0123456789abcdef" * 4, "0123456789abcdef01234567" + "89abcdef01234567"
    return [{"header": h, "etag": _normalize_etag(h)} for h in (sha, git, f'"{sha}"', f'W/"{git}"', f'"{git}"', f'W/"{sha}"')]


(OUT / "hub.json").write_text(json.dumps({"ids": ids(), "environments": environments(), "patterns": patterns(), "etags": etags()}))
