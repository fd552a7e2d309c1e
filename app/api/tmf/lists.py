"""Whose recommendations a caller sees: their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Path
from sqlalchemy import Connection

from app.api.bodies import Refused
from app.api.calls import Call
from app.api.problems import problem
from app.api.recorded import own_token
from app.engine.view import sight_of
from app.record.callers import DEVELOPMENT
from app.record.reading.recorded import Recorded
from app.record.recommendations import Listed, recommendation, recommendations

Id = Annotated[str, Path(max_length=200, description="An `id`.")]
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def one_of(call: Call, recommendation_id: str) -> Recorded:
    """The caller's recommendation with this id.

    Raises:
        Refused: there is none, or none of theirs.
        DamagedEntry: it is not what was recorded.
        StoreError: it cannot be read.
    """

    def read(connection: Connection) -> Recorded | None:
        listed = _listed(connection, call)
        return None if listed is None else recommendation(connection, call.record.keys, recommendation_id.lower(), listed)

    found = await call.read(read) if is_id(recommendation_id) else None
    if found is None:
        raise Refused(problem("not-found", detail="no recommendation has this id"))
    return found


async def some_of(call: Call, *, offset: int, limit: int, only: str | None) -> tuple[int, Sequence[Recorded]]:
    """How many recommendations the caller has, and some of them, newest first.

    Args:
        call: who asks.
        offset: how many to leave out.
        limit: how many to give.
        only: the id of one; others are left out.

    Raises:
        DamagedEntry: one is not what was recorded.
        StoreError: they cannot be read.
    """

    def read(connection: Connection) -> tuple[int, Sequence[Recorded]]:
        listed = _listed(connection, call)
        if listed is None:
            return 0, ()
        wanted = None if only is None else only.lower()
        return recommendations(connection, call.record.keys, listed, offset=offset, limit=limit, only=wanted)

    return (0, ()) if only is not None and not is_id(only) else await call.read(read)


def is_id(text: str) -> bool:
    """Could it be the id of something on record?"""
    return bool(_ID.fullmatch(text.lower()))


def _listed(connection: Connection, call: Call) -> Listed | None:
    """Which recommendations are the caller's own, as `concerns` has it; none where they cannot have any."""
    caller = call.caller
    if caller.role == DEVELOPMENT:
        return Listed()
    if caller.role == "self_service":
        token = own_token(connection, call)
        return None if token is None else Listed(caller.role, subject=token)
    agent = None if sight_of(caller.role, caller.grade).others else caller.agent
    return Listed(caller.role, call.services.callers.names_of(caller.system), agent)
