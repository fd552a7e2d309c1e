"""A case on record as of now: what was known then keeps its age, what is known by now takes its place."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from app.engine.case import Case
from app.engine.intake.history import with_history
from app.engine.intake.problems import CaseError, FieldProblem
from app.engine.intake.taking import CLOCKS_DIFFER, FURTHEST_CONTACT, take
from app.engine.intake.values import answer_problem, custom_problem
from app.engine.vocabulary import SECTIONS, Contact, DecisionRequest, SubscriberContext
from app.engine.vocabulary.choices import Choice
from app.engine.vocabulary.types import Identifier

if TYPE_CHECKING:
    from app.engine.pack import Pack

_AS_ASKED = ("channel", "moment", "direction", "reason", "caller_relation", "verified", "locale", "max_actions")


class FreshContext(SubscriberContext):
    """What is known of the subscriber by now: each section that is given takes the place of the recorded one."""

    id: Identifier | None = Field(None, title="Subscriber", description="May be left out; another than the decision's stops the action.")  # type: ignore[assignment]


def renewed(
    pack: Pack,
    case: Case,
    now: datetime.datetime,
    *,
    fresh: FreshContext | None,
    contact_at: datetime.datetime | None,
    contacts: tuple[Contact, ...],
    choices: tuple[Choice, ...],
) -> Case:
    """The case as of now, about the same person, at the same place, for the same asker.

    Args:
        pack: in force; what it does not know any more of operator's own facts and answers is left out.
        case: as recorded.
        now: the clock.
        fresh: what the caller knows by now.
        contact_at: when the person will be contacted, from `contact_time`; left out, now.
        contacts: of the person, on the record.
        choices: of the person, that stand.

    Raises:
        CaseError: naming every field of `fresh` that makes no case.
    """
    subscriber = _subscriber(pack, case, fresh)
    asked: dict[str, Any] = {name: getattr(case, name) for name in _AS_ASKED}
    asked["answers"] = {fact: value for fact, value in (case.answers or {}).items() if answer_problem(pack, fact, value) is None}
    asked["history"] = "both" if contacts or subscriber.contacts is not None else "caller"
    request = DecisionRequest.model_construct(contact_at=contact_at, subscriber=subscriber, **asked)
    taken = take(pack, with_history(request, contacts, now).with_choices(choices), now=now, role=case.asker.role)
    return replace(taken, asker=case.asker, conversation=case.conversation)


def contact_time(given: datetime.datetime | None, now: datetime.datetime) -> datetime.datetime | None:
    """When the person will be contacted; by a clock that is a little behind ours, now.

    Raises:
        CaseError: it is in the past, or too far ahead.
    """
    if given is None:
        return None
    if given < now - CLOCKS_DIFFER:
        raise CaseError([FieldProblem("contact_at", "is in the past; leave it out for now")])
    if given - now > FURTHEST_CONTACT:
        raise CaseError([FieldProblem("contact_at", f"is more than {FURTHEST_CONTACT.days} days from now")])
    return max(given, now)


def _subscriber(pack: Pack, case: Case, fresh: FreshContext | None) -> SubscriberContext:
    """What was known, each section as old as it is by now, with what is known by now in its place."""
    given = {name: getattr(fresh, name) for name in fresh.model_fields_set - {"id"}} if fresh is not None else {}
    return case.subscriber.model_copy(update={**_aged(case), **_own_facts(pack, case), **given})


def _own_facts(pack: Pack, case: Case) -> Mapping[str, Any]:
    known = case.subscriber.custom
    if known is None:
        return {}
    return {"custom": {name: value for name, value in known.items() if custom_problem(pack.custom, name, value) is None}}


def _aged(case: Case) -> dict[str, Any]:
    return dict(_dated(case.subscriber, case.times.as_of))


def _dated(subscriber: SubscriberContext, held_at: datetime.datetime) -> Iterator[tuple[str, Any]]:
    """The sections that took their time from the request, with that time of their own."""
    for name in SECTIONS:
        section = getattr(subscriber, name)
        if section is not None and section.as_of is None:
            yield name, section.model_copy(update={"as_of": held_at})
