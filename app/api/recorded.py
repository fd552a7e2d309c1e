"""The decision that a path names, where the caller may read it."""

from __future__ import annotations

from app.api.bodies import Refused
from app.api.calls import Call
from app.api.problems import problem
from app.record.callers import DEVELOPMENT, Caller
from app.record.reading.recorded import Recorded, read_decision

REVIEWERS = frozenset({"compliance", DEVELOPMENT})
"""Roles that see everything."""


def concerns(caller: Caller, role: str) -> bool:
    """Is a decision that this role asked for the caller's too: callers of one role are parts of one system."""
    return caller.role in (role, DEVELOPMENT)


async def decision_of(call: Call, decision_id: str) -> Recorded:
    """The decision with this id: any for a reviewer, else one that the caller's role asked for.

    Raises:
        Refused: there is none, or none of theirs.
        DamagedEntry: it is not what was recorded.
        StoreError: it cannot be read.
    """
    found = await call.read(lambda connection: read_decision(connection, call.record.keys, decision_id))
    if found is None or not (call.caller.role in REVIEWERS or concerns(call.caller, found.body["role"])):
        raise no_decision()
    return found


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
