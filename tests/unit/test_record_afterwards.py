"""What became of decisions is shown from the entries: forged, deleted and made-up rows change nothing of it."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update
from sqlmodel import col

from app.record.damage import DamagedEntry
from app.record.keys import Keys
from app.record.packs.library import PackLibrary
from app.record.reading.afterwards import Answered, contacts_told, outcomes_of
from app.record.reading.dossier import dossier
from app.record.reading.recorded import Recorded, read_entry
from app.record.search.indexing import unpacked
from app.record.store.database import Database, stamp
from app.record.store.tables import ContactRow, EntryRow, OutcomeRow, SearchBlockRow
from tests.logs import NOW, Book

pytestmark = pytest.mark.unit


@pytest.fixture
def book(database: Database, keys: Keys) -> Book:
    """A decision that was told of three times, and another one about the same person."""
    book = Book(database, keys)
    book.decide("s-1", offered=[{"rank": 1, "action": "bill_explain", "duty": "owed", "kind": "care"}])
    return book


def decision(book: Book) -> str:
    with book.database.reading() as connection:
        found: str = connection.execute(EntryRow.__table__.select().order_by(EntryRow.__table__.c.id)).first().id  # type: ignore[attr-defined]
    return found


def read(book: Book, entry_id: str) -> Recorded:
    with book.database.reading() as connection:
        found = read_entry(connection, book.keys, entry_id)
    assert found is not None
    return found


def outcomes(book: Book, decision_id: str) -> list[Answered]:
    recorded = read(book, decision_id)
    with book.database.reading() as connection:
        return outcomes_of(connection, book.keys, recorded)


def test_rows_are_not_believed(book: Book) -> None:
    """Whatever is done to the rows of outcomes, each outcome is told as its entry has it."""
    asked = decision(book)
    sent = book.tell(asked, "s-1", "sent")
    refused = book.tell(asked, "s-1", "refused", reference="R-1")
    before = outcomes(book, asked)
    assert [(told.entry_id, told.outcome, told.confirmed_by, told.agent) for told in before] == [
        (sent, "sent", None, "a-1"),
        (refused, "refused", "R-1", "a-1"),
    ]
    other = book.decide("s-2")
    made_up = {"entry_id": other, "decision_id": asked, "action": "bill_explain", "outcome": "accepted", "at": stamp(NOW)}
    for edit in (
        update(OutcomeRow).values(outcome="accepted", reference="REC-FORGED", agent="a-9", at=stamp(NOW)),
        insert(OutcomeRow).values(**made_up),
        insert(OutcomeRow).values(**made_up | {"entry_id": "nothing"}),
        update(OutcomeRow).values(decision_id=other),
        delete(OutcomeRow),
    ):
        with book.database.writing() as connection:
            connection.execute(edit)
        assert outcomes(book, asked) == before
    with book.database.reading() as connection:
        packs = PackLibrary(book.database, pattern_engine="builtin")
        assert list(dossier(connection, book.keys, read(book, asked), packs, "en").outcomes) == before


@pytest.mark.parametrize("sealed", ["together", "apart"])
def test_the_index_has_what_entries_tell(book: Book, sealed: str) -> None:
    """A decision is found by the outcome that its entry tells, and figures count that one, whatever the row said when it was sealed."""
    asked = decision(book)
    if sealed == "apart":
        book.seal()
    book.tell(asked, "s-1", "refused")
    with book.database.writing() as connection:
        connection.execute(update(OutcomeRow).values(outcome="accepted", action="forged"))
    book.seal()
    with book.database.reading() as connection:
        found = connection.execute(select(col(SearchBlockRow.term)).where(col(SearchBlockRow.term).like("outcome=%"))).scalars()
        assert set(found) == {"outcome=refused", "outcome=bill_explain:refused"}
        query = select(col(SearchBlockRow.bits)).where(col(SearchBlockRow.term) == "outcome=refused")
        assert unpacked(connection.execute(query).scalar_one()).bit_count() == 2


def test_of_the_erased_the_codes_are_left(book: Book) -> None:
    """The confirmation is gone with the person's key, what came of it is not."""
    asked = decision(book)
    book.tell(asked, "s-1", "refused", reference="R-1")
    book.erase("s-1")
    assert [(told.outcome, told.confirmed_by) for told in outcomes(book, asked)] == [("refused", None)]


def test_a_damaged_outcome_is_told(book: Book) -> None:
    """A reference that is not the one that was recorded is not shown."""
    asked = decision(book)
    outcome = book.tell(asked, "s-1", "refused", reference="R-1")
    with book.database.writing() as connection:
        connection.execute(update(EntryRow).where(col(EntryRow.id) == outcome).values(private=b"x" * 60))
    with pytest.raises(DamagedEntry):
        outcomes(book, asked)


def test_contacts_are_those_that_outcomes_make_known(book: Book) -> None:
    """One for an action, at the time it was made, with the most final result; not what the table of contacts says."""
    asked = decision(book)
    ids = [book.tell(asked, "s-1", outcome) for outcome in ("sent", "refused", "ignored", "left")]
    ids.append(book.tell(asked, "s-1", "shown", action="other"))
    with book.database.writing() as connection:
        stored = connection.execute(ContactRow.__table__.select().order_by(ContactRow.__table__.c.at)).mappings().all()  # type: ignore[attr-defined]
        assert [(row["action"], row["result"]) for row in stored] == [("bill_explain", "refused"), ("other", "shown")]
        times = [row["at"] for row in stored]
        connection.execute(delete(ContactRow))
    contacts = contacts_told([read(book, entry_id) for entry_id in (asked, *ids)])
    assert [(found["action"], found["result"], found["kind"], found["channel"]) for found in contacts] == [
        ("bill_explain", "refused", "care", "call_centre"),
        ("other", "shown", None, "call_centre"),
    ]
    assert [found["at"] for found in contacts] == times
