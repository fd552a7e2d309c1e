"""The store fails in every way we know: callers are told in time, nothing acknowledged is lost or doubled, and it goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import event, select

from app.record.entries import Idempotency, NewEntry
from app.record.ids import Ids
from app.record.keys import Keys, text_of
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.problems import StoreError, StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import EntryRow
from tests.cutting import Proxy
from tests.databases import Server, using
from tests.faults.http_service import until

pytestmark = pytest.mark.faults

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
DEADLINE = 0.25
SLACK = 2.0
"""Seconds beyond the deadline that a crowded machine may take."""
ids = Ids()


def entry(key: str | None = None, size: int = 0) -> NewEntry:
    asked = Idempotency("desk", key, b"body", NOW + datetime.timedelta(days=1)) if key else None
    return NewEntry(
        ids.new(NOW),
        "decision",
        NOW,
        {"caller": "desk"},
        subscriber="s-1",
        private={"case": {"filler": os.urandom(size).hex()}},
        idempotency=asked,
    )


def run(url: str, keys: Keys, work: Callable[[Record], Awaitable[Any]], **options: Any) -> Any:
    async def opened() -> Any:
        record = Record(Database(url, patience=2), keys, **{"clock": lambda: NOW, "deadline": DEADLINE, **options})
        try:
            await record.open()
            return await work(record)
        finally:
            await record.close()

    return asyncio.run(opened())


def envelopes(url: str) -> list[dict[str, Any]]:
    with using(url) as database, database.reading() as connection:
        return [orjson.loads(found.envelope) for found in connection.execute(select(EntryRow))]


async def refused_in_time(record: Record, says: str | None = None, size: int = 0) -> None:
    """Writing fails within the deadline, with the kind of error that callers are told to try again after."""
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match=says):
        await record.write(entry(size=size))
    assert time.monotonic() - started < DEADLINE + SLACK


async def back(record: Record) -> str:
    """Write until it works again, without anybody doing anything; the id of the entry."""
    give_up = time.monotonic() + 30
    while True:
        try:
            return (await record.write(entry())).entry_id
        except StoreError:
            assert time.monotonic() < give_up, "it does not go on by itself"
            await asyncio.sleep(0.05)


async def once_failed(record: Record) -> None:
    """Wait until the store is known to be down."""
    while record._writer._down is None:  # noqa: ASYNC110 - it is the writer's thread that finds out
        await asyncio.sleep(0.01)


async def bounded(record: Record) -> None:
    """A flood of callers is turned away at once, and nothing is kept of them. A machine may stand still once: three tries."""
    taken = []
    for _ in range(3):
        flood = [entry() for _ in range(2_000)]
        started = time.monotonic()
        outcomes = await asyncio.gather(*map(record.write, flood), return_exceptions=True)
        taken.append(time.monotonic() - started)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert record._writer._queue.qsize() <= 512
        if taken[-1] < DEADLINE + SLACK:
            return
    pytest.fail(f"a flood was turned away within {', '.join(f'{seconds:.1f}' for seconds in taken)} s")


def no_gaps(found: list[dict[str, Any]]) -> bool:
    numbers: dict[str, list[int]] = {}
    for envelope in found:
        numbers.setdefault(envelope["writer"], []).append(envelope["sequence"])
    return all(sorted(one) == list(range(1, len(one) + 1)) for one in numbers.values())


class TestSqlite:
    def test_locked(self, sqlite_url: str, keys: Keys) -> None:
        """While another process holds the write lock callers get an error in time; when it lets go, writing goes on."""

        async def work(record: Record) -> str:
            other = sqlite3.connect(str(record.database.file), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            await refused_in_time(record)
            await refused_in_time(record)
            other.execute("COMMIT")
            other.close()
            return await back(record)

        assert run(sqlite_url, keys, work) in {found["id"] for found in envelopes(sqlite_url)}

    @pytest.mark.parametrize(("limit", "says"), [("max_page_count = 1", "full"), ("query_only = ON", "readonly")])
    def test_full_or_read_only(self, sqlite_url: str, keys: Keys, limit: str, says: str) -> None:
        """A disk that is full, or that may only be read, is told in time, is not ready, and is found out when it is mended."""

        async def work(record: Record) -> list[str]:
            first = await back(record)
            on = [True]

            @event.listens_for(record.database.engine, "connect")
            def restrict(connection: Any, _: object) -> None:
                if on[0]:
                    connection.execute(f"PRAGMA {limit}")

            record._committer.close()
            record.database.engine.pool.dispose()
            await refused_in_time(record, says, size=100_000)
            await once_failed(record)
            await bounded(record)
            with pytest.raises(StoreUnavailable, match=says):
                await record.check()
            on[0] = False
            second = await back(record)
            await record.check()
            return [first, second]

        told = run(sqlite_url, keys, work)
        assert set(told) <= {found["id"] for found in envelopes(sqlite_url)}

    @pytest.mark.parametrize("replaced", [False, True])
    def test_gone(self, sqlite_url: str, keys: Keys, replaced: bool) -> None:
        """After the file was deleted or replaced nothing is called stored, read or ready; put back, it goes on."""

        async def work(record: Record) -> list[str]:
            file = record.database.file
            assert file is not None
            away = file.with_name("away.db")
            first = await back(record)
            file.rename(away)
            if replaced:
                file.write_bytes(away.read_bytes())
            await refused_in_time(record, "deleted or replaced")
            for call in (record.read(lambda _: None), record.check()):
                with pytest.raises(StoreUnavailable, match="deleted or replaced"):
                    await call
            with pytest.raises(sqlite3.OperationalError, match="deleted or replaced"):
                record.database.engine.pool.recreate().connect()
            away.replace(file)
            second = await back(record)
            await record.check()
            return [first, second]

        told = run(sqlite_url, keys, work)
        assert set(told) <= {found["id"] for found in envelopes(sqlite_url)}

    def test_gone_meanwhile(self, sqlite_url: str, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was committed to a file that is no longer there is not called stored."""
        original = Committer._finish

        async def work(record: Record) -> None:
            file = record.database.file
            assert file is not None

            def finish(committer: Committer, connection: Any) -> None:
                original(committer, connection)
                file.rename(file.with_name("away.db"))

            monkeypatch.setattr(Committer, "_finish", finish)
            await refused_in_time(record, "deleted or replaced")

        run(sqlite_url, keys, work)

    def test_broken(self, sqlite_url: str, keys: Keys) -> None:
        """A table that is missing fails the commit, not the writer; it is not ready until the table is back."""

        async def work(record: Record) -> str:
            other = sqlite3.connect(str(record.database.file), isolation_level=None)
            other.execute("ALTER TABLE entry RENAME TO gone")
            await refused_in_time(record, "no such table")
            with pytest.raises(StoreUnavailable, match="no such table"):
                await record.check()
            other.execute("ALTER TABLE gone RENAME TO entry")
            other.close()
            return await back(record)

        run(sqlite_url, keys, work)


