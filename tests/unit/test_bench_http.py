"""What the measurements of the HTTP interface rest on: reading what wrk prints, dates that move, requests sent at fixed times."""

from __future__ import annotations

import datetime
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from app.engine.intake import parse_request, take
from bench.http import live
from bench.http_load import pace, saturate
from bench.http_servers import Server
from bench.plain import ROLE, echo
from tests.pipeline import shipped
from tests.population import END, population

pytestmark = pytest.mark.unit

PRINTED = """\
Running 2s test @ http://127.0.0.1:8000
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.37ms    1.77ms  51.72ms   94.17%
    Req/Sec     3.03k   243.96     3.19k    91.36%
  Latency Distribution
     50%  980.00us
     75%    5.26ms
     90%    5.52ms
     99%    1.20s
  2000 requests in 2.00s, 6.31MB read
  Non-2xx or 3xx responses: 500
Requests/sec:   1000.00
Transfer/sec:      7.69MB
"""


@pytest.fixture
def echoing() -> Iterator[Server]:
    server = uvicorn.Server(uvicorn.Config(echo, port=0, log_config=None, access_log=False, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield Server(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", key="k")
    server.should_exit = True
    thread.join(10)


def test_only_good_answers_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What wrk prints is read with its units, and answers that were refused are taken off its rate."""
    wrk = tmp_path / "wrk"
    wrk.write_text(f"#!/bin/sh\ncat <<'END'\n{PRINTED}END\n", encoding="utf-8")
    wrk.chmod(wrk.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = saturate(Server("http://127.0.0.1:8000"), tmp_path / "bodies", tmp_path, seconds=2, connections=16)
    assert (found.per_second, found.p50, found.p99, found.failed) == (750.0, 0.98, 1200.0, 500)


def test_without_wrk_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, but the name of the package."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="wrk is not installed"):
        saturate(Server("http://127.0.0.1:8000"), tmp_path / "bodies", tmp_path, seconds=2, connections=16)


def test_a_steady_load_is_answered_in_full(echoing: Server) -> None:
    """So many requests as were to be sent are sent, and each is timed from when it was due."""
    found = pace(echoing, [b"{}", b"[1]"], per_second=500, seconds=0.4, connections=3)
    assert found.failed == 0
    assert 0 < found.latency.p50 <= found.p95 <= found.latency.p99


def test_a_request_of_another_day_is_about_today() -> None:
    """Moved by a year, a case of the population is a live request of that day, and its events are as old as before."""
    days = datetime.timedelta(days=365)
    for body in population(3, 20):
        case = take(shipped(), parse_request_of(body), now=END, role=ROLE)
        moved = parse_request_of(live(case.as_json(), days))
        then = take(shipped(), moved, now=case.times.as_of + days, role=ROLE)
        ages = [[one.times.as_of - event.at for event in one.subscriber.events or ()] for one in (case, then)]
        assert ages[0] == ages[1]


def parse_request_of(body: dict[str, object]):  # type: ignore[no-untyped-def]
    import orjson

    return parse_request(orjson.dumps(body))
