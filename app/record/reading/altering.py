"""A case in which one thing is otherwise: a fact, the last cycle of a series, a date, when something happened, when it is asked."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from app.engine.answer import Change
from app.engine.case import Case
from app.engine.decision import Decision
from app.engine.vocabulary import FACTS, SECTIONS

_DAY = datetime.timedelta(days=1)
_window = re.compile(r"(last|mean|total|peak|change)\(([a-z_.0-9]+)(?:, ?(\d+))?\)")


def actions_of(decision: Decision) -> list[str]:
    """The actions on the list, best first."""
    return [item.action for item in decision.ranked]


def fact_of(case: Case, name: str) -> Any:
    """A base fact as the case gives it, in its section or in an answer; none where it is not known."""
    if name in (case.answers or {}):
        return (case.answers or {})[name]
    section, _, field = name.partition(".")
    return getattr(getattr(case.subscriber, section, None), field, None)


def applied(case: Case, changes: Iterable[Change]) -> Case | None:
    """The case with changes as an answer states them: facts replaced, and asked so many days later; none where a fact cannot be so.

    Of `last`, `mean`, `total`, `peak` and `change` the last closed cycle is set so that the term has the value.
    """
    for change in changes:
        made = _with_term(case, change) if change.in_days is None else days_later(case, change.in_days)
        if made is None:
            return None
        case = made
    return case


def with_fact(case: Case, name: str, value: Any) -> Case:
    """The case with one base fact replaced; none makes it unknown."""
    section, _, field = name.partition(".")
    held = getattr(case.subscriber, section)
    part = SECTIONS[section](**{field: value}) if held is None else held.model_copy(update={field: value})
    answers = {fact: given for fact, given in (case.answers or {}).items() if fact != name}
    return replace(case, subscriber=case.subscriber.model_copy(update={section: part}), answers=answers)


def days_later(case: Case, days: int) -> Case:
    """The case asked so many days later at the same time of day, with nothing else happening."""
    return asked_at(case, _local(case, case.times.contact_at) + days * _DAY)


def asked_at(case: Case, moment: datetime.datetime) -> Case:
    """The case with the contact at another moment and everything known as fresh as it was, with nothing else happening."""
    times, there = case.times, _local(case, moment)
    wait = there.astimezone(datetime.UTC) - times.contact_at
    as_of = _local(case, times.as_of.astimezone(datetime.UTC) + wait)
    offset = there.utcoffset() or datetime.timedelta()
    moved = replace(
        times,
        as_of=as_of,
        contact_at=there,
        today=as_of.date(),
        contact_day=there.date(),
        contact_minute=there.hour * 60 + there.minute,
        offset=offset // datetime.timedelta(minutes=1),
    )
    parts = {name: getattr(case.subscriber, name) for name in SECTIONS}
    dated = {name: part for name, part in parts.items() if getattr(part, "as_of", None) is not None}
    fresh = {name: part.model_copy(update={"as_of": part.as_of + wait}) for name, part in dated.items()}
    return replace(case, times=moved, subscriber=case.subscriber.model_copy(update=fresh))


def with_last_event(case: Case, kind: str, days: int) -> Case:
    """The case with the newest event of a kind so many days later, earlier below 0.

    Raises:
        ValueError: there is none of this kind.
    """
    events = list(case.subscriber.events or ())
    at = max((place for place, event in enumerate(events) if event.type == kind), key=lambda place: events[place].at)
    events[at] = events[at].model_copy(update={"at": events[at].at + days * _DAY})
    return replace(case, subscriber=case.subscriber.model_copy(update={"events": tuple(events)}))


def _local(case: Case, moment: datetime.datetime) -> datetime.datetime:
    """A moment where the subscriber is: in the zone of the case, or in the offset of its contact."""
    zone = case.times.contact_at.tzinfo
    return moment.astimezone(zone if hasattr(zone, "key") else datetime.timezone(datetime.timedelta(minutes=case.times.offset)))


def _with_term(case: Case, change: Change) -> Case | None:
    if change.value is None:
        return None
    found = _window.fullmatch(change.fact)
    if found is None:
        return with_fact(case, change.fact, _whole(change.value)) if change.fact in FACTS else None
    function, name, cycles = found[1], found[2], int(found[3] or 1)
    section, _, field = name.partition(".")
    series = getattr(getattr(case.subscriber, section, None), field, None)
    if not series or name not in FACTS:
        return None
    rounded = _of_window(function, series, cycles, change)
    return with_fact(case, name, (*series[:-1], rounded))


def _of_window(function: str, series: Sequence[Any], cycles: int, change: Change) -> int:
    """The last cycle's figure with which the term has its value."""
    value = float(change.value or 0)
    if function == "mean":
        value = value * cycles - sum(series[-cycles:-1])
    elif function == "total":
        value -= sum(series[-cycles:-1])
    elif function == "change":
        value = sum(series[-cycles - 1 : -1]) * (1 + value) / cycles
    up = change.direction in ("at_least", "over", "exactly", "other_than")
    return int(value) if value == int(value) else int(value // 1) + up


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value
