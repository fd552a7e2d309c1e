"""Requests that a caller may repeat: the same key and body give the same answer."""

from __future__ import annotations

import datetime
import hashlib

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.entries import Idempotency
from app.record.store.database import stamp
from app.record.store.problems import KeyReused
from app.record.store.tables import IdempotencyRow

KEPT = datetime.timedelta(hours=24)
"""How long a key is remembered."""
_KEY = "[A-Za-z0-9_.:/+=-]{1,100}"
KEY_PATTERN = f'^({_KEY}|"{_KEY}")$'
"""A key as it is sent; the draft of the header's standard wants quotes, most who send one leave them out."""


def idempotency_of(caller: str, key: str, request: str, body: bytes, now: datetime.datetime) -> Idempotency:
    """The caller's key for a request.

    Args:
        caller: name of who asks; keys of one caller mean nothing to another.
        key: as sent, in quotes or without.
        request: method and path, so that the same body elsewhere is another request.
        body: as sent.
        now: the time, from which the key is kept.
    """
    body_hash = hashlib.sha256(request.encode() + b"\0" + body).digest()
    return Idempotency(caller, key.strip('"'), body_hash, now + KEPT)


def first_of(connection: Connection, asked: Idempotency, now: datetime.datetime) -> str | None:
    """The id of the entry that the key was first used for; none where it is new.

    Raises:
        KeyReused: it was used for another request.
    """
    row = connection.execute(
        select(col(IdempotencyRow.entry_id), col(IdempotencyRow.body_hash)).where(
            col(IdempotencyRow.caller) == asked.caller,
            col(IdempotencyRow.key) == asked.key,
            col(IdempotencyRow.expires_at) > stamp(now),
        )
    ).first()
    if row is None:
        return None
    if bytes(row.body_hash) != asked.body_hash:
        raise KeyReused("the idempotency key was used before, for another request; use a new key for a new request")
    return str(row.entry_id)
