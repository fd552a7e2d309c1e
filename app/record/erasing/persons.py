"""Erasing a person: their key and what points at them go; what was sealed stays, and nobody can read it any more. A legal hold refuses."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel, col

from app.record.entries import NewEntry
from app.record.ids import Ids
from app.record.privacy import lookup_of
from app.record.store.database import Database, changed, stamp
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import (
    ContactRow,
    DecisionRow,
    EntryRow,
    IdempotencyRow,
    OutcomeRow,
    SubjectLeafRow,
    SubjectRow,
)

LONGEST_REASON = 500
_PATIENCE = 10.0
_PAUSE = 0.05
_TOUCHED = (SubjectRow, ContactRow, IdempotencyRow, OutcomeRow, SubjectLeafRow)


class NotErased(Exception):
    """Nothing was erased; the message says why."""


class NobodyKnown(NotErased):
    """The record knows no such subscriber: never met, or erased before."""


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


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber the record knows: the token, since when, and the legal hold."""

    token: str
    since: str
    hold: str | None
    hold_by: str | None
    hold_since: str | None


def person_of(connection: Connection, lookup: bytes) -> Person | None:
    """The subscriber found under a keyed hash; none where there is no such one."""
    columns = (getattr(SubjectRow, name) for name in Person.__slots__)
    row = connection.execute(select(*columns).where(col(SubjectRow.lookup) == lookup)).first()
    return None if row is None else Person(*row)


def erase(record: Record, subscriber_id: str, *, basis: str, by: str) -> Erased:
    """Erase a subscriber. The entry that says so is durable before anything is deleted; run again, it goes on where it was broken off.

    Args:
        record: of the log.
        subscriber_id: the operator's id.
        basis: on what the erasure rests, such as a request of the person. It stays on the record for ever: nothing personal in it.
        by: who erases.

    Raises:
        NobodyKnown: the record knows no such subscriber.
        Held: they are under legal hold.
        NotErased: decisions of the first release still stand in the clear.
        ValueError: the basis is empty, too long, or names the subscriber.
        StoreError: the store does not take it.
    """
    _check_text("basis", basis, subscriber_id)
    lookup = lookup_of(record.keys, subscriber_id)
    person = record.read_now(lambda connection: _erasable(connection, lookup))
    now = record.clock()
    entry = NewEntry(str(Ids().new(now)), "erasure", now, {"by": by, "basis": basis}, token=person.token)
    record.write_now(entry)
    with record.database.writing() as connection:
        rows = _delete(connection, lookup, person.token)
    return Erased(entry.id, person.token, rows, scrub(record.database))


def hold(record: Record, subscriber_id: str, *, reason: str, by: str) -> str:
    """Put a subscriber under legal hold; one whom the record does not know yet too. The id of the entry.

    The reason is kept with the subject and, encrypted, with the entry; the envelope only says that there is a hold.

    Raises:
        ValueError: the reason is empty or too long.
        StoreError: the store does not take it.
    """
    _check_text("reason", reason)
    now = record.clock()
    entry = NewEntry(str(Ids().new(now)), "hold", now, {"by": by, "step": "held"}, subscriber=subscriber_id, private={"reason": reason})
    record.write_now(entry)
    _set_hold(record, subscriber_id, {"hold": reason, "hold_by": by, "hold_since": stamp(now)})
    return entry.id


def release(record: Record, subscriber_id: str, *, by: str) -> str:
    """End a legal hold. The id of the entry.

    Raises:
        NobodyKnown: the record knows no such subscriber.
        NotErased: there is no hold.
        StoreError: the store does not take it.
    """
    lookup = lookup_of(record.keys, subscriber_id)
    person = record.read_now(lambda connection: _known(connection, lookup))
    if person.hold is None:
        raise NotErased("the subscriber is under no legal hold")
    now = record.clock()
    entry = NewEntry(str(Ids().new(now)), "hold", now, {"by": by, "step": "released"}, token=person.token)
    record.write_now(entry)
    _set_hold(record, subscriber_id, {"hold": None, "hold_by": None, "hold_since": None})
    return entry.id


