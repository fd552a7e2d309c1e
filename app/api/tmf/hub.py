"""TMF680's hub: who is told of recommendations. What is delivered, and how, is that of `/v1/webhooks`; only the form is TM Forum's."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.api.bodies import Refused, read_json
from app.api.calls import Admitted, Call
from app.api.problems import problem
from app.api.tmf.answering import answered
from app.api.tmf.declaring import HREF, Good, declared_as_tmf
from app.api.tmf.liberal import Extended
from app.api.tmf.lists import Id, is_id
from app.api.tmf.places import PREFIXES, base_of
from app.api.tmf.shapes import EventSubscription
from app.api.together import gathered, names_in, taken_in_part
from app.api.webhooks import callback_problems
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import nearest_or_all
from app.record.callers import DEVELOPMENT
from app.record.outgoing.addresses import LONGEST_URL
from app.record.outgoing.model import RECOMMENDED, Recommended, Wanted
from app.record.outgoing.subscriptions import Kept, add_webhook, check_room, remove_webhook, webhook

_OF_ALL = frozenset({"operations", DEVELOPMENT})
"""Roles that hear of what every system asked for."""
_MOST_CONDITIONS = 20


class HubRequest(Extended):
    """Where to tell of recommendations, and of which events: `eventType=QueryProductRecommendationCreateEvent`; left out, of all."""

    deciding = ("callback", "query")

    callback: Annotated[
        str, Field(min_length=1, max_length=LONGEST_URL, description="URL that events are sent to: https, in the open network.")
    ]
    query: Annotated[str | None, Field(max_length=1_000, description="`eventType=` and a name; several with `&` or commas between.")] = None


_SUBSCRIBED: Good = {201: {"model": EventSubscription, "description": "Made. What is asked for from now on is told.", "headers": HREF}}
_REMOVED: Good = {204: {"description": "Removed. Nothing more is sent, not even what waited."}}


async def subscribe(call: Admitted) -> Response:
    """Be told of recommendations that callers of one's own system asked for; operations hear of everybody's."""
    asked = await _asked(call, await read_json(call.request))
    await call.read(check_room)
    system = None if call.caller.role in _OF_ALL else call.caller.system
    wanted = Wanted(call.caller.name, asked.callback, types_of(asked.query), "tmf680", system, query=asked.query)
    now = call.now()
    added = add_webhook(call.new_id(now), now, call.record.keys, wanted)
    await call.record.write(added.entry)
    told: EventSubscription = {"id": added.subscription.id, "callback": asked.callback}
    if asked.query is not None:
        told["query"] = asked.query
    href = base_of(call.request, call.request.app.state.public_url).hub(added.subscription.id)
    return answered(told, 201, {"location": href})


async def unsubscribe(call: Admitted, id: Id) -> Response:  # noqa: A002 - TM Forum's name
    """Be told no more. An event that is being sent at this moment may still arrive."""
    found, now = await _own(call, id), call.now()
    await call.record.write(remove_webhook(call.new_id(now), now, found, by=call.caller.name))
    return Response(status_code=204)


async def _asked(call: Call, body: bytes) -> HubRequest:
    """What is asked for.

    Raises:
        RequestError: naming everything that is wrong with it, where its callback leads included.
    """
    problems: list[FieldProblem] = []
    asked = taken_in_part(body, HubRequest, problems, callback="-")
    if asked is not None and "callback" not in names_in(problems):
        problems += await callback_problems(asked.callback, private=call.services.callbacks_private)
    if asked is not None:
        with gathered(problems):
            _check_fields(asked)
        with gathered(problems):
            types_of(asked.query)
    if asked is None or problems:
        raise RequestError(problems)
    return asked


def _check_fields(asked: HubRequest) -> None:
    """See that nothing is asked for that would not be honoured: a choice of fields.

    Raises:
        RequestError: there is one.
    """
    if "fields" in (asked.model_extra or {}):
        raise RequestError([FieldProblem("fields", "is not honoured: an event has the whole recommendation; leave it out")])


def types_of(query: str | None) -> tuple[Recommended, ...]:
    """The events that a subscription's query asks for.

    Raises:
        RequestError: it asks for something else, which would not be honoured.
    """
    if not query:
        return RECOMMENDED
    try:
        pairs = parse_qsl(query.removeprefix("?"), strict_parsing=True, max_num_fields=_MOST_CONDITIONS)
    except ValueError:
        raise RequestError([FieldProblem("query", "expected `eventType=` and the name of an event")]) from None
    names = [name.strip() for field, value in pairs if field == "eventType" for name in value.split(",")]
    wrong = [f"names an event that there is not; {nearest_or_all(name[:100], RECOMMENDED)}" for name in names if name not in RECOMMENDED]
    if any(field != "eventType" for field, _ in pairs):
        wrong.insert(0, "asks for more than `eventType`, by which alone events are chosen")
    if wrong:
        raise RequestError([FieldProblem("query", message) for message in wrong])
    return tuple(name for name in RECOMMENDED if name in names)


async def _own(call: Call, subscription_id: str) -> Kept:
    """The caller's subscription with this id.

    Raises:
        Refused: there is none, or it is another system's.
    """
    found = await call.read(lambda connection: webhook(connection, subscription_id.lower())) if is_id(subscription_id) else None
    if found is not None and found.subscription.wanted.format == "tmf680":
        owner = call.services.callers.system_of(found.subscription.wanted.owner)
        if call.caller.role in _OF_ALL or owner == call.caller.system:
            return found
    raise Refused(problem("not-found", detail="no subscription has this id"))


def _router(prefix: str, suffix: str) -> APIRouter:
    """The routes under one prefix."""
    router = APIRouter(prefix=prefix)
    router.add_api_route(
        "/hub",
        subscribe,
        methods=["POST"],
        operation_id=f"subscribeToRecommendations{suffix}",
        summary="Be told of recommendations (TMF680)",
        status_code=201,
        **declared_as_tmf(_SUBSCRIBED, "wrong-state", takes=HubRequest),
    )
    router.add_api_route(
        "/hub/{id}",
        unsubscribe,
        methods=["DELETE"],
        operation_id=f"unsubscribeFromRecommendations{suffix}",
        summary="Be told no more (TMF680)",
        status_code=204,
        **declared_as_tmf(_REMOVED, "not-found"),
    )
    return router


router = APIRouter()
for _prefix, _suffix in zip(PREFIXES, ("", "OfCustomer"), strict=True):
    router.include_router(_router(_prefix, _suffix))
