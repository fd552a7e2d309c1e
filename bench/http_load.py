"""Load for `bench/http.py`: as much as a server takes, by wrk; and a steady number of requests a second, whatever the answers do."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.http_servers import Server
from bench.timing import Spread, spread

PATH = "/v1/decisions"
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_SCRIPT = """\
local bodies = {{}}
for line in io.lines("{bodies}") do bodies[#bodies + 1] = line end
local number = math.random(#bodies)
local headers = {{["content-type"] = "application/json"{key}}}
request = function()
  number = number % #bodies + 1
  return wrk.format("POST", "{path}", headers, bodies[number])
end
"""


@dataclass(frozen=True, slots=True)
class Saturated:
    """What a server did with as much as it took: good answers a second, milliseconds, and how many answers were not good."""

    per_second: float
    p50: float
    p99: float
    failed: int


def saturate(server: Server, bodies: Path, folder: Path, *, seconds: int, connections: int) -> Saturated:
    """As many requests as the server answers, each connection sending its next when it has its answer.

    Raises:
        SystemExit: wrk is not there.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is not installed; Debian and Ubuntu have it as the package `wrk`, Homebrew as the formula `wrk`")
    key = f', ["authorization"] = "Bearer {server.key}"' if server.key else ""
    script = folder / "load.lua"
    script.write_text(_SCRIPT.format(bodies=bodies, key=key, path=PATH), encoding="utf-8")
    command = (wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", str(script), server.address)
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    failed, answered = int(other[1]) if other else 0, _found(r"(\d+) requests in", told)
    good = _found(r"Requests/sec:\s+([\d.]+)", told) * (answered - failed) / max(answered, 1)
    return Saturated(good, _latency("50", told), _latency("99", told), failed)


def _found(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"wrk printed something else than expected:\n{text}")
    return float(match[1])


def _latency(share: str, text: str) -> float:
    match = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", text)
    if match is None:
        raise SystemExit(f"wrk printed something else than expected:\n{text}")
    return float(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True)
class Paced:
    """What a steady load met: latencies of answered requests from when each was due, and how many were answered otherwise."""

    latency: Spread
    p95: float
    failed: int


def pace(server: Server, bodies: Sequence[bytes], *, per_second: float, seconds: float, connections: int = 64) -> Paced:
    """Send requests at fixed times. A slow answer does not hold back the next request: its wait is counted from when it was due."""
    taken, failed = asyncio.run(_paced(server, bodies, per_second, round(per_second * seconds), connections))
    ordered = sorted(taken)
    return Paced(spread(taken), ordered[round((len(ordered) - 1) * 0.95)] / 1e6, failed)


async def _paced(server: Server, bodies: Sequence[bytes], per_second: float, count: int, connections: int) -> tuple[list[int], int]:
    requests = [_request(server, body) for body in bodies]
    host, port = urlsplit(server.address).hostname, urlsplit(server.address).port
    idle: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()
    for _ in range(connections):
        idle.put_nowait(await asyncio.open_connection(host, port))
    taken: list[int] = []
    failed = 0

    async def one(number: int, due: int) -> None:
        nonlocal failed
        reader, writer = await idle.get()
        writer.write(requests[number % len(requests)])
        good = await _answered(reader)
        taken.append(time.perf_counter_ns() - due)
        failed += not good
        idle.put_nowait((reader, writer))

    began = time.perf_counter_ns()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            due = began + round(number / per_second * 1e9)
            await asyncio.sleep((due - time.perf_counter_ns()) / 1e9)
            group.create_task(one(number, due))
    while not idle.empty():
        idle.get_nowait()[1].close()
    return taken, failed


def _request(server: Server, body: bytes) -> bytes:
    key = f"authorization: Bearer {server.key}\r\n" if server.key else ""
    head = f"POST {PATH} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{key}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _answered(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    await reader.readexactly(int(length[1]) if length else 0)
    return head.startswith(b"HTTP/1.1 2")
