"""Legal holds: while one is set, erasing the person is refused, and their entries stay when months are dropped."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, update
from sqlmodel import col

from app.record.entries import NewEntry
from app.record.erasing.reasons import check_reason
from app.record.ids import Ids
from app.record.persons import person_of
from app.record.privacy import lookup_of
from app.record.store.database import changed, stamp
from app.record.store.record import Record
from app.record.store.tables import SubjectRow


class NotHeld(Exception):
    """The subscriber is under no legal hold."""

    def __init__(self) -> None:
        super().__init__("the subscriber is under no legal hold")


def hold(record: Record, subscriber_id: str, *, reason: str, by: str) -> str:
    """Put a subscriber under legal hold; one whom the record does not know yet too. The id of the entry.

    The reason is kept with the subject and, encrypted, with the entry; the envelope only says that there is a hold. The hold and its entry
    are stored together: while they are, nobody can erase the person.

    Raises:
        ValueError: the reason is empty or too long.
        StoreError: the store does not take it.
    """
    check_reason("reason", reason)
    now, lookup = record.clock(), lookup_of(record.keys, subscriber_id)
    entry = NewEntry(str(Ids().new(now)), "hold", now, {"by": by, "step": "held"}, subscriber=subscriber_id, private={"reason": reason})
    values = {"hold": reason, "hold_by": by, "hold_since": stamp(now)}
    record.write_now(entry, beside=lambda connection, _: _begin(connection, lookup, values))
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
    entry = NewEntry(str(Ids().new(now)), "hold", now, {"by": by, "step": "released"}, token=person.token)
    record.write_now(entry, beside=lambda connection, _: _end(connection, person.token))
    return entry.id


def _begin(connection: Connection, lookup: bytes, values: Mapping[str, str]) -> None:
    connection.execute(update(SubjectRow).where(col(SubjectRow.lookup) == lookup).values(**values))


def _end(connection: Connection, token: str) -> None:
    held = update(SubjectRow).where(col(SubjectRow.token) == token, col(SubjectRow.hold).is_not(None))
    if not changed(connection.execute(held.values(hold=None, hold_by=None, hold_since=None))):
        raise NotHeld
