"""TMF683 v4.0.0: an interaction is taken as what became of a recommendation, and answered with the next one where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from app.api.asking import agent_of
from app.api.bodies import read_json
from app.api.calls import Admitted, Call
from app.api.recorded import answerable_by
from app.api.repeating import Made, RepeatKey, given_once
from app.api.responses import outcome_made
from app.api.tmf.answering import answered
from app.api.tmf.declaring import Good, declared_as_tmf
from app.api.tmf.interacting import Interacted, InteractionRequest, interaction, report_of
from app.api.tmf.places import INTERACTIONS, Base, base_of
from app.api.tmf.recommending import extended, instant
from app.api.tmf.shapes import Reference, WanliuPartyInteraction
from app.record.entries import Idempotency
from app.record.reading.recorded import read_decision
from app.record.recommendations import as_recommendation, kept_of

TYPE = "WanliuPartyInteraction"
_TOLD: Good = {201: {"model": WanliuPartyInteraction, "description": "On the record, and durable."}}
_CARRIED = ("channel", "relatedParty")
"""What the next recommendation says back of the one before."""

router = APIRouter()


@router.post(
    f"{INTERACTIONS}/partyInteraction",
    operation_id="createInteraction",
    summary="Tell what became of a recommendation (TMF683)",
    status_code=201,
    **declared_as_tmf(_TOLD, "not-found", "went-on", "idempotency-key-reused", "damaged", takes=InteractionRequest),
)
async def create(call: Admitted, idempotency_key: RepeatKey = None) -> Response:
    """The same as `POST /v1/decisions/{decision_id}/responses`: a refusal leads to the next recommendation, of another kind of help."""
    body = await read_json(call.request)
    (given, told), now = interaction(body), call.now()
    report = report_of(told, await answerable_by(call, told.decision_id))
    report = report.model_copy(update={"agent": agent_of(call.caller, report.agent)})

    async def make(key: Idempotency | None) -> Made:
        made = await outcome_made(call, told.decision_id, report, now, key)
        return await _with_next_listed(call, made, told.decision_id)

    response = await given_once(call, idempotency_key, body, now, make)
    if response.status_code != 200:
        return response
    base = base_of(call.request, call.request.app.state.public_url)
    return answered(_interaction(given, told, orjson.loads(response.body), base), 201)


async def _with_next_listed(call: Call, made: Made, decision_id: str) -> Made:
    """With the next decision, where there is one, on the list of who asked for the one before."""
    following = made.entry.companion
    if following is None:
        return made
    before = await call.read(lambda connection: read_decision(connection, call.record.keys, decision_id))
    said = {} if before is None else kept_of(before).get("echo", {})
    echo = {name: said[name] for name in _CARRIED if name in said}
    listed = as_recommendation(following, {"echo": echo, "currency": call.services.packs.current.currency})
    return replace(made, entry=replace(made.entry, companion=listed))


def _interaction(given: InteractionRequest, told: Interacted, answer: Mapping[str, Any], base: Base) -> WanliuPartyInteraction:
    at = instant(answer["at"])
    item: dict[str, Any] = {
        "id": told.item_id or answer["action"],
        "creationDate": at,
        "resolution": answer["outcome"],
        "action": answer["action"],
        "item": {**_recommendation(answer["decision_id"], base), "role": "recommendation"},
    }
    made: dict[str, Any] = {
        **extended(TYPE, base),
        "id": answer["outcome_id"],
        "creationDate": at,
        "direction": given.direction or "inbound",
        "reason": given.reason or "recommendation",
        "status": "completed",
        "statusChangeDate": at,
        "interactionDate": {"startDateTime": at},
        "interactionItem": [item],
    }
    if answer["next"] is not None:
        made["nextRecommendation"] = _recommendation(answer["next"]["decision_id"], base)
    if answer["next_because"] is not None:
        made["nextBecause"] = answer["next_because"]
    return cast("WanliuPartyInteraction", made)


def _recommendation(decision_id: str, base: Base) -> Reference:
    return {"id": decision_id, "href": base.href(decision_id), "@referredType": "QueryProductRecommendation"}
