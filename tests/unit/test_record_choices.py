"""What people chose for good, on the record: rows and entries agree, outlive what need not be kept, and go with the person."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlmodel import col

from app.cli import recording
from app.cli.handing_out import HeldPage
from app.engine.vocabulary import DecisionRequest
from app.engine.vocabulary.choices import NOT_KNOWN, Choice, ChoiceName
from app.record.callers import Caller
from app.record.choices import MADE, TAKEN_BACK, Step, choice_entry, standing_by_token, standing_of
from app.record.entries import Idempotency, NewEntry
from app.record.erasing.holds import hold
from app.record.erasing.persons import Held, erase
from app.record.erasing.retention import archive, old_months
from app.record.export.access import held_about
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.reading.recorded import read_entry, token_of
from app.record.relay.frames import Frames, framed
from app.record.spool.waiting import Spool
from app.record.store.database import Database, stamp
from app.record.store.partitions import partition_entries
from app.record.store.problems import ChoicesStand, StoreUnavailable
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
    return choice_entry(ids.new(now), now, who, choice, about, step, by=APP)


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


def test_choices_are_found_for_one_person_or_many(record: Record, clock: Clock) -> None:
    """As the rows tell it, of one and of several at once; of who chose nothing there is nothing."""
    ids = chosen(record, entry(clock, "no_action", "a"), entry(clock, "human_review", who="s-2"), entry(clock, "no_action", "b"))
    tokens = [str(record.read_now(lambda c, name=name: token_of(c, record.keys, name))) for name in ("s-1", "s-2")]  # type: ignore[misc]
    found = record.read_now(lambda c: standing_by_token(c, [*tokens, "st_nobody"]))
    assert {token: [item.entry for item in choices] for token, choices in found.items()} == {
        tokens[0]: [ids[0], ids[2]],
        tokens[1]: [ids[1]],
    }
    assert [record.read_now(lambda c, token=token: standing_of(c, token)) for token in tokens] == list(found.values())  # type: ignore[misc]


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
    assert "don’t suggest again: tariff_pack: since 2026-11-22 02:00 (UTC)" in told


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


def decision(clock: Clock, *choices: Choice, who: str = "s-1", then: NewEntry | None = None) -> NewEntry:
    """The entry of a decision that kept to these choices."""
    now = clock.ahead(seconds=1)
    return NewEntry(str(IDS.new(now)), "decision", now, {}, subscriber=who, private={"case": {}}, companion=then, choices=choices)


def stored(record: Record, *entries: NewEntry) -> list[tuple[Choice, ...] | None]:
    """What the store says of entries that come together: the choices that one does not know of, none where it is stored."""
    outcomes = record._committer.commit(entries)
    return [outcome.choices if isinstance(outcome, ChoicesStand) else None for outcome in outcomes]


def test_a_decision_is_stored_only_where_it_knows_what_stands(record: Record, clock: Clock) -> None:
    """Of many at once, those that know nothing of a choice, or of one that was taken back, are told what stands; the others are stored."""
    chosen(record, entry(clock, "no_marketing"), entry(clock, "no_channel", "app", who="s-2"))
    first, second = (record.read_now(lambda c, who=who: standing_of(c, str(token_of(c, record.keys, who)))) for who in ("s-1", "s-2"))  # type: ignore[misc]
    asked = [decision(clock), decision(clock, who="s-2"), decision(clock, who="s-3"), decision(clock, *first)]
    assert stored(record, *asked) == [first, second, None, None]
    chosen(record, entry(clock, "no_marketing", None, TAKEN_BACK))
    assert stored(record, decision(clock, *first), decision(clock)) == [(), None]
    assert verified(record).genuine


def test_a_decision_that_goes_on_is_stored_with_what_led_to_it_or_not_at_all(record: Record, clock: Clock) -> None:
    """An outcome whose next decision does not know what stands is not stored either, and leaves no gap in the numbers."""
    chosen(record, entry(clock, "no_marketing"))
    now = clock.ahead(seconds=1)
    outcome = NewEntry(str(IDS.new(now)), "outcome", now, {}, subscriber="s-1", companion=decision(clock))
    assert [found is None for found in stored(record, outcome, decision(clock, who="s-2"))] == [False, True]
    with record.database.engine.connect() as connection:
        assert connection.execute(select(func.count()).where(col(EntryRow.kind) == "outcome")).scalar_one() == 0
    assert verified(record).genuine


def test_a_key_is_not_taken_by_a_decision_that_is_made_again(record: Record, clock: Clock) -> None:
    """The idempotency key stays free for the decision that knows what stands."""
    chosen(record, entry(clock, "no_marketing"))
    key = Idempotency("app", "k", b"h" * 32, clock.now + datetime.timedelta(hours=1))
    first = replace(decision(clock), idempotency=key)
    [choices] = stored(record, first)
    assert choices is not None
    again = replace(decision(clock, *choices), idempotency=key)
    assert record.write_now(again).entry_id == again.id


def test_what_stands_survives_the_way_between_processes() -> None:
    """The refusal is told by one process to another, with what stands."""
    [(_, told)] = Frames().feed(framed(1, ChoicesStand(NOT_KNOWN)))
    assert (type(told), told.choices, str(told)) == (
        ChoicesStand,
        NOT_KNOWN,
        "what the person chose for good changed meanwhile; decide again",
    )


def test_while_nobody_can_know_marketing_is_taken_to_be_refused(
    sqlite_url: str, keys: Keys, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that spools goes on without the store: with no marketing and no profile; a choice itself is not spooled but refused."""

    async def run() -> None:
        spool = Spool(tmp_path / "spool", keys, most_bytes=1_000_000)
        record = Record(Database(sqlite_url), keys, clock=clock, deadline=5, spool=spool)
        await record.open()
        try:

            def down(_: NewEntry) -> None:
                raise StoreUnavailable("down")

            monkeypatch.setattr(record._writer, "submit", down)
            for choices in ((), (Choice("no_action", "a"),)):
                with pytest.raises(ChoicesStand) as refused:
                    await record.write(decision(clock, *choices))
                assert refused.value.choices == NOT_KNOWN
            kept = decision(clock, *NOT_KNOWN)
            assert (await record.write(kept)).entry_id == kept.id
            assert record.spooled_bytes > 0
            with pytest.raises(StoreUnavailable):
                await record.write(entry(clock, "no_marketing"))
            monkeypatch.undo()
            async with asyncio.timeout(20):
                while record.spooled_bytes:  # noqa: ASYNC110 - the writer does not say when
                    await asyncio.sleep(0.05)
            found = await record.read(lambda connection: read_entry(connection, keys, kept.id))
            assert found is not None
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
