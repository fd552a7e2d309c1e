"""Idempotency keys: the first entry under a key has it, whichever process comes first; who asks again gets that entry's id."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.entries import Idempotency, NewEntry, Written
from app.record.store.database import Database, stamp
from app.record.store.problems import KeyReused
from app.record.store.subjects import Subject
from app.record.store.tables import IdempotencyRow

_CHANGING = ("body_hash", "entry_id", "subject", "expires_at")
_Key = tuple[str, str]


@dataclass(slots=True)
class Claims:
    """The keys that the entries of one transaction ask for."""

    database: Database
    connection: Connection
    now: datetime.datetime
    _holders: dict[_Key, tuple[bytes, str]] = field(default_factory=dict)

    def look(self, entries: Sequence[NewEntry]) -> None:
        """Find who has the keys that these entries ask for."""
        asked = list(_asked(entries))
        if not asked:
            return
        query = select(col(IdempotencyRow.caller), col(IdempotencyRow.key), col(IdempotencyRow.body_hash), col(IdempotencyRow.entry_id))
        query = query.where(
            self.database.among(col(IdempotencyRow.caller), sorted({one.caller for one in asked})),
            self.database.among(col(IdempotencyRow.key), [one.key for one in asked]),
            col(IdempotencyRow.expires_at) > stamp(self.now),
        )
        for row in self.connection.execute(query):
            self._holders[row.caller, row.key] = bytes(row.body_hash), row.entry_id

    def take(self, entries: Sequence[NewEntry], subjects: Mapping[str, Subject]) -> None:
        """Claim the keys that nobody has, the first entry that asks for one before the others; then look who has them now."""
        rows: dict[_Key, dict[str, object]] = {}
        for entry in entries:
            if entry.idempotency is not None and _key(entry.idempotency) not in self._holders:
                rows.setdefault(_key(entry.idempotency), _row(entry, entry.idempotency, subjects.get(entry.id)))
        if rows:
            ordered = [rows[key] for key in sorted(rows)]
            expired = col(IdempotencyRow.expires_at) <= stamp(self.now)
            self.database.put(self.connection, IdempotencyRow, ordered, replacing=_CHANGING, where=expired)
            self.look(entries)

    def outcome(self, entry: NewEntry) -> Written | KeyReused | None:
        """What became of an entry whose key another one has; none for one that is to be written."""
        asked = entry.idempotency
        if asked is None or _key(asked) not in self._holders:
            return None
        body_hash, entry_id = self._holders[_key(asked)]
        if body_hash != asked.body_hash:
            return KeyReused("the idempotency key was used before, for another request; use a new key for a new request")
        return None if entry_id == entry.id else Written(entry_id, repeated=True)


def _asked(entries: Sequence[NewEntry]) -> Iterator[Idempotency]:
    return (entry.idempotency for entry in entries if entry.idempotency is not None)


def _key(asked: Idempotency) -> _Key:
    return asked.caller, asked.key


def _row(entry: NewEntry, asked: Idempotency, subject: Subject | None) -> dict[str, object]:
    return {
        "caller": asked.caller,
        "key": asked.key,
        "body_hash": asked.body_hash,
        "entry_id": entry.id,
        "subject": subject.token if subject else None,
        "expires_at": stamp(asked.expires_at),
    }