class TestPostgresql:
    def test_stopped_and_started(self, own_postgres_server: Server, keys: Keys) -> None:
        """While the server is stopped callers get an error in time and nothing piles up; when it is back, writing goes on."""
        url = own_postgres_server.fresh()

        async def work(record: Record) -> list[str]:
            first = await back(record)
            await asyncio.to_thread(own_postgres_server.stop)
            await refused_in_time(record)
            await once_failed(record)
            await bounded(record)
            with pytest.raises(StoreUnavailable):
                await record.check()
            await asyncio.to_thread(own_postgres_server.start)
            second = await back(record)
            await record.check()
            return [first, second]

        told = run(url, keys, work)
        assert set(told) <= {found["id"] for found in envelopes(url)}
        assert no_gaps(envelopes(url))

    def test_it_may_be_down_when_it_is_opened(self, keys: Keys, tmp_path: Path) -> None:
        """A server that is not there is told when opening, without the password."""
        url = f"postgresql://wanliu:secret@/wanliu?host={tmp_path}"
        with pytest.raises(StoreUnavailable, match="cannot be opened") as error:
            run(url, keys, lambda record: record.check())
        assert "secret" not in str(error.value)

    def test_stuck(self, postgres_url: str, keys: Keys) -> None:
        """Where a lock holds up the writer, its statement ends by itself, callers are told in time, and it goes on afterwards."""

        async def work(record: Record) -> str:
            with record.database.engine.connect() as other:
                other.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
                other.exec_driver_sql("BEGIN; LOCK TABLE entry IN ACCESS EXCLUSIVE MODE")
                await refused_in_time(record)
                await once_failed(record)
                await bounded(record)
                other.exec_driver_sql("COMMIT")
            return await back(record)

        assert run(postgres_url, keys, work) in {found["id"] for found in envelopes(postgres_url)}

    def test_read_only(self, postgres_server: Server, postgres_url: str, keys: Keys) -> None:
        """A database that may only be read, as a standby is, is told in time; when it may be written again, it goes on."""
        name = postgres_url.partition("?")[0].rpartition("/")[2]
        cut = _cutting(name)

        async def work(record: Record) -> str:
            await back(record)
            postgres_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on", cut)
            await refused_in_time(record)
            with pytest.raises(StoreUnavailable, match="read-only"):
                await record.check()
            postgres_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off", cut)
            return await back(record)

        assert run(postgres_url, keys, work) in {found["id"] for found in envelopes(postgres_url)}

    def test_connections_cut_under_load(self, postgres_server: Server, postgres_url: str, keys: Keys) -> None:
        """While an administrator ends connections again and again, callers who repeat their request get one entry each, for ever."""
        name = postgres_url.partition("?")[0].rpartition("/")[2]

        async def cut(told: dict[str, str]) -> None:
            def more_than(before: int) -> Callable[[], bool]:
                return lambda: len(told) > before

            for _ in range(15):
                await asyncio.to_thread(until, more_than(len(told)))
                await asyncio.to_thread(postgres_server.execute, _cutting(name))

        _repeating_callers(postgres_url, postgres_url, keys, cut)

    @pytest.mark.parametrize("deliver", [True, False])
    def test_connections_cut_while_committing(self, postgres_url: str, keys: Keys, deliver: bool) -> None:
        """The network breaks just after a COMMIT was sent, before it is answered, whether or not it arrives: one entry each."""
        with Proxy(postgres_url, every=3, deliver=deliver) as proxy:
            _repeating_callers(proxy.url, postgres_url, keys, lambda told: proxy.until_cut())
            assert proxy.cuts > 5