def erasure_of(connection: Connection, token: str) -> bytes | None:
    """The envelope of the entry that erased a subject; none where it was not erased."""
    query = select(col(EntryRow.envelope)).where(col(EntryRow.subject) == token, col(EntryRow.kind) == "erasure")
    found = connection.execute(query.order_by(col(EntryRow.id).desc()).limit(1)).scalar()
    return None if found is None else bytes(found)


def scrub(database: Database, *, patience: float = _PATIENCE, full: bool = False) -> bool:
    """Have the bytes of deleted rows overwritten; false where somebody else kept the log of changes busy all the while.

    SQLite: the file is written anew and the write-ahead log emptied, for which writers wait. PostgreSQL: the tables are vacuumed, so that
    the space of deleted rows is used again; `full` writes them anew, for which everybody waits. What its write-ahead log, archives and
    backups hold leaves with them, by their own rules.
    """
    try:
        with database.engine.connect() as connection:
            return _scrubbed_file(connection, patience) if database.is_sqlite else _scrubbed_tables(connection, full=full)
    except OperationalError:  # locked all the while, or not done in the time that a statement may take
        return False


def _scrubbed_file(connection: Connection, patience: float) -> bool:
    if not _emptied(connection, patience):
        return False
    connection.exec_driver_sql("VACUUM")
    return _emptied(connection, patience)


def _scrubbed_tables(connection: Connection, *, full: bool) -> bool:
    for table in _TOUCHED:
        connection.exec_driver_sql(f"VACUUM {'FULL ' if full else ''}{table.__tablename__}")
    return True


def _emptied(connection: Connection, patience: float) -> bool:
    """Bring the write-ahead log back into the file and cut it to nothing, which waits for readers."""
    give_up = time.monotonic() + patience
    while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one():
        if time.monotonic() > give_up:
            return False
        time.sleep(_PAUSE)
    return True


def _erasable(connection: Connection, lookup: bytes) -> Person:
    person = _known(connection, lookup)
    if person.hold is not None:
        raise Held(person.hold, person.hold_by or "", person.hold_since or "")
    if connection.execute(select(func.count()).select_from(DecisionRow)).scalar_one():
        raise NotErased("decisions of the first release still stand in the clear; start the service once, which takes them over")
    return person


def _known(connection: Connection, lookup: bytes) -> Person:
    person = person_of(connection, lookup)
    if person is None:
        raise NobodyKnown("the record knows no such subscriber: never met, or erased before")
    return person


def _delete(connection: Connection, lookup: bytes, token: str) -> dict[str, int]:
    """Delete the key first, unless a hold came in between; the rest follows in the same transaction."""
    held = col(SubjectRow.hold).is_(None)
    if not changed(connection.execute(delete(SubjectRow).where(col(SubjectRow.lookup) == lookup, held))):
        person = person_of(connection, lookup)
        if person is not None and person.hold is not None:
            raise Held(person.hold, person.hold_by or "", person.hold_since or "")
    forgotten = update(OutcomeRow).where(col(OutcomeRow.subject) == token).values(subject=None, reference=None)
    return {
        "subject": 1,
        "contact": _deleted(connection, ContactRow, token),
        "idempotency": _deleted(connection, IdempotencyRow, token),
        "subject_leaf": _deleted(connection, SubjectLeafRow, token),
        "outcome": changed(connection.execute(forgotten)),
    }


def _deleted(connection: Connection, table: type[SQLModel], token: str) -> int:
    return changed(connection.execute(delete(table).where(table.__table__.c.subject == token)))  # type: ignore[attr-defined]


def _set_hold(record: Record, subscriber_id: str, values: Mapping[str, str | None]) -> None:
    with record.database.writing() as connection:
        found = update(SubjectRow).where(col(SubjectRow.lookup) == lookup_of(record.keys, subscriber_id)).values(**values)
        if not changed(connection.execute(found)):
            raise StoreUnavailable("the subscriber was erased in between")


def _check_text(name: str, text: str, subscriber_id: str = "") -> None:
    if not text.strip() or len(text) > LONGEST_REASON:
        raise ValueError(f"{name}: expected 1 to {LONGEST_REASON} characters")
    if subscriber_id and subscriber_id in text:
        raise ValueError(f"{name}: it names the subscriber, and stays on the record for ever; leave the id out")
