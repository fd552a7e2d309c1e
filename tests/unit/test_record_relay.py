"""Entries of a worker are stored by its keeper: as if the worker had written them itself, on both databases."""

from __future__ import annotations

import asyncio
import datetime
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.canonical import canonical
from app.record.correlation import TRACE
from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow, Written
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.privacy import commitment_of, open_private, unwrap
from app.record.relay.frames import Frames, Patient, framed, patient_of, written_of
from app.record.relay.taking import Desk, take_from
from app.record.store.database import Database
from app.record.store.problems import KeyReused, RowRefused, StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import ContactRow, EntryRow, SubjectRow, UnsealedRow
from app.record.unread import Texts

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
ids = Ids()


def entry(**changes: Any) -> NewEntry:
    told: dict[str, Any] = {"kind": "decision", "at": NOW, "body": {"caller": "desk"}, **changes}
    return NewEntry(**{"id": ids.new(NOW), **told})


def keyed(body: bytes = b"body") -> NewEntry:
    return entry(idempotency=Idempotency("desk", "k", sha256(body).digest(), NOW + datetime.timedelta(hours=1)))


class Pair:
    """A keeper's record, and a worker's that writes through it."""

    def __init__(self, url: str, keys: Keys) -> None:
        ours, theirs = socket.socketpair()
        self.keeper = Record(Database(url), keys, clock=lambda: NOW, deadline=20)
        self.worker = Record(Database(url), keys, clock=lambda: NOW, deadline=20, relay=theirs)
        self._ours = ours
        self.desk: Desk | None = None

    async def __aenter__(self) -> Pair:
        await self.keeper.open()
        self.desk = await take_from(self.keeper, self._ours)
        await self.worker.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.worker.close()
        await self.keeper.close()

    def count(self, table: Any = EntryRow) -> int:
        return int(self.keeper.read_now(lambda connection: connection.execute(select(func.count()).select_from(table)).scalar_one()))


Work = Callable[[Pair], Awaitable[Any]]


@pytest.fixture
def pair(database_url: str, keys: Keys) -> Callable[[Work], Any]:
    """Does something with both, and closes them."""

    def run(work: Work) -> Any:
        async def within() -> Any:
            async with Pair(database_url, keys) as both:
                return await work(both)

        return asyncio.run(within())

    return run


def test_what_is_answered_is_stored(pair: Callable[[Work], Any]) -> None:
    """A hundred entries at once, with what is private and rows beside them: each is stored once, and the worker reads them."""

    async def work(both: Pair) -> None:
        rows = [
            NewRow("contact", {"id": f"c{n}", "subject": SUBJECT, "at": "2026", "decision_id": "d", "result": "shown"}) for n in range(100)
        ]
        entries = [entry(subscriber=f"s-{n}", private={"answer": "好" * n}, rows=(rows[n],)) for n in range(100)]
        written = await asyncio.gather(*(both.worker.write(one) for one in entries))
        assert [one.entry_id for one in written] == [one.id for one in entries]
        assert both.count() == both.count(ContactRow) == 100
        assert await both.worker.read(lambda connection: connection.execute(select(func.count()).select_from(EntryRow)).scalar_one()) == 100

    pair(work)


def test_a_key_that_was_used_gives_the_first_entry(pair: Callable[[Work], Any]) -> None:
    """What the keeper finds of a key reaches the worker: the first entry's id, or that it was used for another request."""

    async def work(both: Pair) -> None:
        first, second = keyed(), keyed()
        assert await both.worker.write(first) == Written(first.id)
        assert await both.worker.write(second) == Written(first.id, repeated=True)
        with pytest.raises(KeyReused):
            await both.worker.write(keyed(b"another"))

    pair(work)


