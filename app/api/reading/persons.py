"""What concerns one person, for the privacy officer: access, legal hold, erasure."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.api.bodies import JSON, json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.parameters import IN_HEADER, Locale, Subscriber, SubscriberHeader
from app.campaign.jobs.leftovers import reaching_files
from app.engine.intake import FieldProblem, RequestError, parse_body
from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Note
from app.record.erasing.holds import hold, release
from app.record.erasing.persons import Erased, erase
from app.record.export.sharing import give_access

router = APIRouter()


class Erasure(Model):
    """On what an erasure rests."""

    basis: Annotated[Note, Field(description="Such as a request of the person. It stays on the record for ever: nothing personal in it.")]


class Hold(Model):
    """Why a person is under legal hold."""

    reason: Annotated[Note, Field(description="Told to whoever tries to erase; on the record it is encrypted under the person's key.")]


class ErasedAnswer(Model):
    """What was deleted, by table. `record` is the entry that says so; `scrubbed`: the freed bytes were overwritten too."""

    record: str
    rows: dict[str, int]
    scrubbed: bool


class HoldAnswer(Model):
    """`record` is the entry that says so."""

    record: str


@router.get(
    "/v1/subscribers/{subscriber}/record",
    operation_id="readSubscriber",
    summary="Everything that is held about a person",
    response_description="Every decision in plain words with what was known, contacts, what they refused since when, who looked.",
    **declared({200: {"content": {JSON: {"schema": {"type": "object"}}}}}, "not-found", "damaged"),
)
async def read_subscriber(
    call: Admitted, subscriber: Subscriber, locale: Locale = "zh-CN", x_subscriber_id: SubscriberHeader = None
) -> Response:
    """For a request for access. Who looks is on the record first."""
    wanted, who, library = _subscriber(subscriber, x_subscriber_id), call.caller, call.services.packs.library
    return json_answer(await asyncio.to_thread(give_access, call.record, library, wanted, caller=who.name, role=who.role, locale=locale))


@router.post(
    "/v1/subscribers/{subscriber}/erasure",
    operation_id="eraseSubscriber",
    summary="Erase a person",
    response_description="Their key and what points at them are gone; every proof goes on working.",
    **declared(ErasedAnswer, "not-found", "held", "wrong-state", takes=Erasure),
)
async def erase_subscriber(call: Admitted, subscriber: Subscriber, x_subscriber_id: SubscriberHeader = None) -> Response:
    """Refused under a legal hold, with its reason. The files of campaigns are reached soon after."""
    wanted, asked = _subscriber(subscriber, x_subscriber_id), parse_body(await read_json(call.request), Erasure)
    erased = await asyncio.to_thread(_erased, call, wanted, asked.basis)
    return json_answer(ErasedAnswer(record=erased.entry_id, rows=dict(erased.rows), scrubbed=erased.scrubbed).model_dump())


@router.post(
    "/v1/subscribers/{subscriber}/hold",
    operation_id="holdSubscriber",
    summary="Put a person under legal hold",
    response_description="Until it is released, erasing is refused, and what is about them is kept however old it is.",
    **declared(HoldAnswer, "not-found", takes=Hold),
)
async def hold_subscriber(call: Admitted, subscriber: Subscriber, x_subscriber_id: SubscriberHeader = None) -> Response:
    """Only somebody who is on record can be held. Held again, the new reason takes the place of the old."""
    wanted, asked = _subscriber(subscriber, x_subscriber_id), parse_body(await read_json(call.request), Hold)
    made = await asyncio.to_thread(hold, call.record, wanted, reason=asked.reason, by=call.caller.name)
    return json_answer(HoldAnswer(record=made).model_dump())


@router.post(
    "/v1/subscribers/{subscriber}/release",
    operation_id="releaseSubscriber",
    summary="End a legal hold",
    response_description="The person may be erased again.",
    **declared(HoldAnswer, "not-found", "wrong-state"),
)
async def release_subscriber(call: Admitted, subscriber: Subscriber, x_subscriber_id: SubscriberHeader = None) -> Response:
    """Without a body."""
    wanted = _subscriber(subscriber, x_subscriber_id)
    return json_answer(HoldAnswer(record=await asyncio.to_thread(release, call.record, wanted, by=call.caller.name)).model_dump())


def _erased(call: Call, subscriber: str, basis: str) -> Erased:
    with reaching_files(call.services.campaigns, subscriber):
        return erase(call.record, subscriber, basis=basis, by=call.caller.name)


def _subscriber(in_path: str, in_header: str | None) -> str:
    """The id, from the path or the header.

    Raises:
        RequestError: the path says that it is in the header and there is none, or both have one.
    """
    if in_path != IN_HEADER and in_header is not None:
        raise RequestError([FieldProblem("X-Subscriber-Id", "is not taken where the path has an id; put `-` there")])
    if in_path != IN_HEADER:
        return in_path
    if in_header is None:
        raise RequestError([FieldProblem("X-Subscriber-Id", "is required where the path has `-`")])
    return in_header
