"""Deciding, and reading what was decided."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from app import __version__
from app.api.answers import DecisionAnswer, answer_bytes
from app.api.bodies import JSON, read_json
from app.api.problems import documented, problem
from app.api.services import Services
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import parse_request, take
from app.engine.view import view
from app.record import DecisionRecord

ROLE = "development"
"""Without keys everybody is this."""
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_BODY = {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/DecisionRequest"}}}}

router = APIRouter()


@router.post(
    "/v1/decisions",
    operation_id="decide",
    summary="Decide the next best actions for one subscriber",
    response_description="The decision. Live, it is durable before this is sent.",
    responses={
        200: {"model": DecisionAnswer},
        **documented("body-too-large", "unsupported-media-type", "invalid-request", "internal", "store-busy", "store-unavailable"),
    },
    openapi_extra={"requestBody": _BODY},
)
async def decide_one(request: Request) -> Response:
    """Decide, record, answer; in that order, so that nothing is answered that is not on record."""
    services: Services = request.app.state.services
    asked = parse_request(await read_json(request))
    pack, now = services.packs.current, services.clock()
    case = take(pack, asked, now=now, role=ROLE)
    explanation = view(explain(pack, case, decide(pack, case), asked.explain), ROLE)
    decision_id = str(services.ids.new(now)) if asked.mode == "live" else None
    answer = answer_bytes(explanation, pack, now, decision_id)
    if decision_id is not None:
        await services.store.record(DecisionRecord(decision_id, now.isoformat(), pack.digest, __version__, _bytes(case), answer))
    request.scope["phase"] = explanation.phase.id
    return Response(answer, media_type=JSON)


@router.get(
    "/v1/decisions/{decision_id}",
    operation_id="readDecision",
    summary="Read a decision as it was given",
    response_description="The answer that `decide` gave, byte for byte.",
    responses={200: {"model": DecisionAnswer}, **documented("not-found", "invalid-request", "internal", "store-unavailable")},
)
async def read_one(request: Request, decision_id: Annotated[str, Path(pattern=_UUID, description="A `decision_id`.")]) -> Response:
    """The answer from the store."""
    services: Services = request.app.state.services
    found = await services.store.get(decision_id)
    return problem("not-found", detail="no decision has this id") if found is None else Response(found.answer, media_type=JSON)


def _bytes(case: Case) -> bytes:
    return orjson.dumps(case.as_json(), option=orjson.OPT_SORT_KEYS)