def test_an_entry_that_is_refused_is_refused_there_too(pair: Callable[[Work], Any]) -> None:
    """One that the store does not take, and one that cannot even be sent; its neighbours are stored."""

    async def work(both: Pair) -> None:
        bad = entry(private={"case": {"n": 1}})
        odd = entry(body={"n": {1, 2}})
        outcomes = await asyncio.gather(*(both.worker.write(one) for one in (entry(), bad, odd, entry())), return_exceptions=True)
        assert [type(one) for one in outcomes] == [Written, RowRefused, RowRefused, Written]
        assert both.count() == 2

    pair(work)


def test_without_a_keeper_nothing_is_stored_and_it_is_said_at_once(pair: Callable[[Work], Any]) -> None:
    """The keeper goes away while an entry waits: whoever waits is told, and whoever comes later is told at once."""

    async def work(both: Pair) -> None:
        assert both.desk is not None
        await both.worker.check()
        both.desk.link.close()
        with pytest.raises(StoreUnavailable, match="gone"):
            await asyncio.wait_for(both.worker.write(entry()), 5)
        with pytest.raises(StoreUnavailable, match="gone"):
            await both.worker.write(entry())
        with pytest.raises(StoreUnavailable, match="gone"):
            await both.worker.check()

    pair(work)


