"""An entry and its companion: both are stored or neither, right after each other; a decision has one successor, whoever is first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlmodel import col

from app.record.entries import NewEntry, NewRow, Written
from app.record.keys import Keys
from app.record.spool.waiting import Spool
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.problems import HasSuccessor, RowRefused, StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import EntryRow, IdempotencyRow, SuccessorRow
from tests.unit.test_record_writer import _user, entry, failing, keyed

pytestmark = pytest.mark.unit


@pytest.fixture
def using_record(database_url: str, keys: Keys) -> Callable[..., Any]:
    """Does something with an open record, and closes it; on both databases."""
    return _user(database_url, keys)


@pytest.fixture
def stored(database_url: str) -> Callable[[], list[tuple[str, int]]]:
    """The entries, in the order of their numbers, as another process sees them."""

    def rows() -> list[tuple[str, int]]:
        database = Database(database_url)
        with database.reading() as connection:
            found = connection.execute(select(col(EntryRow.id), col(EntryRow.envelope))).all()
        database.dispose()
        return sorted(((row.id, orjson.loads(bytes(row.envelope))["sequence"]) for row in found), key=lambda item: item[1])

    return rows


def following(parent: str, **changes: Any) -> NewEntry:
    """The next decision after another."""
    made = entry(subscriber="a", private={"case": 1}, **changes)
    rows = (*made.rows, NewRow("successor", {"parent": parent, "entry_id": made.id}))
    return entry(**{name: getattr(made, name) for name in ("id", "subscriber", "private")}, rows=rows)


def refusal(then: NewEntry, **changes: Any) -> NewEntry:
    """An outcome with the decision it leads to."""
    return keyed(kind="outcome", subscriber="a", private={"answer": "x"}, companion=then, **changes)


def ids_of(entries: Sequence[NewEntry]) -> list[str]:
    return [part.id for one in entries for part in one.parts]


def test_both_are_stored_right_after_each_other(using_record: Any, stored: Any) -> None:
    """With neighbours before and after them in the same commit, every number is used once and without a gap."""
    given = [entry(), refusal(following("p-1")), entry(), refusal(following("p-2"), key="k-2"), entry()]

    async def work(record: Record) -> Any:
        return [*await asyncio.gather(*map(record.write, given)), await record.write(entry())]

    told = using_record(work)
    assert told[:-1] == [Written(one.id, number=len(one.parts)) for one in given]
    assert stored() == [(one, number) for number, one in enumerate([*ids_of(given), told[-1].entry_id], 1)]


def test_neither_is_stored_where_one_cannot_be(using_record: Any, stored: Any) -> None:
    """Whichever of the two the store refuses; the neighbours are stored, and the numbers have no gap."""
    bad = [NewRow("no such table", {"id": "x"})]
    given = [
        entry(),
        refusal(following("p-1"), rows=tuple(bad)),
        entry(),
        refusal(entry(subscriber="a", rows=tuple(bad)), key="k-2"),
        entry(),
    ]

    async def work(record: Record) -> Any:
        told = await asyncio.gather(*map(record.write, given), return_exceptions=True)
        return [*told, await record.write(entry())]

    told = using_record(work)
    assert [isinstance(one, RowRefused) for one in told[:5]] == [False, True, False, True, False]
    fine = [given[0].id, given[2].id, given[4].id, told[-1].entry_id]
    assert stored() == [(one, number) for number, one in enumerate(fine, 1)]


def test_a_decision_has_one_successor_within_a_commit(using_record: Any, stored: Any, database_url: str) -> None:
    """Of two that come together one is first; the other is told so, and leaves nothing behind, not even its key."""
    given = [refusal(following("p"), key="k-1"), entry(), refusal(following("p"), key="k-2")]

    async def work(record: Record) -> Any:
        return await asyncio.gather(*map(record.write, given), return_exceptions=True)

    told = using_record(work)
    assert told[:2] == [Written(given[0].id, number=2), Written(given[1].id)]
    assert isinstance(told[2], HasSuccessor)
    assert [one for one, _ in stored()] == [*ids_of(given[:1]), given[1].id]
    database = Database(database_url)
    with database.reading() as connection:
        assert connection.execute(select(col(IdempotencyRow.key))).scalars().all() == ["k-1"]
        assert connection.execute(select(col(SuccessorRow.entry_id))).scalars().all() == [given[0].parts[1].id]
    database.dispose()


def test_a_decision_has_one_successor_whichever_process_is_first(using_record: Any, stored: Any) -> None:
    """Many processes try at once for a few parents: each parent has one, and everybody else is told."""
    parents = [f"p-{number}" for number in range(6)]

    async def work(record: Record) -> Any:
        given = [refusal(following(parent), key=f"{id(record)}-{parent}") for parent in parents]
        return [outcome for one in given for outcome in await asyncio.gather(record.write(one), return_exceptions=True)]

    told = [outcome for process in using_record(work, work, work) for outcome in process]
    assert sum(isinstance(one, Written) for one in told) == len(parents)
    assert sum(isinstance(one, HasSuccessor) for one in told) == 2 * len(parents)
    assert len(stored()) == 2 * len(parents)


def test_a_repeated_refusal_is_the_first_one(using_record: Any, stored: Any) -> None:
    """The same key, in the same commit or later: the first is told, though its parent has a successor by then."""
    first, second, third = (refusal(following("p")) for _ in range(3))

    async def work(record: Record) -> Any:
        return [*await asyncio.gather(record.write(first), record.write(second)), await record.write(third)]

    assert using_record(work) == [Written(first.id, number=2), *[Written(first.id, repeated=True)] * 2]
    assert [one for one, _ in stored()] == ids_of([first])


@pytest.mark.parametrize("happened", [True, False])
def test_a_commit_whose_end_nobody_heard(using_record: Any, stored: Any, monkeypatch: pytest.MonkeyPatch, happened: bool) -> None:
    """Both are stored once, and the next number follows theirs."""
    failing(monkeypatch, 1, happened=happened)
    given = refusal(following("p"))

    async def work(record: Record) -> Any:
        return [await record.write(given), await record.write(entry())]

    told = using_record(work)
    assert told[0] == Written(given.id, number=2)
    assert stored() == [(one, number) for number, one in enumerate([*ids_of([given]), told[1].entry_id], 1)]


def test_a_conversation_is_never_spooled(sqlite_url: str, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there is a successor already, the store alone can tell: neither a pair nor a decision after answers waits in the spool."""
    given = [entry(companion=following("p")), following("q"), entry()]

    def down(self: Committer, entries: Sequence[NewEntry], *, beside: Any = None) -> Any:
        raise StoreUnavailable("gone")

    async def work(record: Record) -> Any:
        monkeypatch.setattr(Committer, "commit", down)
        return await asyncio.gather(*map(record.write, given), return_exceptions=True)

    spool = Spool(tmp_path / "spool", keys, most_bytes=10_000_000)
    told = _user(sqlite_url, keys)(work, spool=spool, deadline=2)
    assert [isinstance(one, StoreUnavailable) for one in told] == [True, True, False]
