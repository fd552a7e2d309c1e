"""Subjects of entries: found or made in the transaction that writes about them, so that nothing is written under a key that is gone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.choices import MADE
from app.record.entries import NewEntry
from app.record.keys import Keys
from app.record.privacy import lookup_of, new_subject, unwrap
from app.record.store.database import Database, stamp
from app.record.store.problems import StoreUnavailable
from app.record.store.tables import ChoiceRow, SubjectRow

_ROUNDS = 5
_WANTED = "wanted"
_COLUMNS = (col(SubjectRow.lookup), col(SubjectRow.token), col(SubjectRow.wrapped_key), col(SubjectRow.wrapped_with))
_chose = select(1).where(col(ChoiceRow.subject) == col(SubjectRow.token), col(ChoiceRow.step) == MADE).exists().label("chose")
_held = select(*_COLUMNS, _chose).order_by(col(SubjectRow.lookup)).with_for_update(read=True, key_share=True, of=SubjectRow)
"""Rows that nobody can erase until the transaction ends."""


class NoKey(ValueError):
    """The subject was erased."""

    def __init__(self) -> None:
        super().__init__("private: the subject was erased, so nothing more can be kept about them")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an entry is about: the token, and the key while there is one; it is gone when the person was erased. `chose` where a choice of
    theirs stands.
    """

    token: str
    wrapped_key: bytes | None = None
    wrapped_with: str = ""
    chose: bool = False

    def key(self, keys: Keys) -> bytes:
        """The key of this subject's payloads.

        Raises:
            NoKey: the person was erased.
            KeysProblem, Unreadable: the keys of this log do not open it.
        """
        if self.wrapped_key is None:
            raise NoKey
        return unwrap(keys, self.wrapped_key, self.wrapped_with)


def subjects_of(
    database: Database, keys: Keys, connection: Connection, entries: Sequence[NewEntry], now: datetime.datetime
) -> Mapping[str, Subject]:
    """The subjects of entries, by the entries' ids. Who is new is made known; nobody is erased before the transaction ends."""
    lookups = {entry.id: lookup_of(keys, entry.subscriber) for entry in entries if entry.subscriber is not None}
    tokens = {entry.id: entry.token for entry in entries if entry.subscriber is None and entry.token is not None}
    by_lookup = _ensured(database, keys, connection, set(lookups.values()), now) if lookups else {}
    by_token = _with_tokens(database, connection, set(tokens.values())) if tokens else {}
    found = {entry_id: by_lookup[lookup] for entry_id, lookup in lookups.items()}
    return found | {entry_id: by_token.get(token, Subject(token)) for entry_id, token in tokens.items()}


def _ensured(database: Database, keys: Keys, connection: Connection, lookups: set[bytes], now: datetime.datetime) -> dict[bytes, Subject]:
    """The subjects with these lookups. Another process may make one known, or erase one, between two looks: then look again."""
    found: dict[bytes, Subject] = {}
    for _ in range(_ROUNDS):
        missing = sorted(lookups - found.keys())
        rows = connection.execute(_by(database, "lookup"), {_WANTED: missing})
        found |= {bytes(row.lookup): _subject(row) for row in rows}
        if len(found) == len(lookups):
            return found
        database.insert_missing(connection, SubjectRow, list(_new_rows(keys, sorted(lookups - found.keys()), now)))
    raise StoreUnavailable("a subject is made known and erased again and again")


def _with_tokens(database: Database, connection: Connection, tokens: set[str]) -> dict[str, Subject]:
    rows = connection.execute(_by(database, "token"), {_WANTED: sorted(tokens)})
    return {row.token: _subject(row) for row in rows}


def _subject(row: Any) -> Subject:
    return Subject(row.token, bytes(row.wrapped_key), row.wrapped_with, bool(row.chose))


def _by(database: Database, column: str) -> Any:
    """The statement that finds subjects by a column: made once, since making it takes longer than finding them."""
    if (database.is_sqlite, column) not in _statements:
        _statements[database.is_sqlite, column] = _held.where(database.any_of(getattr(SubjectRow, column), _WANTED))
    return _statements[database.is_sqlite, column]


_statements: dict[tuple[bool, str], Any] = {}


def _new_rows(keys: Keys, lookups: Sequence[bytes], now: datetime.datetime) -> Iterator[dict[str, object]]:
    for lookup in lookups:
        made = new_subject(keys)
        yield {
            "lookup": lookup,
            "token": made.token,
            "wrapped_key": made.wrapped,
            "wrapped_with": made.wrapped_with,
            "since": stamp(now),
        }
