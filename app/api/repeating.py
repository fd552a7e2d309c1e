"""Requests that may be repeated: with the same `Idempotency-Key` the answer is the first one, byte for byte."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import Header, Request
from sqlalchemy import Connection

from app.api.callers import caller_of
from app.record import StoreUnavailable
from app.record.entries import Idempotency
from app.record.reading.recorded import read_entry
from app.record.store.idempotency import KEY_PATTERN, first_of, idempotency_of
from app.record.store.record import Record

RepeatKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        description="Names the request, so that it can be sent again: for 24 hours the same key and body give the same answer.",
    ),
]


def key_for(request: Request, key: str | None, body: bytes, now: datetime.datetime) -> Idempotency | None:
    """The caller's key for this request; none where none was sent."""
    if key is None:
        return None
    return idempotency_of(caller_of(request).name, key, f"{request.method} {request.url.path}", body, now)


async def answered_before(record: Record, asked: Idempotency | None, now: datetime.datetime) -> bytes | None:
    """The answer that the key's first request was given; none where this is the first.

    Looked up before the request is judged: what was right when it was first asked is not refused because time went by.

    Raises:
        KeyReused: the key was used for another request.
        StoreError: the record cannot be read.
    """
    if asked is None:
        return None

    def look(connection: Connection) -> bytes | None:
        first = first_of(connection, asked, now)
        return None if first is None else _answer(connection, record, first)

    return await record.read(look)


async def answer_of(record: Record, entry_id: str) -> bytes:
    """The answer that an entry keeps.

    Raises:
        StoreError: it cannot be read.
    """
    return await record.read(lambda connection: _answer(connection, record, entry_id))


def _answer(connection: Connection, record: Record, entry_id: str) -> bytes:
    found = read_entry(connection, record.keys, entry_id)
    if found is None or found.answer is None:
        raise StoreUnavailable("the first answer to this key cannot be read any more")
    return found.answer.encode()
