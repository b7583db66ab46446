#!/usr/bin/env python3
"""`diopter model pull` against a hub that fails in every way of the table. After each fault the cache is compared file by file
with what it must hold, and a healthy pull must succeed with the same bytes.  hub_pull_test.py BUILD"""
import collections
import concurrent.futures
import fcntl
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import time

import hub_harness as harness
from hub_harness import CHOSEN, Place, before, expect, scenario, tiny_files
from hub_server import (PIECE, Fault, Servers, cut, cut_at, cut_chunked, etag_of, head_with, other_body, range_refused, ranges_ignored, raw,
                        redirect, reset, sha256, silent, slow, status, wrong_range)

harness.DIOPTER = pathlib.Path(sys.argv[1]) / "bin/diopter"
harness.SERVERS = Servers()
WEIGHTS, SMALL = "model.safetensors", "config.json"
GOOD = "hf_goodtoken"
tried = collections.Counter()
tasks = []  # (name, function of the folder)


def case(table, name, act):
    def run(folder):
        act(folder, f"{table}-{name}")
        tried[table] += 1
    tasks.append((f"{table}-{name}", run))


def heal(place, **env):
    """The fault is over: a pull succeeds and all is there."""
    place.scenario.faults.clear()
    expect(place, place.pull(**env), 0)
    place.check_whole()


# --- Questions that fail: nothing may be written.
def question(name, faults, code, *patterns, heals=True, **options):
    env = options.pop("env", {})
    what = options.pop("what", None)

    def act(folder, label):
        place = Place(folder, label, scenario(*faults, **options))
        expect(place, place.pull(what=what, **{"DIOPTER_HUB_ATTEMPTS": 2, **env}), code, *patterns)
        place.check_tree([], reference=None)
        if heals:
            heal(place, **({"HF_TOKEN": GOOD} if options.get("token") else {}))
    case("question", name, act)


