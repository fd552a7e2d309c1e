"""The store: what it says is stored is stored, each decision for itself, and it says soon when it cannot."""

import asyncio
import contextlib
import datetime
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from app.record import DecisionRecord, Ids, RowRefused, Store, StoreBusy, StoreUnavailable
from app.record.store import engine_of, writing

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)


def record(name: str | int, case: Any = b"{}") -> DecisionRecord:
    return DecisionRecord(str(name), NOW.isoformat(), "sha256:0", "1.0.0", case, b"answer")


def using(file: Path, work: Callable[[Store], Awaitable[Any]], **options: Any) -> Any:
    """Do something with an open store, and close it."""

    async def run() -> Any:
        store = Store(file, **{"deadline": 30, **options})
        await store.open()
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def stored(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    try:
        return [name for (name,) in connection.execute("SELECT id FROM decision ORDER BY id")]
    finally:
        connection.close()


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Nobody else writes meanwhile."""
    engine = engine_of(file)
    with writing(engine):
        yield
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wanliu.db"


@pytest.mark.unit
class TestStore:
    def test_what_is_stored_reads_back(self, file: Path) -> None:
        """A decision comes back as it was, now and after a restart; another id gives none."""

        async def work(store: Store) -> Any:
            await store.record(record("a", case=b'{"x": 1}'))
            return await store.get("a"), await store.get("b")

        assert using(file, work) == (record("a", case=b'{"x": 1}'), None)
        assert using(file, lambda store: store.get("a")) == record("a", case=b'{"x": 1}')

    def test_it_is_stored_when_it_returns(self, file: Path) -> None:
        """Another connection sees a decision as soon as `record` returns."""

        async def work(store: Store) -> list[str]:
            await store.record(record("a"))
            return stored(file)

        assert using(file, work) == ["a"]

    def test_many_share_a_commit(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What queues up while one commit runs goes into the next, in far fewer commits than decisions."""
        commits: list[int] = []
        original = Store._tell

        def counted(self: Store, batch: Any, outcomes: Any) -> None:
            commits.append(len(batch))
            original(self, batch, outcomes)

        monkeypatch.setattr(Store, "_tell", counted)

        async def work(store: Store) -> None:
            await asyncio.gather(*(store.record(record(f"{n:04}")) for n in range(1_500)))

        using(file, work)
        assert len(stored(file)) == sum(commits) == 1_500
        assert max(commits) <= 512
        assert len(commits) < 150

    def test_a_bad_one_does_not_fail_its_neighbours(self, file: Path) -> None:
        """Of decisions that share a commit, those that cannot be stored are told so and the others are stored."""

        async def work(store: Store) -> Any:
            rows = [record("a"), record("a"), record("b"), record("c", case=10**30), record("d", case=object()), record("e")]
            return await asyncio.gather(*map(store.record, rows), return_exceptions=True)

        outcomes = using(file, work)
        assert [type(outcome) for outcome in outcomes] == [type(None), RowRefused, type(None), RowRefused, RowRefused, type(None)]
        assert stored(file) == ["a", "b", "e"]
        assert "object" not in str(outcomes[4])

    def test_it_says_when_the_queue_is_full(self, file: Path) -> None:
        """With the disk stuck, what exceeds the queue is refused at once, and what waited is stored when the disk is back."""

        async def work(store: Store) -> list[Any]:
            with locked(file):
                first = asyncio.ensure_future(store.record(record("first")))
                await asyncio.sleep(0)
                while not store._queue.empty():  # noqa: ASYNC110 - it is the writer's thread that takes it
                    await asyncio.sleep(0.001)
                waiting = [asyncio.ensure_future(store.record(record(n))) for n in range(3)]
                await asyncio.sleep(0)
                with pytest.raises(StoreBusy):
                    await store.record(record("late"))
            return await asyncio.gather(first, *waiting)

        assert using(file, work, longest_queue=3) == [None] * 4
        assert stored(file) == ["0", "1", "2", "first"]

    def test_it_says_when_it_takes_too_long(self, file: Path) -> None:
        """With the disk stuck, a caller waits no longer than the deadline; a decision whose caller has gone is not stored later."""

        async def work(store: Store) -> float:
            with locked(file):
                taken = asyncio.ensure_future(store.record(record("taken")))
                await asyncio.sleep(0.02)
                started = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await store.record(record("waiting"))
                waited = time.monotonic() - started
                with pytest.raises(StoreUnavailable):
                    await taken
            store._deadline = 30
            await store.record(record("after"))
            return waited

        assert using(file, work, deadline=0.1) < 2
        assert "after" in stored(file)
        assert "waiting" not in stored(file)

    def test_a_busy_process_is_no_slow_store(self, file: Path) -> None:
        """What was stored within the deadline is stored, also where the event loop was too busy to hear of it before the deadline."""

        async def work(store: Store) -> None:
            call = asyncio.ensure_future(store.record(record("a")))
            await asyncio.sleep(0)
            give_up = time.monotonic() + 20
            while not stored(file) and time.monotonic() < give_up:
                time.sleep(0.01)  # noqa: ASYNC251 - a long decision, say
            time.sleep(0.3)  # noqa: ASYNC251
            await call

        using(file, work, deadline=0.2)

    def test_a_caller_that_goes_away_does_not_undo_a_commit(self, file: Path) -> None:
        """Cancelling one of several callers leaves the others' decisions stored."""

        async def work(store: Store) -> None:
            calls = [asyncio.ensure_future(store.record(record(n))) for n in range(20)]
            await asyncio.sleep(0)
            calls[0].cancel()
            await asyncio.gather(*calls[1:])

        using(file, work)
        assert set(stored(file)) >= {str(n) for n in range(1, 20)}

    def test_closed_is_closed(self, file: Path) -> None:
        """After `close` nothing is taken, and closing again does nothing."""

        async def work(store: Store) -> None:
            await store.check()
            await store.close()
            with pytest.raises(StoreUnavailable, match="not open"):
                await store.record(record("a"))
            with pytest.raises(StoreUnavailable, match="not open"):
                await store.check()

        using(file, work)

    def test_a_store_that_breaks_says_so_and_goes_on_when_mended(self, file: Path) -> None:
        """An error of the database fails the commit, not the writer."""

        async def work(store: Store) -> None:
            connection = sqlite3.connect(file)
            connection.execute("ALTER TABLE decision RENAME TO gone")
            with pytest.raises(StoreUnavailable, match="no such table"):
                await store.record(record("a"))
            with pytest.raises(StoreUnavailable):
                await store.get("a")
            connection.execute("ALTER TABLE gone RENAME TO decision")
            connection.close()
            await store.record(record("b"))

        using(file, work)
        assert stored(file) == ["b"]

    @pytest.mark.parametrize("replaced", [False, True])
    def test_a_file_that_is_gone_takes_nothing(self, file: Path, replaced: bool) -> None:
        """After the file was deleted or replaced under the service nothing is called stored or ready; put back, it goes on."""
        away = file.with_name("away.db")

        def take_away() -> None:
            file.rename(away)
            if replaced:
                file.write_bytes(away.read_bytes())

        async def work(store: Store) -> None:
            await store.record(record("a"))
            take_away()
            for call in (store.record(record("b")), store.get("a"), store.check()):
                with pytest.raises(StoreUnavailable, match="deleted or replaced"):
                    await call
            away.replace(file)
            await store.check()
            await store.record(record("c"))

        using(file, work)
        assert stored(file) == ["a", "c"]

    def test_it_is_not_ready_while_commits_fail(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a commit that failed the store is ready when it can be written again, not before."""
        monkeypatch.setattr("app.record.store._BUSY_SECONDS", 0.1)

        async def work(store: Store) -> None:
            limit = sqlite3.connect(file, isolation_level=None)
            limit.execute("ALTER TABLE decision RENAME TO gone")
            with pytest.raises(StoreUnavailable):
                await store.record(record("b"))
            limit.execute("ALTER TABLE gone RENAME TO decision")
            limit.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="cannot be written"):
                await store.check()
            limit.execute("COMMIT")
            limit.close()
            await store.check()
            await store.record(record("c"))

        using(file, work)
        assert stored(file) == ["c"]

    def test_a_file_may_have_any_name(self, tmp_path: Path) -> None:
        """What would mean something in a URL is part of the name."""
        file = tmp_path / "a b?c=d#e%20.db"
        using(file, lambda store: store.record(record("a")))
        assert stored(file) == ["a"]

    @pytest.mark.parametrize("kind", ["folder", "no folder", "no database"])
    def test_what_is_no_store_is_refused(self, tmp_path: Path, kind: str) -> None:
        """A path that cannot be opened, or a file of another kind, is told when opening."""
        file = {"folder": tmp_path, "no folder": tmp_path / "a" / "b.db", "no database": tmp_path / "text.db"}[kind]
        if kind == "no database":
            file.write_bytes(b"hello" * 1_000)

        async def run() -> None:
            store = Store(file)
            with pytest.raises(StoreUnavailable, match="cannot be opened"):
                await store.open()
            await store.close()

        asyncio.run(run())

    def test_every_commit_is_synced(self, file: Path) -> None:
        """The write-ahead log is synced at each commit."""
        engine = engine_of(file)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        engine.dispose()

    def test_migrations_make_the_tables_of_the_code(self, file: Path) -> None:
        """From empty, migrations lead to what the rows say; running them again does nothing."""
        using(file, lambda store: store.check())
        using(file, lambda store: store.check())
        engine = engine_of(file)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, SQLModel.metadata) == []
        engine.dispose()

    def test_two_processes_may_start_at_once(self, file: Path) -> None:
        """Two that find an empty store make its tables once."""

        async def both() -> None:
            stores = [Store(file, deadline=30) for _ in range(3)]
            await asyncio.gather(*(store.open() for store in stores))
            await asyncio.gather(*(store.record(record(n)) for n, store in enumerate(stores)))
            await asyncio.gather(*(store.close() for store in stores))

        asyncio.run(both())
        assert stored(file) == ["0", "1", "2"]


@pytest.mark.unit
class TestIds:
    def test_they_are_uuids_of_version_7(self) -> None:
        """Version, variant and milliseconds are where RFC 9562 puts them."""
        made = Ids().new(NOW)
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
        assert made.int >> 80 == int(NOW.timestamp() * 1000)

    def test_they_only_grow(self) -> None:
        """Within a millisecond, and when the clock steps back, ids still grow."""
        ids = Ids()
        times = [NOW] * 3_000 + [NOW - datetime.timedelta(seconds=5)] * 100 + [NOW + datetime.timedelta(milliseconds=1)]
        made = [ids.new(time) for time in times]
        assert made == sorted(set(made))
        assert all(one.version == 7 for one in made)

    def test_they_cannot_be_guessed(self) -> None:
        """Two series for the same millisecond differ."""
        assert Ids().new(NOW) != Ids().new(NOW)


WRITER = """
import asyncio, sys
from pathlib import Path
from app.record import DecisionRecord, Ids, Store

async def caller(store, name):
    for number in range(100_000):
        await store.record(DecisionRecord(f"{name}-{number}", "", "", "", b"{}", b"{}"))
        sys.stdout.write(f"{name}-{number}\\n")

async def main():
    store = Store(Path(sys.argv[1]), deadline=30)
    await store.open()
    await asyncio.gather(*(caller(store, name) for name in "abcdefgh"))

asyncio.run(main())
"""


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.2])
def test_a_kill_loses_nothing_acknowledged(file: Path, seconds: float) -> None:
    """Everything a process said was stored is there after kill -9, and the store opens again."""
    with subprocess.Popen([sys.executable, "-u", "-c", WRITER, str(file)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        said = [line for line in (first + process.stdout.read()).splitlines(keepends=True) if line.endswith(b"\n")]
    acknowledged = {line.decode().strip() for line in said}
    assert len(acknowledged) > 8
    using(file, lambda store: store.check())
    assert acknowledged <= set(stored(file))
