"""From a case to the request for the next one in the same conversation: the same person, channel and question, now."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from app.engine.case import Case
from app.engine.intake.values import answer_problem
from app.engine.vocabulary import DecisionRequest, LooseValue

if TYPE_CHECKING:
    from app.engine.pack import Pack

_SAME = ("subscriber", "channel", "moment", "direction", "reason", "caller_relation", "verified", "locale", "max_actions")


def next_request(
    pack: Pack,
    case: Case,
    now: datetime.datetime,
    *,
    answers: Mapping[str, LooseValue] | None = None,
    history: Literal["caller", "record", "both"] = "caller",
    explain: Literal["none", "summary", "full"] = "summary",
    agent: str | None = None,
) -> DecisionRequest:
    """The request that goes on from a case. A contact that was planned for later stays planned.

    Args:
        pack: in force; what was answered to questions that it no longer asks is left out.
        case: the one before.
        now: the clock.
        answers: what was answered since; it is still to be held against the pack.
        history: whose contact history counts.
        explain: how much to say.
        agent: code of the person in front of the screen.
    """
    as_of, planned = max(now, case.times.as_of), case.times.contact_at > case.times.as_of
    before = {fact: value for fact, value in (case.answers or {}).items() if answer_problem(pack, fact, value) is None}
    same: dict[str, Any] = {name: getattr(case, name) for name in _SAME}
    return DecisionRequest.model_construct(
        **same,
        as_of=as_of,
        contact_at=max(case.times.contact_at, as_of) if planned else None,
        explain=explain,
        mode="live",
        history=history,
        agent=agent,
        answers={**before, **(answers or {})},
    )
