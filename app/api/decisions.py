"""Deciding, and reading what was decided."""

from __future__ import annotations

import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.api.answers import DecisionAnswer, answer_bytes
from app.api.bodies import JSON, Refused, read_json
from app.api.callers import caller_of
from app.api.permissions import TRYING
from app.api.problems import documented, problem
from app.api.reading import note_reading
from app.api.repeating import RepeatKey, answer_of, answered_before, key_for
from app.api.responses import DecisionId, concerns
from app.api.services import Services
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import parse_request, take, with_history
from app.engine.view import sees_evidence, view
from app.engine.vocabulary import DecisionRequest
from app.record.callers import DEVELOPMENT, Caller
from app.record.contacts import contacts_of
from app.record.decisions import Asked, decision_entry
from app.record.reading.recorded import read_decision

_BODY = {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/DecisionRequest"}}}}

router = APIRouter()


@router.post(
    "/v1/decisions",
    operation_id="decide",
    summary="Decide the next best actions for one subscriber",
    response_description="The decision. Live, it is durable before this is sent.",
    responses={
        200: {"model": DecisionAnswer},
        **documented(
            "body-too-large",
            "unsupported-media-type",
            "invalid-request",
            "idempotency-key-reused",
            "internal",
            "store-busy",
            "store-unavailable",
        ),
    },
    openapi_extra={"requestBody": _BODY},
)
async def decide_one(request: Request, idempotency_key: RepeatKey = None) -> Response:
    """Decide, record, answer; in that order, so that nothing is answered that is not on record."""
    services: Services = request.app.state.services
    record, caller = services.record, caller_of(request)
    body = await read_json(request)
    asked, now = parse_request(body), services.clock()
    _check_mode(caller, asked.mode)
    live = asked.mode == "live"
    key = key_for(request, idempotency_key, body, now) if live else None
    before = await answered_before(record, key, now)
    if before is not None:
        return Response(before, media_type=JSON)
    asked = await _with_history(services, asked, now)
    pack = services.packs.current
    case = take(pack, asked, now=now, role=caller.role, grade=caller.grade)
    decision = decide(pack, case)
    explanation = view(explain(pack, case, decision, asked.explain, evidence=sees_evidence(caller.role)), caller.role)
    request.scope["phase"] = decision.phase.id
    decision_id = str(services.ids.new(now)) if live else None
    answer = answer_bytes(explanation, pack, now, decision_id)
    if decision_id is not None:
        who = Asked(caller.name, caller.role, asked.explain, asked.history, agent=asked.agent)
        written = await record.write(decision_entry(decision_id, now, pack, case, decision, answer, who, key))
        if written.repeated:
            answer = await answer_of(record, written.entry_id)
    return Response(answer, media_type=JSON)


@router.get(
    "/v1/decisions/{decision_id}",
    operation_id="readDecision",
    summary="Read a decision as it was given",
    response_description="The answer that `decide` gave, byte for byte.",
    responses={
        200: {"model": DecisionAnswer},
        **documented("not-found", "erased", "invalid-request", "internal", "store-busy", "store-unavailable"),
    },
)
async def read_one(request: Request, decision_id: DecisionId) -> Response:
    """The answer from the record, which notes who read it. Who asks for decisions reads those of their own role."""
    record, caller = request.app.state.services.record, caller_of(request)
    found = await record.read(lambda connection: read_decision(connection, record.keys, decision_id))
    if found is None or not (caller.role == "compliance" or concerns(caller, found.body["role"])):
        return problem("not-found", detail="no decision has this id")
    if found.answer is None:
        return problem("erased")
    await note_reading(request.app.state.services, caller, "answer", found)
    return Response(found.answer, media_type=JSON)


def _check_mode(caller: Caller, mode: str) -> None:
    """Who asks for decisions asks live; who tries leaves no trace."""
    if caller.role != DEVELOPMENT and (caller.role in TRYING) != (mode == "what_if"):
        detail = "mode: authors, approvers and compliance ask with `mode: what_if`, everybody else without"
        raise Refused(problem("forbidden", detail=detail))


async def _with_history(services: Services, asked: DecisionRequest, now: datetime.datetime) -> DecisionRequest:
    """The request with the contacts on the record, where it wishes for them."""
    if asked.history == "caller" or asked.mode != "live":
        return asked
    record = services.record
    recorded = await record.read(lambda connection: contacts_of(connection, record.keys, asked.subscriber.id))
    return with_history(asked, recorded, now)
