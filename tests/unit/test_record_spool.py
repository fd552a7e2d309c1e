"""The spool: entries that were answered while the store was down are on the disk, in nobody's clear text, and reach the store once."""

from __future__ import annotations

import asyncio
import datetime
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow, Written
from app.record.ids import Ids
from app.record.keys import Keys, KeysProblem, new_keys
from app.record.spool.segments import Segment, entries_in
from app.record.spool.spooled import bytes_of, entry_of
from app.record.spool.waiting import Spool
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.problems import KeyReused, RowRefused, StoreError, StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import ContactRow, EntryRow, OutcomeRow, SubjectRow
from tests.databases import using

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
ids = Ids()


def entry(key: str | None = None, asks: bytes = b"body", **changes: Any) -> NewEntry:
    asked = Idempotency("desk", key, asks, NOW + HOUR) if key else None
    told: dict[str, Any] = {"id": ids.new(NOW), "body": {"caller": "desk"}, "subscriber": "s-1001", "idempotency": asked, **changes}
    return NewEntry(kind="decision", at=NOW, **told)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def using_record(database_url: str, folder: Path, keys: Keys) -> Callable[..., Any]:
    """Does something with an open record that has a spool, and closes it."""

    def use(work: Callable[[Record], Awaitable[Any]], most_bytes: int = 1_000_000, **options: Any) -> Any:
        async def run() -> Any:
            spool = Spool(folder, keys, most_bytes=most_bytes)
            record = Record(Database(database_url), keys, **{"clock": lambda: NOW, "deadline": 20, **options}, spool=spool)
            try:
                await record.open()
                return await work(record)
            finally:
                await record.close()

        return asyncio.run(run())

    return use


@pytest.fixture
def stored(database_url: str) -> Callable[[], list[str]]:
    """The ids of the entries in the store, in the order in which they were written."""

    def found() -> list[str]:
        with using(database_url) as database, database.reading() as connection:
            rows = [orjson.loads(envelope) for (envelope,) in connection.execute(select(col(EntryRow.envelope)))]
        return [row["id"] for row in sorted(rows, key=lambda row: (row["writer"], row["sequence"]))]

    return found


class Switch:
    """Takes the store away from every record, and gives it back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.off = False
        original = Committer._transaction

        def transaction(committer: Committer) -> Any:
            if self.off:
                raise StoreUnavailable("gone")
            return original(committer)

        monkeypatch.setattr(Committer, "_transaction", transaction)


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Switch]:
    made = Switch(monkeypatch)
    yield made
    made.off = False


@pytest.fixture
def cut(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Breaks the connection at the next COMMIT, which arrives or does not, and takes the store away."""
    original = Committer._finish

    def at_next(delivered: bool) -> None:
        def finish(committer: Committer, connection: Any) -> None:
            monkeypatch.setattr(Committer, "_finish", original)
            if delivered:
                original(committer, connection)
            switch.off = True
            raise OperationalError("COMMIT", None, ConnectionError("cut"))

        monkeypatch.setattr(Committer, "_finish", finish)

    return at_next


async def drained(record: Record) -> None:
    give_up = time.monotonic() + 20
    spool = record._spool
    assert spool is not None
    while spool.holds_any:
        assert time.monotonic() < give_up
        await asyncio.sleep(0.02)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


