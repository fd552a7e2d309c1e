"""Stage 1: base facts from the case into the pack's slots, with what is missing or too old left unknown."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.engine.case import Case
from app.engine.chosen import put_choices, refused_actions
from app.engine.intake import answer_value
from app.engine.pack.model import CONTACT, UNPROFILED, Action, BaseFact, BaseSection, Pack
from app.engine.runtime import DAY, NEVER, Dated, Surroundings

_epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_day = datetime.timedelta(days=1)


@dataclass(slots=True)
class Facts:
    """The slots of one case, the surroundings its windows look at, and the facts that were too old, with their age in days.

    `refused` are the actions that the person's own choices keep out.
    """

    values: list[Any]
    around: Surroundings
    too_old: Mapping[str, int]
    unprofiled: Facts | None = None
    refused: frozenset[str] = frozenset()

    def open_to(self, action: Action) -> Facts:
        """What an action's gates and scores look at: no profile, for offers and marketing care to somebody who refused personalisation."""
        return self.unprofiled if self.unprofiled is not None and action.marketing else self

    def seen_by(self, action: Action) -> list[Any]:
        """The values of what is open to an action."""
        return self.open_to(action).values


def may_profile(case: Case) -> bool:
    """Has the person not refused personalisation? A refusal does not age."""
    if any(item.choice == "no_personalisation" for item in case.choices):
        return False
    consent = case.subscriber.consent
    answered = (case.answers or {}).get("consent.personalised")
    return (answered or (consent.personalised if consent else None)) != "no"


def read_facts(pack: Pack, case: Case) -> Facts:
    """Fill the slots of base facts."""
    values = pack.blank()
    too_old: dict[str, int] = {}
    given = case.subscriber.__dict__
    dated = pack.copy(values, given)
    for slot, field in pack.asked:
        values[slot] = getattr(case, field)
    for group in pack.sections:
        section = given[group.name]
        if section is not None and (group.own or group.name in dated):
            _read_section(case, group, section, values, too_old)
    if case.answers:
        _put_answers(pack, case, values, too_old)
    if case.choices:
        put_choices(pack, case, values, too_old)
    _put_clock(pack, case, values)
    refused = refused_actions(pack, case) if case.choices else frozenset()
    return Facts(values, _surroundings(pack, case), too_old, refused=refused)


def unprofiled(pack: Pack, facts: Facts) -> Facts:
    """The facts as they are for offers and marketing care to somebody who refused personalisation: channel, moment and clock alone."""
    values = pack.blank()
    for fact in pack.base:
        if fact.name in UNPROFILED:
            values[fact.slot] = facts.values[fact.slot]
    for slot in pack.clocks:
        if slot is not None:
            values[slot] = facts.values[slot]
    around = facts.around
    return Facts(
        values,
        replace(around, events=None, contacts=None),
        {},
    )


def microseconds(moment: datetime.datetime) -> int:
    """Whole microseconds since 1970."""
    since = moment - _epoch
    return since.days * DAY + since.seconds * 1_000_000 + since.microseconds


def _read_section(case: Case, group: BaseSection, section: Any, values: list[Any], too_old: dict[str, int]) -> None:
    """Fill the slots of one section that take more than copying; what is older than the pack allows is noted and left unknown."""
    fields, as_of = (section, None) if group.name == "custom" else (section.__dict__, section.as_of)
    for fact in group.own:
        values[fact.slot] = _value(fact, fields.get(fact.field), section)
    if as_of is not None:
        age = max((case.times.as_of - as_of) // _day, 0)
        for fact in group.limited if age > group.fresh else ():
            if fact.max_age is not None and age > fact.max_age:
                values[fact.slot] = None
                if fields.get(fact.field) is not None or _given(fact, section):
                    too_old[fact.name] = age


def _value(fact: BaseFact, value: Any, section: Any) -> Any:
    if fact.type.kind == "date":
        if value is not None:
            return value.toordinal() if isinstance(value, datetime.date) else datetime.date.fromisoformat(value).toordinal()
        return NEVER if _given(fact, section) else None
    if isinstance(value, list | tuple):
        return frozenset(value) if fact.type.kind == "set" else tuple(value)
    return value


def _given(fact: BaseFact, section: Any) -> bool:
    """Is it a date that was given as null: never, or none?"""
    return fact.type.kind == "date" and fact.field in (section if isinstance(section, dict) else section.model_fields_set)


def _put_answers(pack: Pack, case: Case, values: list[Any], too_old: dict[str, int]) -> None:
    for name, given in (case.answers or {}).items():
        if name in pack.slots:
            values[pack.slots[name]] = answer_value(pack, name, given)
            too_old.pop(name, None)


def _put_clock(pack: Pack, case: Case, values: list[Any]) -> None:
    times = case.times
    day = times.contact_day.toordinal()
    clock = (times.today.toordinal(), day, times.contact_minute, times.contact_day.isoweekday(), day in pack.holidays)
    for slot, value in zip(pack.clocks, clock, strict=True):
        if slot is not None:
            values[slot] = value


def _surroundings(pack: Pack, case: Case) -> Surroundings:
    subscriber = case.subscriber
    events: dict[str, list[Dated]] | None = None
    if subscriber.events is not None:
        events = {}
        for event in subscriber.events:
            events.setdefault(event.type, []).append((microseconds(event.at), event))
    contacts: Sequence[Dated] | None = None
    if subscriber.contacts is not None:
        contacts = [(microseconds(contact.at), contact) for contact in subscriber.contacts]
        if events is not None and contacts:
            events.setdefault(CONTACT, []).extend(contacts)
    times = case.times
    as_of = microseconds(times.as_of)
    return Surroundings(
        events,
        contacts,
        as_of,
        as_of if times.contact_at is times.as_of else microseconds(times.contact_at),
        subscriber.id,
        pack.salt,
        pack.categories,
        pack.plans,
        frozenset([contact.action for _, contact in contacts]) if contacts else frozenset(),
        pack.doors[case.channel],
    )
