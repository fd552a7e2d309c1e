"""What an entry costs, and storing them: a commit for each against one for all that wait, with 32 callers on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.record.canonical import canonical
from app.record.entries import NewEntry
from app.record.keys import Keys, new_keys
from app.record.store.committer import Committer
from app.record.store.database import Database, stamp
from app.record.store.migrate import bring_up_to_date
from app.record.store.record import Record
from bench.timing import quietest
from tests.databases import Server
from tests.faults.making import Clock, Maker

CALLERS = 32
_DEADLINE = 60.0

Figures = dict[str, Any]


def building(seed: int, rows: int) -> Figures:
    """Microseconds for the canonical bytes of an envelope, and for the whole row: envelope, encryption, commitment."""
    entries = _entries(seed, min(rows, 2_000))
    envelopes = [{"v": 1, "id": entry.id, "kind": entry.kind, "at": stamp(entry.at), "body": entry.body} for entry in entries]
    written = quietest(canonical, envelopes, 3)
    keys, clock = new_keys(Clock()()), Clock()
    with tempfile.TemporaryDirectory() as folder, _sqlite(Path(folder)) as database:
        committer = Committer(database, keys, clock)
        committer.commit(entries[:1])
        began = time.perf_counter()
        for start in range(1, len(entries), 500):
            committer.commit(entries[start : start + 500])
        taken = time.perf_counter() - began
        committer.close()
    return {
        "canonical_us": round(written.p50 * 1_000, 1),
        "envelope_bytes": round(sum(len(canonical(envelope)) for envelope in envelopes) / len(envelopes)),
        "entry_on_sqlite_us": round(taken / (len(entries) - 1) * 1e6),
    }


def commits(seed: int, rows: int, rounds: int) -> Figures:
    """Entries stored in a second by 32 callers: each with a connection and a commit of its own, and grouped by the writer."""
    with postgresql() as url:
        keys = new_keys(Clock()())
        singly, grouped = [], []
        for number in range(rounds):
            entries = _entries(seed + number, rows * 2)
            singly.append(rows / _singly(url, keys, entries[:rows]))
            grouped.append(rows / _grouped(url, keys, entries[rows:]))
    return {
        "single_per_s": round(max(singly)),
        "grouped_per_s": round(max(grouped)),
        "grouped_times_single": round(max(grouped) / max(singly), 2),
        "callers": CALLERS,
    }


def _entries(seed: int, count: int) -> list[NewEntry]:
    maker = Maker(random.Random(seed), Clock(datetime.datetime.now(datetime.UTC)), subscribers=max(count // 10, 10))
    return [maker.decision() for _ in range(count)]


def _singly(url: str, keys: Keys, entries: Sequence[NewEntry]) -> float:
    """Seconds with a commit for each entry."""
    databases = [Database(url) for _ in range(CALLERS)]
    committers = [Committer(database, keys, Clock()) for database in databases]
    for committer in committers:
        committer.probe()

    def call(number: int) -> None:
        for entry in entries[number::CALLERS]:
            committers[number].commit([entry])

    threads = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    for committer, database in zip(committers, databases, strict=True):
        committer.close()
        database.dispose()
    return taken


def _grouped(url: str, keys: Keys, entries: Sequence[NewEntry]) -> float:
    """Seconds with one writer for all callers."""

    async def run() -> float:
        record = Record(Database(url), keys, clock=Clock(), deadline=_DEADLINE)
        await record.open()

        async def call(number: int) -> None:
            for entry in entries[number::CALLERS]:
                await record.write(entry)

        began = time.perf_counter()
        await asyncio.gather(*map(call, range(CALLERS)))
        taken = time.perf_counter() - began
        await record.close()
        return taken

    return asyncio.run(run())


@contextlib.contextmanager
def _sqlite(folder: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{folder}/entries.db")
    bring_up_to_date(database)
    try:
        yield database
    finally:
        database.dispose()


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """An empty database of a server that waits for the disk, as one in use does."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "postgres")
        try:
            server.prepare()
            server.execute("ALTER SYSTEM RESET ALL", "ALTER SYSTEM SET max_connections = 300", "SELECT pg_reload_conf()")
            time.sleep(0.5)
            yield server.fresh()
        finally:
            server.remove()
