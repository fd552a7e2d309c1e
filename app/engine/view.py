"""What each role may see of an answer, by allow-list: a field that no list names is hidden, the ones of tomorrow included.

- `development`, `author`, `approver` and `compliance` see everything.
- `agent` sees what to say and do and why, in the texts written for agents: no scores and no figures behind a reason.
- `campaign` sees what an agent sees, and the scores that rank one subscriber against another.
- `self_service` sees only texts written for customers: nothing of stage, phase, signals, scores, concessions, or what was not offered.

What is hidden is null where the answer allows it, else empty: `""`, `0`, `false`, `[]`, the first moment of 1970.
"""

from __future__ import annotations

import datetime
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from app.engine.answer import (
    ActionAnswer,
    Ask,
    Explanation,
    NotOffered,
    NotStronger,
    PhaseAnswer,
    Reason,
    ScoreParts,
    SignalAnswer,
    TariffAnswer,
    UnknownFact,
)

EVERYTHING = frozenset(("development", "author", "approver", "compliance"))

Shown = Mapping[type, frozenset[str]]
"""Which fields of each part of an answer are shown."""


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


_agent: Shown = {
    Explanation: _fields("stage stage_title phase moment signals actions not_offered ask unknown empty_because personalised"),
    PhaseAnswer: _fields("id title reasons not_stronger"),
    NotStronger: _fields("phase title unknown"),
    Reason: _fields("code text customer"),
    SignalAnswer: _fields("id title level text customer"),
    ActionAnswer: _fields(
        "rank action title kind duty category script text reasons concession approve confirm tariff disclose valid_until fallback_for"
    ),
    TariffAnswer: _fields("id name filing_no fee fee_after months exit_fee commitment_months effective saving disclose"),
    NotOffered: _fields("action title cause clause text others until change lost_to"),
    Ask: _fields("fact question may_unlock"),
    UnknownFact: _fields("fact title why age_days"),
}
_campaign: Shown = {
    **_agent,
    ActionAnswer: _agent[ActionAnswer] | _fields("score parts"),
    ScoreParts: _fields("propensity value relevance lever"),
    NotOffered: _agent[NotOffered] | _fields("behind"),
}
_self_service: Shown = {
    Explanation: _fields("actions ask personalised"),
    ActionAnswer: _fields("rank action kind text reasons confirm tariff disclose valid_until"),
    Reason: _fields("text"),
    TariffAnswer: _agent[TariffAnswer],
    Ask: _fields("fact question"),
}
_limited: Mapping[str, Shown] = {"agent": _agent, "campaign": _campaign, "self_service": _self_service}


def sees_evidence(role: str) -> bool:
    """May the role see the values that reasons rest on? For others `explain` need not gather them."""
    return role in EVERYTHING


def view(explanation: Explanation, role: str) -> Explanation:
    """The part of an answer that a role may see.

    Raises:
        KeyError: there is no such role.
    """
    if role in EVERYTHING:
        return explanation
    seen: Explanation = _seen(explanation if role != "self_service" else _for_customers(explanation), _limited[role])
    return seen


def _for_customers(explanation: Explanation) -> Explanation:
    """With the reasons of actions in the words written for customers, and without those that have none."""
    actions = [
        replace(action, reasons=[replace(reason, text=reason.customer) for reason in action.reasons if reason.customer])
        for action in explanation.actions
    ]
    return replace(explanation, actions=actions)


def _seen(part: Any, shown: Shown) -> Any:
    if isinstance(part, list):
        return [_seen(item, shown) for item in part]
    if not is_dataclass(part):
        return part
    kind: Any = type(part)
    names = shown.get(kind, frozenset())
    return kind(**{name: _seen(getattr(part, name), shown) if name in names else blank for name, blank in _blanks(kind)})


@functools.cache
def _blanks(kind: type) -> tuple[tuple[str, Any], ...]:
    """Each field of a part, and what stands there when it is hidden."""
    hints = typing.get_type_hints(kind)
    return tuple((field.name, _blank(hints[field.name])) for field in fields(kind))


def _blank(hint: Any) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if type(None) in options:
        return None
    plain: Any = typing.get_origin(options[0]) or options[0]
    return _empty[plain] if plain in _empty else plain(**dict(_blanks(plain)))


_never = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_empty: Mapping[Any, Any] = {str: "", int: 0, float: 0.0, bool: False, list: [], Mapping: {}, datetime.datetime: _never}
