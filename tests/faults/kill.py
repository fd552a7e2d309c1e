"""`kill -9` under load: no acknowledged decision is missing afterwards, and none is there twice.

    python tests/faults/kill.py [--kills 1000] [--clients 8] [--only sqlite|postgresql] [--seed 1]

PostgreSQL: two processes of the service write into one database. SQLite: the service, and a clerk who opens the store for each decision as
the command line does. Clients ask for decisions, each under an `Idempotency-Key` of its own, and ask again with the same key until they
are answered. One process after the other is killed while it answers, and started again; of a service the keeper, which writes, or its
worker, which answers, as it happens. At the end everything is sealed and verified.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import json
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import select  # noqa: E402 - after the path that makes a script of this folder see the project
from sqlmodel import col  # noqa: E402

from app.record.log.sealer import Sealer  # noqa: E402
from app.record.store.database import Database  # noqa: E402
from app.record.store.opening import keys_of  # noqa: E402
from app.record.store.tables import EntryRow, IdempotencyRow  # noqa: E402
from app.record.verifying import verify_log  # noqa: E402
from app.settings import Settings  # noqa: E402
from tests.databases import Server  # noqa: E402
from tests.faults.children import Child, Clerk, Service  # noqa: E402
from tests.faults.load import Load  # noqa: E402
from tests.faults.processes import ended  # noqa: E402
from tests.packs_in_force import settings_in, version, write  # noqa: E402

LONGEST_WAIT = 60.0
"""Seconds in which a process that was started must have answered something."""
STORES = ("sqlite", "postgresql")
_HEARD = 0.1
"""Seconds in which clients hear what was answered before a kill: it is not the next process's."""
_SHARE_WORKERS = 0.5
"""Of the kills of a service, those that hit a process that answers; the others hit the keeper, which writes for it."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Kills the service while it records.")
    parser.add_argument("--kills", type=int, default=1_000, help="of each store (1000)")
    parser.add_argument("--clients", type=int, default=8, help="that ask at once (8)")
    parser.add_argument("--only", choices=STORES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    found = {store: killed(store, options.kills, options.clients, options.seed) for store in STORES if options.only in (None, store)}
    total: Counter[str] = Counter()
    for store, figures in found.items():
        print(f"{store}: {json.dumps(figures)}")
        total.update({name: figures[name] for name in ("kills", "acknowledged", "lost", "doubled", "damaged")})
    print(json.dumps(dict(total)))
    sys.exit(bool(total["lost"] or total["doubled"] or total["damaged"]))


def killed(store: str, kills: int, clients: int, seed: int) -> dict[str, Any]:
    """Kill processes that write into a store so many times. What became of what they had acknowledged."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, _url(store, Path(folder)) as url:
        settings = settings_in(Path(folder), url)
        write(settings.pack, version("1.0.0"))
        keys_of(settings)
        children: list[Child] = [Service(_on_free_port(settings))]
        children.append(Clerk(settings) if store == "sqlite" else Service(_on_free_port(settings)))
        load = Load(children, clients, seed)
        asyncio.run(_kill(load, children, kills, random.Random(seed)))
        seconds = time.monotonic() - started
        figures = look(settings, load.acknowledged)
    figures["doubled"] += load.doubled
    return {"kills": kills, **figures, "repeated": load.repeated, "seconds_per_kill": round(seconds / kills, 2)}


def look(settings: Settings, acknowledged: dict[str, str]) -> dict[str, int]:
    """How much of what was acknowledged is lost, how much is there twice, and whether the log is damaged."""
    database, keys = Database(settings.database_url), keys_of(settings)
    Sealer(database, keys, _now).seal()
    with database.reading() as connection:
        rows = connection.execute(select(col(EntryRow.id), col(EntryRow.subject)).where(col(EntryRow.kind) == "decision")).all()
        held = dict(tuple(row) for row in connection.execute(select(col(IdempotencyRow.key), col(IdempotencyRow.entry_id))))
        verdict = verify_log(connection, keys, opening=True)
    database.dispose()
    decided = {row.id for row in rows}
    lost = [key for key, entry_id in acknowledged.items() if entry_id not in decided or held.get(key) != entry_id]
    of_subject = Counter(row.subject for row in rows)
    for told in (*lost, *verdict.findings):
        print(told, file=sys.stderr)
    return {
        "acknowledged": len(acknowledged),
        "recorded": len(decided),
        "lost": len(lost),
        "doubled": sum(count - 1 for count in of_subject.values()),
        "damaged": len(verdict.findings),
    }


async def _kill(load: Load, children: Sequence[Child], kills: int, dice: random.Random) -> None:
    """Kill one after the other, each while it answers, and start it again."""
    for child in children:
        child.start()
    working = asyncio.create_task(load.run())
    try:
        for number in range(kills):
            victim = children[number % len(children)]
            await _answers(victim, working)
            await asyncio.sleep(dice.random() * 0.1)
            if isinstance(victim, Service) and dice.random() < _SHARE_WORKERS:
                victim.kill_worker()
                await asyncio.sleep(_HEARD)
                victim.answered = 0
            else:
                workers = victim.workers if isinstance(victim, Service) else set()
                victim.kill()
                await asyncio.to_thread(ended, workers)
                await asyncio.sleep(_HEARD)
                victim.start()
        for child in children:
            await _answers(child, working)
        await load.finish()
        await working
    finally:
        working.cancel()
        for child in children:
            child.kill()


async def _answers(child: Child, working: asyncio.Task[None]) -> None:
    """Wait until a process has answered something since it was started."""
    give_up = time.monotonic() + LONGEST_WAIT
    while not child.answered:
        if working.done():
            await working
        if not child.is_alive() or time.monotonic() > give_up:
            raise AssertionError("a process that was started does not answer")
        await asyncio.sleep(0.005)


@contextlib.contextmanager
def _url(store: str, folder: Path) -> Iterator[str | None]:
    """A database for the run; none for a SQLite file in the folder."""
    if store == "sqlite":
        yield None
        return
    with tempfile.TemporaryDirectory() as place:
        server = Server(Path(place) / "postgres")
        try:
            server.prepare()
            yield server.fresh()
        finally:
            server.remove()


def _on_free_port(settings: Settings) -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return settings.model_copy(update={"port": free.getsockname()[1]})


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


if __name__ == "__main__":
    main()
