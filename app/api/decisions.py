"""Deciding, and reading what was decided."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from app.api.answers import DecisionAnswer, as_json
from app.api.asking import check_channel
from app.api.bodies import Refused, json_answer, read_json
from app.api.calls import Admitted
from app.api.deciding import case_of, decided, known, made, step
from app.api.declaring import declared
from app.api.parameters import DecisionId, Fields
from app.api.permissions import TRYING
from app.api.problems import problem
from app.api.recorded import answer_for, decision_of, note_reading, worked_out
from app.api.repeating import Made, RepeatKey, given_once
from app.api.sparse import chosen, only
from app.api.watching.watched import watched
from app.engine.intake import FieldProblem, parse_request
from app.engine.vocabulary import DecisionRequest
from app.record.callers import DEVELOPMENT, Caller
from app.record.campaigns.held import held_of
from app.record.entries import Idempotency
from app.record.reading.remaking import keeps_no_answer, with_answer

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
    with watched(call.request).stage("parse"):
        asked = parse_request(body, call.caller.subject)
    now = call.now()
    _check_mode(call.caller, asked.mode)
    check_channel(call.caller, asked.channel)
    if asked.mode == "what_if":
        return json_answer((await decided(call, case_of(call, asked, now), asked.explain, now, None)).answer)

    async def make(key: Idempotency | None) -> Made:
        found = await known(call, asked, now)
        await step()
        return await made(call, case_of(call, found, now), asked, now, key)

    return await given_once(call, idempotency_key, body, now, make)


@router.get(
    "/v1/decisions/{decision_id:decision}",
    operation_id="readDecision",
    summary="Read a decision as it was given",
    response_description="The answer that `decide` gave, byte for byte, of a campaign what it would have; or only some fields of it.",
    **declared(DecisionAnswer, "not-found", "erased", "pack-unusable", "damaged"),
)
async def read_one(call: Admitted, decision_id: DecisionId, fields: Fields = None) -> Response:
    """The answer from the record, which notes who read it. Who asks for decisions reads their own, as far as they see. Beside that of a
    campaign which had limits stands what they made of each action.
    """
    names, found = chosen(fields, DecisionAnswer), await decision_of(call, decision_id)
    if keeps_no_answer(found):
        kept, library = found, call.services.packs.library
        found = await worked_out(call, lambda _: with_answer(kept, library))
    if found.answer is None:
        return problem("erased")
    answer = await answer_for(call, found, found.answer)
    limits = None if call.caller.role == "self_service" else await call.read(lambda connection: held_of(connection, found.id))
    if limits is not None:
        answer = as_json({**orjson.loads(answer), "limits": limits})
    await note_reading(call, "answer", found)
    return json_answer(only(answer, names))


def _check_mode(caller: Caller, mode: str) -> None:
    """Who asks for decisions asks live; who tries leaves no trace.

    Raises:
        Refused: the caller's role asks the other way.
    """
    if caller.role != DEVELOPMENT and (caller.role in TRYING) != (mode == "what_if"):
        told = "authors, approvers and compliance ask with `what_if`, everybody else without"
        raise Refused(problem("forbidden", errors=[FieldProblem("mode", told)]))