def questions():
    api = lambda act, times=None: Fault("api", act, times)
    head = lambda act, times=None, name="*": Fault("head", act, times, name)
    for kind, make in (("list", api), ("head", head)):
        question(f"{kind}-500", [make(status(500))], 6, "has trouble: status 500", "run it again later")
        question(f"{kind}-503", [make(status(503))], 6, "status 503")
        question(f"{kind}-429", [make(status(429))], 6, "fewer questions", "HF_TOKEN")
        question(f"{kind}-429-long", [make(status(429, headers={"Retry-After": "86400"}))], 6, "a pause of 86400 s")
        question(f"{kind}-reset", [make(reset())], 6, "broke off")
        question(f"{kind}-silent", [make(silent(4))], 6, "does not answer in time", "HF_HUB_ETAG_TIMEOUT",
                 env={"HF_HUB_ETAG_TIMEOUT": 1, "DIOPTER_HUB_ATTEMPTS": 1})
        question(f"{kind}-no-http", [make(raw(b"SSH-2.0-OpenSSH_9.2\r\n"))], 6, "broke off")
        question(f"{kind}-loop", [make(redirect(lambda h: h.path))], 6, "more than 10 redirects")
        question(f"{kind}-to-file", [make(redirect(lambda h: "file:///etc/passwd"))], 6, "redirect to an http address")
        question(f"{kind}-403-gated", [make(status(403, "GatedRepo", "Access to model org/tiny is restricted"))], 6, "is gated",
                 r"accept its licence at http://\S+/org/tiny and set HF_TOKEN")
        question(f"{kind}-401-gated-token", [make(status(401, "GatedRepo", "Access is gated"))], 6, "is gated",
                 "with the account of the token in HF_TOKEN", env={"HF_TOKEN": GOOD})
        question(f"{kind}-403-token", [make(status(403, None, "no"))], 6, "does not accept the token in HF_TOKEN", env={"HF_TOKEN": GOOD})
        question(f"{kind}-418", [make(status(418))], 6, "expected success from http", "status 418")
    question("401-stranger", [], 6, "shows no model 'org/tiny' to a visitor without a token", "set HF_TOKEN", token=GOOD)
    question("401-wrong-token", [], 6, "to the token in HF_TOKEN", token=GOOD, env={"HF_TOKEN": "hf_other"})
    question("404-model", [], 6, "there is no model 'org/tyni'", "check the name", what="org/tyni")
    question("404-revision", [], 6, "model 'org/tiny' has no revision 'v9'", "refs", what="org/tiny@v9")
    question("404-file", [head(status(404, "EntryNotFound", "Entry not found"), None, SMALL)], 6, "has no file 'config.json'")
    for text in ("", "/etc", "../x", "a/b/c", "a--b", "a/-b", "a.", "a/..", "a.git", "a b", "a@", "a@../b", "a@x..y", "a\n", "a\\b", "x" * 97):
        question(f"id-{text.encode().hex()[:20]}", [], 2, "expected a model of the hub, NAME or ORG/NAME", what=text or " ", heals=False)
    question("html", [api(other_body(lambda d: b"<!doctype html><p>Log in</p>", {"Content-Type": "text/html"}))], 6, "in JSON, got text/html",
             "begins '<!doctype html>", "proxy or login page")
    question("not-json", [api(other_body(lambda d: b'{"sha": '))], 6, "in JSON")
    question("deep-json", [api(other_body(lambda d: b"[" * 2_000_000))], 6, "in JSON")
    question("huge-json", [api(other_body(lambda d: b'{"sha": "' + b"a" * (33 << 20)))], 6, "too large to be right")
    question("endless-header", [api(status(200, headers={f"X-{i}": "y" * 8000 for i in range(60)}))], 6, "too large|broke off")
    question("list-cut", [api(lambda h, d, s: cut_at(h, b'{"sha": "x"}' * 100, 0, 300, True, False))], 6, "broke off")
    for sha in ('"main"', '"../../etc"', "null", '"' + "C" * 40 + '"'):
        question(f"sha-{sha.encode().hex()[:16]}", [api(other_body(lambda d, sha=sha: f'{{"sha": {sha}, "siblings": []}}'.encode()))], 6,
                 "expected a commit of 40 hex digits")
    for name in ("../evil", "/etc/passwd", "a/../../b", "a//b", "./a", "a/.", "..", "", "a\\..\\b", "a\u0000b", "a\nb", "\u001b[31m", "x" * 256, "a/" * 600 + "b"):
        files = {**tiny_files(), name: b"evil"}
        question(f"name-{name.encode().hex()[:16]}", [], 6, "could reach out of the model's folder; nothing was fetched", files=files, heals=False)
    question("no-config", [], 6, "has no config.json", files={"model.safetensors": b"x"}, heals=False)
    question("no-weights", [], 6, "has no weights", files={"config.json": b"{}", "model.onnx": b"x", "model.py": b"x"}, heals=False)
    right = dict(ETag='"' + etag_of(SMALL, tiny_files()[SMALL]) + '"')
    question("no-etag", [head(head_with(X_Repo_Commit="c" * 40), None, SMALL)], 6, "as its ETag, got none")
    question("odd-etag", [head(head_with(ETag='"../../x"'), None, SMALL)], 6, r"got '\"../../x\"'")
    question("other-commit", [head(head_with(**right, X_Repo_Commit="d" * 40), None, SMALL)], 6, "of commit c+, got it of d+")
    question("offline", [], 6, "HF_HUB_OFFLINE forbids", "'org/tiny' is not on this machine", env={"HF_HUB_OFFLINE": 1})
    question("no-such-server", [], 6, "cannot reach http://127.0.0.1:1", "https_proxy", env={"HF_ENDPOINT": "http://127.0.0.1:1"})
    question("odd-endpoint", [], 2, "in HF_ENDPOINT", env={"HF_ENDPOINT": "ftp://x"})
    question("odd-token", [], 2, "expected an access token in HF_TOKEN", env={"HF_TOKEN": "a\u00e9"})
    question("odd-timeout", [], 2, "HF_HUB_ETAG_TIMEOUT", env={"HF_HUB_ETAG_TIMEOUT": "soon"})


# --- Questions that fail and are then answered: one pull succeeds.
def passing(name, *faults, least_seconds=0.0, env=None, **options):
    def act(folder, label):
        place = Place(folder, label, scenario(*faults, **options))
        begin = time.monotonic()
        expect(place, place.pull(what=options.get("what"), **(env or {})), 0)
        assert time.monotonic() - begin >= least_seconds, f"{label}: did not wait"
        place.check_whole()
    case("passing", name, act)


