"""For whom, and as whom, a caller may ask: what their credentials say stands above what they send."""

from __future__ import annotations

from starlette.datastructures import Headers

from app.api.bodies import Refused
from app.api.problems import problem
from app.engine.intake import FieldProblem
from app.record.callers import Caller

_HEADER = "X-Subscriber-Id"


def check_subscriber(caller: Caller, subscriber: str, headers: Headers) -> None:
    """See that a customer asks about themselves.

    Args:
        caller: who asks.
        subscriber: about whom, as the body says.
        headers: of the request; whoever `X-Subscriber-Id` names there is meant too.

    Raises:
        Refused: their token names somebody else; whether that somebody exists is not looked at.
    """
    if caller.subject is None:
        return
    if subscriber != caller.subject:
        raise _forbidden("subscriber.id", "is not the subscriber whom the token names; leave it out")
    if headers.get(_HEADER, subscriber) != subscriber:
        raise _forbidden(_HEADER, "is not the subscriber whom the token names; leave it out")


def agent_of(caller: Caller, given: str | None) -> str | None:
    """The code of the person in front of the screen: whom the token names, else whom the caller says.

    Raises:
        Refused: the token names another, or there is nobody in between.
    """
    if given is not None and caller.role == "self_service":
        raise _forbidden("agent", "is nobody where customers ask for themselves; leave it out")
    if caller.agent is not None and given not in (None, caller.agent):
        raise _forbidden("agent", "is not the one whom the token names; leave it out")
    return caller.agent or given


def _forbidden(field: str, message: str) -> Refused:
    return Refused(problem("forbidden", errors=[FieldProblem(field, message)]))
