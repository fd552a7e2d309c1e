"""From a request for recommendations to ours: whom it is about, where we meet them, what is known of them; and what is said back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from app.api.tmf.channels import BY_ROLE, CHANNELS, channel_of
from app.api.tmf.facts import put_facts
from app.api.tmf.given import EXTENSIONS, PASSED_OVER, RecommendationRequest
from app.api.tmf.liberal import GivenReference, Liberal
from app.api.tmf.parties import party_of
from app.api.tmf.places import is_uri
from app.engine.intake import FieldProblem, RequestError, parse_body
from app.engine.intake.wording import dotted, in_words, is_plain
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
_KNOWN = frozenset(field.alias or name for name, field in RecommendationRequest.model_fields.items()) | {*PASSED_OVER}


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
    given = parse_body(body, RecommendationRequest)
    _check_names(given)
    told = _told(given)
    party = party_of(given.related_party or (), told, subject)
    about = told or subject if party is None else party.id
    return Taken(_asked(given, about, role), _echo(given, party))


def _told(given: RecommendationRequest) -> str | None:
    """The id under `subscriber`, where it has one.

    Raises:
        RequestError: it is no text.
    """
    told = given.subscriber.get("id") if isinstance(given.subscriber, dict) else None
    if told is not None and not isinstance(told, str):
        raise RequestError([FieldProblem("subscriber.id", "expected text")])
    return told


def _check_names(given: RecommendationRequest) -> None:
    """See that no attribute is one that decides, misspelt: what it says would be passed over.

    Raises:
        RequestError: naming what was meant.
    """
    problems = [
        FieldProblem(dotted((name,)), f"{'does not exist' if is_plain(name) else 'has an attribute that does not exist'}; {hint}")
        for name in given.model_extra or {}
        if name not in _KNOWN and len(name) <= _LONGEST_NAME and (hint := nearest(_plainly(name), _DECIDING, likeness=_LIKE))
    ]
    if problems:
        raise RequestError(problems)


def _plainly(name: str) -> str:
    """The first word of a name as it is spelt here: `RelatedParty` and `related_party` are `relatedParty`."""
    first, *others = name.partition(" ")[0].split("_")
    return first[:1].lower() + first[1:] + "".join(map(str.capitalize, others))


_LONGEST_NAME = 60
_LIKE = 0.8
"""How alike a misspelt attribute is to what was meant: others have `agreement` and `payment`, which are not `agent`."""
_DECIDING = (*EXTENSIONS, "relatedParty", "channel", "characteristic")


def _asked(given: RecommendationRequest, subscriber_id: str | None, role: str) -> DecisionRequest | None:
    if subscriber_id is None:
        return None
    request = {name: value for name in EXTENSIONS if (value := getattr(given, name)) is not None}
    put_facts(given.characteristic or [], request)
    request["channel"] = _channel(given, request.get("channel"), role)
    subscriber = request.setdefault("subscriber", {})
    if isinstance(subscriber, dict):
        request["subscriber"] = {**subscriber, "id": subscriber_id}
    try:
        return DecisionRequest.model_validate(request)
    except ValidationError as error:
        raise RequestError([_as_sent(found) for found in in_words(error)]) from None


def _channel(given: RecommendationRequest, told: Any, role: str) -> Any:
    """Our name of the channel.

    Raises:
        RequestError: there is none of the name, or none is named and the role has no usual one.
    """
    if told is not None:
        return told
    if not given.channel:
        if role not in BY_ROLE:
            raise RequestError([FieldProblem("channel", f"is required: its `id` one of {', '.join(CHANNELS)}")])
        return BY_ROLE[role]
    first = given.channel[0]
    found = channel_of((first.id, first.name))
    if found is None:
        hint = nearest(first.id, CHANNELS) if len(first.id) <= _LONGEST_NAME else ""
        told_names = f"{hint}; there are" if hint else "there are"
        raise RequestError([FieldProblem("channel.0.id", f"is no channel of ours, nor is its name; {told_names} {', '.join(CHANNELS)}")])
    return found


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
