"""What people chose for good, on the record: rows and entries agree, outlive what need not be kept, and go with the person."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from app.cli import recording
from app.cli.handing_out import HeldPage
from app.engine.vocabulary import DecisionRequest
from app.engine.vocabulary.choices import NOT_KNOWN, Choice, ChoiceName
from app.record.callers import Caller
from app.record.choices import MADE, TAKEN_BACK, Step, choice_entry, choices_told, standing_among, standing_by_token, standing_of
from app.record.entries import NewEntry
from app.record.erasing.holds import hold
from app.record.erasing.persons import Held, erase
from app.record.erasing.retention import archive, old_months
from app.record.export.access import held_about
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.privacy import lookup_of
from app.record.reading.recorded import token_of
from app.record.spool.waiting import Spool
from app.record.store.database import Database, stamp
from app.record.store.partitions import partition_entries
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import ChoiceRow, EntryRow, SubjectRow
from app.record.verifying import Verdict, verify_entry, verify_log
from tests.records import Clock

pytestmark = pytest.mark.unit

OLD = datetime.datetime(2023, 9, 30, 12, tzinfo=datetime.UTC)
APP = Caller("app", "self_service", subject="s-1")
IDS = Ids()

Act = Callable[[Connection], Any]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record(database: Database, keys: Keys, clock: Clock) -> Iterator[Record]:
    record = Record(database, keys, clock=clock)
    record.prepare()
    yield record
    record.close_now()


def entry(clock: Clock, choice: ChoiceName, about: str | None = None, step: Step = MADE, who: str = "s-1", ids: Ids = IDS) -> NewEntry:
    now = clock.ahead(seconds=1)
    return choice_entry(str(ids.new(now)), now, who, choice, about, step, by=APP)


def chosen(record: Record, *entries: NewEntry) -> list[str]:
    return [record.write_now(one).entry_id for one in entries]


def standing(record: Record, who: str = "s-1") -> list[tuple[str, str | None]]:
    def look(connection: Connection) -> tuple[Choice, ...]:
        token = token_of(connection, record.keys, who)
        return () if token is None else standing_of(connection, token)

    return [(item.choice, item.about) for item in record.read_now(look)]


def verified(record: Record, edit: Act = lambda _: None, *, of: str | None = None) -> Verdict:
    """The verdict after an edit, which is undone."""
    Sealer(record.database, record.keys, record.clock).seal()
    with record.database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if record.database.is_sqlite else "BEGIN")
        try:
            edit(connection)
            return verify_log(connection, record.keys) if of is None else verify_entry(connection, record.keys, of)
        finally:
            connection.exec_driver_sql("ROLLBACK")


def test_what_stands_is_what_the_newest_entry_says(record: Record, clock: Clock) -> None:
    """Made, taken back, made again; each channel and action on its own."""
    chosen(record, entry(clock, "no_channel", "app"), entry(clock, "no_channel", "web"), entry(clock, "no_marketing"))
    chosen(record, entry(clock, "no_channel", "app", TAKEN_BACK))
    chosen(record, entry(clock, "no_marketing", None, TAKEN_BACK), entry(clock, "no_marketing"))
    assert standing(record) == [("no_channel", "web"), ("no_marketing", None)]
    assert standing(record, "s-2") == []
    assert verified(record).genuine


def test_the_order_in_which_they_are_stored_is_none(record: Record, clock: Clock) -> None:
    """Of two processes the slower one may store the older choice last: the newer one stands."""
    older, newer = entry(clock, "no_marketing"), entry(clock, "no_marketing", None, TAKEN_BACK)
    chosen(record, newer, older)
    assert standing(record) == []
    assert verified(record).genuine


def test_choices_are_found_by_token_and_by_hash_alike(record: Record, clock: Clock) -> None:
    """For one person or for many, and as the entries tell it."""
    ids = chosen(record, entry(clock, "no_action", "a"), entry(clock, "human_review", who="s-2"), entry(clock, "no_action", "b"))
    lookups = [lookup_of(record.keys, name) for name in ("s-1", "s-2", "s-3")]
    found = record.read_now(lambda connection: standing_among(connection, lookups))
    assert [[item.entry for item in found.get(lookup, ())] for lookup in lookups] == [[ids[0], ids[2]], [ids[1]], []]
    tokens = [str(record.read_now(lambda c, name=name: token_of(c, record.keys, name))) for name in ("s-1", "s-2")]  # type: ignore[misc]
    assert list(record.read_now(lambda c: standing_by_token(c, tokens)).values()) == [found[lookups[0]], found[lookups[1]]]
    envelopes = [record.read_now(lambda c, name=name: _envelope(c, name)) for name in (ids[0], ids[2])]  # type: ignore[misc]
    assert tuple(choices_told(envelopes)) == found[lookups[0]]


def _envelope(connection: Connection, entry_id: str) -> Any:
    return orjson.loads(bytes(connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.id) == entry_id)).scalar_one()))


FORGERIES: dict[str, Act] = {
    "the step": lambda c: c.execute(update(ChoiceRow).where(col(ChoiceRow.choice) == "no_channel").values(step=TAKEN_BACK)),
    "the channel": lambda c: c.execute(update(ChoiceRow).where(col(ChoiceRow.choice) == "no_channel").values(about="web")),
    "the time": lambda c: c.execute(update(ChoiceRow).values(at=stamp(OLD))),
    "a row that is gone": lambda c: c.execute(delete(ChoiceRow).where(col(ChoiceRow.choice) == "no_channel")),
    "a row of an older entry": lambda c: c.execute(
        update(ChoiceRow).where(col(ChoiceRow.choice) == "no_marketing").values(step=MADE, entry_id=_oldest(c), at=_at(c, _oldest(c)))
    ),
    "a row that nobody made": lambda c: c.execute(
        insert(ChoiceRow).values(
            subject=c.execute(select(col(SubjectRow.token)).limit(1)).scalar_one(),
            choice="no_action",
            about="a",
            step=MADE,
            at=stamp(OLD),
            entry_id=_oldest(c),
        )
    ),
    "a row of no entry": lambda c: c.execute(update(ChoiceRow).where(col(ChoiceRow.choice) == "no_channel").values(entry_id="x")),
    "somebody else's": lambda c: c.execute(update(ChoiceRow).where(col(ChoiceRow.choice) == "no_channel").values(subject="f" * 32)),
}


def _oldest(connection: Connection) -> str:
    return str(connection.execute(select(func.min(col(EntryRow.id))).where(col(EntryRow.kind) == "choice")).scalar_one())


def _at(connection: Connection, entry_id: str) -> str:
    return str(connection.execute(select(col(EntryRow.at)).where(col(EntryRow.id) == entry_id)).scalar_one())


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_row_is_named(record: Record, clock: Clock, forgery: str) -> None:
    """Whatever it says otherwise than its entry: a choice is obeyed by its row."""
    chosen(record, entry(clock, "no_marketing"), entry(clock, "no_channel", "app"), entry(clock, "no_marketing", None, TAKEN_BACK))
    found = verified(record, FORGERIES[forgery]).findings
    assert found
    assert {(finding.what, finding.message.partition(" of entry")[0]) for finding in found} == {("row", "choice row")}


def test_one_entry_is_verified_with_its_row(record: Record, clock: Clock) -> None:
    """The row that a choice made is there, or a newer one's."""
    (first, second) = chosen(record, entry(clock, "no_marketing"), entry(clock, "no_marketing", None, TAKEN_BACK))
    assert verified(record, of=first).genuine
    assert not verified(record, lambda c: c.execute(delete(ChoiceRow)), of=second).genuine