def test_an_entry_that_nobody_waits_for_is_left_out(pair: Callable[[Work], Any]) -> None:
    """Whoever stops waiting before the keeper took the entry up is not written about."""

    async def work(both: Pair) -> None:
        waiting = asyncio.create_task(both.worker.write(entry()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await both.worker.write(entry())
        assert both.count() == 1

    pair(work)


def test_the_keeper_says_whether_the_store_takes_entries(pair: Callable[[Work], Any]) -> None:
    """A worker is ready when its keeper's record is."""

    async def work(both: Pair) -> None:
        await both.worker.check()
        await asyncio.to_thread(both.keeper.close_now)
        with pytest.raises(StoreUnavailable):
            await both.worker.check()

    pair(work)


@pytest.mark.parametrize("size", [1, 3, 7, 1_000])
def test_what_arrives_in_pieces_is_put_together(size: int) -> None:
    """However the bytes are cut, the same values come out, an entry as it was."""
    sent = entry(subscriber="s-1", private={"answer": "好"}, rows=(NewRow("contact", {"id": "c"}, ("result",)),), tally={"counts": []})
    data = framed(1, Patient(sent, 2.5)) + framed(2, None) + framed(3, Written("x", repeated=True))
    frames = Frames()
    found = [value for start in range(0, len(data), size) for value in frames.feed(data[start : start + size])]
    assert [number for number, _ in found] == [1, 2, 3]
    assert patient_of(found[0][1]) == Patient(sent, 2.5)
    assert [written_of(value) for _, value in found[1:]] == [None, Written("x", repeated=True)]


def test_a_text_may_be_given_as_utf_8() -> None:
    """It is the same text for whoever looks, here and at the other end; the parts stay in their order."""
    given = Texts({"case": {"b": 1, "a": [2]}, "answer": "好".encode(), "conceded": 3})
    [(_, value)] = Frames().feed(framed(1, Patient(entry(subscriber="s-1", private=given), 2.5)))
    told = patient_of(value).entry.private
    assert given == told == {"case": {"a": [2], "b": 1}, "answer": "好", "conceded": 3}
    assert [*given] == [*told] == ["case", "answer", "conceded"]


def test_what_is_stored_is_what_the_worker_would_have_stored(pair: Callable[[Work], Any], keys: Keys) -> None:
    """Envelope, counts and the opened payload are the same, whichever of the two processes writes; commitment and all. The keys of a case
    that was sent stand in order."""
    body = {"caller": "desk", "z": {"b": 1, "a": [2.5e-7, 1.0, "\U00010000", None]}, "\uffff": 1, "\U00010000": 2}
    private = {"case": {"z": 1.0, "a": [0.25, {"y": -0.0, "x": "好"}]}, "answer": '{"offered":[]}', "conceded": 3}
    tally = {"day": "2026-11-22", "pack": "p", "counts": [("offered", "{}", 1)]}

    async def work(both: Pair) -> None:
        token = TRACE.set("0af7651916cd43dd8448eb211c80319c")
        sent = entry(subscriber="s-1", body=body, private=private, tally=tally)
        TRACE.reset(token)
        await both.worker.write(sent)
        await both.keeper.write(replace(sent, id=ids.new(NOW)))
        one, two = both.keeper.read_now(partial(kept, keys=keys))
        assert one == two
        assert one[0]["body"] == {**body, "trace": "0af7651916cd43dd8448eb211c80319c"}
        assert repr(one[1]) == repr({**private, "case": {"a": [0.25, {"x": "好", "y": -0.0}], "z": 1.0}})
        assert repr(two[1]) == repr(private)

    pair(work)


def kept(connection: Connection, keys: Keys) -> list[Any]:
    """Of each entry: what its envelope says but for its own id, number and commitment, the private payload, and what it counts."""
    columns = (col(EntryRow.id), col(EntryRow.envelope), col(EntryRow.private), col(UnsealedRow.tally))
    query = select(*columns, col(SubjectRow.wrapped_key), col(SubjectRow.wrapped_with)).order_by(col(EntryRow.id))
    query = query.join(UnsealedRow, col(UnsealedRow.entry_id) == col(EntryRow.id)).join(
        SubjectRow, col(SubjectRow.token) == col(EntryRow.subject)
    )
    found = []
    for entry_id, envelope, private, tally, *wrapped in connection.execute(query):
        told = orjson.loads(envelope)
        assert canonical(told) == envelope
        payload = open_private(unwrap(keys, *wrapped), private, entry_id.encode())
        assert told["commitment"] == commitment_of(payload)
        own = {name: told.pop(name) for name in ("id", "sequence", "private", "commitment")}
        found.append((told, {name: value for name, value in payload.items() if name != "salt"}, tally, sorted(own)))
    return found


def test_what_comes_while_the_keeper_works_goes_together(pair: Callable[[Work], Any]) -> None:
    """Entries that come while one is being stored are sent at once when that is answered, and not each by itself."""

    async def work(both: Pair) -> None:
        await both.worker.write(entry())
        link, go_on, write = both.worker._writer._link, asyncio.Event(), both.keeper.write  # type: ignore[union-attr]
        assert link is not None
        sent, transport = [], link._transport
        link._gather = 60.0

        class Counted:
            def write(self, data: bytes) -> None:
                sent.append(data)
                transport.write(data)  # type: ignore[union-attr]

            def close(self) -> None:
                transport.close()  # type: ignore[union-attr]

        async def slow(one: NewEntry, *, deadline: float | None = None) -> Written:
            await go_on.wait()
            return await write(one, deadline=deadline)

        link._transport, both.keeper.write = Counted(), slow  # type: ignore[assignment, method-assign]
        writing = []
        for _ in range(20):
            writing.append(asyncio.create_task(both.worker.write(entry())))
            await asyncio.sleep(0.001)
        go_on.set()
        await asyncio.gather(*writing)
        assert both.count() == 21
        assert len(sent) == 2

    pair(work)


def test_the_keeper_waits_as_long_as_the_worker_would(pair: Callable[[Work], Any]) -> None:
    """The patience of who asks goes along: a line of a batch is not given up as soon as somebody's single request."""

    async def work(both: Pair) -> None:
        waited: list[float | None] = []
        write = both.keeper.write

        async def noted(one: NewEntry, *, deadline: float | None = None) -> Written:
            waited.append(deadline)
            return await write(one, deadline=deadline)

        both.keeper.write = noted  # type: ignore[method-assign]
        await both.worker.write(entry(), deadline=7.0)
        await both.worker.write(entry())
        assert waited == [7.0, both.worker.deadline]

    pair(work)
