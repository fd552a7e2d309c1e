"""From a request for recommendations to ours: whom it is about, where we meet them, what is known of them; and what is said back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from app.api.tmf.channels import BY_ROLE, CHANNELS, channel_of
from app.api.tmf.facts import put_facts
from app.api.tmf.given import EXTENSIONS, RecommendationRequest
from app.api.tmf.liberal import GivenReference, Liberal
from app.api.tmf.parties import party_of
from app.api.tmf.places import is_uri
from app.api.together import gathered, names_in, taken_in_part
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import in_words
from app.engine.problems import nearest
from app.engine.vocabulary import DecisionRequest

LARGEST_ECHO = 32 * 1024
"""Bytes of what is said back, as JSON."""
_ECHOED = (
    "name",
    "description",
    "recommendation_type",
    "instant",
    "category",
    "channel",
    "place",
    "product_order",
    "product_order_item",
    "shopping_cart",
    "shopping_cart_item",
)
_LONGEST_NAME = 60
_SOMEBODY = "0"
"""Stands for whom a request is about that is refused because nobody can tell, so that the rest of it is looked at too."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that was taken: what is asked of us, nothing where it is about nobody, and what is said back as it was given."""

    asked: DecisionRequest | None
    echo: Mapping[str, Any]


def taken(body: bytes, role: str, subject: str | None = None) -> Taken:
    """What a body asks for.

    Args:
        body: as it was sent.
        role: who asks; decides the channel of who names none.
        subject: the subscriber that the caller's token names, whom it is about where the body names nobody.

    Raises:
        RequestError: naming each field that cannot be taken.
    """
    wrong: list[FieldProblem] = []
    given = taken_in_part(body, RecommendationRequest, wrong)
    if given is None:
        raise RequestError(wrong)
    problems: list[FieldProblem] = []
    told = party = asked = None
    echo: Mapping[str, Any] = {}
    with gathered(problems):
        told = _told(given)
    with gathered(problems):
        party = party_of(given.related_party or (), told, subject)
    about = told or subject if party is None else party.id
    if any("relatedParty" in str(found) or "subscriber" in str(found) for found in (*wrong, *problems)):
        about = about or _SOMEBODY
    with gathered(problems):
        asked = _asked(given, about, role)
    with gathered(problems):
        echo = _echo(given, party)
    if wrong or problems:
        names = names_in(wrong)
        raise RequestError([*wrong, *(found for found in problems if found.field.partition(".")[0] not in names)])
    return Taken(asked, echo)


def _told(given: RecommendationRequest) -> str | None:
    """The id under `subscriber`, where it has one.

    Raises:
        RequestError: it is no text.
    """
    told = given.subscriber.get("id") if isinstance(given.subscriber, dict) else None
    if told is not None and not isinstance(told, str):
        raise RequestError([FieldProblem("subscriber.id", "expected text")])
    return told


def _asked(given: RecommendationRequest, subscriber_id: str | None, role: str) -> DecisionRequest | None:
    """What is asked of us; nothing where it is about nobody.

    Raises:
        RequestError: naming the channel, each characteristic and each of our own attributes that cannot be taken.
    """
    if subscriber_id is None:
        return None
    request = {name: value for name in EXTENSIONS if (value := getattr(given, name)) is not None}
    problems = [*put_facts(given.characteristic or [], request), *_put_channel(given, role, request)]
    subscriber = request.setdefault("subscriber", {})
    if isinstance(subscriber, dict):
        request["subscriber"] = {**subscriber, "id": subscriber_id}
    try:
        asked = DecisionRequest.model_validate(request)
    except ValidationError as error:
        problems += map(_as_sent, in_words(error))
    if problems:
        raise RequestError(problems)
    return asked


def _put_channel(given: RecommendationRequest, role: str, request: dict[str, Any]) -> Iterator[FieldProblem]:
    """Put our name of the channel into a request that has none; one that there is not is told, and some other stands for it."""
    if request.get("channel") is not None:
        return
    first = given.channel[0] if given.channel else None
    found = BY_ROLE.get(role) if first is None else channel_of((first.id, first.name))
    request["channel"] = found or CHANNELS[0]
    if found is not None:
        return
    if first is None:
        yield FieldProblem("channel", f"is required: its `id` one of {', '.join(CHANNELS)}")
        return
    hint = nearest(first.id, CHANNELS) if len(first.id) <= _LONGEST_NAME else ""
    told_names = f"{hint}; there are" if hint else "there are"
    yield FieldProblem("channel.0.id", f"is no channel of ours, nor is its name; {told_names} {', '.join(CHANNELS)}")


def _as_sent(found: FieldProblem) -> FieldProblem:
    return FieldProblem("relatedParty.id", found.message) if found.field == "subscriber.id" else found


def _echo(given: RecommendationRequest, party: GivenReference | None) -> Mapping[str, Any]:
    """What is said back, in the shapes that TM Forum's document asks for.

    Raises:
        RequestError: it is too large, or holds what JSON readers differ about.
    """
    found = {_alias(name): _shaped(value) for name in _ECHOED if (value := getattr(given, name)) is not None}
    if given.place is not None:
        found["place"] = {"role": "place", **found["place"]}
    if party is not None:
        found["relatedParty"] = {"@referredType": "Customer", **_shaped(party)}
    elif given.related_party:
        found["relatedParty"] = {"@referredType": "Party", **_shaped(given.related_party[0])}
    check_kept(found)
    return found


def check_kept(told: Mapping[str, Any]) -> None:
    """See that what is said back can be kept, and is read by everybody as it was sent.

    Raises:
        RequestError: it is too large, or holds what JSON readers differ about.
    """
    try:
        written = orjson.dumps(told)
    except TypeError:
        written = b""
    if not written or orjson.loads(written) != told:
        raise RequestError([FieldProblem("body", "holds half a character, a number beyond 64 bits, or is nested too deeply")])
    if len(written) > LARGEST_ECHO:
        raise RequestError([FieldProblem("body", f"has more in what is said back than {LARGEST_ECHO // 1024} KB")])


def _alias(name: str) -> str:
    return RecommendationRequest.model_fields[name].alias or name


def _shaped(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shaped(item) for item in value]
    if isinstance(value, Liberal):
        shaped: dict[str, Any] = value.model_dump(by_alias=True, exclude_none=True)
        if "@schemaLocation" in shaped and not is_uri(shaped["@schemaLocation"]):
            del shaped["@schemaLocation"]
        return shaped
    return value
