"""Rows that restate entries, held against them: whatever was forged is named, and what the record itself did is not."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from app.record.callers import add_caller, all_callers, revoke_caller
from app.record.choices import TAKEN_BACK
from app.record.entries import NewEntry
from app.record.erasing.persons import erase
from app.record.erasing.retention import archive
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.store.database import Database, stamp
from app.record.store.record import Record
from app.record.store.tables import (
    CallerRow,
    ContactRow,
    EntryRow,
    IdempotencyRow,
    LeafRow,
    OutcomeRow,
    PackRow,
    PackStepRow,
    SubjectLeafRow,
    SubjectRow,
)
from app.record.verifying import Verdict, verify_entry, verify_log
from tests.forging import FORGERIES
from tests.logs import NOW, PACK, Book, Clock

pytestmark = pytest.mark.unit

Act = Callable[[Connection], Any]


@pytest.fixture
def book(database: Database, keys: Keys) -> Book:
    """A pack with its steps, callers, decisions about three people, outcomes, a legal hold, choices, idempotency keys; some waits."""
    book = Book(database, keys)
    book.publish()
    book.step("approved", "pack_approved")
    book.step("activated", effective_at=stamp(NOW))
    book.caller("desk", grade="leader")
    book.caller("shop")
    book.caller("shop", "revoked")
    decided = [(book.decide(f"s-{number % 3}"), f"s-{number % 3}") for number in range(9)]
    book.claim("key", decided[0][0])
    book.tell(*decided[0], "sent")
    book.tell(*decided[0], "refused", reference="R-1")
    book.seal()
    book.tell(*decided[0], "ignored")
    book.tell(*decided[1], "left")
    book.tell(*decided[2], "accepted", reference="R-2")
    book.hold("s-2", "court")
    book.choose("s-1", "no_marketing")
    book.choose("s-1", "no_channel", "app")
    book.seal()
    book.choose("s-1", "no_marketing", step=TAKEN_BACK)
    book.tell(*decided[3], "shown")
    return book


def verified(book: Book, edit: Act = lambda _: None, *, entry: str | None = None, **options: Any) -> Verdict:
    """The verdict after an edit, which is undone."""
    with book.database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if book.database.is_sqlite else "BEGIN")
        try:
            edit(connection)
            return verify_entry(connection, book.keys, entry) if entry else verify_log(connection, book.keys, **options)
        finally:
            connection.exec_driver_sql("ROLLBACK")


def messages(verdict: Verdict) -> list[str]:
    assert {finding.what for finding in verdict.findings} <= {"row"}
    return [finding.message for finding in verdict.findings]


def of_outcome(book: Book, outcome: str) -> str:
    with book.database.reading() as connection:
        found: str = connection.execute(select(col(OutcomeRow.entry_id)).where(col(OutcomeRow.outcome) == outcome)).scalar_one()
    return found


def test_a_clean_record_has_no_findings(book: Book) -> None:
    """The whole log, opened or not, and any part of it."""
    assert verified(book, opening=True).findings == ()
    size = verified(book).size
    assert [verified(book, first=first).findings for first in range(size + 1)] == [()] * (size + 1)


@pytest.mark.parametrize("name", FORGERIES)
def test_every_forged_row_is_found(book: Book, name: str) -> None:
    """A value changed, a row deleted, a row put in, of every table that restates entries; the log itself is whole."""
    for seed in range(3):
        verdict = verified(book, lambda connection, seed=seed: FORGERIES[name](connection, Random(seed)))  # type: ignore[misc]
        assert not verdict.genuine, f"{name}, {seed}"
        messages(verdict)


def test_a_forged_outcome_is_named_with_both_values(book: Book) -> None:
    """Codes are shown, of row and entry; what may be personal is not."""
    entry_id = of_outcome(book, "refused")
    forged = update(OutcomeRow).where(col(OutcomeRow.entry_id) == entry_id)
    found = messages(verified(book, lambda c: c.execute(forged.values(outcome="accepted", reference="REC-FORGED"))))
    assert f"outcome row of entry {entry_id}: `outcome` says accepted, its entry refused" in found
    found = messages(verified(book, lambda c: c.execute(forged.values(reference="REC-FORGED"))))
    assert found == [f"outcome row of entry {entry_id}: `reference` says something else than its entry"]
    verdict = verified(book, lambda c: c.execute(delete(OutcomeRow).where(col(OutcomeRow.entry_id) == entry_id)))
    assert f"outcome row of entry {entry_id}: it is missing" in messages(verdict)
    assert verdict.findings[0].leaf is not None


def test_lifting_the_cool_down_is_found(book: Book) -> None:
    """Contacts deleted, each named; and a refusal that became an acceptance."""
    gone = messages(verified(book, lambda c: c.execute(delete(ContactRow))))
    assert len(gone) == 3
    assert all(told.startswith("contact row of decision ") and told.endswith("it is missing") for told in gone)
    [told] = messages(
        verified(book, lambda c: c.execute(update(ContactRow).where(col(ContactRow.result) == "refused").values(result="accepted")))
    )
    assert told.endswith("`result` says accepted, its outcomes refused")


def test_contacts_that_nobody_told_of_are_found(book: Book) -> None:
    """A contact of a decision without outcomes, and a second one for the same action: both would count for caps."""
    with book.database.reading() as connection:
        told = select(col(OutcomeRow.decision_id))
        untold = select(col(EntryRow.id)).where(col(EntryRow.kind) == "decision", col(EntryRow.id).not_in(told)).limit(1)
        decision = connection.execute(untold).scalar_one()
        answered = connection.execute(select(ContactRow.__table__)).mappings().first()  # type: ignore[attr-defined]
    assert answered is not None
    for forged in ({**answered, "id": "c-1", "decision_id": decision}, {**answered, "id": "c-2"}):
        [message] = messages(verified(book, lambda c, forged=forged: c.execute(insert(ContactRow), forged)))  # type: ignore[misc]
        assert message == f"contact row {forged['id']} of decision {forged['decision_id']}: no outcome makes it known"


def test_a_pack_that_nobody_published_is_found(book: Book) -> None:
    """With rows that say that it was published, approved and activated, under ids of entries that are not there."""

    def forge(connection: Connection) -> None:
        [row] = connection.execute(select(PackRow.__table__)).mappings()  # type: ignore[attr-defined]
        evil = "sha256:" + "e" * 64
        connection.execute(insert(PackRow), {**row, "digest": evil})
        for number, step in enumerate(("published", "approved", "activated")):
            values = {"entry_id": f"id-{number}", "digest": evil, "step": step, "at": stamp(NOW), "by": "bob"}
            connection.execute(insert(PackStepRow), values)

    found = messages(verified(book, forge))
    assert sum("no entry published it" in told for told in found) == 1
    assert sum("no entry says that this step was taken" in told for told in found) == 3


def test_a_caller_with_another_key_or_role_is_found(book: Book) -> None:
    """The name, its role, its key, and whether it was revoked."""
    desk = update(CallerRow).where(col(CallerRow.name) == "desk")
    for values, says in (
        ({"role": "compliance"}, "caller row desk: `role` says compliance, its entry agent"),
        ({"secret_hash": bytes(32)}, "caller row desk: the key is not the one that was given out"),
        ({"grade": None}, "caller row desk: `grade` says something else than its entry"),
        ({"system": "shop"}, "caller row desk: `system` says something else than its entry"),
    ):
        assert messages(verified(book, lambda c, values=values: c.execute(desk.values(**values)))) == [says]  # type: ignore[misc]
    back = update(CallerRow).where(col(CallerRow.name) == "shop").values(revoked_at=None)
    assert messages(verified(book, lambda c: c.execute(back))) == ["caller row shop: `revoked_at` says something else than its entry"]
    gone = messages(verified(book, lambda c: c.execute(delete(CallerRow))))
    assert gone == ["caller row desk: it is missing", "caller row shop: it is missing"]


def test_a_person_may_not_vanish_without_an_entry(book: Book) -> None:
    """Deleting the key destroys evidence; only an entry that says so makes it an erasure."""
    token = select(SubjectRow.__table__.c.token).order_by(SubjectRow.__table__.c.since).limit(1).scalar_subquery()  # type: ignore[attr-defined]
    found = messages(verified(book, lambda c: c.execute(delete(SubjectRow).where(col(SubjectRow.token) == token))))
    assert any("no entry says that the person was erased" in told for told in found)


def test_a_part_of_the_log_finds_what_stands_for_ever(book: Book) -> None:
    """Packs, callers and holds are held against their entries however late one begins to read; outcomes from there on."""
    size = verified(book).size
    for edit in (
        update(PackStepRow).where(col(PackStepRow.step) == "approved").values(by="mallory"),
        update(CallerRow).where(col(CallerRow.name) == "desk").values(role="compliance"),
        update(SubjectRow).values(hold="x"),
    ):
        assert not verified(book, lambda c, edit=edit: c.execute(edit), first=size).genuine  # type: ignore[misc]
    late = update(OutcomeRow).where(col(OutcomeRow.outcome) == "shown").values(outcome="accepted")
    assert not verified(book, lambda c: c.execute(late), first=size).genuine
    old = update(EntryRow).where(col(EntryRow.kind) == "pack_approved").values(envelope=b"{}")
    assert "record" in {finding.what for finding in verified(book, lambda c: c.execute(old), first=size).findings}


def test_one_decision_with_what_came_of_it(book: Book) -> None:
    """By its proof: its outcomes, its contact, its key, its pack."""
    with book.database.reading() as connection:
        decision = connection.execute(select(col(ContactRow.decision_id)).where(col(ContactRow.result) == "refused")).scalar_one()
    outcome = of_outcome(book, "refused")
    assert verified(book, entry=decision).genuine
    assert verified(book, entry=outcome).genuine
    for edit in (
        update(OutcomeRow).where(col(OutcomeRow.entry_id) == outcome).values(reference="REC-FORGED"),
        update(ContactRow).values(result="accepted"),
        update(IdempotencyRow).values(subject="0" * 32),
        update(PackRow).values(files=b""),
        delete(SubjectLeafRow),
    ):
        assert not verified(book, lambda c, edit=edit: c.execute(edit), entry=decision).genuine  # type: ignore[misc]
    assert not verified(book, lambda c: c.execute(delete(OutcomeRow).where(col(OutcomeRow.entry_id) == outcome)), entry=outcome).genuine


class TestNoFalseAlarm:
    """What the record itself does to its rows."""

    def test_erasing(self, book: Book) -> None:
        """Rows of the erased are gone or say nothing; what is written about them later is no alarm."""
        book.erase("s-0")
        assert verified(book, opening=True).findings == ()
        book.seal()
        assert verified(book, opening=True).findings == ()
        with book.database.writing() as connection:
            token = connection.execute(select(col(EntryRow.subject)).where(col(EntryRow.kind) == "erasure")).scalar_one()
            forged = {"subject": token, "at": stamp(NOW), "decision_id": of_outcome(book, "sent")}
            connection.execute(insert(ContactRow), {"id": "c-1", **forged})
        assert "no outcome makes it known" in messages(verified(book))[0]

    def test_erasing_by_the_program(self, book: Book) -> None:
        """The erasure itself, with a reading about the erased person after it."""
        record = Record(book.database, book.keys, clock=Clock(NOW + datetime.timedelta(minutes=1)))
        token = erase(record, "s-1", basis="asked", by="pia").token
        now = record.clock()
        record.write_now(NewEntry(Ids().new(now), "read", now, {"caller": "lea", "what": "decision"}, token=token))
        book.now = record.clock()
        book.seal()
        assert verified(book, opening=True).findings == ()
        record.close_now()

    @pytest.mark.parametrize("held", [True, False])
    def test_archiving(self, database: Database, keys: Keys, held: bool) -> None:
        """Months that go, with an outcome told in the month after; persons under legal hold keep theirs."""
        book = Book(database, keys)
        book.now = datetime.datetime(2023, 9, 30, 23, 59, tzinfo=datetime.UTC)
        decision, other = book.decide("s-1"), book.decide("s-2")
        book.tell(decision, "s-1", "sent")
        if held:
            book.hold("s-1", "court")
        book.seal()
        book.now += datetime.timedelta(minutes=5)
        book.tell(decision, "s-1", "refused", reference="R-1")
        book.tell(other, "s-2", "accepted")
        book.now = NOW
        book.decide("s-1")
        book.seal()
        record = Record(database, keys, clock=Clock(NOW + datetime.timedelta(seconds=1)))
        for month in ("2023-09", "2023-10"):
            archive(record, month, years=3, by="pia")
            assert verified(book, opening=True).findings == ()
        record.close_now()

    def test_outcomes_at_the_same_moment(self, book: Book) -> None:
        """Of those that were sealed together any may have come last; of those sealed apart the order is known."""
        decision = book.decide("s-1")
        book.tell(decision, "s-1", "accepted")
        book.tell(decision, "s-1", "refused")
        book.seal()
        swapped = update(ContactRow).where(col(ContactRow.decision_id) == decision).values(result="accepted")
        assert verified(book, lambda c: c.execute(swapped)).findings == ()
        book.tell(decision, "s-1", "refused")
        book.seal()
        assert not verified(book, lambda c: c.execute(swapped)).genuine

    def test_callers_by_the_program(self, database: Database, keys: Keys) -> None:
        """Added, revoked, and added again; an older entry that did not say the key."""
        record = Record(database, keys, clock=Clock())
        book = Book(database, keys)
        for name in ("desk", "shop"):
            known = {caller.name: caller for caller in record.read_now(all_callers)}
            now = record.clock()
            record.write_now(add_caller(known, Ids().new(now), now, name, "agent", by="ann", grade="leader").entry)
        for change in ("revoke", "add"):
            known = {caller.name: caller for caller in record.read_now(all_callers)}
            now, ids = record.clock(), Ids()
            revoked = revoke_caller(known, ids.new(now), now, "shop", by="bob") if change == "revoke" else None
            entry = revoked or add_caller(known, ids.new(now), now, "shop", "campaign", by="eve").entry
            record.write_now(entry)
            assert verified(book).findings == ()
        record.close_now()


def test_leaves_of_a_subject_are_exactly_theirs(book: Book) -> None:
    """One missing and one added are told by their leaves."""
    with book.database.reading() as connection:
        query = select(col(LeafRow.leaf_index), col(EntryRow.subject)).join(EntryRow, col(EntryRow.id) == col(LeafRow.entry_id))
        leaf, token = connection.execute(query.where(col(EntryRow.kind) == "decision").order_by(col(LeafRow.leaf_index)).limit(1)).one()
    moved = update(SubjectLeafRow).where(col(SubjectLeafRow.subject) == token, col(SubjectLeafRow.leaf_index) == leaf)
    found = verified(book, lambda c: c.execute(moved.values(leaf_index=0))).findings
    assert {(finding.leaf, finding.message.rpartition(": ")[2]) for finding in found} == {
        (0, "the entry is not about this subject"),
        (leaf, "it is missing, so that the entry is not found by its subject"),
    }
    assert PACK.startswith("sha256:")
