"""A worker obeys steps that stand on the record, and no others, whatever rows the tables have."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, delete, insert, update
from structlog.testing import capture_logs

from app.engine.problems import PackError
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.packs.standing import disagreement, read_history
from app.record.packs.steps import Checked, Desk, PackContent
from app.record.store.database import stamp
from app.record.store.tables import EntryRow, LeafRow, PackRow, PackStepRow, UnsealedRow
from tests.followed import Store, store_connection
from tests.packs_in_force import content

pytestmark = pytest.mark.unit

FIRST, EVIL = content("1.0.0"), content("6.6.6")
STEPS = PackStepRow.__table__  # type: ignore[attr-defined]
ENTRIES = EntryRow.__table__  # type: ignore[attr-defined]


def forge(store: Store, connection: Connection, pack: PackContent) -> None:
    """Rows of a pack that nobody published here, and of all steps with it."""
    at = stamp(store.clock())
    row = {"digest": pack.digest, "name": "small", "version": "6.6.6", "at": at, "author": "ann", "files": pack.packed()}
    connection.execute(insert(PackRow), row)
    for number, (step, by) in enumerate([("published", "ann"), ("approved", "bob"), ("activated", "bob")]):
        since = at if step == "activated" else None
        row = {"entry_id": f"zzzz{number}", "digest": pack.digest, "step": step, "at": at, "by": by, "effective_at": since}
        connection.execute(insert(PackStepRow), row)


def seal(store: Store) -> None:
    from tests.databases import using

    with using(store.url) as database:
        Sealer(database, store.keys, store.clock).seal()


def test_rows_without_entries_are_not_obeyed(store: Store) -> None:
    """A whole pack with all its steps put into the tables: who runs goes on, is told, and so does who starts."""

    async def run() -> None:
        async with store.worker() as packs:
            with store_connection(store) as connection:
                forge(store, connection, EVIL)
            with capture_logs() as logs:
                for _ in range(3):
                    await packs.look()
            assert [(entry["event"], entry["log_level"]) for entry in logs] == [("pack_steps_not_on_record", "error")]
            assert packs.current.digest == FIRST.digest
            assert len(packs.problems) == 3
            assert f"the row `approved` of {EVIL.digest[7:19]} by `bob`" in "".join(packs.problems)
        async with store.worker() as packs:
            assert (packs.current.digest, len(packs.problems)) == (FIRST.digest, 3)

    asyncio.run(run())


def test_a_store_of_nothing_but_made_up_steps_is_not_seeded(store: Store) -> None:
    """No pack stands on its record: the service does not start, and says why."""

    async def run() -> None:
        async with store.worker(opened=False) as packs:
            with store_connection(store) as connection:
                forge(store, connection, EVIL)
            with pytest.raises(PackError, match="is not on the record: it has no entry"):
                await packs.open()

    asyncio.run(run())
    assert store.history.steps == ()


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "by": ({"by": "mallory"}, "`by` is not what its entry says"),
    "digest": ({"digest": EVIL.digest}, "`digest` is not what its entry says"),
    "step": ({"step": "withdrawn"}, "`step` is not what its entry says"),
    "at": ({"at": "2020-01-01T00:00:00.000000+00:00"}, "`at` is not what its entry says"),
    "effective_at": ({"effective_at": "2099-01-01T00:00:00.000000+00:00"}, "`effective_at` is not what its entry says"),
    "note": ({"note": "all is well"}, "`note` is not what its entry says"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_entry_says_holds_over_the_row(store: Store, change: str) -> None:
    """A row of an activation that was changed changes nothing, for who starts too, and is told."""
    values, why = CHANGES[change]
    two = content("2.0.0")

    async def run() -> None:
        async with store.worker():
            store.force(two)
        seal(store)
        with store_connection(store) as connection:
            connection.execute(update(PackStepRow).where(STEPS.c.digest == two.digest, STEPS.c.step == "activated").values(**values))
        async with store.worker() as packs:
            assert packs.current.digest == two.digest
            assert [problem.partition("record: ")[2] for problem in packs.problems] == [why]

    asyncio.run(run())


def not_sealed(connection: Connection, entry_id: str) -> None:
    connection.execute(delete(LeafRow).where(LeafRow.__table__.c.entry_id == entry_id))  # type: ignore[attr-defined]


def changed(connection: Connection, entry_id: str) -> None:
    envelope = connection.execute(ENTRIES.select().where(ENTRIES.c.id == entry_id)).one().envelope
    other = {**orjson.loads(envelope), "sequence": 10**6}
    connection.execute(update(EntryRow).where(ENTRIES.c.id == entry_id).values(envelope=orjson.dumps(other, option=orjson.OPT_SORT_KEYS)))


def deleted(connection: Connection, entry_id: str) -> None:
    connection.execute(delete(EntryRow).where(ENTRIES.c.id == entry_id))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (not_sealed, "its entry has no leaf, and waits for none"),
        (changed, "its entry is not the one that was sealed"),
        (deleted, "it has no entry"),
    ],
)
def test_a_step_whose_entry_does_not_stand_is_not_obeyed(store: Store, harm: Callable[[Connection, str], None], why: str) -> None:
    """Who starts decides with the last pack that stands on the record; who runs and knew the step goes on with it."""
    two = content("2.0.0")

    async def run() -> None:
        async with store.worker() as knew:
            store.force(two)
            await knew.look()
            seal(store)
            [step] = [step for step in store.history.steps if (step.digest, step.step) == (two.digest, "approved")]
            with store_connection(store) as connection:
                harm(connection, step.entry_id)
            async with store.worker() as packs:
                assert packs.current.digest == FIRST.digest
                assert [problem.partition("record: ")[2] for problem in packs.problems] == [why]
            store.take(lambda desk: desk.publish(Checked(content("3.0.0"), "small", "3.0.0"), "ann", None))
            await knew.look()
            assert (knew.current.digest, len(knew.problems)) == (two.digest, 1)

    asyncio.run(run())


def test_a_step_that_is_gone_stands_for_who_knew_it(store: Store) -> None:
    """Taking the row of a rejection away does not let the pack decide again where the rejection was seen."""
    two = content("2.0.0")

    async def run() -> None:
        async with store.worker() as packs:
            store.force(two)
            store.take(lambda desk: desk.rollback("bob"), lambda desk: desk.reject(two.digest, "bob", "no"))
            await packs.look()
            with store_connection(store) as connection:
                connection.execute(delete(PackStepRow).where(STEPS.c.step.in_(["rejected", "rolled_back"])))
            await packs.look()
            assert packs.current.digest == FIRST.digest
            assert [problem.partition("record: ")[2] for problem in packs.problems] == ["its row is gone"] * 2

    asyncio.run(run())


def on_record(store: Store, step: Callable[[Desk], Any]) -> None:
    """Put a step on the record as whoever writes to every table could: past the desk's rules."""
    store.take(step)


