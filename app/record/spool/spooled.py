"""An entry as bytes, for the spool, and back."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from typing import Any

import orjson

from app.record.canonical import canonical
from app.record.entries import SUBJECT, NewEntry, NewRow, Subject
from app.record.store.database import stamp

_BYTES, _SUBJECT = "$bytes", "$subject"


def bytes_of(entry: NewEntry) -> bytes:
    """The entry as bytes. It has no idempotency key.

    Raises:
        NotCanonical, TypeError: it has what JSON cannot say, so that the store would refuse it later.
    """
    canonical(entry.body)
    if entry.private is not None:
        canonical(entry.private)
    told = {
        "id": entry.id,
        "kind": entry.kind,
        "at": stamp(entry.at),
        "body": entry.body,
        "subscriber": entry.subscriber,
        "token": entry.token,
        "private": entry.private,
        "rows": [[row.table, row.replacing, {name: _plain(value) for name, value in row.values.items()}] for row in entry.rows],
        "tally": entry.tally,
        "trace": entry.trace,
    }
    return orjson.dumps(told, default=_mapping)


def entry_of(written: bytes) -> NewEntry:
    """The entry that `bytes_of` wrote."""
    told = orjson.loads(written)
    return NewEntry(
        id=told["id"],
        kind=told["kind"],
        at=datetime.datetime.fromisoformat(told["at"]),
        body=told["body"],
        subscriber=told["subscriber"],
        token=told["token"],
        private=told["private"],
        rows=tuple(_row(*row) for row in told["rows"]),
        tally=told["tally"],
        trace=told.get("trace"),
    )


def _row(table: str, replacing: list[str] | None, values: Mapping[str, Any]) -> NewRow:
    return NewRow(table, {name: _value(value) for name, value in values.items()}, None if replacing is None else tuple(replacing))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    return {_SUBJECT: True} if isinstance(value, Subject) else value


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return SUBJECT if _SUBJECT in value else base64.b64decode(value[_BYTES])


def _mapping(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be spooled")
