"""Writing: what is said to be stored is stored, each entry for itself and once, and it is said soon when it cannot be."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow, Written
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.privacy import commitment_of, lookup_of, open_private, unwrap
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.problems import KeyReused, RowRefused, StoreBusy, StoreUnavailable
from app.record.store.record import Record
from app.record.store.subjects import subjects_of
from app.record.store.tables import ContactRow, EntryRow, IdempotencyRow, SubjectRow, UnsealedRow
from tests.databases import using

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
ids = Ids()

Work = Callable[[Record], Awaitable[Any]]


def entry(**changes: Any) -> NewEntry:
    told: dict[str, Any] = {"kind": "decision", "at": NOW, "body": {"caller": "desk"}, **changes}
    return NewEntry(**{"id": ids.new(NOW), **told})


def keyed(body: bytes = b"body", key: str = "k", expires: datetime.datetime = NOW + HOUR, **changes: Any) -> NewEntry:
    return entry(idempotency=Idempotency("desk", key, body, expires), **changes)


def row(contact: str, **changes: Any) -> NewRow:
    values = {"id": contact, "subject": SUBJECT, "at": "2026", "decision_id": "d", "result": "shown", **changes}
    return NewRow("contact", values)


@pytest.fixture
def using_record(database_url: str, keys: Keys) -> Callable[..., Any]:
    """Does something with an open record, and closes it; on both databases."""
    return _user(database_url, keys)


@pytest.fixture
def using_sqlite(sqlite_url: str, keys: Keys) -> Callable[..., Any]:
    return _user(sqlite_url, keys)


def _user(url: str, keys: Keys) -> Callable[..., Any]:
    def use(*works: Work, **options: Any) -> Any:
        async def run() -> Any:
            records = [Record(Database(url), keys, **{"deadline": 30, "clock": lambda: NOW, **options}) for _ in works]
            try:
                for record in records:
                    await record.open()
                found = await asyncio.gather(*(work(record) for work, record in zip(works, records, strict=True)))
                return found[0] if len(found) == 1 else found
            finally:
                for record in records:
                    await record.close()

        return asyncio.run(run())

    return use


@pytest.fixture
def stored(database_url: str) -> Callable[..., Any]:
    """All rows of a table, as another process sees them."""

    def rows(table: Any, *order: Any) -> list[Any]:
        with using(database_url) as database, database.reading() as connection:
            return list(connection.execute(select(table).order_by(*order)))

    return rows


@contextlib.contextmanager
def locked(database: Database) -> Iterator[None]:
    """Nobody else writes entries meanwhile."""
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("LOCK TABLE entry IN EXCLUSIVE MODE"))
        yield


async def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.002)


async def until_stored(record: Record, given: NewEntry) -> Written:
    while True:
        try:
            return await record.write(given)
        except StoreUnavailable:
            await asyncio.sleep(0.02)


def failing(monkeypatch: pytest.MonkeyPatch, times: int, *, happened: bool) -> list[int]:
    """The connection breaks while it commits, so many times; the commit has happened then, or not."""
    left, original = [times], Committer._finish

    def finish(self: Committer, connection: Any) -> None:
        if left[0] > 0:
            left[0] -= 1
            if happened:
                original(self, connection)
            connection.invalidate()
            raise OperationalError("COMMIT", None, ConnectionError("the connection broke"))
        original(self, connection)

    monkeypatch.setattr(Committer, "_finish", finish)
    return left


class TestWriting:
    def test_an_entry_is_stored_when_it_returns(self, using_record: Any, stored: Any) -> None:
        """Another connection sees the entry, and that it waits for its leaf, as soon as `write` returns."""
        given = entry(tally={"day": "2026-11-22", "pack": "sha256:0", "counts": []})

        async def work(record: Record) -> Any:
            assert await record.write(given) == Written(given.id)
            return stored(EntryRow), stored(UnsealedRow)

        [found], [waiting] = using_record(work)
        assert (found.id, found.kind, found.at, found.subject, found.private) == (
            given.id,
            "decision",
            "2026-11-22T02:00:00.000000+00:00",
            None,
            None,
        )
        assert (waiting.entry_id, orjson.loads(waiting.tally)["counts"]) == (given.id, [])

    def test_the_envelope_tells_no_more_than_codes(self, using_record: Any, stored: Any, keys: Keys) -> None:
        """It has the token, a hash of what is private and a commitment to the case; the private part opens with the subject's key only."""
        given = entry(subscriber="s-1001", private={"case": {"phone": "13900000000"}, "answer": "你好"})
        using_record(lambda record: record.write(given))
        [found], [subject] = stored(EntryRow), stored(SubjectRow)
        envelope = orjson.loads(found.envelope)
        opened = open_private(unwrap(keys, subject.wrapped_key, subject.wrapped_with), found.private, given.id.encode())
        assert (subject.lookup, subject.token, found.subject) == (lookup_of(keys, "s-1001"), envelope["subject"], subject.token)
        assert (envelope["private"], envelope["commitment"]) == (f"sha256:{sha256(found.private).hexdigest()}", commitment_of(opened))
        assert (opened["case"], opened["answer"]) == ({"phone": "13900000000"}, "你好")
        assert (envelope["v"], envelope["id"], envelope["body"], envelope["sequence"]) == (1, given.id, {"caller": "desk"}, 1)
        assert not any(word in bytes(found.envelope) for word in (b"s-1001", b"13900000000"))

    def test_a_subscriber_has_one_token(self, using_record: Any, stored: Any) -> None:
        """Entries about one subscriber, in one commit, later ones and those of another process, have one token; another one has another."""

        async def work(record: Record) -> None:
            for _ in range(2):
                await asyncio.gather(*(record.write(entry(subscriber=name)) for name in ("a", "b", "a", "c")))

        using_record(work, work)
        assert len(stored(SubjectRow)) == 3
        assert sorted([found.subject for found in stored(EntryRow)].count(subject.token) for subject in stored(SubjectRow)) == [4, 4, 8]

    def test_rows_beside_it_are_stored_with_it(self, using_record: Any, stored: Any) -> None:
        """Rows of other tables get the token; the last word of two about one contact counts."""
        shown = row("c-1")
        accepted = NewRow("contact", {**shown.values, "result": "accepted"}, replacing=("result",))
        again = NewRow("contact", {**shown.values, "result": "again"}, replacing=())
        using_record(lambda record: record.write(entry(subscriber="a", rows=(shown, accepted, again))))
        assert [(found.subject, found.result) for found in stored(ContactRow)] == [(stored(SubjectRow)[0].token, "accepted")]

    def test_an_erased_subject_keeps_the_token_and_nothing_else(self, using_record: Any, stored: Any) -> None:
        """An entry may name the token of somebody who was erased; what is private is refused then."""

        async def work(record: Record) -> Any:
            entries = [entry(token="gone"), entry(token="gone", private={"note": "x"}), entry(private={"note": "x"})]
            return await asyncio.gather(*map(record.write, entries), return_exceptions=True)

        kept, erased, nobody = using_record(work)
        assert isinstance(kept, Written)
        assert [found.subject for found in stored(EntryRow)] == ["gone"]
        with pytest.raises(RowRefused, match="private: the subject was erased"):
            raise erased
        with pytest.raises(RowRefused, match="private: only an entry about a subject"):
            raise nobody

    def test_a_token_finds_the_key(self, using_record: Any, stored: Any, keys: Keys) -> None:
        """What is private about a known token is readable with the key of that subject."""

        async def work(record: Record) -> str:
            await record.write(entry(subscriber="a"))
            token = await record.read(lambda connection: connection.execute(select(col(SubjectRow.token))).scalar_one())
            return (await record.write(entry(token=token, private={"note": "x"}))).entry_id

        given = using_record(work)
        [subject] = stored(SubjectRow)
        [found] = [found for found in stored(EntryRow) if found.id == given]
        assert open_private(unwrap(keys, subject.wrapped_key, subject.wrapped_with), found.private, given.encode())["note"] == "x"


