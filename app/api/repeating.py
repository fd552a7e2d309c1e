"""Requests that may be repeated: with the same `Idempotency-Key` the answer is the first one, byte for byte."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import JSON
from app.api.calls import Call
from app.api.parameters import Worded
from app.api.problems import MEDIA_TYPE
from app.api.watching.watched import watched
from app.record.entries import Idempotency, NewEntry, Written
from app.record.reading.recorded import read_entry
from app.record.store.idempotency import KEY_PATTERN, first_of, idempotency_of
from app.record.store.problems import ChoicesStand, HasSuccessor, StoreUnavailable
from app.record.store.record import Record

RepeatKey = Annotated[
    Annotated[str, Field(pattern=KEY_PATTERN), Worded("1 to 100 letters, digits and _ . : / + = -, in quotes or without")] | None,
    Header(
        alias="Idempotency-Key",
        description="Names the request, so that it can be sent again: for 24 hours the same key and body give the same answer.",
    ),
]


MOST_TRIES = 4
"""How often a request is judged again because the record went on meanwhile."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a request made: the answer with its status, and the entry that has to be on the record before it is given.

    `about` is the operator's id of the subscriber of a decision in it.
    """

    answer: bytes
    entry: NewEntry
    status: int = 200
    about: str = ""


async def given_once(
    call: Call, key: str | None, body: bytes, now: datetime.datetime, make: Callable[[Idempotency | None], Awaitable[Made]]
) -> Response:
    """Make the answer, put it on the record and give it; or give the one that the key's first request was given.

    The first is looked up before the request is judged: what was right when it was first asked is not refused because time went by.

    Args:
        call: who asks what.
        key: the caller's name for the request, where it has one.
        body: as it was sent.
        now: when.
        make: makes answer and entry; raises what is wrong with the request.

    Raises:
        KeyReused: the key was used for another request.
        StoreError: the answer is not on the record.
    """
    asked = None if key is None else idempotency_of(call.scope, key, f"{call.request.method} {call.request.url.path}", body, now)
    first = None if asked is None else await _first_answer(call.record, asked, now)
    if first is not None:
        return first
    made, written = await _stored(call, asked, make)
    if not written.repeated:
        return _given(made.answer, made.status)
    return await call.read(lambda connection: _answer(connection, call.record, written.entry_id))


async def _stored(call: Call, asked: Idempotency | None, make: Callable[[Idempotency | None], Awaitable[Made]]) -> tuple[Made, Written]:
    """What was made, as it was stored: judged again where the record says that something stands which it does not know of."""
    tries = 0
    while True:
        made, tries = await make(asked), tries + 1
        try:
            with watched(call.request).stage("record"):
                return made, await call.record.write(made.entry, **call.patient)
        except (HasSuccessor, ChoicesStand) as error:  # the next step was made by somebody else; the person has chosen
            if tries == MOST_TRIES:
                raise
            if isinstance(error, ChoicesStand):
                call.services.chosen.met(made.about, error.choices)


def _given(answer: bytes, status: int) -> Response:
    return Response(answer, status, media_type=JSON if status < 400 else MEDIA_TYPE)


async def _first_answer(record: Record, asked: Idempotency, now: datetime.datetime) -> Response | None:
    def look(connection: Connection) -> Response | None:
        first = first_of(connection, asked, now)
        return None if first is None else _answer(connection, record, first)

    return await record.read(look)


def _answer(connection: Connection, record: Record, entry_id: str) -> Response:
    found = read_entry(connection, record.keys, entry_id)
    if found is None or found.given is None:
        raise StoreUnavailable("the first answer to this key cannot be read any more")
    return _given(found.given.encode(), found.status)
