"""TMF680 v4.0.0: asking for recommendations, and reading them again. Served twice, under both prefixes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import Field, WithJsonSchema
from starlette.responses import Response

from app.api.answers import as_json
from app.api.asking import check_channel
from app.api.bodies import read_json
from app.api.calls import Admitted, Call
from app.api.deciding import case_of, known, made
from app.api.parameters import Whole, Worded
from app.api.recorded import answer_for, note_reading
from app.api.repeating import Made, RepeatKey, given_once
from app.api.tmf.answering import answered
from app.api.tmf.declaring import HREF, Good, declared_as_tmf
from app.api.tmf.given import RecommendationRequest
from app.api.tmf.liberal import LONGEST_ID
from app.api.tmf.lists import Id, one_of, some_of
from app.api.tmf.places import PREFIXES, Base, base_of
from app.api.tmf.recommending import attributes_of, chosen, recommended
from app.api.tmf.shapes import WanliuQueryProductRecommendation
from app.api.tmf.taking import Taken, taken
from app.api.watching.watched import watched
from app.record.entries import Idempotency
from app.record.reading.recorded import Recorded
from app.record.recommendations import Enquiry, as_recommendation, enquiry_entry, kept_of

PATH = "/queryProductRecommendation"
PAGE, LARGEST_PAGE, FURTHEST = 20, 100, 1_000_000

Fields = Annotated[
    Annotated[str, Worded("names of attributes with commas between, such as id,recommendationItem")] | None,
    Query(max_length=1_000, description="Attributes to give, with commas between; `id` and `href` are always given."),
]
WantedId = Annotated[
    Annotated[str, Field(max_length=LONGEST_ID)] | None,
    WithJsonSchema({"type": "string", "maxLength": LONGEST_ID}),
    Query(alias="id", description="Give this one only."),
]
Offset = Annotated[Annotated[int, Whole(0, FURTHEST)], Query(description="How many of the newest to leave out.")]
Limit = Annotated[Annotated[int, Whole(1, LARGEST_PAGE)], Query(description="How many to give.")]
_COUNTS = {
    "X-Total-Count": {"description": "How many there are.", "schema": {"type": "integer"}},
    "X-Result-Count": {"description": "How many are given.", "schema": {"type": "integer"}},
}
_ONE = {"model": WanliuQueryProductRecommendation}
_MADE: Good = {201: {**_ONE, "description": "Decided, and durable.", "headers": HREF}}
_SOME: Good = {200: {"model": list[WanliuQueryProductRecommendation], "description": "Newest first.", "headers": _COUNTS}}


async def create(call: Admitted, idempotency_key: RepeatKey = None) -> Response:
    """Decide live, record, answer. Without a subscriber there is nothing to decide: the list of items is empty, and says why."""
    body = await read_json(call.request)
    with watched(call.request).stage("parse"):
        request = taken(body, call.caller.role, call.caller.subject)
    now = call.now()
    kept = {"echo": request.echo, "currency": call.services.packs.current.currency}

    async def make(key: Idempotency | None) -> Made:
        return _enquired(call, kept, now, key) if request.asked is None else await _decided(call, request, kept, now, key)

    answer = orjson.loads((await given_once(call, idempotency_key, body, now, make)).body)
    found = recommended(answer, kept, _base(call))
    return answered(found, 201, {"location": found["href"]})


async def listed(call: Admitted, fields: Fields = None, offset: Offset = 0, limit: Limit = PAGE, wanted_id: WantedId = None) -> Response:
    """The caller's own, newest first; those about erased persons are not there. One note says that they were read."""
    wanted = attributes_of(fields)
    total, found = await some_of(call, offset=offset, limit=limit, only=wanted_id)
    await call.note("list", filters={"via": "tmf680"}, found=len(found))
    base = _base(call)
    headers = {"x-total-count": str(total), "x-result-count": str(len(found))}
    return answered([chosen(await _shown(call, one, base), wanted) for one in found], 200, headers)


async def read_one(call: Admitted, id: Id, fields: Fields = None) -> Response:  # noqa: A002 - TM Forum's name
    """As it was given. A note says who read it."""
    wanted = attributes_of(fields)
    found = await one_of(call, id)
    shown = await _shown(call, found, _base(call))
    await note_reading(call, "answer", found)
    return answered(chosen(shown, wanted))


async def _decided(call: Call, request: Taken, kept: Mapping[str, Any], now: datetime.datetime, key: Idempotency | None) -> Made:
    asked = request.asked
    assert asked is not None  # noqa: S101 - for the type checker
    check_channel(call.caller, asked.channel)
    found = await made(call, case_of(call, await known(call, asked, now), now), asked, now, key)
    return replace(found, entry=as_recommendation(found.entry, kept))


def _enquired(call: Call, kept: Mapping[str, Any], now: datetime.datetime, key: Idempotency | None) -> Made:
    enquiry_id, caller = call.new_id(now), call.caller
    answer = as_json({"decision_id": enquiry_id, "decided_at": now})
    agent = {} if caller.agent is None else {"agent": caller.agent}
    body = {"caller": caller.name, "role": caller.role, "pack": call.services.packs.current.digest, **agent}
    return Made(answer, enquiry_entry(Enquiry(enquiry_id, now, body, kept, answer), key))


async def _shown(call: Call, found: Recorded, base: Base) -> WanliuQueryProductRecommendation:
    """A recommendation as it was given, as far as the reader sees."""
    answer = (found.answer or "{}").encode()
    seen = answer if found.envelope["kind"] == "enquiry" else await answer_for(call, found, answer.decode())
    return recommended(orjson.loads(seen), kept_of(found), base)


def _base(call: Call) -> Base:
    return base_of(call.request, call.request.app.state.public_url)


def _router(prefix: str, suffix: str) -> APIRouter:
    """The routes under one prefix."""
    router = APIRouter(prefix=prefix)
    router.add_api_route(
        PATH,
        create,
        methods=["POST"],
        operation_id=f"createRecommendation{suffix}",
        summary="Ask for recommendations (TMF680)",
        status_code=201,
        **declared_as_tmf(
            {201: {**_ONE, "description": "Decided, and durable.", "headers": HREF}},
            "idempotency-key-reused",
            "damaged",
            takes=RecommendationRequest,
        ),
    )
    router.add_api_route(
        PATH,
        listed,
        methods=["GET"],
        operation_id=f"listRecommendations{suffix}",
        summary="List recommendations (TMF680)",
        **declared_as_tmf(_SOME, "damaged"),
    )
    router.add_api_route(
        f"{PATH}/{{id}}",
        read_one,
        methods=["GET"],
        operation_id=f"readRecommendation{suffix}",
        summary="Read a recommendation (TMF680)",
        **declared_as_tmf({200: _ONE}, "not-found", "damaged"),
    )
    return router


router = APIRouter()
for _prefix, _suffix in zip(PREFIXES, ("", "OfCustomer"), strict=True):
    router.include_router(_router(_prefix, _suffix))
