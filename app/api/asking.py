"""For whom, and as whom, a caller may ask: what their credentials say stands above what they send."""

from __future__ import annotations

from typing import get_args

from starlette.datastructures import Headers

from app.api.bodies import Refused
from app.api.problems import problem
from app.engine.intake import FieldProblem
from app.engine.vocabulary import Channel
from app.record.callers import Caller

SPOKEN = frozenset({"call_centre", "outbound_call", "video_desk", "shop", "account_manager", "field"})
"""Channels on which a person speaks: what is to be said there is for our own people, and a customer is shown nothing of it."""
_SHOWN = ", ".join(channel for channel in get_args(Channel) if channel not in SPOKEN)
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


def check_channel(caller: Caller, channel: str) -> None:
    """See that a customer asks on a channel on which they are told something themselves.

    Raises:
        Refused: it is one on which a person speaks to them.
    """
    if caller.role == "self_service" and channel in SPOKEN:
        raise _forbidden("channel", f"is one on which a person speaks, not an app; the role `{caller.role}` asks on {_SHOWN}")


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