class TestSpool:
    def test_entries_reach_the_store_when_it_is_back(self, using_record: Any, stored: Any, switch: Switch, folder: Path) -> None:
        """While the store is down callers are answered, and it is ready; when the store is back, all is there in order, and no file."""
        given_ones = [entry() for _ in range(1_100)]

        async def work(record: Record) -> None:
            switch.off = True
            for one in given_ones[:20]:
                assert await record.write(one) == Written(one.id)
            await asyncio.gather(*map(record.write, given_ones[20:]))
            await record.check()
            assert stored() == []
            switch.off = False
            await drained(record)
            await record.write(entry())

        using_record(work, most_bytes=10_000_000)
        assert stored()[:-1] == [one.id for one in given_ones]
        assert files(folder) == []

    def test_what_a_process_left_is_taken_over(self, using_record: Any, stored: Any, switch: Switch) -> None:
        """A process that ended while the store was down leaves its entries to the next one that starts; one that runs keeps its own."""
        first, second = entry(), entry()

        using_record(lambda record: _while_off(record, switch, first))
        using_record(lambda record: _while_off(record, switch, second))
        assert stored() == []
        using_record(drained)
        assert set(stored()) == {first.id, second.id}

    def test_nothing_lies_in_the_clear(self, using_record: Any, switch: Switch, folder: Path, keys: Keys) -> None:
        """Files are for their owner only and have no personal data in them; another log's keys do not open them."""
        told = entry(private={"case": {"phone": "13900000000"}}, rows=(NewRow("contact", {"id": "c-1"}),))
        using_record(lambda record: _while_off(record, switch, told))
        [file] = files(folder)
        assert file.stat().st_mode & 0o077 == 0
        assert not any(word in file.read_bytes() for word in (b"s-1001", b"13900000000", b"contact", b"decision"))
        with pytest.raises(KeysProblem):
            list(entries_in(file, new_keys(NOW)))
        [found] = entries_in(file, keys)
        assert found is not None
        assert entry_of(found) == told

    def test_it_is_bounded(self, using_record: Any, stored: Any, switch: Switch, folder: Path) -> None:
        """When the folder is full, entries are refused and the service is not ready; what was taken is kept."""

        async def work(record: Record) -> list[str]:
            switch.off = True
            outcomes = await asyncio.gather(*(record.write(entry()) for _ in range(400)), return_exceptions=True)
            with pytest.raises(StoreUnavailable, match="the spool is full"):
                await record.write(entry())
            assert sum(path.stat().st_size for path in files(folder)) < 60_000
            switch.off = False
            await drained(record)
            await record.check()
            return [outcome.entry_id for outcome in outcomes if isinstance(outcome, Written)]

        taken = using_record(work, most_bytes=50_000)
        assert 10 < len(taken) < 400
        assert set(stored()) == set(taken)

    def test_a_disk_that_fails_is_told(self, using_record: Any, stored: Any, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
        """What could not be synced is not answered; the next entry goes into a new file."""
        original, broken = os.fsync, [False]

        def fsync(opened: int) -> None:
            if broken[0]:
                raise OSError(5, "input/output error")
            original(opened)

        monkeypatch.setattr(os, "fsync", fsync)
        second = entry()

        async def work(record: Record) -> None:
            switch.off = True
            await record.write(entry())
            broken[0] = True
            with pytest.raises(StoreUnavailable, match="cannot be written: input/output error"):
                await record.write(entry())
            broken[0] = False
            await record.write(second)
            switch.off = False
            await drained(record)

        using_record(work)
        assert second.id in stored()

    def test_nobody_is_told_before_it_is_on_the_disk(self, using_record: Any, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the disk fails, so do all whose entries go to it together, and those that came meanwhile."""

        def fsync(opened: int) -> None:
            time.sleep(0.1)
            raise OSError(5, "input/output error")

        async def work(record: Record) -> Any:
            switch.off = True
            calls = [record.write(entry()) for _ in range(3)] + [_later(record.write(entry()))]
            return await asyncio.gather(*calls, return_exceptions=True)

        async def _later(call: Awaitable[Any]) -> Any:
            await asyncio.sleep(0.05)
            return await call

        monkeypatch.setattr("app.record.spool.segments.os.fsync", fsync)
        monkeypatch.setattr("app.record.spool.segments.sync_folder", lambda _: None)
        assert [type(outcome) for outcome in using_record(work)] == [StoreUnavailable] * 4

    def test_processes_share_the_folder(self, folder: Path, keys: Keys) -> None:
        """What a process that runs has spooled is its own; many that start at once get a folder each."""
        spools = [Spool(folder, keys, most_bytes=1_000_000) for _ in range(8)]

        async def work() -> None:
            await asyncio.gather(*(asyncio.to_thread(spool.open) for spool in spools))
            await asyncio.gather(*(spool.keep(entry(), 20) for spool in spools))

        asyncio.run(work())
        assert len({spool._folders.own for spool in spools}) == 8
        found = [spool.oldest() for spool in spools]
        assert [len(left.entries) for left in found if left is not None] == [1] * 8
        assert all(spool.oldest() is not None for spool in spools)
        for spool in spools:
            spool.close()

    def test_no_folder_is_told_when_opening(self, folder: Path, using_record: Any) -> None:
        """A place where no folder can be made ends the start."""
        folder.write_text("")
        with pytest.raises(StoreUnavailable, match=r"the spool .* cannot be used"):
            using_record(lambda record: record.check())

    def test_what_the_store_would_refuse_is_refused(self, using_record: Any, switch: Switch) -> None:
        """An entry that cannot be stored is not spooled."""

        async def work(record: Record) -> None:
            switch.off = True
            for wrong in (entry(body={"x": object()}), entry(body={"x": 2**60}), entry(private={"case": {"x": "\ud800"}})):
                with pytest.raises(RowRefused):
                    await record.write(wrong)

        using_record(work)


class TestKeys:
    def test_an_entry_with_a_key_is_never_spooled(self, using_record: Any, stored: Any, switch: Switch, folder: Path) -> None:
        """Whether it is a repeated one only the store can tell: while that is away its caller is told so, and the others are answered."""
        before, plain, after = entry(key="before"), entry(), entry(key="k")

        async def work(record: Record) -> list[Any]:
            await record.write(before)
            switch.off = True
            for one in (entry(key="before"), entry(key="k"), entry(key="k", asks=b"other")):
                with pytest.raises(StoreUnavailable):
                    await record.write(one)
            await record.write(plain)
            await record.check()
            switch.off = False
            await drained(record)
            with pytest.raises(KeyReused):
                await record.write(entry(key="before", asks=b"other"))
            return [await record.write(one) for one in (entry(key="before"), after, entry(key="k"))]

        assert using_record(work) == [Written(before.id, repeated=True), Written(after.id), Written(after.id, repeated=True)]
        assert set(stored()) == {before.id, plain.id, after.id}
        assert len(stored()) == 3
        assert files(folder) == []

    @pytest.mark.parametrize("delivered", [True, False])
    def test_a_commit_of_unknown_end(self, using_record: Any, stored: Any, switch: Switch, cut: Any, delivered: bool) -> None:
        """The connection breaks while it commits: the key gives that entry later if it was stored, else a new one, and only one."""
        first, second = entry(key="k"), entry(key="k")
        cut(delivered)

        async def work(record: Record) -> list[Any]:
            with pytest.raises(StoreUnavailable):
                await record.write(first)
            switch.off = False
            return [await _until_taken(record, one) for one in (second, entry(key="k"))]

        expected = first.id if delivered else second.id
        assert using_record(work, deadline=0.3) == [Written(expected, repeated=delivered), Written(expected, repeated=True)]
        assert stored() == [expected]


class TestOnce:
    """An entry whose caller waited too long, so that it was spooled, while its commit was under way."""

    def test_the_commit_happened_later(self, using_record: Any, stored: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is on record once, and the rows beside it too."""
        given_one = entry(rows=(NewRow("contact", {"id": "c-1", "subject": SUBJECT, "at": "2026", "decision_id": "d"}),))
        original = Committer.commit

        def slow(committer: Committer, entries: Any) -> Any:
            time.sleep(0.6 if entries else 0)
            return original(committer, entries)

        monkeypatch.setattr(Committer, "commit", slow)

        async def work(record: Record) -> Any:
            assert await record.write(given_one) == Written(given_one.id)
            await drained(record)
            return await record.read(lambda connection: connection.execute(select(col(ContactRow.id))).scalars().all())

        assert using_record(work, deadline=0.3) == ["c-1"]
        assert stored() == [given_one.id]
        assert files(folder) == []

    @pytest.mark.parametrize("delivered", [True, False])
    def test_the_end_of_the_commit_was_not_heard(
        self, using_record: Any, stored: Any, switch: Switch, cut: Any, folder: Path, delivered: bool
    ) -> None:
        """Whether or not it had happened, it is on record once."""
        given_one = entry()
        cut(delivered)

        async def work(record: Record) -> None:
            assert await record.write(given_one) == Written(given_one.id)
            switch.off = False
            await drained(record)

        using_record(work, deadline=0.3)
        assert stored() == [given_one.id]
        assert files(folder) == []

    def test_the_process_was_killed(
        self, using_record: Any, stored: Any, switch: Switch, folder: Path, database_url: str, keys: Keys
    ) -> None:
        """The next process that takes its entries over finds one of them in the store: it refuses none, and the others are stored."""
        given_ones = [entry() for _ in range(12)]

        async def spooling(record: Record) -> None:
            switch.off = True
            for one in given_ones:
                await record.write(one)

        using_record(spooling)
        switch.off = False
        with using(database_url) as database:
            killed = Committer(database, keys, lambda: NOW)
            killed.commit([given_ones[5]])
            killed.close()
        using_record(drained)
        assert sorted(stored()) == sorted(one.id for one in given_ones)
        assert files(folder) == []


class TestErased:
    """Who is erased while entries about them wait, on another machine, say."""

    def test_only_codes_are_kept_about_them(self, using_record: Any, stored: Any, switch: Switch, folder: Path, database_url: str) -> None:
        """An entry by their token goes on record as erasing would have left it; nothing is refused."""
        before = entry(private={"case": {}})
        contact = NewRow("contact", {"id": "c-1", "subject": SUBJECT, "at": "2026", "decision_id": "d"})

        async def spooling(record: Record) -> NewEntry:
            await record.write(before)
            token = await record.read(lambda connection: connection.execute(select(col(SubjectRow.token))).scalar_one())
            switch.off = True
            told_id = ids.new(NOW)
            outcome = {"entry_id": told_id, "decision_id": before.id, "action": "a", "outcome": "shown", "at": "2026"}
            rows = (NewRow("outcome", {**outcome, "subject": SUBJECT, "reference": "r-1"}), contact)
            told = entry(id=told_id, subscriber=None, token=token, private={"reference": "r-1"}, rows=rows)
            await record.write(told)
            return told

        told = using_record(spooling)
        switch.off = False
        with using(database_url) as database, database.writing() as connection:
            connection.execute(delete(SubjectRow))
        using_record(drained)
        assert set(stored()) == {before.id, told.id}
        assert files(folder) == []
        with using(database_url) as database, database.reading() as connection:
            assert connection.execute(select(col(EntryRow.private)).where(col(EntryRow.id) == told.id)).scalar_one() is None
            assert connection.execute(select(col(ContactRow.id))).all() == []
            assert connection.execute(select(col(OutcomeRow.subject), col(OutcomeRow.reference))).one() == (None, None)
            assert connection.execute(select(col(SubjectRow.token))).all() == []


class TestFiles:
    def test_what_is_torn_off_is_left_out(self, tmp_path: Path, keys: Keys) -> None:
        """A file that ends anywhere gives the entries that were whole by then."""
        segment = Segment(tmp_path, keys)
        contents = [bytes_of(entry()) for _ in range(3)]
        sizes = [segment.size]
        for content in contents:
            segment.append([content])
            sizes.append(segment.size)
        segment.close()
        whole = segment.path.read_bytes()
        assert len(whole) == sizes[-1]
        for cut in range(sizes[0], len(whole), 37):
            segment.path.write_bytes(whole[:cut])
            assert list(entries_in(segment.path, keys)) == contents[: sum(size <= cut for size in sizes[1:])]

    def test_what_the_store_refuses_is_kept_for_a_person(self, using_record: Any, stored: Any, switch: Switch, folder: Path) -> None:
        """It does not keep the others out; its file stays under another name."""
        wrong = entry(rows=(NewRow("no_such_table", {"id": "x"}),))
        given_ones = [entry(), wrong, entry()]

        async def spooling(record: Record) -> None:
            switch.off = True
            for one in given_ones:
                await record.write(one)

        using_record(spooling)
        switch.off = False
        using_record(drained)
        assert stored() == [given_ones[0].id, given_ones[2].id]
        assert [path.suffix for path in files(folder)] == [".refused"]

    def test_what_is_damaged_is_kept_for_a_person(self, using_record: Any, stored: Any, switch: Switch, folder: Path) -> None:
        """An entry that cannot be read does not keep the others out; its file stays under another name."""
        given_ones = [entry() for _ in range(3)]

        async def spooling(record: Record) -> None:
            switch.off = True
            for one in given_ones:
                await record.write(one)

        using_record(spooling)
        switch.off = False
        [file] = files(folder)
        content = bytearray(file.read_bytes())
        content[content.index(b"\n") + 30] ^= 1
        file.write_bytes(content)
        using_record(drained)
        assert stored() == [one.id for one in given_ones[1:]]
        assert [path.suffix for path in files(folder)] == [".refused"]


@pytest.mark.parametrize("header", [b"", b'{"version":1,"key":"QU', b"{}\n", b"\xff\n", b'{"key":"QUJD","wrapped_with":"w1"}\n'])
def test_a_file_without_its_key(header: bytes, using_record: Any, stored: Any, folder: Path) -> None:
    """A file whose first line was never whole had nothing that was acknowledged; one whose key cannot be had is kept for a person."""
    (folder / "left").mkdir(parents=True)
    (folder / "left" / "x.spool").write_bytes(header)
    using_record(drained)
    assert stored() == []
    assert [path.suffix for path in files(folder)] == ([".refused"] if b"\n" in header else [])


def test_keys_that_are_missing_are_told_when_opening(using_record: Any, folder: Path) -> None:
    """Entries that wait for keys of another time end the start: putting the keys back is the way to them."""
    (folder / "left").mkdir(parents=True)
    (folder / "left" / "x.spool").write_bytes(b'{"key":"QUJD","wrapped_with":"w0"}\n')
    with pytest.raises(StoreUnavailable, match="cannot be read: the wrapping key `w0` is not among the keys"):
        using_record(drained)


_texts = strategies.text(strategies.characters(codec="utf-8"), max_size=5)
_values = strategies.one_of(strategies.none(), _texts, strategies.integers(0, 9), strategies.binary(max_size=5), strategies.just(SUBJECT))


@pytest.mark.unit
@given(
    body=strategies.dictionaries(_texts, _texts, max_size=3),
    values=strategies.dictionaries(_texts, _values, max_size=3),
    private=strategies.none() | strategies.dictionaries(_texts, _texts, max_size=3),
    replacing=strategies.none() | strategies.lists(_texts, max_size=2).map(tuple),
)
def test_an_entry_reads_back(body: Any, values: Any, private: Any, replacing: Any) -> None:
    """Every entry is the same after it was written and read."""
    rows = (NewRow("contact", values, replacing),)
    made = NewEntry(ids.new(NOW), "outcome", NOW, body, "s", None, private, None, rows, {"counts": []})
    assert entry_of(bytes_of(made)) == made


async def _until_taken(record: Record, given_one: NewEntry) -> Written:
    """What a caller is answered who asks again and again."""
    give_up = time.monotonic() + 20
    while True:
        try:
            return await record.write(given_one)
        except StoreError:
            assert time.monotonic() < give_up
            await asyncio.sleep(0.02)


async def _while_off(record: Record, switch: Switch, given_one: NewEntry) -> None:
    switch.off = True
    try:
        await record.write(given_one)
    except StoreError:
        switch.off = False
        raise
    await record.close()
    switch.off = False
