"""Measures what happens when ten times as much is asked as can be answered: who is let in is answered as ever, others hear of it at once.

    python bench/overload.py [--seconds 10] [--times 10] [--connections 512] [--quick]

First it finds how much the service answers (`capacity`, by wrk), then asks half of that a second, then so many times as much, at fixed
times whatever the answers do. Needs wrk. Prints a table and, as its last line, one JSON object. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import selectors
import socket
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "bench"):  # this folder, in which a file would stand for the standard library's `http`
    sys.path[0] = str(ROOT)

from rich.console import Console  # noqa: E402 - after the path that makes a script of this folder see the project
from rich.table import Table  # noqa: E402

from bench.http import written  # noqa: E402
from bench.http_load import PATH, saturate  # noqa: E402
from bench.http_servers import Server, wanliu  # noqa: E402
from bench.timing import Spread, machine, spread  # noqa: E402

SOON_MS = 10.0
"""Within which a refusal is to come."""
_TURN = 0.001
"""Seconds between two looks at what is to be sent, and at what came."""
_LAST = 1.0
"""Seconds in which the last answers may come."""
_LARGEST_READ = 65_536
_ROOM = 16
"""Connections at which capacity is measured: as many requests as a worker works at at once."""


@dataclass
class Told:
    """What was answered to a load: nanoseconds from sending on, of answers and of refusals."""

    good: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    """Answers of another kind, broken connections, and requests that were not sent because no connection was free."""
    lag: list[int] = field(default_factory=list)
    """How late requests were sent: the client's own doing."""


class Asking:
    """A connection that sends one request at a time. Nothing here waits."""

    def __init__(self, end: socket.socket, told: Told, idle: deque[Asking]) -> None:
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._end, self._told, self._idle = end, told, idle
        self._rest, self._sent = b"", 0
        idle.append(self)

    def ask(self, content: bytes) -> None:
        """Send a request."""
        self._sent = time.perf_counter_ns()
        with contextlib.suppress(ConnectionError):  # which `hear` sees
            self._end.send(content)

    def hear(self) -> bool:
        """Take in an answer, or a part of it. False where the service closed the connection."""
        try:
            data = self._end.recv(_LARGEST_READ)
        except ConnectionError:
            data = b""
        if not data:
            self._gone()
            return False
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            self._answered(head[9:12])
        return True

    def _answered(self, status: bytes) -> None:
        taken, self._rest = time.perf_counter_ns() - self._sent, b""
        if status == b"200":
            self._told.good.append(taken)
        elif status in (b"503", b"429"):
            self._told.refused.append(taken)
        else:
            self._told.other[status.decode()] += 1
        self._sent = 0
        self._idle.append(self)

    def _gone(self) -> None:
        if self._sent:
            self._told.other["broken"] += 1
        if self in self._idle:
            self._idle.remove(self)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = written(folder, options.seed)
        bodies = file.read_bytes().splitlines()
        with wanliu(folder, f"sqlite:///{folder}/wanliu.db", log_level="warning", store_deadline_ms="5000") as server:
            saturate(server, file, folder, seconds=2, connections=_ROOM)
            capacity = saturate(server, file, folder, seconds=options.seconds, connections=_ROOM)
            half, over = (asked(server, bodies, capacity.per_second * times, options) for times in (0.5, options.times))
    figures = figures_of(capacity.per_second, half, over, options)
    show(figures)
    print(json.dumps(figures))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the service under more load than it can answer.")
    parser.add_argument("--seconds", type=int, help="of each measurement (10)")
    parser.add_argument("--times", type=float, default=10.0, help="capacity that is asked for (10)")
    parser.add_argument("--connections", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1, help="of the population")
    parser.add_argument("--quick", action="store_true", help="for a look, not for figures to keep")
    options = parser.parse_args(arguments)
    options.seconds = options.seconds or (3 if options.quick else 10)
    return options


def asked(server: Server, bodies: Sequence[bytes], per_second: float, options: argparse.Namespace) -> Told:
    """Ask so many times a second, at fixed times.

    What is due is sent, and what came is taken in, once in `_TURN`: this program runs on the cores of the service, and one that woke up for
    each answer would take the place of what it measures. An answer may so be noted a `_TURN` late, never early.
    """
    told, idle = Told(), deque[Asking]()
    place, requests = urlsplit(server.address), [_request(server, body) for body in bodies]
    with contextlib.ExitStack() as open_, selectors.DefaultSelector() as coming:
        for _ in range(options.connections):
            end = open_.enter_context(socket.create_connection((place.hostname, place.port or 0)))
            coming.register(end, selectors.EVENT_READ, Asking(end, told, idle))
        began, count = time.perf_counter_ns(), 0
        while (passed := time.perf_counter_ns() - began) < (options.seconds + _LAST) * 1e9:
            while count < min(passed / 1e9, options.seconds) * per_second:
                told.lag.append(time.perf_counter_ns() - began - round(count / per_second * 1e9))
                if idle:
                    idle.popleft().ask(requests[count % len(requests)])
                else:
                    told.other["not sent"] += 1
                count += 1
            for key, _ in coming.select(0):
                if not key.data.hear():
                    coming.unregister(key.fileobj)
            time.sleep(_TURN)
    return told


def figures_of(capacity: float, half: Told, over: Told, options: argparse.Namespace) -> dict[str, Any]:
    """The figures by name; milliseconds, and requests a second."""
    calm, loaded, refused = (_spread(taken) for taken in (half.good, over.good, over.refused))
    soon = sum(taken <= SOON_MS * 1e6 for taken in over.refused) / max(len(over.refused), 1)
    return {
        "capacity": round(capacity, 1),
        "half_p50_ms": round(calm.p50, 2),
        "half_p99_ms": round(calm.p99, 2),
        "half_refused": len(half.refused),
        "over_p50_ms": round(loaded.p50, 2),
        "over_p99_ms": round(loaded.p99, 2),
        "over_times_half": round(loaded.p99 / calm.p99, 2),
        "goodput_share": round(len(over.good) / options.seconds / capacity, 3),
        "refused_per_second": round(len(over.refused) / options.seconds, 1),
        "refused_p50_ms": round(refused.p50, 2),
        "refused_p99_ms": round(refused.p99, 2),
        "refused_within_10_ms": round(soon, 4),
        "client_lag_p99_ms": round(_spread(over.lag).p99, 2),
        "other": dict(over.other + half.other),
        "times": options.times,
        "seconds": options.seconds,
        "n": len(over.good) + len(over.refused),
        "connections": options.connections,
        "seed": options.seed,
        "machine": machine(),
    }


def show(figures: dict[str, Any]) -> None:
    """A table for people."""
    table = Table("", "half of capacity", f"{figures['times']:g} × capacity", title=f"capacity {figures['capacity']:,.0f} decisions/s")
    for share in ("p50", "p99"):
        table.add_row(f"answered, {share}", f"{figures[f'half_{share}_ms']} ms", f"{figures[f'over_{share}_ms']} ms")
    table.add_row("refused, p99", "", f"{figures['refused_p99_ms']} ms")
    table.add_row("refused within 10 ms", "", f"{figures['refused_within_10_ms']:.1%}")
    table.add_row("answered, of capacity", "", f"{figures['goodput_share']:.0%}")
    Console().print(table)


def _spread(taken: list[int]) -> Spread:
    return spread(taken or [0])


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0] or 0)


def _request(server: Server, body: bytes) -> bytes:
    key = f"authorization: Bearer {server.key}\r\n" if server.key else ""
    head = f"POST {PATH} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{key}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    main()
