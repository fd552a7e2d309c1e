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
from sqlalchemy import select
from sqlmodel import col

from app.record import Ids, KeyReused, Record, RowRefused, StoreError, StoreUnavailable
from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow, Written
from app.record.keys import Keys, KeysProblem, new_keys
from app.record.spool.segments import Segment, entries_in
from app.record.spool.spooled import bytes_of, entry_of
from app.record.spool.waiting import Spool
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.tables import ContactRow, EntryRow
from tests.databases import using

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
ids = Ids()


def entry(key: str | None = None, asks: bytes = b"body", **changes: Any) -> NewEntry:
    asked = Idempotency("desk", key, asks, NOW + HOUR) if key else None
    told: dict[str, Any] = {"id": str(ids.new(NOW)), "body": {"caller": "desk"}, "subscriber": "s-1001", "idempotency": asked, **changes}
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
        first, second = entry(key="k"), entry()

        using_record(lambda record: _while_off(record, switch, first))
        using_record(lambda record: _while_off(record, switch, second))
        assert stored() == []

        async def next_one(record: Record) -> Any:
            again = await record.write(entry(key="k"))
            await drained(record)
            return again

        assert using_record(next_one) == Written(first.id, repeated=True)
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
                await record.write(entry(key="k"))
            broken[0] = False
            await record.write(entry(key="k", id=second.id))
            switch.off = False
            await drained(record)

        using_record(work)
        assert second.id in stored()

    def test_nobody_is_told_before_it_is_on_the_disk(self, using_record: Any, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of two requests with one key, both fail where the disk does: the second is not answered with an entry that is nowhere."""

        def fsync(opened: int) -> None:
            time.sleep(0.1)
            raise OSError(5, "input/output error")

        async def work(record: Record) -> Any:
            switch.off = True
            calls = [record.write(entry(key="k")) for _ in range(3)] + [_later(record.write(entry(key="k")))]
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
    def test_a_key_is_used_once(self, using_record: Any, stored: Any, switch: Switch) -> None:
        """The same key and body give the same entry while it is spooled and afterwards; another body is refused."""
        first = entry(key="k", rows=(NewRow("contact", {"id": "c-1", "subject": SUBJECT, "at": "2026", "decision_id": "d"}),))

        async def work(record: Record) -> list[Any]:
            switch.off = True
            outcomes = [await record.write(first), await record.write(entry(key="k"))]
            with pytest.raises(KeyReused):
                await record.write(entry(key="k", asks=b"other"))
            switch.off = False
            await drained(record)
            with pytest.raises(KeyReused):
                await record.write(entry(key="k", asks=b"other"))
            contacts = await record.read(lambda connection: connection.execute(select(col(ContactRow.id))).scalars().all())
            assert contacts == ["c-1"]
            return [*outcomes, await record.write(entry(key="k"))]

        assert using_record(work) == [Written(first.id), Written(first.id, repeated=True), Written(first.id, repeated=True)]
        assert stored() == [first.id]

    def test_who_was_answered_is_on_record(self, using_record: Any, stored: Any, switch: Switch) -> None:
        """A key that the store knew already, which could not be looked up: both answers are on record."""
        first, second, third = entry(key="k"), entry(key="k"), entry(key="k2", asks=b"other")

        async def work(record: Record) -> Any:
            await record.write(first)
            await record.write(entry(key="k2"))
            switch.off = True
            assert await record.write(second) == Written(second.id)
            assert await record.write(third) == Written(third.id)
            switch.off = False
            await drained(record)
            return await record.write(entry(key="k"))

        assert using_record(work) == Written(first.id, repeated=True)
        assert {second.id, third.id} <= set(stored())

    def test_an_entry_that_was_stored_after_all_is_stored_once(
        self, using_record: Any, stored: Any, switch: Switch, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The caller waited too long, so it was spooled; the commit had happened: one entry."""
        given_one = entry(key="k")
        original = Committer.commit

        def slow(committer: Committer, entries: Any) -> Any:
            time.sleep(0.6 if entries else 0)
            return original(committer, entries)

        monkeypatch.setattr(Committer, "commit", slow)

        async def work(record: Record) -> None:
            assert await record.write(given_one) == Written(given_one.id)
            await drained(record)

        using_record(work, deadline=0.3)
        assert stored() == [given_one.id]
        assert files(folder) == []


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

    def test_what_is_damaged_is_kept_for_a_person(self, using_record: Any, stored: Any, switch: Switch, folder: Path) -> None:
        """An entry that cannot be read, or that the store refuses, does not keep the others out; its file stays under another name."""
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
    made = entry(key="k", asks=b"\x00\xff", private=private, rows=(NewRow("contact", values, replacing),))
    made = NewEntry(made.id, "outcome", NOW, body, "s", None, private, made.idempotency, made.rows, {"counts": []})
    assert entry_of(bytes_of(made)) == made


async def _while_off(record: Record, switch: Switch, given_one: NewEntry) -> None:
    switch.off = True
    try:
        await record.write(given_one)
    except StoreError:
        switch.off = False
        raise
    await record.close()
    switch.off = False
