"""Where a clause turns in days: waiting, a date that is earlier or later, something that happened earlier or later.

Nothing is claimed here: these are the days at which a term of the clause crosses what it is compared with, each as a case to decide again.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.engine.case import Case
from app.engine.changes import expanded
from app.engine.decision import Decision
from app.engine.pack import Pack
from app.engine.pack.model import Clause
from app.engine.texts import Language, shown
from app.engine.tree import Call, Compare, Const, Node, Ref, walk
from app.engine.vocabulary import EVENTS, FACTS
from app.engine.words import fact_title
from app.record.reading.altering import asked_at, days_later, fact_of, with_fact, with_last_event

FARTHEST = 800
"""Days that a wait or a move may take; farther ones are not thought of."""
_DAY = datetime.timedelta(days=1)
_dates = ("days_since", "days_until")
_windows = ("count", "contacted", "refused", "since")


@dataclass(frozen=True, slots=True)
class Moved:
    """A case in which days are other than they were, in words and as a figure; `size` in days."""

    size: float
    words: str
    change: Mapping[str, Any]
    case: Case = field(compare=False)


def moved(pack: Pack, case: Case, decision: Decision, clause: Clause, until: datetime.datetime | None, language: Language) -> list[Moved]:
    """Cases to try, the fewest days first; waiting before what would have to have been otherwise.

    Args:
        pack: the pack that decided.
        case: what it decided about.
        decision: what came of it.
        clause: what kept an action out.
        until: when the answer says that it ends.
        language: of the words.
    """
    tree = expanded(pack, clause.tree)
    found = [] if until is None else [_asked_at(case, until, language)]
    found += [_waited(case, days, language) for days in sorted(set(_waits(case, decision, pack, tree)))]
    found += [_with_date(pack, case, name, day, language) for name, day in _other_days(pack, case, decision, tree)]
    found += [_with_event(case, kind, days, language) for kind, days in _other_events(pack, case, decision, tree)]
    return sorted(found, key=lambda item: item.size)


def change(fact: str, direction: str, **told: Any) -> Mapping[str, Any]:
    """A change as a figure: which fact goes where; what does not apply is none."""
    return {"fact": fact, "direction": direction, "value": None, "in_days": None, "by_days": None, "at": None} | told


def _asked_at(case: Case, moment: datetime.datetime, language: Language) -> Moved:
    days = (moment.date() - case.times.contact_day).days
    at = f"{moment:%Y-%m-%d %H:%M}"
    words = f"{at}起" if language == "zh" else f"from {at}"
    return Moved(days, words, change("time", "later", in_days=days, at=moment.isoformat()), asked_at(case, moment))


def _waited(case: Case, days: int, language: Language) -> Moved:
    words = f"{days}天后" if language == "zh" else f"in {shown(days, 'days', language)}"
    return Moved(days, words, change("time", "later", in_days=days), days_later(case, days))


def _with_date(pack: Pack, case: Case, name: str, day: datetime.date, language: Language) -> Moved:
    days = (day - fact_of(case, name)).days
    words = _in_words(_quoted(fact_title(pack, name, language), language), days, day, language)
    told = change(name, _direction(days), by_days=abs(days), at=day.isoformat())
    return Moved(abs(days), words, told, with_fact(case, name, day))


def _with_event(case: Case, kind: str, days: int, language: Language) -> Moved:
    made, name = with_last_event(case, kind, days), EVENTS[kind]
    day = _last(made, kind).date()
    told = f"最近一次{name.zh}" if language == "zh" else f'last event "{name.en}"'
    words = _in_words(told, days, day, language)
    return Moved(abs(days), words, change(f"events.{kind}", _direction(days), by_days=abs(days), at=day.isoformat()), made)


def _quoted(title: str, language: Language) -> str:
    return title if language == "zh" else f'"{title}"'


def _in_words(name: str, days: int, day: datetime.date, language: Language) -> str:
    said = shown(abs(days), "days", language)
    if language == "zh":
        return f"若{name}{'晚' if days > 0 else '早'}{said}（{day}）"
    return f"with {name} {said} {_direction(days)} ({day})"


def _direction(days: int) -> str:
    return "later" if days > 0 else "earlier"


def _waits(case: Case, decision: Decision, pack: Pack, tree: Node) -> Iterator[int]:
    """Days to wait until a date is as far away as it is asked to be, or something that happened leaves its window."""
    for call, bound in _bounds(pack, decision, tree):
        day = _day(case, call)
        if day is not None:
            turned = (day - case.times.today).days + (bound if call.function == "days_since" else -bound)
            yield from (days for days in (turned - 1, turned, turned + 1) if 0 < days <= FARTHEST)
    for call in _calls(tree, _windows):
        for window in _window(call):
            ages = [(case.times.as_of - at) / _DAY for at in _happened(case, call)]
            yield from (max(math.ceil(window - age), 1) for age in ages if age < window)


def _other_days(pack: Pack, case: Case, decision: Decision, tree: Node) -> Iterator[tuple[str, datetime.date]]:
    """Dates at which a date of the clause would be just as far away as it is asked to be, or a day to either side."""
    found: dict[tuple[str, datetime.date], None] = {}
    for call, bound in _bounds(pack, decision, tree):
        day = _day(case, call)
        if day is not None:
            wanted = case.times.today + (-bound if call.function == "days_since" else bound) * _DAY
            near = [wanted + step * _DAY for step in (-1, 0, 1)]
            found |= {(_name(call), other): None for other in near if 0 < abs((other - day).days) <= FARTHEST}
    yield from found


def _other_events(pack: Pack, case: Case, decision: Decision, tree: Node) -> Iterator[tuple[str, int]]:
    """By how many days the newest event of a kind would have to be moved to come into a window, or to leave it."""
    found: dict[tuple[str, int], None] = {}
    windows = [(call, window) for call in _calls(tree, ("count",)) for window in _window(call)]
    for call, bound in [*windows, *((call, bound) for call, bound in _bounds(pack, decision, tree) if call.function == "since")]:
        kind = _kind(call)
        if kind not in EVENTS or EVENTS[kind].port or not _happened(case, call):
            continue
        age = math.floor((case.times.as_of - _last(case, kind)) / _DAY)
        moves = (age - bound - step for step in (-1, 0, 1))
        found |= {(kind, days): None for days in moves if days and -FARTHEST <= days <= age}
    yield from found


def _bounds(pack: Pack, decision: Decision, tree: Node) -> Iterator[tuple[Call, int]]:
    """What the days of a clause are compared with."""
    for node in walk(tree):
        if isinstance(node, Compare):
            for side, other in ((node.left, node.right), (node.right, node.left)):
                bound = _figure(pack, decision, other)
                if isinstance(side, Call) and side.function in (*_dates, "since") and bound is not None and abs(bound) <= FARTHEST:
                    yield side, bound


def _figure(pack: Pack, decision: Decision, node: Node) -> int | None:
    value = node.value if isinstance(node, Const) else None
    if isinstance(node, Ref) and node.name in pack.slots:
        value = decision.facts.values[pack.slots[node.name]]
    return math.floor(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _calls(tree: Node, functions: tuple[str, ...]) -> Iterator[Call]:
    return (node for node in walk(tree) if isinstance(node, Call) and node.function in functions)


def _window(call: Call) -> list[int]:
    """The days that a count looks back; empty where it is no figure."""
    given = (item for name, item in call.options if name == "days")
    return [item.value for item in given if isinstance(item, Const) and isinstance(item.value, int)]


def _name(call: Call) -> str:
    argument = call.arguments[0]
    return argument.name if isinstance(argument, Ref) else ""


def _day(case: Case, call: Call) -> datetime.date | None:
    """The date that days are counted from or to, where it is known, given, and no port data."""
    fact = FACTS.get(_name(call))
    if call.function not in _dates or fact is None or fact.kind != "date" or fact.port:
        return None
    held = fact_of(case, fact.name)
    return held if isinstance(held, datetime.date) else None


def _kind(call: Call) -> str:
    return next((str(item.value) for item in call.arguments if isinstance(item, Const)), "")


def _happened(case: Case, call: Call) -> list[datetime.datetime]:
    """When what is counted happened: events of its kind, or contacts."""
    if call.function in ("contacted", "refused"):
        return [contact.at for contact in case.subscriber.contacts or ()]
    return [event.at for event in case.subscriber.events or () if event.type == _kind(call)]


def _last(case: Case, kind: str) -> datetime.datetime:
    return max(event.at for event in case.subscriber.events or () if event.type == kind)
