"""Deciding, and reading what was decided."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from app.api.answers import DecisionAnswer, answer_bytes
from app.api.bodies import Refused, json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.parameters import DecisionId
from app.api.permissions import TRYING
from app.api.problems import problem
from app.api.recorded import decision_of, note_reading
from app.api.repeating import Made, RepeatKey, given_once
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.explain import explain
from app.engine.intake import parse_request, take, with_history
from app.engine.pack import Pack
from app.engine.view import sees_evidence, view
from app.engine.vocabulary import DecisionRequest
from app.record.callers import DEVELOPMENT, Caller
from app.record.contacts import contacts_of
from app.record.decisions import Asked, decision_entry
from app.record.entries import Idempotency

router = APIRouter()


@router.post(
    "/v1/decisions",
    operation_id="decide",
    summary="Decide the next best actions for one subscriber",
    response_description="The decision. Live, it is durable before this is sent.",
    **declared(DecisionAnswer, takes=DecisionRequest, repeatable=True),
)
async def decide_one(call: Admitted, idempotency_key: RepeatKey = None) -> Response:
    """Decide, record, answer; in that order, so that nothing is answered that is not on record."""
    body = await read_json(call.request)
    asked, now = parse_request(body), call.now()
    _check_mode(call.caller, asked.mode)
    if asked.mode == "what_if":
        return json_answer(_decided(call, asked, now, None).answer)
    who = Asked(call.caller.name, call.caller.role, asked.explain, asked.history, agent=asked.agent)

    async def make(key: Idempotency | None) -> Made:
        known, decision_id = await _with_history(call, asked, now), call.new_id(now)
        made = _decided(call, known, now, decision_id)
        return Made(made.answer, decision_entry(decision_id, now, made.pack, made.case, made.decision, made.answer, who, key))

    return await given_once(call, idempotency_key, body, now, make)


@router.get(
    "/v1/decisions/{decision_id}",
    operation_id="readDecision",
    summary="Read a decision as it was given",
    response_description="The answer that `decide` gave, byte for byte.",
    **declared(DecisionAnswer, "not-found", "erased", "damaged"),
)
async def read_one(call: Admitted, decision_id: DecisionId) -> Response:
    """The answer from the record, which notes who read it. Who asks for decisions reads those of their own role."""
    found = await decision_of(call, decision_id)
    if found.answer is None:
        return problem("erased")
    await note_reading(call, "answer", found)
    return json_answer(found.answer.encode())


@dataclass(frozen=True, slots=True)
class _Decided:
    """A decision, what made it, and the answer as it is given."""

    pack: Pack
    case: Case
    decision: Decision
    answer: bytes


def _decided(call: Call, asked: DecisionRequest, now: datetime.datetime, decision_id: str | None) -> _Decided:
    """Decide with the pack in force, in the terms that the caller's role may see; without an id in what-if."""
    pack, caller = call.services.packs.current, call.caller
    case = take(pack, asked, now=now, role=caller.role, grade=caller.grade)
    decision = decide(pack, case)
    explanation = view(explain(pack, case, decision, asked.explain, evidence=sees_evidence(caller.role)), caller.role)
    call.request.scope["phase"] = decision.phase.id
    return _Decided(pack, case, decision, answer_bytes(explanation, pack, now, decision_id))


def _check_mode(caller: Caller, mode: str) -> None:
    """Who asks for decisions asks live; who tries leaves no trace.

    Raises:
        Refused: the caller's role asks the other way.
    """
    if caller.role != DEVELOPMENT and (caller.role in TRYING) != (mode == "what_if"):
        detail = "mode: authors, approvers and compliance ask with `mode: what_if`, everybody else without"
        raise Refused(problem("forbidden", detail=detail))


async def _with_history(call: Call, asked: DecisionRequest, now: datetime.datetime) -> DecisionRequest:
    """The request with the contacts on the record, where it wishes for them."""
    if asked.history == "caller":
        return asked
    recorded = await call.read(lambda connection: contacts_of(connection, call.record.keys, asked.subscriber.id))
    return with_history(asked, recorded, now)