def test_who_published_does_not_approve_by_any_way(store: Store) -> None:
    """An approval that stands on the record and is its author's own counts for nothing."""
    two = content("2.0.0")

    async def run() -> None:
        async with store.worker() as packs:
            on_record(store, lambda desk: desk.publish(Checked(two, "small", "2.0.0"), "ann", None))
            on_record(store, lambda desk: desk._entry("approved", two.digest, "Ann"))
            on_record(store, lambda desk: desk._entry("activated", two.digest, "bob", effective=desk.now))
            await packs.look()
            assert packs.current.digest == FIRST.digest
            assert [problem.partition("record: ")[2] for problem in packs.problems] == ["who published the pack approved it"]

    asyncio.run(run())


def test_an_approval_needs_a_publication(store: Store) -> None:
    """Of a pack that is only in the table of packs."""

    async def run() -> None:
        async with store.worker() as packs:
            on_record(store, lambda desk: desk._entry("approved", EVIL.digest, "bob"))
            await packs.look()
            assert [problem.partition("record: ")[2] for problem in packs.problems] == ["the pack was not published before"]

    asyncio.run(run())


def test_steps_that_wait_for_their_leaves_stand(store: Store) -> None:
    """What was done within the last second is obeyed."""
    store.force(FIRST)
    assert store.history.unfounded == ()
    with store_connection(store) as connection:
        connection.execute(delete(UnsealedRow))
        assert len(read_history(connection).unfounded) == 3


def test_every_step_agrees_with_its_own_entry(store: Store, keys: Keys) -> None:
    """Also those with notes, those of development, refusals, and packs without tests."""
    two, bare = content("2.0.0"), content("3.0.0", None)
    store.force(two)
    store.take(
        lambda desk: desk.publish(Checked(FIRST, "small", "1.0.0", 3, 0), "ann", None),
        lambda desk: desk.publish(Checked(bare, "small", "3.0.0", 0, 0), "ann", None),
        lambda desk: desk.approve(FIRST.digest, "bob", "read\nit"),
        lambda desk: desk.activate(FIRST.digest, "bob", store.clock() + datetime.timedelta(days=1), "later"),
        lambda desk: desk.withdraw(FIRST.digest, "bob"),
        lambda desk: desk.reject(FIRST.digest, "bob", "太贵"),
        lambda desk: desk.develop(bare.digest, "development"),
        lambda desk: desk.refuse(desk.history.line(stamp(store.clock()))[-1], ["a" * 600, "b\n"]),
    )
    history = store.history
    assert (len(history.steps), history.unfounded) == (11, ())
    with store_connection(store) as connection:
        rows = connection.execute(STEPS.select()).mappings().all()
        envelopes = {row.id: orjson.loads(row.envelope) for row in connection.execute(ENTRIES.select())}
    assert [disagreement(row, envelopes[row["entry_id"]]) for row in rows] == [None] * 11
    assert disagreement(rows[0], {"kind": "decision", "body": {}}) == "its entry tells of no step with a pack"
