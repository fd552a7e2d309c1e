"""What each role may see of an answer, by allow-list: a field that no list names is hidden, the ones of tomorrow included.

- `development`, `author`, `approver` and `compliance` see everything.
- `agent` sees what to say and do and why, in the texts written for agents: no figures behind a reason. A grade sees more: `SIGHTS`.
- `campaign` sees what an agent sees, and the scores that rank one subscriber against another.
- `self_service` sees only texts written for customers: nothing of stage, phase, signals, scores, concessions, or what was not offered.

What is hidden is null where the answer allows it, else empty: `""`, `0`, `false`, `[]`, the first moment of 1970. A reason that rests on
what the pack marks as `restricted` is told in the words for customers where it has some, else left out; where nothing is left, one neutral
reason, `withheld`, says that there is one.
"""

from __future__ import annotations

import datetime
import functools
import operator
import types
import typing
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass
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
from app.engine.pack.model import Restrictions
from app.engine.terms import Words
from app.engine.texts import Language

EVERYTHING = frozenset(("development", "author", "approver", "compliance"))
AGENT = "agent"

WITHHELD = "withheld"
"""The code of the reason that stands where a role may see none of the others."""
_withheld: Words = {
    "phase": ("What this phase rests on is not shown to your role.", "阶段的判断依据不在您的查看权限内。"),
    "action": ("Why this comes up is not shown to your role.", "推荐依据不在您的查看权限内。"),
    "not_offered": ("Why it was left out is not shown to your role.", "未推荐的原因不在您的查看权限内。"),
}

Part = typing.TypeVar("Part")
Shown = Mapping[type, frozenset[str]]
"""Which fields of each part of an answer are shown."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody sees beside the words that go with their work.

    Attributes:
        scores: how actions were scored, and how far one was behind another.
        marks: which of the pack's restricted signals: `risk`, `vip`.
        others: decisions that other people of their system asked for.
    """

    scores: bool = False
    marks: frozenset[str] = frozenset()
    others: bool = False


def _marks(*names: str) -> frozenset[str]:
    return frozenset(names)


_ALL = Sight(scores=True, marks=_marks("risk", "vip"), others=True)
SIGHTS: Mapping[tuple[str, str | None], Sight] = {
    ("self_service", None): Sight(),
    ("campaign", None): _ALL,
    (AGENT, None): Sight(),
    (AGENT, "leader"): Sight(marks=_marks("vip"), others=True),
    (AGENT, "retention_desk"): Sight(marks=_marks("risk", "vip"), others=True),
    (AGENT, "manager"): _ALL,
    (AGENT, "city"): _ALL,
}
"""The one table of who sees scores, risk, VIP reasoning and other people's decisions: by role and grade. A grade that stands not here sees
what its role sees without one."""


def sight_of(role: str, grade: str | None = None) -> Sight:
    """What a role with a grade sees.

    Raises:
        KeyError: there is no such role.
    """
    if role in EVERYTHING:
        return _ALL
    return SIGHTS.get((role, grade)) or SIGHTS[role, None]


def sees_as_much(reader: tuple[str, str | None], asker: tuple[str, str | None]) -> bool:
    """May the first see all of an answer that was made for the second? Each is a role and a grade."""
    if reader == asker or reader[0] in EVERYTHING:
        return True
    one, other = sight_of(*reader), sight_of(*asker)
    return reader[0] == asker[0] and one.scores >= other.scores and one.marks >= other.marks


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
_scores: Shown = {
    ActionAnswer: _fields("score parts"),
    ScoreParts: _fields("propensity value relevance lever"),
    NotOffered: _fields("behind"),
}
_self_service: Shown = {
    Explanation: _fields("actions ask personalised"),
    ActionAnswer: _fields("rank action kind text reasons confirm tariff disclose valid_until"),
    Reason: _fields("text"),
    TariffAnswer: _agent[TariffAnswer],
    Ask: _fields("fact question"),
}
_limited: Mapping[str, Shown] = {"agent": _agent, "campaign": _agent, "self_service": _self_service}


def sees_evidence(role: str) -> bool:
    """May the role see the values that reasons rest on? For others `explain` need not gather them."""
    return role in EVERYTHING


def sees_scores(role: str, grade: str | None = None) -> bool:
    """May they see how actions were scored? For others `explain` need not work it out.

    Raises:
        KeyError: there is no such role.
    """
    return sight_of(role, grade).scores


def view(explanation: Explanation, restricted: Restrictions, role: str, grade: str | None = None) -> Explanation:
    """The part of an answer that a role may see.

    Args:
        explanation: the whole.
        restricted: of the pack that decided.
        role: who sees it.
        grade: theirs, of an agent.

    Raises:
        KeyError: there is no such role.
    """
    if role in EVERYTHING:
        return explanation
    sight = sight_of(role, grade)
    told = _without(explanation, restricted, sight.marks)
    seen: Explanation = _projection(role, sight.scores)(told if role != "self_service" else _for_customers(told))
    return seen


