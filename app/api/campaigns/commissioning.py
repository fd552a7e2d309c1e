"""Commissioning a campaign: checked as far as can be at once, accepted for good, run by a worker afterwards."""

from __future__ import annotations

import asyncio
import datetime

from fastapi import APIRouter
from starlette.responses import Response

from app.api.asking import agent_of
from app.api.bodies import Refused, json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.campaigns.shapes import Campaign, CampaignRequest, told
from app.api.declaring import declared
from app.api.permissions import TRYING
from app.api.problems import problem
from app.api.repeating import RepeatKey
from app.campaign.jobs.places import Place
from app.engine.intake import FieldProblem, RequestError, parse_body
from app.engine.pack import Pack
from app.record.callers import DEVELOPMENT, Caller
from app.record.campaigns.jobs import Commissioned, Job, accept, asked_before, under_way
from app.record.store.idempotency import idempotency_of

MOST_UNDER_WAY = 200
"""Campaigns that wait or run, whoever asked for them."""
_checking = asyncio.Semaphore(2)
"""Checking reads files: a few at a time."""
_ACCEPTED = "Accepted: it is stored for good, and a worker will run it. `Location` is where it is looked after."

router = APIRouter()


@router.post(
    "/v1/campaigns",
    operation_id="commissionCampaign",
    summary="Have a campaign run: decide for everybody in a file",
    status_code=202,
    **declared(
        {202: {"model": Campaign, "description": _ACCEPTED, "headers": {"Location": {"schema": {"type": "string"}}}}},
        "no-room",
        takes=CampaignRequest,
        repeatable=True,
    ),
)
async def commission(call: Admitted, idempotency_key: RepeatKey = None) -> Response:
    """File, mapping and limits are looked at before this is answered, rows are not. The pack in force now decides, however late it is."""
    body, now = await read_json(call.request), call.now()
    key = None if idempotency_key is None else idempotency_of(call.scope, idempotency_key, "POST /v1/campaigns", body, now)
    first = None if key is None else await call.read(lambda connection: asked_before(connection, key, now))
    if first is not None:
        return _accepted(first)
    asked, pack = parse_body(body, CampaignRequest), call.services.packs.current
    agent = agent_of(call.caller, asked.agent)
    _check_mode(call.caller, asked.mode)
    _check_time(asked, now)
    job_id = call.new_id(now)
    async with _checking:
        wanted = await asyncio.to_thread(_checked, asked, Place(call.services.campaigns, job_id), pack, call.caller, agent)
    await _check_room(call)
    return _accepted(await asyncio.to_thread(accept, call.record.database, job_id, now, wanted, key))


def _checked(asked: CampaignRequest, place: Place, pack: Pack, caller: Caller, agent: str | None) -> Commissioned:
    """What is asked for, as it is stored; in a thread, for files are read.

    Raises:
        RequestError: naming what is wrong with it.
    """
    from app.campaign.jobs.checking import mistakes  # who commissions no campaign needs nothing of what runs one
    from app.campaign.jobs.order import Order

    told = asked.model_dump(exclude={"mode", "agent"})
    order = Order(**told, what_if=asked.mode == "what_if")
    wrong = mistakes(order, place, pack, caller.system)
    if wrong:
        raise RequestError([FieldProblem(found.field, found.message) for found in wrong])
    return Commissioned(order.campaign_name(), caller.name, caller.role, caller.system, pack.digest, order.as_json(), agent)


def _check_mode(caller: Caller, mode: str) -> None:
    """Who runs campaigns runs them live; who tries leaves no trace.

    Raises:
        Refused: the caller's role asks the other way.
    """
    if caller.role != DEVELOPMENT and (caller.role in TRYING) != (mode == "what_if"):
        wrong = "authors, approvers and compliance ask with `what_if`, campaign engines without"
        raise Refused(problem("forbidden", errors=[FieldProblem("mode", wrong)]))


def _check_time(asked: CampaignRequest, now: datetime.datetime) -> None:
    """See that people are to be contacted in the future.

    Raises:
        RequestError: it is past.
    """
    if asked.contact_at is not None and asked.contact_at < now and asked.mode == "live":
        raise RequestError([FieldProblem("contact_at", "is past; leave it out where people are contacted at once")])


async def _check_room(call: Call) -> None:
    if await call.read(under_way) >= MOST_UNDER_WAY:
        told = f"{MOST_UNDER_WAY} campaigns wait or run already; wait until some have ended, or cancel some"
        raise Refused(problem("no-room", detail=told))


def _accepted(job: Job) -> Response:
    return json_answer(told(job), 202, {"location": f"/v1/campaigns/{job.id}"})