def passings():
    for kind in ("api", "head", "get", "cdn"):
        for code in (408, 429, 500, 502, 503, 504):
            passing(f"{kind}-{code}", Fault(kind, status(code), 2))
        passing(f"{kind}-retry-after", Fault(kind, status(429, headers={"Retry-After": "1"})), least_seconds=1)
        passing(f"{kind}-reset", Fault(kind, reset(), 3))
        passing(f"{kind}-silent", Fault(kind, silent(3)), env={"HF_HUB_DOWNLOAD_TIMEOUT": 1, "HF_HUB_ETAG_TIMEOUT": 1})
    passing("rate-limit", Fault("api", status(429, headers={"RateLimit": '"api";r=0;t=1'})), least_seconds=1)
    passing("back-off", Fault("api", status(500), 2), least_seconds=0.3, env={"DIOPTER_HUB_PAUSE": 0.2})
    passing("slow", Fault("cdn", slow(1000, 0.1), 1), env={"HF_HUB_DOWNLOAD_TIMEOUT": 3})
    passing("token", token=GOOD, env={"HF_TOKEN": f" {GOOD}\n"})
    def through_a_proxy(folder, label):  # the hub's name is known to the proxy only; the storage is reached without it
        place = Place(folder, label, scenario())
        env = dict(HF_ENDPOINT=f"http://hub.invalid/{label}", http_proxy=f"http://127.0.0.1:{harness.SERVERS.port}", no_proxy="127.0.0.1")
        expect(place, place.pull(**env), 0)
        place.check_whole()
    case("passing", "proxy", through_a_proxy)
    passing("head-to-same-origin", Fault("head", redirect(lambda h: h.path + "?again=1"), 3))
    passing("cdn-to-cdn", Fault("cdn", redirect(lambda h: h.path + "&again=1"), 3))


# --- Contents that break: what arrived stays and is continued.
CUTS = {"cut": lambda at: cut(at), "no-length": lambda at: cut(at, with_length=False), "reset": lambda at: lambda h, d, s: cut_at(h, d, s, at, True, True),
        "chunked": cut_chunked, "silent": lambda at: silent(2.5, at)}


def broken(how, file, kind, at):
    patience = {"HF_HUB_DOWNLOAD_TIMEOUT": 1} if how == "silent" else {}

    def stays(folder, label):
        place = Place(folder, label, scenario(Fault(kind, CUTS[how](at), 1, file)))
        expect(place, place.pull(DIOPTER_HUB_ATTEMPTS=1, **patience), 6, "does not answer in time" if how == "silent" else "broke off", "run it again")
        place.check_tree(before(file), {file: (0 if how == "reset" else at, at)}, reference=None)
        begun = os.path.getsize(str(place.blob(file)) + ".incomplete")
        heal(place)
        assert place.scenario.ranges(kind, file)[-1] == (begun or None), f"{label}: was not continued at {begun}"
    case("stays", f"{how}-{file}-{at}", stays)

    def heals(folder, label):
        place = Place(folder, label, scenario(Fault(kind, CUTS[how](at), 1, file)))
        expect(place, place.pull(), 0)
        place.check_whole()
        assert place.scenario.count(kind, file) == 2, f"{label}: {place.scenario.requests}"
    if how != "silent":
        case("heals", f"{how}-{file}-{at}", heals)