def _without(explanation: Explanation, restricted: Restrictions, seen: frozenset[str]) -> Explanation:
    """Without what rests on something that is restricted to others. What is said to the person, and what is to be done, stays."""
    phase, others = explanation.phase, explanation.not_offered
    hidden = {code for code in _codes(explanation) if code in restricted and not restricted[code] <= seen}
    if not hidden:
        return explanation
    language = _language(explanation)
    of_phase, of_action, of_other = (_withheld[part][language == "zh"] for part in ("phase", "action", "not_offered"))
    changed: dict[str, Any] = {
        "phase": _with(phase, {"reasons": _told(phase.reasons, hidden, of_phase)}),
        "signals": [signal for signal in explanation.signals if signal.id not in hidden],
        "actions": [_with(action, {"reasons": _told(action.reasons, hidden, of_action, action.action)}) for action in explanation.actions],
        "not_offered": None if others is None else [_kept_out(item, hidden, of_other) for item in others],
    }
    return _with(explanation, changed)


def _language(explanation: Explanation) -> Language:
    """The language an answer is worded in, as the titles that every answer has show."""
    return "zh" if any("\u4e00" <= sign <= "\u9fff" for sign in explanation.stage_title + explanation.phase.title) else "en"


def _codes(explanation: Explanation) -> list[str]:
    """What an answer rests on, as restrictions name it."""
    codes = [signal.id for signal in explanation.signals]
    codes += [reason.code for reason in explanation.phase.reasons]
    for action in explanation.actions:
        for reason in action.reasons:
            codes += (reason.code, f"{action.action}:{reason.code}")
    return codes + [f"{item.action}:{item.clause}" for item in explanation.not_offered or ()]


def _told(reasons: list[Reason], hidden: Set[str], instead: str, action: str = "") -> list[Reason]:
    """Reasons, the restricted ones in the words for customers, and without those that have none; one that says so where none is left."""
    told = []
    for reason in reasons:
        if reason.code not in hidden and f"{action}:{reason.code}" not in hidden:
            told.append(reason)
        elif reason.customer:
            told.append(_with(reason, {"text": reason.customer}))
    return told if told or not reasons else [Reason(WITHHELD, instead, None, None)]


def _kept_out(item: NotOffered, hidden: Set[str], instead: str) -> NotOffered:
    changed: dict[str, Any] = {"text": instead, "change": None, "changes": []}
    return _with(item, changed) if f"{item.action}:{item.clause}" in hidden else item


def _for_customers(explanation: Explanation) -> Explanation:
    """With the reasons of actions in the words written for customers, and without those that have none."""
    actions = [
        _with(action, {"reasons": [_with(reason, {"text": reason.customer}) for reason in action.reasons if reason.customer]})
        for action in explanation.actions
    ]
    return _with(explanation, {"actions": actions})


Show = Callable[[Any], Any]
"""Shows a part, or a list of parts. One of which nothing is hidden that was there is given back as it is."""


class _Projection(dict[type, Show | None]):
    """What shows of each kind of part the fields that a list names, worked out when one is first met; none where all of it is shown."""

    def __init__(self, shown: Shown) -> None:
        super().__init__({list: self.each})
        self._shown = shown

    def __missing__(self, kind: type) -> Show | None:
        found = self[kind] = self._shows(kind) if is_dataclass(kind) else None
        return found

    def __call__(self, part: Any) -> Any:
        show = self[type(part)]
        return part if show is None else show(part)

    def each(self, parts: list[Any]) -> list[Any]:
        """Each part of a list; most are of one kind, and often of one that is shown as it is."""
        kinds = set(map(type, parts))
        show = self if len(kinds) > 1 else self[kinds.pop()]
        if show is None:
            return parts
        seen = [show(part) for part in parts]
        return parts if all(map(operator.is_, seen, parts)) else seen

    def _shows(self, kind: type) -> Show | None:
        names, hints = self._shown.get(kind, frozenset()), typing.get_type_hints(kind)
        blanks = {name: blank for name, blank in _blanks(kind) if name not in names}
        nested = [name for name, _ in _blanks(kind) if name in names and _has_parts(hints[name])]
        hidden = operator.attrgetter(*blanks) if blanks else lambda _part: None
        blank = hidden(types.SimpleNamespace(**blanks))

        def show(part: Any) -> Any:
            return part if hidden(part) == blank else _with(part, blanks)

        def show_with_parts(part: Any) -> Any:
            changed = {} if hidden(part) == blank else blanks.copy()
            for name in nested:
                value = getattr(part, name)
                if value:
                    seen = self(value)
                    if seen is not value:
                        changed[name] = seen
            return _with(part, changed) if changed else part

        return show_with_parts if nested else show if blanks else None


def _with(part: Part, changed: Mapping[str, Any]) -> Part:
    """The part with some of its fields changed."""
    made = object.__new__(type(part))
    made.__dict__ = {**vars(part), **changed}  # `dataclasses.replace` would take eight times as long
    return made


@functools.cache
def _projection(role: str, scores: bool) -> _Projection:
    shown = _limited[role]
    more = {kind: shown.get(kind, frozenset()) | names for kind, names in _scores.items()} if scores else {}
    return _Projection({**shown, **more})


def _has_parts(hint: Any) -> bool:
    """Is it, or may it hold, a part of an answer."""
    return is_dataclass(hint) or any(map(_has_parts, typing.get_args(hint)))


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
