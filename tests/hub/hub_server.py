"""A hub of the Hugging Face kind on two ports of this machine (the hub and the storage behind it), with faults on order.

Each scenario has its own address, http://127.0.0.1:PORT/NAME, its own repositories, faults and record of requests, so that
many can be tried at once. Faults happen to requests of a kind, in their order:

  api    GET  /api/models/ID/revision/REV, and /tree/ (which huggingface_hub asks for)
  head   HEAD /ID/resolve/COMMIT/FILE
  get    GET  of the same: large files are redirected to the storage
  cdn    GET  at the storage
"""
import fnmatch
import hashlib
import http.server
import json
import re
import socket
import struct
import threading
import time
import urllib.parse

PIECE = 4096  # what one write of the server sends


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def git_blob(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_large(name):
    return name.endswith((".safetensors", ".bin", ".model"))


def etag_of(name, data):
    return sha256(data) if is_large(name) else git_blob(data)


class Fault:
    """`act(handler, data, start)` answers in place of the server; it returns False to leave the answer to it after all."""

    def __init__(self, kind, act, times=1, name="*", after=0):
        self.kind, self.act, self.times, self.name, self.after = kind, act, times, name, after


class Scenario:
    def __init__(self, files, faults=(), repo="org/tiny", commit="c" * 40, refs=None, token=None, moved=None):
        self.files, self.faults, self.repo, self.commit = files, list(faults), repo, commit
        self.refs = refs if refs is not None else {"main": commit}
        self.token, self.moved = token, moved or {}
        self.requests, self.leaks, self.lock = [], 0, threading.Lock()

    def fault_for(self, kind, name):
        with self.lock:
            for fault in self.faults:
                if fault.kind != kind or not fnmatch.fnmatch(name, fault.name) or fault.times == 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def record(self, kind, name, ranged, authorised):
        with self.lock:
            self.requests.append((kind, name, ranged, authorised))

    def count(self, kind, name="*"):
        with self.lock:
            return sum(1 for k, n, _, _ in self.requests if k == kind and fnmatch.fnmatch(n, name))

    def ranges(self, kind, name="*"):
        with self.lock:
            return [r for k, n, r, _ in self.requests if k == kind and fnmatch.fnmatch(n, name)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        self.begun = False
        try:
            parts = urllib.parse.urlsplit(self.path).path.split("/", 2)
            self.scenario = self.server.scenarios[parts[1]]
            self.base = f"/{parts[1]}"
            if self.server.is_cdn:
                self.answer_cdn(urllib.parse.unquote(parts[2]))
            else:
                self.answer_hub("/" + parts[2])
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    # What faults and answers are made of.
    def send(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if length is None:
            length = len(body)
        if length >= 0:
            self.send_header("Content-Length", str(length))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            for at in range(0, len(body), PIECE):
                self.wfile.write(body[at:at + PIECE])
            self.wfile.flush()
        return True

    def send_error_code(self, status, code, message):
        return self.send(status, json.dumps({"error": message}).encode(),
                         {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"})

    def hang_up(self, reset):
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile.flush()
        if not reset:
            self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()
        raise ConnectionError

    def content(self, data, extra=(), honour_ranges=True):
        ranged = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not ranged or not honour_ranges:
            return self.send(200, data, extra)
        start = int(ranged.group(1))
        if start >= len(data):
            return self.send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        return self.send(206, data[start:], {**dict(extra), "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})

    def faulty(self, kind, name, data=b""):
        ranged = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(ranged.group(1)) if ranged else 0
        self.scenario.record(kind, name, start if ranged else None, "Authorization" in self.headers)
        fault = self.scenario.fault_for(kind, name)
        return fault is not None and fault.act(self, data, start) is not False

    # The hub.
    def answer_hub(self, path):
        scenario = self.scenario
        for old, new in scenario.moved.items():  # a model that was renamed
            if path.startswith(f"/{old}/") or path.startswith(f"/api/models/{old}/"):
                return self.send(307, b"", {"Location": self.base + path.replace(f"{old}/", f"{new}/", 1)})
        listing = re.fullmatch(r"/api/models/(.+?)/(revision|tree)/([^/?]+)(\?.*)?", path)
        cached = re.fullmatch(r"/api/resolve-cache/models/(.+?)/([0-9a-f]{40})/(.+)", path)
        file = cached or re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", path)
        if listing:
            return self.answer_list(listing.group(1), listing.group(2), urllib.parse.unquote(listing.group(3)))
        if file:
            return self.answer_file(file.group(1), urllib.parse.unquote(file.group(2)), urllib.parse.unquote(file.group(3)), bool(cached))
        if re.fullmatch(r"/api/models/([^?]+)(\?.*)?", path):
            return self.answer_list(path[len("/api/models/"):].split("?")[0], "revision", "main")
        return self.send(404, b"no such page")

    def is_stranger(self):
        return self.scenario.token is not None and self.headers.get("Authorization") != f"Bearer {self.scenario.token}"

    def answer_list(self, repo, what, revision):
        scenario = self.scenario
        if self.faulty("api", revision):
            return True
        if self.is_stranger():
            return self.send_error_code(401, "RepoNotFound", "Invalid username or password.")
        if repo != scenario.repo:
            return self.send_error_code(404, "RepoNotFound", "Repository not found")
        commit = scenario.refs.get(revision, revision if revision == scenario.commit else None)
        if commit is None:
            return self.send_error_code(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if what == "tree":
            out = [{"type": "file", "path": name, "size": len(data), "oid": git_blob(data),
                    **({"lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 130}} if is_large(name) else {})}
                   for name, data in scenario.files.items()]
        else:
            out = {"id": repo, "modelId": repo, "sha": commit, "private": False, "tags": [], "downloads": 0, "likes": 0,
                   "siblings": [{"rfilename": name} for name in scenario.files]}
        return self.send(200, json.dumps(out).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def answer_file(self, repo, revision, name, cached):
        scenario = self.scenario
        data = scenario.files.get(name)
        if self.faulty("head" if self.command == "HEAD" else "get", name, data or b""):
            return True
        if self.is_stranger():
            return self.send_error_code(401, "RepoNotFound", "Invalid username or password.")
        if repo != scenario.repo:
            return self.send_error_code(404, "RepoNotFound", "Repository not found")
        if scenario.refs.get(revision, revision) != scenario.commit:
            return self.send_error_code(404, "RevisionNotFound", "Invalid rev id")
        if data is None:
            return self.send_error_code(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": scenario.commit, "Accept-Ranges": "bytes"}
        if is_large(name):
            headers.update({"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{sha256(data)}"', "ETag": '"not-the-content"',
                            "Location": f"{self.server.cdn}{self.base}/{urllib.parse.quote(name)}?signed=a%2Fb"})
            return self.send(302, b"Found. Redirecting", headers)
        if not cached and name == "tokenizer.json":  # what the hub does with small files: another address of its own
            headers.update({"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{git_blob(data)}"',
                            "Location": f"{self.base}/api/resolve-cache/models/{repo}/{scenario.commit}/{urllib.parse.quote(name)}"})
            return self.send(307, b"Temporary Redirect", headers)
        return self.content(data, {**headers, "ETag": f'"{git_blob(data)}"'})

    # The storage: it knows no tokens, and refuses who brings one, as signed addresses do.
    def answer_cdn(self, name):
        scenario = self.scenario
        data = scenario.files.get(name, b"")
        if "Authorization" in self.headers:
            scenario.leaks += 1
            return self.send(400, b"Only one auth mechanism allowed")
        if self.faulty("cdn", name, data):
            return True
        return self.content(data, {"ETag": '"storage"', "Accept-Ranges": "bytes"})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):  # clients that go away are what is tested
        pass


class Servers:
    """Both ports; `add` gives the address of a scenario."""

    def __init__(self, tls=None, cdn_tls=None):
        """`tls`: the ssl.SSLContext of the hub, `cdn_tls` of the storage; none: plain HTTP."""
        self.scenarios, self.scheme = {}, "https" if tls else "http"
        self.hub, self.cdn = Server(("127.0.0.1", 0), Handler), Server(("127.0.0.1", 0), Handler)
        for server, is_cdn, context in ((self.hub, False, tls), (self.cdn, True, cdn_tls)):
            server.scenarios, server.is_cdn = self.scenarios, is_cdn
            server.cdn = f"{'https' if cdn_tls else 'http'}://127.0.0.1:{self.cdn.server_address[1]}"
            if context:
                server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.hub.server_address[1]

    def add(self, name, scenario):
        self.scenarios[name] = scenario
        return f"{self.scheme}://127.0.0.1:{self.port}/{name}"


# Faults. Each is made for Fault(kind, act).
def status(code, error_code=None, message="", headers=None):
    def act(handler, data, start):
        if error_code:
            return handler.send_error_code(code, error_code, message)
        return handler.send(code, message.encode(), headers or {})
    return act


def reset(after=0):
    def act(handler, data, start):
        if after == 0:
            handler.hang_up(reset=True)
        cut_at(handler, data, start, after, True, True)
    return act


def raw(data):
    """What no HTTP server says."""
    def act(handler, _, start):
        handler.wfile.write(data)
        handler.wfile.flush()
        handler.hang_up(reset=False)
    return act


def cut_chunked(at):
    """In pieces with their lengths before them, cut in the middle of one."""
    def act(handler, data, start):
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for begin in range(start, at, PIECE):
            piece = data[begin:min(begin + PIECE, at)]
            told = len(piece) if begin + PIECE < at else len(piece) + 10
            handler.wfile.write(b"%x\r\n" % told + piece + (b"\r\n" if told == len(piece) else b""))
        handler.wfile.flush()
        handler.hang_up(reset=False)
    return act


def cut_at(handler, data, start, at, with_length, with_reset):
    """The answer that is due, cut when byte `at` of the content was sent."""
    rest = data[start:]
    headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
    handler.send_response(206 if start else 200)
    for name, value in headers.items():
        handler.send_header(name, value)
    if with_length:
        handler.send_header("Content-Length", str(len(rest)))
    else:
        handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(rest[:max(0, at - start)])
    handler.wfile.flush()
    handler.hang_up(with_reset)


def cut(at, with_length=True):
    return lambda handler, data, start: cut_at(handler, data, start, at, with_length, False)


def silent(seconds, at=None):
    """Nothing is said; or, with `at`, nothing more after that byte."""
    def act(handler, data, start):
        if at is not None:
            handler.send_response(206 if start else 200)
            if start:
                handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            handler.send_header("Content-Length", str(len(data) - start))
            handler.end_headers()
            handler.wfile.write(data[start:at])
            handler.wfile.flush()
        time.sleep(seconds)
        handler.hang_up(reset=False)
    return act


def slow(piece, pause):
    def act(handler, data, start):
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        for at in range(start, len(data), piece):
            handler.wfile.write(data[at:at + piece])
            handler.wfile.flush()
            time.sleep(pause)
    return act


def other_body(change, headers=None):
    return lambda handler, data, start: handler.send(200, change(data), headers or {})


def ranges_ignored(handler, data, start):
    return handler.content(data, honour_ranges=False)


def range_refused(handler, data, start):
    return handler.send(416, b"", {"Content-Range": f"bytes */{len(data)}"}) if "Range" in handler.headers else False


def wrong_range(handler, data, start):
    if start == 0:
        return False
    return handler.send(206, data[start - 1:], {"Content-Range": f"bytes {start - 1}-{len(data) - 1}/{len(data)}"})


def redirect(location):
    return lambda handler, data, start: handler.send(302, b"", {"Location": location(handler)})


def head_with(**headers):
    """HEAD answered with these headers instead of the right ones (underscores for dashes)."""
    return lambda handler, data, start: handler.send(200, b"", {k.replace("_", "-"): v for k, v in headers.items()}, length=len(data))
