"""From a request to a case: times made local, history held against `as_of`, values held against the pack."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from app.engine.case import Asker, Case, Times
from app.engine.intake.problems import CaseError, FieldProblem
from app.engine.intake.values import answer_problem, custom_problem
from app.engine.intake.wording import hinted
from app.engine.vocabulary import SECTIONS, Contact, DecisionRequest, Event, LooseValue, SubscriberContext
from app.engine.zones import zone_named, zone_names

if TYPE_CHECKING:
    from app.engine.pack import Pack

CLOCKS_DIFFER = datetime.timedelta(minutes=5)
"""How far a live request's clock, and a section's, may be from ours."""
FURTHEST_CONTACT = datetime.timedelta(days=90)
DEVELOPMENT = "development"
_MINUTE = datetime.timedelta(minutes=1)
_NOTHING = datetime.timedelta()
_SURELY_PAST = 3
"""Days: a time whose date lies so far before another's is before it, whatever the offsets that the two were told with."""
_sections = itemgetter(*SECTIONS)


def take(pack: Pack, request: DecisionRequest, *, now: datetime.datetime, role: str, grade: str | None = None) -> Case:
    """The case that a request makes.

    Live, `as_of` is now or within five minutes of it and nothing may be dated later. In what-if it is any time, and what is dated later is
    left out: later events, contacts, and sections that hold only later.

    Args:
        pack: gives the zone where the subscriber has none, the own facts, the questions, and the limits of concession by role.
        request: checked, from `parse_request`.
        now: the clock, with its offset; read once per request.
        role: who asks. `development` may concede as much as the highest role.
        grade: whose limits of concession hold instead, such as `leader` for an agent.

    Raises:
        CaseError: naming every field that makes no case.
    """
    as_of = request.as_of or now
    contact_at = request.contact_at or as_of
    live = request.mode == "live"
    zone = zone_named(request.subscriber.zone or pack.zone)
    problems = [
        *(_late(request.subscriber, as_of) if live else ()),
        *_untimely(request, as_of, contact_at, now),
        *_mistyped(pack, request),
        *_homeless(request.subscriber.zone, zone),
    ]
    if problems or zone is None:
        raise CaseError(problems)
    return Case(
        subscriber=request.subscriber if live else _until(as_of, request.subscriber),
        channel=request.channel,
        times=_times(as_of, contact_at, zone),
        asker=Asker(role, _concession(pack, grade or role, request.subscriber)),
        moment=request.moment,
        direction=request.direction,
        reason=request.reason,
        caller_relation=request.caller_relation,
        verified=request.verified,
        answers=_as_json(request.answers),
        locale=request.locale,
        max_actions=request.max_actions,
        choices=request.choices if live else (),
        sent=request.sent,
    )


def _as_json(answers: Mapping[str, LooseValue]) -> Mapping[str, LooseValue]:
    """With lists for tuples, so that a case is equal to the one read back from its record."""
    return {fact: cast("LooseValue", list(value)) if isinstance(value, tuple) else value for fact, value in answers.items()}


def _times(as_of: datetime.datetime, contact_at: datetime.datetime, zone: zoneinfo.ZoneInfo) -> Times:
    here = as_of.astimezone(zone)
    there = here if contact_at is as_of else contact_at.astimezone(zone)
    offset = there.utcoffset() or datetime.timedelta()
    return Times(here, there, here.date(), there.date(), there.hour * 60 + there.minute, offset // _MINUTE)


def _concession(pack: Pack, role: str, subscriber: SubscriberContext) -> int:
    """What the role may grant in a case, and no more than twelve months leave of its yearly limit."""
    cases, years = pack.choosing.concession, pack.choosing.concession_year
    if role == DEVELOPMENT:
        case, year = max(cases.values(), default=0), max(years.values(), default=None)
    else:
        case, year = cases.get(role, 0), years.get(role)
    given = (subscriber.cases.compensation_12m if subscriber.cases else None) or 0
    return case if year is None else min(case, max(year - given, 0))


def _untimely(
    request: DecisionRequest, as_of: datetime.datetime, contact_at: datetime.datetime, now: datetime.datetime
) -> Iterator[FieldProblem]:
    if request.mode != "live" and request.history != "caller":
        yield FieldProblem("history", "is read from the record for live decisions only; pass what to try in `subscriber.contacts`")
    if request.mode == "live" and abs(as_of - now) > CLOCKS_DIFFER:
        yield FieldProblem("as_of", "is more than five minutes from now; leave it out, or ask with `mode: what_if`")
    if contact_at < as_of:
        yield FieldProblem("contact_at", "is before `as_of`")
    elif contact_at - as_of > FURTHEST_CONTACT:
        yield FieldProblem("contact_at", f"is more than {FURTHEST_CONTACT.days} days after `as_of`")


def _late(subscriber: SubscriberContext, as_of: datetime.datetime) -> Iterator[FieldProblem]:
    past = as_of.toordinal() - _SURELY_PAST  # most is, and telling two zones' times apart takes six times as long
    for name, held in _held(subscriber):
        if held.toordinal() > past and held - as_of > CLOCKS_DIFFER:
            yield FieldProblem(f"subscriber.{name}.as_of", "is dated after `as_of`")
    for name in ("events", "contacts"):
        history: tuple[Event | Contact, ...] = getattr(subscriber, name) or ()
        for index, entry in enumerate(history):
            if (at := entry.at).toordinal() > past and at - as_of > _NOTHING:  # a difference, since `>` takes twice as long
                yield FieldProblem(f"subscriber.{name}.{index}.at", "is dated after `as_of`; what has not happened is no history")


def _held(subscriber: SubscriberContext) -> list[tuple[str, datetime.datetime]]:
    """When the sections hold that say so, by name."""
    sections = _sections(subscriber.__dict__)
    return [
        (name, section.as_of) for name, section in zip(SECTIONS, sections, strict=True) if section is not None and section.as_of is not None
    ]


def _until(as_of: datetime.datetime, subscriber: SubscriberContext) -> SubscriberContext:
    """What was known of the subscriber then."""
    left: dict[str, object] = {name: None for name, held in _held(subscriber) if held > as_of}
    for name in ("events", "contacts"):
        history: tuple[Event | Contact, ...] = getattr(subscriber, name) or ()
        if any(entry.at > as_of for entry in history):
            left[name] = tuple(entry for entry in history if entry.at <= as_of)
    return subscriber.model_copy(update=left) if left else subscriber


def _mistyped(pack: Pack, request: DecisionRequest) -> Iterator[FieldProblem]:
    for name, value in (request.subscriber.custom or {}).items():
        problem = custom_problem(pack.custom, name, value)
        if problem is not None:
            yield problem
    for fact, value in request.answers.items():
        problem = answer_problem(pack, fact, value)
        if problem is not None:
            yield problem


def _homeless(given: str | None, zone: zoneinfo.ZoneInfo | None) -> Iterator[FieldProblem]:
    if zone is None:
        yield FieldProblem("subscriber.zone", hinted("is not a time zone of the IANA's list", given, zone_names()))
