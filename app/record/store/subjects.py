"""Subjects of entries: found or made in the transaction that writes about them, so that nothing is written under a key that is gone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.record.choices import MADE
from app.record.entries import NewEntry
from app.record.keys import Keys
from app.record.privacy import lookup_of, new_subject, unwrap
from app.record.store.database import Database, fetched, stamp
from app.record.store.problems import StoreUnavailable
from app.record.store.tables import SubjectRow

_ROUNDS = 5
_FOUND = """
SELECT lookup, token, wrapped_key, wrapped_with, EXISTS (SELECT 1 FROM choice WHERE choice.subject = token AND choice.step = '{made}')
FROM subject WHERE {column} {wanted} ORDER BY lookup{locked}
"""
_LOCKED = " FOR KEY SHARE OF subject"
"""Nobody can erase these rows until the transaction ends."""


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
    by_token = {found.token: found for _, found in _known(database, connection, "token", sorted({*tokens.values()}))} if tokens else {}
    named = {entry_id: by_lookup[lookup] for entry_id, lookup in lookups.items()}
    return named | {entry_id: by_token.get(token, Subject(token)) for entry_id, token in tokens.items()}


def _ensured(database: Database, keys: Keys, connection: Connection, lookups: set[bytes], now: datetime.datetime) -> dict[bytes, Subject]:
    """The subjects with these lookups. Another process may make one known, or erase one, between two looks: then look again."""
    found: dict[bytes, Subject] = {}
    for _ in range(_ROUNDS):
        missing = sorted(lookups - found.keys())
        found |= dict(_known(database, connection, "lookup", missing))
        if len(found) == len(lookups):
            return found
        database.insert_missing(connection, SubjectRow, list(_new_rows(keys, sorted(lookups - found.keys()), now)))
    raise StoreUnavailable("a subject is made known and erased again and again")


def _known(database: Database, connection: Connection, column: str, wanted: Sequence[Any]) -> Iterator[tuple[bytes, Subject]]:
    """The subjects of whom the column has one of these values, by their lookups."""
    told, values = database.is_one_of(wanted)
    statement = _FOUND.format(made=MADE, column=column, wanted=told, locked="" if database.is_sqlite else _LOCKED)
    for lookup, token, wrapped_key, wrapped_with, chose in fetched(connection, statement, values):
        yield bytes(lookup), Subject(token, bytes(wrapped_key), wrapped_with, bool(chose))


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
