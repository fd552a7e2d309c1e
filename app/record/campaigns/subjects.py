"""The subjects of a part of a campaign: found, or made known, all of them with a few statements."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from app.record.choices import MADE
from app.record.keys import Keys, UnknownKey
from app.record.privacy import lookups_of, new_subjects, unwrap
from app.record.store.database import Database, cause, copied, fetched, run, stamp
from app.record.store.problems import DATABASE_ERRORS, KeyUnknown, StoreUnavailable

_ROUNDS = 5
_MORE_IN_MEMORY = "PRAGMA cache_size = -131072"
"""Kibibytes of a connection that puts so many subjects in among millions."""
_AT_ONCE = 4_000
"""Values in one statement, and subjects in one transaction."""
_NEW_AT_ONCE = 500
"""The same of new ones where others go first."""
_FOUND = f"""
SELECT lookup, token, wrapped_key, wrapped_with, EXISTS (SELECT 1 FROM choice WHERE choice.subject = token AND choice.step = '{MADE}')
FROM subject WHERE lookup {{wanted}}
"""  # noqa: S608 - the words are ours
_WANTED = "CREATE TEMPORARY TABLE wanted_subject (LIKE subject INCLUDING DEFAULTS) ON COMMIT DROP"
_COLUMNS = {"lookup": "bytea", "token": "text", "wrapped_key": "bytea", "wrapped_with": "text", "since": "text"}
_NEW, _EACH = f"INSERT INTO subject ({', '.join(_COLUMNS)}) VALUES", "(?, ?, ?, ?, ?)"
_TAKEN = "INSERT INTO subject SELECT * FROM wanted_subject ORDER BY lookup ON CONFLICT DO NOTHING RETURNING lookup"


class Known(NamedTuple):
    """A subscriber as the record knows one: the token, the key of the payloads, and whether a choice of theirs stands."""

    token: str
    key: bytes
    chose: bool

    def __repr__(self) -> str:
        return f"Known(token={self.token!r}, chose={self.chose})"


def known_subjects(database: Database, keys: Keys, now: datetime.datetime, subscribers: Sequence[str]) -> list[Known]:
    """Each of these subscribers; who is new is made known. Others who write wait for a few thousand of them at a time.

    Args:
        database: the store.
        keys: of the record.
        now: the time.
        subscribers: the operator's ids.

    Raises:
        StoreUnavailable: the store does not take them.
        KeyUnknown: somebody's key is wrapped with one that this process does not know.
        Unreadable: the keys of this log do not open somebody's.
    """
    lookups = lookups_of(keys, subscribers)
    found: dict[bytes, Known] = {}
    wanted = sorted(set(lookups))
    try:
        if database.gives_way:  # looking keeps nobody from writing
            for part in portions(wanted):
                with database.reading() as connection:
                    found |= _found(database, keys, connection, part)
            wanted = [lookup for lookup in wanted if lookup not in found]
        for start, part in enumerate(portions(wanted, _NEW_AT_ONCE if database.gives_way else _AT_ONCE)):
            if start:
                time.sleep(database.gives_way)
            with database.writing() as connection:
                if database.is_sqlite:
                    connection.exec_driver_sql(_MORE_IN_MEMORY)
                found |= _ensured(database, keys, connection, part, now)
    except UnknownKey as error:
        raise KeyUnknown(str(error)) from error
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(cause(error)) from error
    return [found[lookup] for lookup in lookups]


def portions(values: Sequence[Any], at_once: int = _AT_ONCE) -> Iterator[Sequence[Any]]:
    """Values in portions that one statement takes."""
    return (values[start : start + at_once] for start in range(0, len(values), at_once))


def _ensured(
    database: Database, keys: Keys, connection: Connection, lookups: Sequence[bytes], now: datetime.datetime
) -> dict[bytes, Known]:
    """The subjects with these lookups. Another process may make one known, or erase one, between two looks: then look again."""
    found: dict[bytes, Known] = {}
    missing = lookups
    for _ in range(_ROUNDS):
        found |= _found(database, keys, connection, missing)
        missing = [lookup for lookup in lookups if lookup not in found]
        if missing:
            found |= _made_known(database, keys, connection, missing, now)
            missing = [lookup for lookup in missing if lookup not in found]
        if not missing:
            return found
    raise StoreUnavailable("a subject is made known and erased again and again")


def _found(database: Database, keys: Keys, connection: Connection, lookups: Sequence[bytes]) -> dict[bytes, Known]:
    found: dict[bytes, Known] = {}
    told, values = database.is_one_of(lookups)
    for lookup, token, wrapped_key, wrapped_with, chose in fetched(connection, _FOUND.format(wanted=told), values):
        found[bytes(lookup)] = Known(token, unwrap(keys, bytes(wrapped_key), wrapped_with), bool(chose))
    return found


def _made_known(
    database: Database, keys: Keys, connection: Connection, lookups: Sequence[bytes], now: datetime.datetime
) -> Mapping[bytes, Known]:
    """Those of these that nobody else made known first."""
    made = dict(zip(lookups, new_subjects(keys, len(lookups)), strict=True))
    since = stamp(now)
    rows = [(lookup, one.token, one.wrapped, one.wrapped_with, since) for lookup, one in made.items()]
    return {lookup: Known(made[lookup].token, made[lookup].key, chose=False) for lookup in _stored(database, connection, rows)}


def _stored(database: Database, connection: Connection, rows: Sequence[Sequence[Any]]) -> Iterable[bytes]:
    """Store the rows whose lookups are new; the lookups of these."""
    if database.is_sqlite:  # nobody else writes until this transaction ends
        values = [value for row in rows for value in row]  # one statement: other threads of Python would have their turns between many
        run(connection, f"{_NEW} {', '.join([_EACH] * len(rows))}", values)
        return [row[0] for row in rows]
    connection.exec_driver_sql(_WANTED)
    copied(connection, "wanted_subject", _COLUMNS, rows)
    taken = [bytes(lookup) for (lookup,) in fetched(connection, _TAKEN)]
    connection.exec_driver_sql("DROP TABLE wanted_subject")
    return taken