def test_choices_go_with_the_person(record: Record, clock: Clock) -> None:
    """Erased, nothing is left by which a choice could be honoured; who comes after under the same id has chosen nothing."""
    chosen(record, entry(clock, "no_marketing"), entry(clock, "no_action", "a"), entry(clock, "no_marketing", who="s-2"))
    assert erase(record, "s-1", basis="request of the person", by="pia").rows["choice"] == 2
    assert standing(record) == []
    assert standing(record, "s-2") == [("no_marketing", None)]
    assert verified(record).genuine
    chosen(record, entry(clock, "human_review"))
    assert standing(record) == [("human_review", None)]
    assert verified(record).genuine


def test_the_access_report_has_what_stands(record: Record, clock: Clock) -> None:
    """What was chosen and not taken back, since when, as the entries tell it; every entry of it stands among the others."""
    ids = chosen(
        record, entry(clock, "no_action", "tariff_pack"), entry(clock, "no_marketing"), entry(clock, "no_marketing", None, TAKEN_BACK)
    )
    held = record.read_now(lambda c: held_about(c, record.keys, _NoPacks(), "s-1", "en"))
    assert held.choices == [{"choice": "no_action", "about": "tariff_pack", "since": "2026-11-22T02:00:01.000000+00:00", "entry": ids[0]}]
    assert [told.kind for told in held.others] == ["choice"] * 3
    told = "\n".join(str(part) for part in HeldPage(held, "en").parts())
    assert "never again: tariff_pack: since 2026-11-22 02:00 (UTC)" in told


class _NoPacks:
    """Where there is no decision, no pack is asked for."""

    def get(self, digest: str) -> Any:
        raise AssertionError(digest)


def test_a_legal_hold_keeps_them(record: Record, clock: Clock) -> None:
    """Together with the person."""
    chosen(record, entry(clock, "no_marketing"))
    hold(record, "s-1", reason="court", by="pia")
    with pytest.raises(Held):
        erase(record, "s-1", basis="request of the person", by="pia")
    assert standing(record) == [("no_marketing", None)]


