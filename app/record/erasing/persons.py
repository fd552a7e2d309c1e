"""Erasing a person: their key and what points at them go; what was sealed stays, and nobody can read it any more. A legal hold refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, func, select, update
from sqlmodel import SQLModel, col

from app.record.entries import NewEntry
from app.record.erasing.reasons import BadReason, check_reason
from app.record.erasing.scrubbing import scrub
from app.record.ids import Ids
from app.record.persons import NobodyKnown, Person, person_of
from app.record.privacy import lookup_of
from app.record.spool.folders import left_in
from app.record.spool.segments import SUFFIX
from app.record.store.database import changed
from app.record.store.record import Record
from app.record.store.tables import (
    ChoiceRow,
    ContactRow,
    DecisionRow,
    EntryRow,
    EventLineRow,
    EventRow,
    IdempotencyRow,
    OutcomeRow,
    RecommendationRow,
    SubjectLeafRow,
    SubjectRow,
)


class NotErased(Exception):
    """Nothing was erased; the message says why."""


class Held(NotErased):
    """The subscriber is under legal hold. `reason` is why, as whoever set it wrote it."""

    def __init__(self, reason: str, by: str, since: str) -> None:
        super().__init__(f"the subscriber is under legal hold since {since}, set by {by}: {reason}")
        self.reason, self.by, self.since = reason, by, since


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted, by table, and the entry that says so. `scrubbed`: the freed bytes were overwritten too."""

    entry_id: str
    token: str
    rows: Mapping[str, int]
    scrubbed: bool


def erase(record: Record, subscriber_id: str, *, basis: str, by: str) -> Erased:
    """Erase a subscriber: together with the entry that says so, or not at all.

    Args:
        record: of the log.
        subscriber_id: the operator's id.
        basis: on what the erasure rests, such as a request of the person. It stays on the record for ever: nothing personal in it.
        by: who erases.

    Raises:
        NobodyKnown: the record knows no such subscriber.
        Held: they are under legal hold.
        NotErased: decisions of the first release still stand in the clear, or entries wait in the spool.
        BadReason: the basis is empty, too long, or names the subscriber.
        StoreError: the store does not take it.
    """
    check_reason("basis", basis)
    if subscriber_id in basis:
        raise BadReason("basis", "names the subscriber, and stays on the record for ever; leave the id out")
    _check_spool(record.spool_folder)
    lookup = lookup_of(record.keys, subscriber_id)
    person = record.read_now(lambda connection: _erasable(connection, lookup))
    now = record.clock()
    entry = NewEntry(Ids().new(now), "erasure", now, {"by": by, "basis": basis}, token=person.token)
    rows: dict[str, int] = {}
    record.write_now(entry, beside=lambda connection, _: rows.update(_delete(connection, lookup, person.token)))
    return Erased(entry.id, person.token, rows, scrub(record.database))


def erasure_of(connection: Connection, token: str) -> bytes | None:
    """The envelope of the entry that erased a subject; none where it was not erased."""
    query = select(col(EntryRow.envelope)).where(col(EntryRow.subject) == token, col(EntryRow.kind) == "erasure")
    found = connection.execute(query.order_by(col(EntryRow.id).desc()).limit(1)).scalar()
    return None if found is None else bytes(found)


def _check_spool(folder: Path | None) -> None:
    """What waits there may be about the person, and would make them known again."""
    left = [] if folder is None else left_in(folder)
    if any(path.suffix == SUFFIX for path in left):
        told = "entries wait in the spool, and erasing does not reach them; run the service with WANLIU_ON_STORE_FAILURE=spool until"
        raise NotErased(f"{told} they are in the store, then erase")
    if left:
        told = "the spool keeps entries that the store refused, and erasing does not reach them; deal with what the log says of them"
        raise NotErased(f"{told}, delete `{left[0].name}` in a folder of WANLIU_SPOOL_DIR, then erase")


def _erasable(connection: Connection, lookup: bytes) -> Person:
    person = _free(person_of(connection, lookup))
    if connection.execute(select(func.count()).select_from(DecisionRow)).scalar_one():
        raise NotErased("decisions of the first release still stand in the clear; start the service once, which takes them over")
    return person


def _free(person: Person) -> Person:
    if person.hold is not None:
        raise Held(person.hold, person.hold_by or "", person.hold_since or "")
    return person


def _delete(connection: Connection, lookup: bytes, token: str) -> dict[str, int]:
    """Delete the key first, which waits for whoever writes about the person or holds them at the moment; then the rest.

    Raises:
        Held: a hold came first.
        NobodyKnown: somebody else erased the person meanwhile.
    """
    free = delete(SubjectRow).where(col(SubjectRow.token) == token, col(SubjectRow.hold).is_(None))
    if not changed(connection.execute(free)):
        _free(person_of(connection, lookup))
        raise NobodyKnown
    forgotten = update(OutcomeRow).where(col(OutcomeRow.subject) == token).values(subject=None, reference=None)
    return {
        "subject": 1,
        "contact": _deleted(connection, ContactRow, token),
        "choice": _deleted(connection, ChoiceRow, token),
        "idempotency": _deleted(connection, IdempotencyRow, token),
        "subject_leaf": _deleted(connection, SubjectLeafRow, token),
        "recommendation": _deleted(connection, RecommendationRow, token),
        "event": _deleted(connection, EventRow, token),
        "event_line": _deleted(connection, EventLineRow, token),
        "outcome": changed(connection.execute(forgotten)),
    }


def _deleted(connection: Connection, table: type[SQLModel], token: str) -> int:
    return changed(connection.execute(delete(table).where(table.__table__.c.subject == token)))  # type: ignore[attr-defined]
