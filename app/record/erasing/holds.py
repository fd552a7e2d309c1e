"""Legal holds: while one is set, erasing the person is refused, and their entries stay when months are dropped."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, update
from sqlmodel import col

from app.record.entries import NewEntry
from app.record.erasing.reasons import check_reason
from app.record.ids import Ids
from app.record.persons import NobodyKnown, person_of
from app.record.privacy import lookup_of
from app.record.store.database import changed, stamp
from app.record.store.record import Record
from app.record.store.tables import SubjectRow


class NotHeld(Exception):
    """The subscriber is under no legal hold."""

    def __init__(self) -> None:
        super().__init__("the subscriber is under no legal hold")


def hold(record: Record, subscriber_id: str, *, reason: str, by: str) -> str:
    """Put a subscriber under legal hold, or give the hold another reason. The id of the entry.

    The reason is kept with the subject and, encrypted, with the entry; the envelope only says that there is a hold. The hold and its entry
    are stored together: while they are, nobody can erase the person.

    Raises:
        NobodyKnown: nobody on record has this id; a mistyped one must not look held.
        BadReason: the reason is empty or too long.
        StoreError: the store does not take it.
    """
    check_reason("reason", reason)
    lookup = lookup_of(record.keys, subscriber_id)
    person = record.read_now(lambda connection: person_of(connection, lookup))
    now = record.clock()
    entry = NewEntry(Ids().new(now), "hold", now, {"by": by, "step": "held"}, subscriber=subscriber_id, private={"reason": reason})
    values = {"hold": reason, "hold_by": by, "hold_since": stamp(now)}
    record.write_now(entry, beside=lambda connection, _: _begin(connection, person.token, values))
    return entry.id


def release(record: Record, subscriber_id: str, *, by: str) -> str:
    """End a legal hold. The id of the entry.

    Raises:
        NobodyKnown: the record knows no such subscriber.
        NotHeld: there is no hold.
        StoreError: the store does not take it.
    """
    lookup = lookup_of(record.keys, subscriber_id)
    person = record.read_now(lambda connection: person_of(connection, lookup))
    now = record.clock()
    entry = NewEntry(Ids().new(now), "hold", now, {"by": by, "step": "released"}, token=person.token)
    record.write_now(entry, beside=lambda connection, _: _end(connection, person.token))
    return entry.id


def _begin(connection: Connection, token: str, values: Mapping[str, str]) -> None:
    """Set the hold.

    Raises:
        NobodyKnown: the person was erased meanwhile.
    """
    if not changed(connection.execute(update(SubjectRow).where(col(SubjectRow.token) == token).values(**values))):
        raise NobodyKnown


def _end(connection: Connection, token: str) -> None:
    held = update(SubjectRow).where(col(SubjectRow.token) == token, col(SubjectRow.hold).is_not(None))
    if not changed(connection.execute(held.values(hold=None, hold_by=None, hold_since=None))):
        raise NotHeld