def test_retention_keeps_what_stands(database: Database, keys: Keys) -> None:
    """However old a choice is: its entry, its row and the person stay. What was taken back goes with its month, and the person with it."""
    clock, ids = Clock(OLD), Ids()
    if not database.is_sqlite:
        with database.writing() as connection:
            partition_entries(connection, OLD)
    record = Record(database, keys, clock=clock)
    record.prepare()
    try:
        first: list[tuple[ChoiceName, str | None, Step, str]] = [
            ("no_marketing", None, MADE, "s-1"),
            ("no_channel", "app", MADE, "s-1"),
            ("no_channel", "app", TAKEN_BACK, "s-1"),
            ("no_marketing", None, MADE, "s-2"),
            ("no_marketing", None, TAKEN_BACK, "s-2"),
        ]
        chosen(record, *(entry(clock, *told, ids=ids) for told in first))
        Sealer(database, keys, clock).seal()
        clock.now = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
        (month,) = record.read_now(lambda connection: old_months(connection, clock.now, 3))
        assert (month.entries, month.kept) == (5, 1)  # four choices and a heartbeat go
        archive(record, month.month, years=3, by="pia")
        assert standing(record) == [("no_marketing", None)]
        assert record.read_now(lambda c: c.execute(select(func.count()).select_from(ChoiceRow)).scalar_one()) == 1
        assert record.read_now(lambda c: token_of(c, keys, "s-2")) is None
        assert verified(record).genuine
    finally:
        record.close_now()


def test_many_who_ask_get_their_own_answer(database_url: str, keys: Keys, clock: Clock) -> None:
    """A hundred at once share a few queries, and each gets what is theirs; what another process stored a moment ago is seen."""

    async def run() -> None:
        record = Record(Database(database_url), keys, clock=clock, deadline=30)
        another = Record(Database(database_url), keys, clock=clock, deadline=30)
        await record.open()
        queries, read = [], record._choices._read

        def counted(work: Any) -> Any:
            queries.append(work)
            return read(work)

        record._choices._read = counted
        try:
            for number in range(0, 100, 3):
                await record.write(entry(clock, "no_action", f"a-{number}", who=f"s-{number}"))
            found = await asyncio.gather(*(record.choices_of(f"s-{number}") for number in itertools.chain(range(100), range(100))))
            told = [[item.about for item in choices] for choices in found]
            assert told == [[f"a-{number}"] if number % 3 == 0 else [] for number in itertools.chain(range(100), range(100))]
            assert len(queries) <= 2
            await asyncio.to_thread(another.write_now, entry(clock, "no_marketing", who="s-1"))
            assert [item.choice for item in await record.choices_of("s-1")] == ["no_marketing"]
        finally:
            await record.close()
            another.close_now()

    asyncio.run(run())


def test_who_gives_up_does_not_hinder_the_others(sqlite_url: str, keys: Keys, clock: Clock) -> None:
    """A caller that goes away, or waits in vain, is left out; the store that fails is told to all who wait."""

    async def run() -> None:
        record = Record(Database(sqlite_url), keys, clock=clock, deadline=30)
        await record.open()
        lookups = record._choices
        try:
            gone = asyncio.create_task(record.choices_of("s-1"))
            await asyncio.sleep(0)
            stays = asyncio.create_task(record.choices_of("s-1"))
            gone.cancel()
            assert await stays == ()
            with pytest.raises(StoreUnavailable, match="in time"):
                await lookups.of(b"x", 0)
            assert await record.choices_of("s-1") == ()

            def fail(connection: Connection, _: Any) -> Any:
                raise OperationalError("SELECT", None, ConnectionError("cut"))

            lookups._look = fail
            found = await asyncio.gather(record.choices_of("s-1"), record.choices_of("s-2"), return_exceptions=True)
            assert [type(error) for error in found] == [StoreUnavailable, StoreUnavailable]
        finally:
            await record.close()

    asyncio.run(run())


def test_while_nobody_can_know_marketing_is_taken_to_be_refused(
    sqlite_url: str, keys: Keys, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that spools goes on without the store: with no marketing and no profile; a choice itself is not spooled but refused."""

    async def run() -> None:
        spool = Spool(tmp_path / "spool", keys, most_bytes=1_000_000)
        record = Record(Database(sqlite_url), keys, clock=clock, deadline=5, spool=spool)
        await record.open()
        try:
            assert await record.choices_of("s-1") == ()

            def down() -> None:
                raise StoreUnavailable("down")

            monkeypatch.setattr(record._writer, "check", down)
            assert await record.choices_of("s-1") == NOT_KNOWN
            with pytest.raises(StoreUnavailable):
                await record.write(entry(clock, "no_marketing"))
        finally:
            monkeypatch.undo()
            await record.close()

    asyncio.run(run())


def test_the_command_line_keeps_to_it(record: Record, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wanliu decide --record` is a live decision like any other."""
    ids = chosen(record, entry(clock, "no_action", "a"))
    monkeypatch.setattr(recording, "record_now", lambda *_: contextlib.nullcontext(record))
    monkeypatch.setattr(recording, "settings", lambda: None)
    request = recording.remembering(DecisionRequest.model_validate({"channel": "app", "subscriber": {"id": "s-1"}}), clock())
    assert [(item.choice, item.about, item.entry) for item in request.choices] == [("no_action", "a", ids[0])]
