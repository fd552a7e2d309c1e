"""Sends malformed requests to a service: `python -m bench.malformed [--requests 1000000] [--url http://127.0.0.1:8000 --pid PID]`.

Made from the examples of the API's document by a grammar (what a method, path, header, number, string may be instead) and by mutation
(bytes turned, dropped, doubled, put in). They go over raw sockets, many on a connection. Without `--url` it starts a service of its own on
a fresh store. It counts answers by status, what was never answered, and how the service's memory grows. Nothing may be a 5xx but a 503, the
service may not die, and its memory may not grow without end. The last line is one JSON object with the figures.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.api.exemplary import FOLDER, examples_of
from tests.contract.documented import OPERATIONS

ROOT = Path(__file__).parents[1]
TOGETHER = 16
"""Requests sent at once on a connection, before the answers are read."""
PATIENCE, SHORT = 2.0, 0.05
"""Seconds to wait for an answer; the short one where a request is so broken that the server may well wait for its rest."""
LONG_WORK = frozenset({"publishPack", "exportRecords"})
"""Calls that take seconds when they are let through: a pack's own tests, a bundle."""
_status = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_METHODS = [b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"get", b"BREW", b"\x00", b"G T", b"A" * 300]
_PATHS = [
    b"/%00",
    b"/../../etc/passwd",
    b"/v1/decisions/%ff%fe",
    b"//",
    b"*",
    b"/v1/decisions?" + b"a=1&" * 400,
    b"/" + b"a" * 9_000,
    "/é".encode(),
    b"http://x/",
]
_HEADERS = [
    b"content-encoding: gzip",
    b"content-type: application/json; charset=utf-16",
    b"content-type: \xff",
    b"expect: 100-continue",
    b"x-api-key: " + b"k" * 5_000,
    b"authorization: Bearer \xff\xfe",
    b"idempotency-key: a\tb",
    b"wanliu-deadline-ms: 1e9",
    b"traceparent: 00-00-00-00",
    b"x-subscriber-id: \xe9\xe9",
    b"if-none-match: " + b'"a",' * 500,
]
_FRAMING = [
    b"content-length: -1",
    b"content-length: 99999999999999999999",
    b"content-length: 5\r\ncontent-length: 6",
    b"transfer-encoding: chunked, gzip",
    b"transfer-encoding: chunked",
    b"host: \x00",
    b": nothing",
    b"no colon",
    b" folded: x",
    b"connection: upgrade\r\nupgrade: h2c",
    b"cookie: " + b"a" * 60_000,
]
"""What is wrong with where a request ends: nobody can say where the next one begins."""
_VALUES = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 400,
    b"-0",
    b"1.5",
    b"null",
    b"true",
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\x00"',
    b'"\xff"',
    b"[" * 3_000,
    b'{"a":' * 1_500,
    b'{"a":1,"a":2}',
    b"[]",
    b"{}",
    b'""',
    b"'x'",
    b'"' + b"x" * 70_000 + b'"',
    b"2026-13-45",
    b'"2026-02-30T25:61:00Z"',
    b"\xef\xbb\xbf",
]
_literal = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null')


def bases() -> list[tuple[bytes, bytes, bytes, bytes]]:
    """Method, path, content type and body of every example of the document."""
    found = []
    for name, (method, path, operation) in OPERATIONS.items():
        if name in LONG_WORK:
            continue
        plain = re.sub(r"\{\w+\}", "019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b", path).encode()
        media = next(iter(operation.get("requestBody", {}).get("content", {})), "").encode()
        for sent in examples_of(name).requests.values() if (FOLDER / f"{name}.yaml").exists() else ():
            body = sent.body if isinstance(sent.body, str) else json.dumps(sent.body) if sent.body is not None else ""
            found.append((method.encode(), plain, media, body.encode()))
    return found


def request(chance: random.Random, known: list[tuple[bytes, bytes, bytes, bytes]]) -> tuple[bytes, bool]:
    """A malformed request, and whether the connection can go on after it."""
    method, path, media, body = chance.choice(known)
    kind, extra, framed = chance.random(), b"", True
    if kind < 0.66 and body:
        body = _by_grammar(chance, body) if chance.random() < 0.5 else _mutated(chance, body)
    elif kind < 0.78:
        path += chance.choice((b"?", b"&", b"/", b"%")) + _mutated(chance, b"limit=5&cursor=abc&fields=id&phase=rescue")
        path = re.sub(rb"[\x00-\x20\x7f-\xff]", b"%ff", path)
    elif kind < 0.86:
        media = chance.choice((b"text/plain", b"", b"application/xml", b"application/x-ndjson", b"application/json"))
    elif kind < 0.96:
        extra = chance.choice(_HEADERS) + b"\r\n"
    elif kind < 0.98:
        extra, framed = chance.choice(_FRAMING) + b"\r\n", False
    elif kind < 0.99:
        method, path, framed = chance.choice(_METHODS), chance.choice(_PATHS), False
    else:
        return _mutated(chance, _written(method, path, media, body, b"")), False
    return _written(method, path, media, body, extra), framed


def _written(method: bytes, path: bytes, media: bytes, body: bytes, extra: bytes) -> bytes:
    kind = b"content-type: " + media + b"\r\n" if media else b""
    return b"%s %s HTTP/1.1\r\nhost: wanliu\r\n%s%scontent-length: %d\r\n\r\n%s" % (method, path, kind, extra, len(body), body)


def _by_grammar(chance: random.Random, body: bytes) -> bytes:
    """One value of a JSON text is another one."""
    places = list(_literal.finditer(body))
    if not places:
        return chance.choice(_VALUES)
    place = chance.choice(places)
    return body[: place.start()] + chance.choice(_VALUES) + body[place.end() :]