def _cutting(database: str) -> str:
    """Ends all of Wanliu's connections to a database."""
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'wanliu'"  # noqa: S608


def _repeating_callers(url: str, direct: str, keys: Keys, trouble: Callable[[dict[str, str]], Awaitable[None]]) -> None:
    """Callers who use one key for one request, and repeat it until it is answered, while there is trouble; each has its entry then.

    The trouble sees what they were told so far, by the key.
    """
    told: dict[str, str] = {}

    async def caller(record: Record, name: str, over: asyncio.Event) -> None:
        number = 0
        while not over.is_set():
            key, number = f"{name}-{number}", number + 1
            while key not in told:
                try:
                    told[key] = (await record.write(entry(key))).entry_id
                except StoreError:
                    await asyncio.sleep(0.01)

    async def work(record: Record) -> None:
        over = asyncio.Event()
        callers = [asyncio.ensure_future(caller(record, name, over)) for name in "abcdefgh"]
        await asyncio.wait_for(trouble(told), 60)
        over.set()
        await asyncio.wait_for(asyncio.gather(*callers), 60)

    run(url, keys, work)
    found = envelopes(direct)
    assert len(told) > 20
    assert {envelope["id"] for envelope in found} == set(told.values())
    assert len(found) == len(told)
    assert no_gaps(found)


WRITER = """
import asyncio, datetime, sys
from app.record.ids import Ids
from app.record.store.record import Record
from app.record.store.database import Database
from app.record.entries import NewEntry
from app.record.keys import keys_of

now = datetime.datetime.now(datetime.UTC)
ids = Ids()

async def caller(record):
    for number in range(100_000):
        entry = NewEntry(ids.new(now), "decision", now, {}, subscriber=f"s-{number}", private={"case": {}})
        sys.stdout.write((await record.write(entry)).entry_id + "\\n")

async def main():
    record = Record(Database(sys.argv[1]), keys_of(sys.argv[2], "keys"), clock=lambda: now, deadline=30)
    await record.open()
    await asyncio.gather(*(caller(record) for _ in range(8)))

asyncio.run(main())
"""


@contextlib.contextmanager
def _writing(url: str, keys: Keys) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-u", "-c", WRITER, url, text_of(keys)], stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("seconds", [0.05, 0.3])
def test_a_kill_loses_nothing_acknowledged(database_url: str, keys: Keys, seconds: float) -> None:
    """Everything that two processes said was stored is there once after kill -9, and the store opens again."""
    with _writing(database_url, keys) as first, _writing(database_url, keys) as second:
        said = b"".join(_last_words(process, seconds) for process in (first, second))
    acknowledged = {line.decode().strip() for line in said.splitlines(keepends=True) if line.endswith(b"\n")}
    run(database_url, keys, lambda record: record.check(), read_deadline=30)
    assert len(acknowledged) > 8
    assert acknowledged <= {found["id"] for found in envelopes(database_url)}
    assert no_gaps(envelopes(database_url))


def _last_words(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    return first + process.stdout.read()
