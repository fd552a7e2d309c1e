"""An interaction read as an outcome: of which decision, of which action, what became of it, why, when, and who saw it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import Field, ValidationError

from app.api.tmf.liberal import GivenPlace, Liberal, Party, Referred, Several, Words
from app.api.tmf.lists import is_id
from app.api.together import gathered, taken_in_part
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import in_words
from app.engine.problems import nearest
from app.engine.vocabulary import Outcome, OutcomeReport
from app.engine.vocabulary.words import LeaveReason
from app.record.outcomes import WITH_REASON, Answerable

OUTCOMES: tuple[str, ...] = get_args(Outcome)
OTHER_WORDS: Mapping[str, str] = {
    "displayed": "shown",
    "presented": "shown",
    "viewed": "shown",
    "delivered": "sent",
    "agreed": "accepted",
    "declined": "refused",
    "rejected": "refused",
    "noresponse": "ignored",
    "noanswer": "ignored",
    "completed": "activated",
    "fulfilled": "activated",
    "retained": "stayed",
    "churned": "left",
}
"""Other words for outcomes, without spaces, marks and capitals."""
_SOME_ACTION, _SOME_OUTCOME = "x", "shown"
"""Stand for what an interaction that is refused does not tell, so that the rest of it is looked at too."""
_AGENTS = frozenset({"agent", "employee", "csr", "seller"})
_REASONS = get_args(LeaveReason)


class GivenPeriod(Liberal):
    """From when to when."""

    deciding = ("startDateTime",)

    start: Annotated[Words | None, Field(alias="startDateTime")] = None
    end: Annotated[Words | None, Field(alias="endDateTime")] = None


class GivenInteractionItem(Liberal):
    """One thing that was talked about: a recommendation."""

    deciding = ("item", "action", "resolution", "reason", "creationDate", "itemDate", "attachment")
    passed_over = ("channel", "note", "relatedParty")

    id: Annotated[Words | None, Field(description="The `id` of the recommendation's item.")] = None
    item: Annotated[GivenPlace | None, Field(description="The recommendation: its `id` or `href`; `name` may be the action.")] = None
    action: Annotated[Words | None, Field(description="The action, where `id` and `item.name` do not say it.")] = None
    resolution: Annotated[Words | None, Field(description="The outcome.")] = None
    reason: Annotated[Words | None, Field(description="Why the person refused or left, where it is one of our codes.")] = None
    creation_date: Annotated[Words | None, Field(alias="creationDate")] = None
    item_date: Annotated[GivenPeriod | None, Field(alias="itemDate")] = None
    attachment: Annotated[Several[GivenPlace] | None, Field(description="The `id` of the first is the confirmation's reference.")] = None


class InteractionRequest(Liberal):
    """An interaction in which a recommendation was told, taken or refused. Attributes of others are passed over."""

    deciding = ("interactionItem", "relatedParty", "direction", "reason")
    passed_over = (
        "id",
        "href",
        "creationDate",
        "statusChangeDate",
        "attachment",
        "interactionDate",
        "interactionRelationship",
        "note",
    )

    description: Words | None = None
    direction: Words | None = None
    reason: Words | None = None
    status: Words | None = None
    channel: Several[Referred] | None = None
    related_party: Annotated[Several[Party] | None, Field(alias="relatedParty", description="One with the role `agent` saw it.")] = None
    interaction_item: Annotated[
        Several[GivenInteractionItem], Field(alias="interactionItem", min_length=1, description="Exactly one names a recommendation.")
    ]


@dataclass(frozen=True, slots=True)
class Interacted:
    """What an interaction tells, before the decision is looked at."""

    decision_id: str
    place: str
    item_id: str | None
    action: str | None
    told: Mapping[str, Any]


def interaction(body: bytes) -> tuple[InteractionRequest, Interacted]:
    """An interaction as it was sent, and what it tells.

    Raises:
        RequestError: naming each field that cannot be taken.
    """
    problems: list[FieldProblem] = []
    given = taken_in_part(body, InteractionRequest, problems)
    if given is not None:
        with gathered(problems):
            told = interacted(given)
    if given is None or problems:
        raise RequestError(problems)
    return given, told


def interacted(given: InteractionRequest) -> Interacted:
    """What an interaction tells.

    Raises:
        RequestError: it names no recommendation, or several, or nothing that became of it.
    """
    named = [(index, item, found) for index, item in enumerate(given.interaction_item) if (found := _decision(item)) is not None]
    if len(named) != 1:
        how = "none names a recommendation" if not named else "several name a recommendation; tell of one at a time"
        raise RequestError([FieldProblem("interactionItem", f"{how}: `item.id` is the recommendation's `id`")])
    index, item, decision_id = named[0]
    place = f"interactionItem.{index}"
    problems: list[FieldProblem] = []
    outcome = at = None
    with gathered(problems):
        outcome = _outcome(item.resolution, place)
    with gathered(problems):
        at = _at(item, place)
    told = {"outcome": outcome, "at": at, "reference": _reference(item), "agent": _agent(given)}
    reason = item.reason if item.reason in _REASONS and outcome in WITH_REASON else None
    action = item.action or (item.item.name if item.item else None)
    if problems:
        with gathered(problems):
            _report({**told, "action": action or _SOME_ACTION, "outcome": _SOME_OUTCOME, "at": None}, place)
        raise RequestError(problems)
    return Interacted(decision_id, place, item.id, action, {**told, "reason": reason})


def report_of(told: Interacted, decision: Answerable) -> OutcomeReport:
    """The outcome that an interaction tells of a decision.

    Raises:
        RequestError: it does not say of which action, or something else is wrong with it.
    """
    return _report({**told.told, "action": _action(told, decision)}, told.place)


def _report(told: Mapping[str, Any], place: str) -> OutcomeReport:
    try:
        return OutcomeReport.model_validate({name: value for name, value in told.items() if value is not None})
    except ValidationError as error:
        raise RequestError(list(_as_sent(in_words(error, OutcomeReport), place))) from None


def _decision(item: GivenInteractionItem) -> str | None:
    """The id of the recommendation that an item names."""
    if item.item is None:
        return None
    told = (item.item.id or "", (item.item.href or "").rstrip("/").rpartition("/")[2])
    return next((text.lower() for text in told if is_id(text)), None)


def _action(told: Interacted, decision: Answerable) -> str:
    """The action that is meant: by its name, by its place on the list, or the only one there is."""
    offered: Sequence[Mapping[str, Any]] = decision.body["offered"]
    if told.action is not None:
        return told.action
    by_rank = {str(item["rank"]): str(item["action"]) for item in offered}
    if told.item_id in by_rank:
        return by_rank[told.item_id]
    if told.item_id is None and len(offered) == 1:
        return str(offered[0]["action"])
    expected = "expected the `id` of one of the recommendation's items, or its action under `action`"
    message = expected if offered else "is of no item: the recommendation has none"
    raise RequestError([FieldProblem(f"{told.place}.id", message)])


def _outcome(resolution: str | None, place: str) -> str:
    plain = re.sub(r"[^a-z]", "", (resolution or "").lower()[:100])
    found = plain if plain in OUTCOMES else OTHER_WORDS.get(plain)
    if found is None:
        hint = nearest(plain, (*OUTCOMES, *OTHER_WORDS)) if plain else ""
        raise RequestError([FieldProblem(f"{place}.resolution", f"expected one of {', '.join(OUTCOMES)}{f'; {hint}' if hint else ''}")])
    return found


def _at(item: GivenInteractionItem, place: str) -> str | None:
    """When it happened; spaces within a time are passed over, for TM Forum's own sample has them."""
    told = (item.item_date.start if item.item_date else None) or item.creation_date
    if told is None:
        return None
    try:
        found = datetime.datetime.fromisoformat(re.sub(r"\s+", "", told))
        if found.tzinfo is None:
            raise ValueError
        return found.astimezone(datetime.UTC).isoformat()
    except (ValueError, OverflowError):
        field = "itemDate.startDateTime" if item.item_date and item.item_date.start else "creationDate"
        raise RequestError([FieldProblem(f"{place}.{field}", "expected a time with its offset such as 2026-11-22T10:00:00Z")]) from None


def _reference(item: GivenInteractionItem) -> str | None:
    return item.attachment[0].id if item.attachment else None


def _agent(given: InteractionRequest) -> str | None:
    return next((party.id for party in given.related_party or () if (party.role or "").lower() in _AGENTS), None)


_PLACES = {
    "action": "action",
    "outcome": "resolution",
    "at": "creationDate",
    "reference": "attachment.0.id",
    "reason": "reason",
}


def _as_sent(problems: Sequence[FieldProblem], place: str) -> Iterator[FieldProblem]:
    for found in problems:
        yield FieldProblem(f"{place}.{_PLACES[found.field]}" if found.field in _PLACES else "relatedParty", found.message)