def _mutated(chance: random.Random, text: bytes) -> bytes:
    """A text of which some bytes are others."""
    made = bytearray(text)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(5):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + chance.randint(1, 20)]
            case 2:
                made[at:at] = made[max(at - chance.randint(1, 30), 0) : at]
            case 3:
                made[at:at] = chance.choice(_VALUES)[:200]
            case _:
                made[at:at] = bytes([chance.choice(b'{}[]":,\\\r\n\x00')])
    return bytes(made)


def flood(place: tuple[str, int], count: int, seed: int) -> Counter[str]:
    """Send so many requests; answers by status, `none` where there was no answer, `gone` where nobody listened."""
    chance, known, found = random.Random(seed), bases(), Counter[str]()
    left = count
    while left > 0:
        wire, answers, asked, whole = b"", 0, 0, True
        for _ in range(min(TOGETHER, left)):
            made, goes_on = request(chance, known)
            wire, asked, whole = wire + made, asked + 1, goes_on
            if not goes_on:
                break
        left -= asked
        try:
            got = exchange(place, wire, asked, PATIENCE if whole else SHORT)
        except ConnectionRefusedError:
            found["gone"] += asked
            time.sleep(0.2)
            continue
        for status in _status.findall(got):
            found[status.decode()] += 1
            answers += 1
        found["none"] += max(asked - answers, 0)
    return found


def exchange(place: tuple[str, int], wire: bytes, asked: int, patience: float = PATIENCE) -> bytes:
    """Send, and read what is answered."""
    got = bytearray()
    with socket.create_connection(place, timeout=PATIENCE) as line:
        try:
            line.sendall(wire)
            line.settimeout(patience)
            while len(_status.findall(got)) < asked:
                part = line.recv(1 << 16)
                if not part:
                    break
                got += part
                if asked == 1 and b"\r\n\r\n" in got:
                    break
        except (TimeoutError, ConnectionError):
            pass
    return bytes(got)


def memory_of(pid: int) -> float:
    """Megabytes that a process and those it started hold."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    held = 0
    for member in family:
        try:
            held += int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{member}/status").read_text())[1])  # type: ignore[index]
        except (OSError, TypeError):
            continue
    return held / 1024


def serving(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A service of our own on a fresh store, in development mode, and where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"PORT": str(port), "DATABASE_URL": f"sqlite:///{folder}/wanliu.db", "PACK": str(ROOT), "LOG_LEVEL": "error"}
    environment = {**os.environ, **{f"WANLIU_{name}": value for name, value in settings.items()}}
    log = (folder / "log").open("wb")
    process = subprocess.Popen([str(Path(sys.executable).parent / "wanliu"), "serve"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    place = ("127.0.0.1", port)
    for _ in range(600):
        try:
            if b" 200 " in exchange(place, b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n", 1):
                return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.1)
    raise SystemExit((folder / "log").read_text())


def rounds(place: tuple[str, int], pid: int | None, wanted: int, processes: int, each: int) -> Iterator[tuple[Counter[str], float, float]]:
    """What came of each stretch of requests, how many seconds it took, and the memory after it."""
    seed, done = 1, 0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        while done < wanted:
            part = min(each, wanted - done)
            shares = [part // processes + (number < part % processes) for number in range(processes)]
            began = time.perf_counter()
            counts = pool.starmap(flood, [(place, share, seed + number) for number, share in enumerate(shares)])
            done, seed = done + part, seed + processes
            yield sum(counts, Counter[str]()), time.perf_counter() - began, memory_of(pid) if pid else 0.0


def main() -> None:
    """Send, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--each", type=int, default=100_000, help="requests between two looks at the memory")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--url", help="a service that runs; left out, one is started")
    parser.add_argument("--pid", type=int, help="its process, to look at its memory")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process, url, pid = None, given.url, given.pid
        if url is None:
            process, url = serving(Path(folder))
            pid = process.pid
        host, _, port = url.removeprefix("http://").partition(":")
        try:
            told = attack((host, int(port or 80)), pid, given)
        finally:
            if process is not None:
                process.terminate()
                process.wait(30)
    print(json.dumps(told))
    sys.exit(0 if told["server_errors"] == told["gone"] == 0 and told["alive"] else 1)


def attack(place: tuple[str, int], pid: int | None, given: argparse.Namespace) -> dict[str, Any]:
    """Everything, as figures."""
    flood(place, 2_000, 0)  # what is loaded and cached once is no growth
    before, found, seconds, memories = memory_of(pid) if pid else 0.0, Counter[str](), 0.0, list[float]()
    for counts, took, memory in rounds(place, pid, given.requests, given.processes, min(given.each, given.requests)):
        found, seconds, memories = found + counts, seconds + took, [*memories, memory]
        print(
            f"{sum(found.values()):>9,} requests  {sum(counts.values()) / took:>8,.0f}/s  {memory:7.0f} MB  {dict(sorted(counts.items()))}",
            flush=True,
        )
    alive = b" 200 " in exchange(place, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", 1)
    wrong = sum(count for status, count in found.items() if status.startswith("5") and status != "503")
    return {
        "requests": sum(found.values()),
        "per_s": round(sum(found.values()) / seconds),
        "server_errors": wrong,
        "refused_503": found["503"],
        "no_answer": found["none"],
        "gone": found["gone"],
        "alive": alive,
        "memory_mb_before": round(before),
        "memory_mb": [round(memory) for memory in memories],
        "n": given.requests,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


if __name__ == "__main__":
    main()