class TestGrouping:
    def test_many_share_a_commit(self, using_record: Any, stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """What queues up while one commit runs goes into the next, at most 512, in far fewer commits than entries."""
        commits: list[int] = []
        original = Committer.commit
        monkeypatch.setattr(Committer, "commit", lambda self, entries: (commits.append(len(entries)), original(self, entries))[1])

        async def work(record: Record) -> None:
            await asyncio.gather(*(record.write(entry(subscriber=f"s-{n % 700}")) for n in range(1_500)))

        using_record(work)
        assert len(stored(EntryRow)) == sum(commits) == 1_500
        assert max(commits) <= 512
        assert len(commits) < 150

    def test_a_writers_entries_are_counted_without_a_gap(self, using_record: Any, stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each writer numbers what it stored 1, 2, 3 …, whatever was refused, repeated or failed in between."""
        failing(monkeypatch, 2, happened=False)

        async def work(record: Record) -> None:
            for _ in range(3):
                given = [entry(), entry(body={"x": object()}), keyed(), keyed(), entry(rows=(NewRow("nothing", {}),)), entry()]
                await asyncio.gather(*(until_stored(record, one) for one in given), return_exceptions=True)

        using_record(work, work)
        numbers: dict[str, list[int]] = {}
        for found in stored(EntryRow):
            envelope = orjson.loads(found.envelope)
            numbers.setdefault(envelope["writer"], []).append(envelope["sequence"])
        assert len(numbers) == 2
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())
        assert sum(map(len, numbers.values())) == 13

    def test_a_bad_one_does_not_fail_its_neighbours(self, using_record: Any, stored: Any) -> None:
        """Of entries that share a commit, those that cannot be stored are told so, without what stood in them; the others are stored."""
        good = [entry(subscriber="a", rows=(row("c-1"),)) for _ in range(2)]
        bad = {
            "twice": entry(id=good[0].id),
            "no JSON": entry(body={"secret": object()}),
            "NUL": entry(kind="a\0b"),
            "too large": entry(body={"secret": 2**60}),
            "half a pair": entry(subscriber="a", private={"case": {"secret": "\ud800"}}),
            "no table": entry(rows=(NewRow("nothing", {}),)),
            "no subject": entry(rows=(row("c-2"),)),
            "wrong type": entry(subscriber="a", rows=(row("c-3", decision_id=object()),)),
        }
        fine = [good[0], *bad.values(), entry(), entry()]

        async def work(record: Record) -> Any:
            await record.write(entry())
            return await asyncio.gather(*map(record.write, fine), return_exceptions=True)

        outcomes = using_record(work)
        told = {name: outcome for name, outcome in zip(bad, outcomes[1:-2], strict=True) if not isinstance(outcome, RowRefused)}
        assert told in ({}, {"NUL": Written(bad["NUL"].id)})  # SQLite stores what PostgreSQL has no text for
        assert [outcomes[0], *outcomes[-2:]] == [Written(fine[0].id), Written(fine[-2].id), Written(fine[-1].id)]
        assert len(stored(EntryRow)) == 4 + len(told)
        assert "secret" not in str(outcomes)

    def test_a_caller_that_goes_away_does_not_undo_a_commit(self, using_record: Any, stored: Any) -> None:
        """Cancelling one of several callers leaves the others' entries stored."""
        given = [entry() for _ in range(20)]

        async def work(record: Record) -> None:
            calls = [asyncio.ensure_future(record.write(one)) for one in given]
            await asyncio.sleep(0)
            calls[0].cancel()
            await asyncio.gather(*calls[1:])

        using_record(work)
        assert {found.id for found in stored(EntryRow)} >= {one.id for one in given[1:]}

    def test_it_says_when_the_queue_is_full(self, using_record: Any, stored: Any) -> None:
        """With the store stuck, what exceeds the queue is refused at once, and what waited is stored when the store goes on."""

        async def work(record: Record) -> list[Any]:
            with locked(record.database):
                first = asyncio.ensure_future(record.write(entry()))
                await asyncio.sleep(0)
                await until(record._writer._queue.empty)
                waiting = [asyncio.ensure_future(record.write(entry())) for _ in range(3)]
                await asyncio.sleep(0)
                with pytest.raises(StoreBusy):
                    await record.write(entry())
            return await asyncio.gather(first, *waiting)

        assert len(using_record(work, longest_queue=3)) == len(stored(EntryRow)) == 4

    def test_it_says_when_it_takes_too_long(self, using_record: Any, stored: Any) -> None:
        """With the store stuck, a caller waits no longer than the deadline; an entry whose caller has gone is not stored later."""
        waiting, after = entry(), entry()

        async def work(record: Record) -> float:
            with locked(record.database):
                taken = asyncio.ensure_future(record.write(entry()))
                await asyncio.sleep(0.02)
                started = time.monotonic()
                with pytest.raises(StoreUnavailable, match="not stored in time"):
                    await record.write(waiting)
                waited = time.monotonic() - started
                with pytest.raises(StoreUnavailable):
                    await taken
            record.deadline = 30
            await record.write(after)
            return waited

        assert using_record(work, deadline=0.1) < 2
        found = {found.id for found in stored(EntryRow)}
        assert after.id in found
        assert waiting.id not in found

    def test_a_busy_process_is_no_slow_store(self, using_record: Any, stored: Any) -> None:
        """What was stored within the deadline is stored, also where the event loop was too busy to hear of it before the deadline."""

        async def work(record: Record) -> None:
            call = asyncio.ensure_future(record.write(entry()))
            await asyncio.sleep(0)
            give_up = time.monotonic() + 20
            while not stored(EntryRow) and time.monotonic() < give_up:
                time.sleep(0.01)  # noqa: ASYNC251 - a long decision, say
            time.sleep(0.5)  # noqa: ASYNC251
            await call

        using_record(work, deadline=0.4)

    def test_closing_stores_what_waits(self, using_record: Any, stored: Any) -> None:
        """What was in the queue when the record was closed is stored; after that nothing is taken, and closing again does nothing."""

        async def work(record: Record) -> None:
            calls = [asyncio.ensure_future(record.write(entry())) for _ in range(50)]
            await asyncio.sleep(0)
            await record.close()
            await asyncio.gather(*calls)
            for call in (record.write(entry()), record.check(), record.read(lambda connection: None)):
                with pytest.raises(StoreUnavailable, match="not open"):
                    await call

        using_record(work)
        assert len(stored(EntryRow)) == 50


class TestRepeating:
    def test_the_same_request_is_the_same_entry(self, using_record: Any, stored: Any) -> None:
        """Key and body used before give the first entry's id, also within one commit; nothing more is stored."""
        first, second, third = keyed(), keyed(), keyed()

        async def work(record: Record) -> Any:
            together = await asyncio.gather(record.write(first), record.write(second))
            return [*together, await record.write(third)]

        assert using_record(work) == [Written(first.id), Written(first.id, repeated=True), Written(first.id, repeated=True)]
        assert [found.id for found in stored(EntryRow)] == [first.id]

    def test_another_request_under_the_same_key_is_refused(self, using_record: Any, stored: Any) -> None:
        """The key with another body is refused, within one commit and later; another caller's key is another key."""
        first = keyed(subscriber="a")
        other = entry(idempotency=Idempotency("app", "k", b"other", NOW + HOUR))

        async def work(record: Record) -> Any:
            together = await asyncio.gather(record.write(first), record.write(keyed(b"other")), return_exceptions=True)
            return [*together, *await asyncio.gather(record.write(keyed(b"other")), record.write(other), return_exceptions=True)]

        outcomes = using_record(work)
        assert [type(outcome) for outcome in outcomes] == [Written, KeyReused, KeyReused, Written]
        assert {found.id for found in stored(EntryRow)} == {first.id, other.id}
        tokens = {found.caller: found.subject for found in stored(IdempotencyRow)}
        assert tokens == {"desk": stored(SubjectRow)[0].token, "app": None}

    def test_a_key_may_be_used_again_when_it_has_expired(self, using_record: Any, stored: Any) -> None:
        """After its time a key is new."""
        first, second = keyed(), keyed(b"other", expires=NOW + 2 * HOUR)

        clock = {"now": NOW}

        async def later(record: Record) -> Any:
            found = [await record.write(first)]
            clock["now"] += HOUR
            return [*found, await record.write(second), await record.write(keyed(b"other"))]

        outcomes = using_record(later, clock=lambda: clock["now"])
        assert outcomes == [Written(first.id), Written(second.id), Written(second.id, repeated=True)]
        assert [(found.entry_id, bytes(found.body_hash)) for found in stored(IdempotencyRow)] == [(second.id, b"other")]

    def test_a_refused_entry_does_not_take_the_key(self, using_record: Any, stored: Any) -> None:
        """A key whose entry was refused is free for the next try."""
        second = keyed()

        async def work(record: Record) -> Any:
            with pytest.raises(RowRefused):
                await record.write(keyed(rows=(NewRow("nothing", {}),)))
            return await record.write(second)

        assert using_record(work) == Written(second.id)

    def test_processes_that_race_for_a_key_agree(self, using_record: Any, stored: Any) -> None:
        """Of many processes that use one key at once, one stores its entry and the others get its id."""

        async def work(record: Record) -> list[Written]:
            return [await record.write(keyed(key=f"k-{number}", subscriber="a")) for number in range(30)]

        several = using_record(work, work, work)
        for together in zip(*several, strict=True):
            assert len({written.entry_id for written in together}) == 1
            assert sorted(written.repeated for written in together) == [False, True, True]
        assert len(stored(EntryRow)) == len(stored(IdempotencyRow)) == 30


class TestUnknownCommits:
    @pytest.mark.parametrize("happened", [True, False])
    def test_a_commit_that_broke_is_looked_for(
        self, using_record: Any, stored: Any, monkeypatch: pytest.MonkeyPatch, happened: bool
    ) -> None:
        """The connection broke during a commit: whether it had happened or not, its entries are stored once and their callers told."""
        failing(monkeypatch, 1, happened=happened)
        given = [entry(subscriber="a"), keyed(), keyed(b"other")]

        async def work(record: Record) -> Any:
            outcomes = await asyncio.gather(*map(record.write, given), return_exceptions=True)
            return [*outcomes, await record.write(keyed()), await record.write(entry())]

        outcomes = using_record(work)
        assert outcomes[:2] == [Written(given[0].id), Written(given[1].id)]
        assert isinstance(outcomes[2], KeyReused)
        assert outcomes[3] == Written(given[1].id, repeated=True)
        assert {found.id for found in stored(EntryRow)} == {given[0].id, given[1].id, outcomes[4].entry_id}
        assert sorted(orjson.loads(found.envelope)["sequence"] for found in stored(EntryRow)) == [1, 2, 3]

    @pytest.mark.parametrize("happened", [True, False])
    def test_a_command_looks_too(self, using_record: Any, stored: Any, monkeypatch: pytest.MonkeyPatch, happened: bool) -> None:
        """`write_now` stores its entry once, whatever became of the first commit."""
        failing(monkeypatch, 1, happened=happened)
        given = entry()

        async def work(record: Record) -> Any:
            return await asyncio.to_thread(record.write_now, given)

        assert using_record(work) == Written(given.id)
        assert len(stored(EntryRow)) == 1

    def test_who_cannot_be_told_in_time_is_told_so(self, using_record: Any, stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """While the store cannot be asked, a caller waits no longer than the deadline; the same key gives the same entry afterwards."""
        failing(monkeypatch, 1, happened=True)
        given = keyed()

        async def work(record: Record) -> Any:
            original = record._committer._settle
            monkeypatch.setattr(record._committer, "_settle", lambda: _unable() if record._committer.in_doubt else None)
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await record.write(given)
            assert time.monotonic() - started < 5
            with pytest.raises(StoreUnavailable, match="gone"):
                await record.check()
            monkeypatch.setattr(record._committer, "_settle", original)
            await until(lambda: record._writer._down is None)
            record.deadline = 30
            return await record.write(keyed())

        assert using_record(work, deadline=0.2) == Written(given.id, repeated=True)
        assert len(stored(EntryRow)) == 1

    def test_who_has_time_waits_for_the_answer(self, using_record: Any, stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """While it is not known whether a commit happened, its callers are kept, and told as soon as the store has been asked."""
        failing(monkeypatch, 1, happened=True)
        original, left = Committer._settle, [3]

        def settle(self: Committer) -> None:
            if self.in_doubt and left[0]:
                left[0] -= 1
                raise StoreUnavailable("gone")
            original(self)

        monkeypatch.setattr(Committer, "_settle", settle)
        given = entry()
        assert using_record(lambda record: record.write(given)) == Written(given.id)
        assert (len(stored(EntryRow)), left) == (1, [0])

    def test_nobody_waits_for_a_store_that_is_down(self, using_sqlite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """When a commit fails and the store is not found again, those who queued up behind it are told at once, and later ones too."""

        async def work(record: Record) -> None:
            def down(self: Committer) -> Any:
                time.sleep(0.2)
                raise StoreUnavailable("gone")

            monkeypatch.setattr(Committer, "_transaction", down)
            first = asyncio.ensure_future(record.write(entry()))
            await asyncio.sleep(0.05)
            outcomes = await asyncio.gather(first, *(record.write(entry()) for _ in range(10)), return_exceptions=True)
            assert [str(outcome) for outcome in outcomes] == ["gone"] * 11
            with pytest.raises(StoreUnavailable, match="gone"):
                await record.write(entry())

        started = time.monotonic()
        using_sqlite(work)
        assert time.monotonic() - started < 20


def _unable() -> Any:
    raise StoreUnavailable("gone")


class TestCommands:
    def test_a_command_writes_without_the_queue(self, database_url: str, keys: Keys, stored: Any) -> None:
        """`write_now` needs no event loop, gives what `write` gives, and raises what it raises."""
        record = Record(Database(database_url), keys, clock=lambda: NOW)
        record.prepare()
        first = keyed(subscriber="a")
        assert record.write_now(first) == Written(first.id)
        assert record.write_now(keyed()) == Written(first.id, repeated=True)
        with pytest.raises(KeyReused):
            record.write_now(keyed(b"other"))
        with pytest.raises(RowRefused):
            record.write_now(entry(body={"x": object()}))
        assert record.read_now(lambda connection: connection.execute(select(col(EntryRow.id))).scalar_one()) == first.id
        record.close_now()

    def test_a_command_may_change_more_at_once(self, database_url: str, keys: Keys, stored: Any) -> None:
        """What is done beside an entry is done with it or not at all."""
        record = Record(Database(database_url), keys, clock=lambda: NOW)
        record.prepare()
        record.write_now(entry(subscriber="a"))

        def fail(connection: Any, outcomes: Any) -> None:
            connection.execute(delete(SubjectRow))
            raise KeyError("x")

        with pytest.raises(KeyError):
            record.write_now(entry(), beside=fail)
        assert (len(stored(EntryRow)), len(stored(SubjectRow))) == (1, 1)
        record.write_now(entry(), beside=lambda connection, _: connection.execute(delete(SubjectRow)))
        assert (len(stored(EntryRow)), len(stored(SubjectRow))) == (2, 0)
        record.close_now()

    def test_a_command_and_the_service_share_a_record(self, using_record: Any, stored: Any) -> None:
        """Threads that write at once take turns."""

        async def work(record: Record) -> None:
            commands = [asyncio.to_thread(record.write_now, entry()) for _ in range(10)]
            await asyncio.gather(*commands, *(record.write(entry()) for _ in range(50)))

        using_record(work)
        assert len(stored(EntryRow)) == 60


class TestReading:
    def test_a_reader_sees_one_state(self, using_record: Any) -> None:
        """What is written while somebody reads is not seen by that reader."""

        async def work(record: Record) -> Any:
            between, counted = threading.Event(), threading.Event()

            def count(connection: Any) -> tuple[int, int]:
                first = len(connection.execute(select(col(EntryRow.id))).all())
                counted.set()
                between.wait(20)
                return first, len(connection.execute(select(col(EntryRow.id))).all())

            reading = asyncio.ensure_future(record.read(count, deadline=30))
            await until(counted.is_set)
            await record.write(entry())
            between.set()
            return await reading

        assert using_record(work) == (0, 0)

    def test_reading_has_a_deadline(self, using_record: Any) -> None:
        """A read that takes too long is an error, and those that nobody waits for any more are left out."""
        went_on, started = threading.Event(), []

        def slow(_: Any) -> None:
            started.append(1)
            went_on.wait(20)

        async def work(record: Record) -> None:
            for _ in range(6):
                with pytest.raises(StoreUnavailable, match="not read in time"):
                    await record.read(slow, deadline=0.05)
            with pytest.raises(StoreBusy):
                await record.read(lambda _: None)
            went_on.set()
            await until(lambda: record._readers._may_read._value == 6)  # type: ignore[attr-defined]
            assert await record.read(lambda _: "read", deadline=30) == "read"
            assert len(started) <= 4

        using_record(work, longest_queue=6)

    def test_who_goes_away_leaves_nothing_behind(self, using_record: Any) -> None:
        """How a read ends, or that it never began, is no error in the log when whoever asked has gone away."""
        went_on, told = threading.Event(), []

        def slow(_: Any) -> None:
            went_on.wait(20)
            raise KeyError

        async def work(record: Record) -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
            reading = [asyncio.ensure_future(record.read(slow, deadline=30)) for _ in range(6)]
            await until(lambda: record._readers._may_read._value == 0)  # type: ignore[attr-defined]
            for one in reading:
                one.cancel()
            await asyncio.wait(reading)
            went_on.set()
            await until(lambda: record._readers._may_read._value == 6)  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
            del one, reading
            gc.collect()

        using_record(work, longest_queue=6)
        assert told == []

    def test_a_readers_own_mistake_is_its_own(self, using_record: Any) -> None:
        """What the reading function raises comes out as it is; what the database raises does not."""

        async def work(record: Record) -> None:
            with pytest.raises(KeyError):
                await record.read(lambda _: {}["x"])
            with pytest.raises(StoreUnavailable, match=r"cannot be read: .*nothing"):
                await record.read(lambda connection: connection.execute(text("SELECT * FROM nothing")))

        using_record(work)


class TestOpening:
    def test_a_file_may_have_any_name(self, tmp_path: Path, keys: Keys) -> None:
        """What would mean something in a URL is part of the name."""

        async def work(record: Record) -> None:
            await record.write(entry())
            record.database.dispose()
            await record.write(entry())
            await record.check()

        _user(f"sqlite:///{tmp_path}/a b#e%20中.db", keys)(work)
        assert [path.name for path in tmp_path.glob("*.db")] == ["a b#e%20中.db"]

    @pytest.mark.parametrize("kind", ["folder", "no folder", "no database"])
    def test_what_is_no_store_is_refused(self, tmp_path: Path, keys: Keys, kind: str) -> None:
        """A path that cannot be opened, or a file of another kind, is told when opening."""
        file = {"folder": tmp_path, "no folder": tmp_path / "a" / "b.db", "no database": tmp_path / "text.db"}[kind]
        if kind == "no database":
            file.write_bytes(b"hello" * 1_000)
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            _user(f"sqlite:///{file}", keys)(lambda record: record.check())

    def test_several_may_open_an_empty_store_at_once(self, tmp_path: Path, keys: Keys, postgres_server: Any) -> None:
        """Those that find an empty store make its tables once."""
        for url in (f"sqlite:///{tmp_path}/new.db", postgres_server.empty()):

            async def all_at_once(url: str = url) -> None:
                records = [Record(Database(url), keys, clock=lambda: NOW, deadline=30) for _ in range(3)]
                await asyncio.gather(*(record.open() for record in records))
                await asyncio.gather(*(record.write(entry()) for record in records))
                await asyncio.gather(*(record.close() for record in records))

            asyncio.run(all_at_once())

    def test_a_new_file_may_be_opened_by_many_at_once(self, tmp_path: Path) -> None:
        """Nobody is told that it is locked: whoever comes second waits."""

        def open_it(name: str) -> None:
            opened = Database(f"sqlite:///{tmp_path}/{name}.db")
            with opened.writing():
                pass
            opened.dispose()

        with ThreadPoolExecutor(4) as threads:
            for number in range(60):
                list(threads.map(open_it, [str(number)] * 4))

    def test_every_commit_is_synced(self, database: Database) -> None:
        """SQLite syncs its write-ahead log at each commit and overwrites what is deleted; PostgreSQL waits for the disk."""
        with database.engine.connect() as connection:
            if database.is_sqlite:
                told = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "secure_delete")]
                assert told == ["wal", 2, 1]
            else:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def _erase_all(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("SET LOCAL lock_timeout = 100"))
        connection.execute(delete(SubjectRow))


class TestSubjects:
    def test_nobody_is_erased_while_they_are_written_about(self, postgres_database: Database, keys: Keys) -> None:
        """From when a subject was looked up to the end of the transaction, erasing it waits; so does looking it up while it is erased."""
        one = entry(subscriber="a")
        with postgres_database.writing() as connection:
            first = subjects_of(postgres_database, keys, connection, [one], NOW)
        with postgres_database.writing() as connection:
            known = subjects_of(postgres_database, keys, connection, [one, entry(token=first[one.id].token)], NOW)
            assert {subject.token for subject in known.values()} == {first[one.id].token}
            with pytest.raises(OperationalError, match="lock timeout"):
                _erase_all(postgres_database)

    def test_who_was_erased_is_somebody_new(self, using_record: Any, stored: Any) -> None:
        """After erasure the same subscriber gets another token, and the old one is nobody's."""

        async def work(record: Record) -> None:
            await record.write(entry(subscriber="a"))
            with record.database.writing() as connection:
                connection.execute(delete(SubjectRow))
            await record.write(entry(subscriber="a"))

        using_record(work)
        assert len({found.subject for found in stored(EntryRow)}) == 2