def broken_contents():
    size = len(tiny_files()[WEIGHTS])
    for how in ("cut", "no-length", "chunked", "reset"):
        for at in sorted({0, 1, size // 2, size - 1, *range(PIECE, size, PIECE), *range(PIECE - 1, size, 4 * PIECE), *range(PIECE + 1, size, 4 * PIECE)}):
            broken(how, WEIGHTS, "cdn", at)
        for at in (0, 1, 100, len(tiny_files()[SMALL]) - 1):
            broken(how, SMALL, "get", at)
    for at in (0, PIECE, size - 1):
        broken("silent", WEIGHTS, "cdn", at)

    def every_answer_cut(folder, label):  # ten answers of 4096 bytes, with two attempts in a row
        place = Place(folder, label, scenario(Fault("cdn", lambda h, d, s: cut_at(h, d, s, s + PIECE, True, False), 10)))
        expect(place, place.pull(DIOPTER_HUB_ATTEMPTS=2), 0)
        place.check_whole()
        assert place.scenario.ranges("cdn") == [None] + [PIECE * i for i in range(1, 11)]
    case("heals", "every-answer-cut", every_answer_cut)

    def never_a_byte(folder, label):
        place = Place(folder, label, scenario(Fault("cdn", cut(0), None)))
        expect(place, place.pull(DIOPTER_HUB_ATTEMPTS=4), 6, "broke off")
        place.check_tree(before(WEIGHTS), {WEIGHTS: (0, 0)}, reference=None)
        assert place.scenario.count("cdn") == 4, "attempts are counted"
        heal(place)
    case("stays", "never-a-byte", never_a_byte)


# --- Beginnings of an earlier pull, and servers that treat ranges oddly.
def beginnings():
    content = tiny_files()[WEIGHTS]
    kinds = {"right": content[:10_000], "wrong": b"\0" * 10_000, "whole": content, "whole-wrong": b"\0" * len(content),
             "too-long": content + b"\0" * 10, "empty": b""}
    servers = {"ranges": None, "ignores": ranges_ignored, "416": range_refused, "other-range": wrong_range}
    for begun, data in kinds.items():
        for server, act in servers.items():
            def run(folder, label, data=data, act=act):
                place = Place(folder, label, scenario(*([Fault("cdn", act, None)] if act else [])))
                place.blob(WEIGHTS).parent.mkdir(parents=True)
                pathlib.Path(str(place.blob(WEIGHTS)) + ".incomplete").write_bytes(data)
                expect(place, place.pull(), 0)
                place.check_whole()
            case("beginning", f"{begun}-{server}", run)

    def damaged(folder, label):  # a content that lost its end is fetched again
        place = Place(folder, label, scenario())
        expect(place, place.pull(), 0)
        os.truncate(place.blob(WEIGHTS), 100)
        expect(place, place.pull(), 0, r"model\.safetensors\t41000\tfetched", r"config\.json\t\d+\twas here")
        place.check_whole()
    case("beginning", "damaged-blob", damaged)


# --- Contents that are not what was promised.
def wrong(name, faults, code, pattern, keeps=None, file=WEIGHTS, **env):
    def act(folder, label):
        place = Place(folder, label, scenario(*faults))
        expect(place, place.pull(**env), code, pattern)
        if code == 0:
            place.check_whole()
            return
        place.check_tree(before(file), keeps or {}, reference=None, touched=[file])
        heal(place)
    case("wrong", name, act)


def wrong_contents():
    flip = lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:]
    for file, kind in ((WEIGHTS, "cdn"), (SMALL, "get")):
        hash_name = "SHA-256" if file == WEIGHTS else "git's SHA-1"
        wrong(f"checksum-{kind}", [Fault(kind, other_body(flip), None, file)], 6, f"expected {hash_name} [0-9a-f]+ of '{file}', got .*, twice", file=file)
        wrong(f"checksum-once-{kind}", [Fault(kind, other_body(flip), 1, file)], 0, "")
        wrong(f"longer-{kind}", [Fault(kind, other_body(lambda d: d + b"x"), None, file)], 6, "got more; nothing of it was kept", file=file)
        wrong(f"shorter-{kind}", [Fault(kind, other_body(lambda d: d[:-1]), None, file)], 6, "ended after|broke off", file=file,
              keeps={file: (0, len(tiny_files()[file]) - 1)})
        wrong(f"html-{kind}", [Fault(kind, other_body(lambda d: b"<html>" + b"x" * (len(d) - 6)), None, file)], 6, "twice", file=file)
        wrong(f"404-{kind}", [Fault(kind, status(404), None, file)], 6, "has no file", file=file, keeps={file: (0, 0)})
        wrong(f"403-{kind}", [Fault(kind, status(403), None, file)], 6, "shows no model", file=file, keeps={file: (0, 0)})
        wrong(f"loop-{kind}", [Fault(kind, redirect(lambda h: h.path), None, file)], 6, "redirects", file=file, keeps={file: (0, 0)})
        wrong(f"500-{kind}", [Fault(kind, status(500), None, file)], 6, "status 500", file=file, keeps={file: (0, 0)}, DIOPTER_HUB_ATTEMPTS=2)
    wrong("told-too-small", [Fault("head", head_with(X_Linked_Size="100", X_Linked_Etag=sha256(tiny_files()[WEIGHTS])), None, WEIGHTS)], 6, "expected 100 bytes")
    size_less = lambda h, d, s: h.send(200, b"", {"X-Linked-Etag": sha256(d)}, length=-1)
    wrong("size-not-told", [Fault("head", size_less, None, WEIGHTS)], 0, "")


# --- The machine fails: disk, signals, other processes.
def machine():
    def limited(folder, label, limit):
        place = Place(folder, label, scenario())
        expect(place, place.pull(limit=limit), 3, "cannot write .*File too large", "make room")
        place.check_tree(before(WEIGHTS), {WEIGHTS: (limit, limit)}, reference=None)
        heal(place)
        assert place.scenario.ranges("cdn")[-1] == limit
    for limit in (5000, 16_384, 40_999):
        case("machine", f"file-size-limit-{limit}", lambda folder, label, limit=limit: limited(folder, label, limit))

    def read_only(folder, label):
        place = Place(folder, label, scenario())
        place.cache.write_text("not a folder")
        expect(place, place.pull(), 3, "cannot create")
        place.cache.unlink()
        heal(place)
    case("machine", "cache-is-a-file", read_only)

    def no_room(folder, label):
        told = {"X-Linked-Size": str(1 << 60), "X-Linked-Etag": sha256(tiny_files()[WEIGHTS])}
        place = Place(folder, label, scenario(Fault("head", lambda h, d, s: h.send(200, b"", told), None, WEIGHTS)))
        expect(place, place.pull(), 3, r"expected 1\.2 EB of free space", "make room")
        assert set(place.tree()) == {"CACHEDIR.TAG"}, place.tree()
        heal(place)
    case("machine", "no-room", no_room)

    def stopped(folder, label, number, code, least):
        place = Place(folder, label, scenario(Fault("cdn", slow(2000, 0.2), None)))
        process = place.start()
        part = pathlib.Path(str(place.blob(WEIGHTS)) + ".incomplete")
        for _ in range(600):
            if part.exists() and part.stat().st_size >= least:
                break
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code, f"{label}: exit {process.returncode}\n{out}{err}"
        if number != signal.SIGKILL:
            expect(place, (process.returncode, out, err), code, "stopped by an interrupt", "what was fetched stays")
        place.check_tree(before(WEIGHTS), {WEIGHTS: (least, 40_999)}, reference=None)
        begun = part.stat().st_size
        heal(place)
        assert place.scenario.ranges("cdn")[-1] == begun
    for least in (1, 8000, 20_000):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
            case("machine", f"signal-{number}-{least}", lambda folder, label, n=number, c=code, l=least: stopped(folder, label, n, c, l))

    def stopped_waiting(folder, label):  # during a pause that the server asked for
        place = Place(folder, label, scenario(Fault("api", status(429, headers={"Retry-After": "200"}), None)))
        process = place.start()
        while place.scenario.count("api") == 0:
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        expect(place, (process.returncode, out, err), 130)
        place.check_tree([], reference=None)
        heal(place)
    case("machine", "signal-while-waiting", stopped_waiting)

    def together(folder, label, count):
        place = Place(folder, label, scenario(Fault("cdn", slow(4000, 0.05), None)))
        processes = [place.start() for _ in range(count)]
        for process in processes:
            out, err = process.communicate(timeout=60)
            expect(place, (process.returncode, out, err), 0)
        place.check_whole()
        assert place.scenario.count("cdn") == 1, f"{label}: fetched {place.scenario.count('cdn')} times"
    for count in (2, 5):
        case("machine", f"together-{count}", lambda folder, label, count=count: together(folder, label, count))

    def killed_beside(folder, label):  # the first is killed, the second takes over where it was
        place = Place(folder, label, scenario(Fault("cdn", slow(2000, 0.2), 1)))
        first = place.start()
        while place.scenario.count("cdn") == 0:
            time.sleep(0.01)
        second = place.start()
        time.sleep(0.5)
        first.kill()
        first.communicate()
        out, err = second.communicate(timeout=60)
        expect(place, (second.returncode, out, err), 0, r"model\.safetensors\t41000\tresumed")
        place.check_whole()
    case("machine", "killed-beside", killed_beside)

    def held(folder, label):
        place = Place(folder, label, scenario())
        lock = place.cache / ".locks" / place.root.name / (place.blob(WEIGHTS).name + ".lock")
        lock.parent.mkdir(parents=True)
        with open(lock, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            expect(place, place.pull(HF_HUB_DOWNLOAD_TIMEOUT=1), 6, "another process holds .* and has fetched nothing for 12 s", "fuser")
        place.check_tree(before(WEIGHTS), reference=None, touched=[WEIGHTS])
        heal(place)
    case("machine", "lock-held", held)


def disk_full(folder, label):
    """A file system of 64 kB that fills up during the pull."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk], capture_output=True).returncode != 0:
        print("  disk-full: not tried, this user may not mount a tmpfs (file-size limits and free-space checks were tried)")
        return
    try:
        place = Place(folder, label, scenario(Fault("cdn", slow(2000, 0.2), None)))
        place.cache = disk / "hub"
        process = place.start()
        part = pathlib.Path(str(place.blob(WEIGHTS)) + ".incomplete")
        while not (part.exists() and part.stat().st_size > 4000):
            time.sleep(0.01)
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
        out, err = process.communicate(timeout=60)
        expect(place, (process.returncode, out, err), 3, "cannot write .*No space left on device", "make room and run it again")
        place.check_tree(before(WEIGHTS), {WEIGHTS: (4000, 40_999)}, reference=None)
        expect(place, place.pull(), 3, r"expected .* of free space")  # still full: said before a byte is asked for
        filler.unlink()
        heal(place)
    finally:
        subprocess.run(["umount", disk], check=True)


# --- TLS: certificates, and no way back to plain HTTP.
def tls():
    def run(folder, label):
        key, certificate = folder / f"{label}.key", folder / f"{label}.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                               "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], capture_output=True)
        assert made.returncode == 0, made.stderr
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        place = Place(folder, label, scenario(token=GOOD), Servers(tls=context, cdn_tls=context))
        expect(place, place.pull(HF_TOKEN=GOOD), 6, "cannot trust https://127.0.0.1", "SSL_CERT_FILE")
        place.check_tree([], reference=None)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            expect(place, place.pull(**{"HF_TOKEN": GOOD, name: certificate}), 0)
            place.check_whole()
        down = Place(folder, label + "-down", scenario(), Servers(tls=context))
        expect(down, down.pull(SSL_CERT_FILE=certificate), 6, "expected a redirect to an https address, got http://")
        down.check_tree([], reference=None)
    case("tls", "certificates", run)


# --- What is pulled.
def choices():
    def chosen(name, files, names, *arguments, what=None, reference="main", check=True, **options):
        def act(folder, label):
            place = Place(folder, label, scenario(files={n: d if isinstance(d, bytes) else d.encode() for n, d in files.items()}, **options))
            expect(place, place.pull(*arguments, what=what), 0)
            place.check_whole(sorted(names), reference)
        case("choice", name, act)

    tiny = tiny_files()
    chosen("usual", tiny, CHOSEN)
    chosen("include", tiny, ["README.md", "original/consolidated.00.pth"], "--include", "README*", "--include", "original/")
    chosen("include-all", tiny, sorted(tiny), "--include", "*")
    chosen("tag", tiny, CHOSEN, what="org/tiny@v1", reference="v1", refs={"main": "d" * 40, "v1": "c" * 40})
    chosen("pull-request", tiny, CHOSEN, what="org/tiny@refs/pr/3", reference="refs/pr/3", refs={"main": "d" * 40, "refs/pr/3": "c" * 40})
    chosen("commit", tiny, CHOSEN, what="org/tiny@" + "c" * 40, reference=None)
    chosen("one-word", tiny, CHOSEN, repo="tiny")
    chosen("renamed", tiny, CHOSEN, moved={"old/name": "org/tiny"})
    shards = {"config.json": "{}", "model.safetensors.index.json": "{}", "model-00001-of-00002.safetensors": "a" * 5000, "model-00002-of-00002.safetensors": "b" * 5000}
    chosen("shards", {**shards, "consolidated.safetensors": "c", "pytorch_model.bin": "d"}, shards)
    torch = {"config.json": "{}", "pytorch_model.bin": "a" * 5000}
    chosen("torch", {**torch, "training_args.bin": "b", "optimizer.pt": "c", "tf_model.h5": "d"}, torch)
    sharded = {"config.json": "{}", "pytorch_model.bin.index.json": "{}", "pytorch_model-00001-of-00001.bin": "a"}
    chosen("torch-shards", {**sharded, "rust_model.ot": "x"}, sharded)
    chosen("same-content-twice", {"config.json": "{}", "generation_config.json": "{}", "model.safetensors": "w"}, ["config.json", "generation_config.json", "model.safetensors"])
    odd = {"config.json": "{}", "model.safetensors": "w", "a b/ü%2F#?.txt": "odd"}
    chosen("odd-names", odd, odd, "--include", "*")

    def nothing_matches(folder, label):
        place = Place(folder, label, scenario())
        expect(place, place.pull("--include", "*.h5"), 4, r"no file of the model matches '\*\.h5'")
        place.check_tree([], reference=None)
    case("choice", "nothing-matches", nothing_matches)

    def moves_on(folder, label):  # the branch has a new commit: what did not change is not fetched again
        place = Place(folder, label, scenario())
        expect(place, place.pull(), 0)
        old = place.tree()
        place.scenario.files = {**place.scenario.files, SMALL: b'{"new": 1}'}
        place.scenario.commit = "e" * 40
        place.scenario.refs = {"main": "e" * 40}
        expect(place, place.pull(), 0, r"model\.safetensors\t41000\twas here", r"config\.json\t10\tfetched")
        tree = place.tree()
        assert tree[f"{place.root.name}/refs/main"] == b"e" * 40
        assert all(tree[path] == content for path, content in old.items() if "/refs/" not in path), "the old snapshot is as it was"
        for name in CHOSEN:
            assert (place.root / "snapshots" / ("e" * 40) / name).read_bytes() == place.scenario.files[name]
        code, out, err = place.pull("--json", HF_HUB_OFFLINE=1)
        assert code == 0 and '"pinned":"org/tiny@' + "e" * 40 in out, out + err
    case("choice", "moves-on", moves_on)

    def where(folder, label):  # HF_HOME and XDG_CACHE_HOME, token from the file of HF_HOME
        for env, at in (({"HF_HOME": "$HOME/a"}, "a/hub"), ({"XDG_CACHE_HOME": "~/b"}, "b/huggingface/hub"), ({"HUGGINGFACE_HUB_CACHE": "${HOME}/c"}, "c"), ({}, ".cache/huggingface/hub")):
            place = Place(folder, f"{label}-{at.replace('/', '-')}", scenario(token=GOOD))
            place.cache = place.folder / at
            home = place.cache.parent if at.endswith("hub") else place.folder / ".cache/huggingface"
            home.mkdir(parents=True, exist_ok=True)
            (home / "token").write_text(GOOD + "\n")
            environment = place.environment(**env)
            del environment["HF_HUB_CACHE"]
            done = subprocess.run([harness.DIOPTER, "model", "pull", "org/tiny"], env=environment, capture_output=True, text=True)
            expect(place, (done.returncode, done.stdout, done.stderr), 0)
            place.check_whole()
    case("choice", "where", where)


def main():
    begin = time.monotonic()
    for table in (questions, passings, broken_contents, beginnings, wrong_contents, machine, tls, choices):
        table()
    case("machine", "disk-full", disk_full)
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    chosen = [(name, run) for name, run in tasks if wanted in name]
    # The patient ones first: they sleep while the others work.
    chosen.sort(key=lambda task: not any(word in task[0] for word in ("lock-held", "silent", "signal", "together", "disk-full", "retry")))
    failures = []
    with tempfile.TemporaryDirectory(prefix="diopter-hub-") as folder, concurrent.futures.ThreadPoolExecutor(12) as pool:
        jobs = {pool.submit(run, pathlib.Path(folder)): name for name, run in chosen}
        for job in concurrent.futures.as_completed(jobs):
            if job.exception():
                failures.append(jobs[job])
                print(f"FAILED {jobs[job]}: {type(job.exception()).__name__}: {job.exception()}")
    print("; ".join(f"{table}: {count}" for table, count in sorted(tried.items())))
    print(f"{sum(tried.values())} of {len(chosen)} cases, {len(failures)} failed, {time.monotonic() - begin:.1f} s")
    return 1 if failures or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
