"""The decision that a path names, where the caller may read it. Somebody else's is answered as if there were none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection

from app.api.answers import as_json
from app.api.bodies import Refused
from app.api.calls import Call
from app.api.problems import problem
from app.engine.answer import Explanation
from app.engine.problems import PackError
from app.engine.view import sees_as_much, sight_of, view
from app.record.callers import DEVELOPMENT
from app.record.outcomes import Answerable, answerable
from app.record.packs.steps import UnknownPack
from app.record.reading.recorded import Recorded, codes_of, read_decision, token_of

REVIEWERS = frozenset({"compliance", DEVELOPMENT})
"""Roles that see everything."""
_explanation = TypeAdapter(Explanation)
T = TypeVar("T")


def own_token(connection: Connection, call: Call) -> str | None:
    """The token of the subscriber whom the caller's own token names; none where it names none, or nothing is on record about them."""
    subject = call.caller.subject
    return None if subject is None else token_of(connection, call.record.keys, subject)


def concerns(call: Call, body: Mapping[str, Any], subject: str | None, own: str | None) -> bool:
    """Is a decision the caller's own: about the person, where a token names one; else of their system and, of agents, theirs.

    Args:
        call: of whom it is asked.
        body: of the decision's envelope.
        subject: the token of whom the decision is about.
        own: the token of whom the caller's own token names, `own_token`.
    """
    caller = call.caller
    if caller.role in REVIEWERS:
        return True
    if body.get("role") != caller.role:
        return False
    if caller.role == "self_service":
        return own is not None and own == subject
    if call.services.callers.system_of(str(body.get("caller"))) != caller.system:
        return False
    return caller.agent is None or caller.agent == body.get("agent") or sight_of(caller.role, caller.grade).others


async def decision_of(call: Call, decision_id: str) -> Recorded:
    """The decision with this id: any for a reviewer, else one of the caller's own. Whose it is is looked at before it is opened.

    Raises:
        Refused: there is none, or none of theirs.
        DamagedEntry: it is not what was recorded.
        StoreError: it cannot be read.
    """

    def read(connection: Connection) -> Recorded | None:
        own, codes = own_token(connection, call), codes_of(connection, decision_id)
        theirs = codes is not None and codes.kind == "decision" and concerns(call, codes.body, codes.subject, own)
        return read_decision(connection, call.record.keys, decision_id) if theirs else None

    found = await call.read(read)
    if found is None:
        raise no_decision()
    return found


async def answerable_by(call: Call, decision_id: str) -> Answerable:
    """The decision with this id, of the caller's own, as what is told of it needs it.

    Raises:
        Refused: there is none, or none of theirs.
        StoreError: it cannot be read.
    """

    def read(connection: Connection) -> Answerable | None:
        own, found = own_token(connection, call), answerable(connection, decision_id)
        return found if found is not None and concerns(call, found.body, found.subject, own) else None

    found = await call.read(read)
    if found is None:
        raise no_decision()
    return found


async def answer_for(call: Call, found: Recorded, answer: str) -> bytes:
    """The answer as it was given, byte for byte; without what the reader does not see, where it was given to somebody who sees more.

    Args:
        call: of who reads.
        found: the decision.
        answer: as it was given.

    Raises:
        Refused: what the pack that decided restricts cannot be told.
    """
    reader, body = call.caller, found.body
    if sees_as_much((reader.role, reader.grade), (body["role"], body.get("grade"))):
        return answer.encode()
    pack = await worked_out(call, lambda _: call.services.packs.library.get(body["pack"]))
    seen = view(_explanation.validate_json(answer), pack.restricted, reader.role, reader.grade)
    return as_json({**orjson.loads(answer), **orjson.loads(as_json(seen))})


async def worked_out(call: Call, work: Callable[[Connection], T]) -> T:
    """What is worked out with the pack that decided.

    Raises:
        Refused: this version cannot use the pack.
        DamagedPack: it is not what was published.
        StoreError: it cannot be read.
    """
    try:
        return await call.read(work)
    except (PackError, UnknownPack) as error:
        raise Refused(problem("pack-unusable", detail=str(error).partition("\n")[0])) from None


async def note_reading(call: Call, what: str, found: Recorded) -> None:
    """Put on the record who looks at a decision, before they see it.

    Args:
        call: of who looks.
        what: `answer`, `decision`, `explanation` or `replay`.
        found: the decision.

    Raises:
        StoreError: it is not on the record, so nothing is to be shown.
    """
    await call.note(what, of=found.id, token=found.subject)


def no_decision() -> Refused:
    """What is answered where a decision is not there, or is not the caller's to know of."""
    return Refused(problem("not-found", detail="no decision has this id"))
