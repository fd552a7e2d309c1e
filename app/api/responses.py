"""What became of a decision's actions, what the person answered, and the next decision where there is one."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from app.api.answers import DecisionAnswer, RecordRef, as_json
from app.api.asking import agent_of
from app.api.bodies import Refused, json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.conversations import Going, NextBecause, next_decision, next_if_any, over
from app.api.declaring import REFERENCES, declared
from app.api.parameters import DecisionId
from app.api.problems import problem
from app.api.recorded import answerable_by, no_decision
from app.api.repeating import Made, RepeatKey, given_once
from app.engine.case import Settled
from app.engine.intake import FieldProblem, RequestError, parse_response
from app.engine.vocabulary import AnswersReport, Outcome, OutcomeReport
from app.record.entries import Idempotency
from app.record.outcomes import Answerable, Told, not_offered, outcome_entry, report_problems
from app.record.reading.conversations import Step, step_of

router = APIRouter()
_TAKEN = {"oneOf": [{"$ref": REFERENCES.format(model=shape.__name__)} for shape in (OutcomeReport, AnswersReport)]}


@dataclass
class ResponseAnswer:
    """What was told, on the record, and the next decision of the conversation.

    Of answers, which are no outcome, `outcome_id`, `action` and `outcome` are null. Where a refusal or answers have no next decision,
    `next_because` says why: `message` (the channel sends messages, and nobody is there to go on with), `ended` (the person was let go),
    `too_late` (the conversation is over) or `pack_changed` (the pack in force cannot decide the case).
    """

    outcome_id: str | None
    decision_id: str
    action: str | None
    outcome: Outcome | None
    at: datetime.datetime
    record: RecordRef
    next: DecisionAnswer | None
    next_because: NextBecause | None


@router.post(
    "/v1/decisions/{decision_id}/responses",
    operation_id="respond",
    summary="Tell what became of an action, or what the person answered",
    response_description="What was told, and the next decision where there is one. Both are durable before this is sent.",
    **declared(ResponseAnswer, "not-found", "went-on", "erased", takes=_TAKEN, repeatable=True),
)
async def respond(call: Admitted, decision_id: DecisionId, idempotency_key: RepeatKey = None) -> Response:
    """An outcome: shown, sent, accepted, refused, ignored, activated, stayed, left. What was shown or sent becomes contact history; a
    refusal leads to the next decision, of another kind of help. Or answers to what the decision asked, which lead to one that knows them.
    """
    body = await read_json(call.request)
    said, now = _said(body), call.now()
    told = said.model_copy(update={"agent": agent_of(call.caller, said.agent)})

    async def make(key: Idempotency | None) -> Made:
        if isinstance(told, AnswersReport):
            return await _answered(call, decision_id, told, now, key)
        return await outcome_made(call, decision_id, told, now, key)

    return await given_once(call, idempotency_key, body, now, make)


def _said(body: bytes) -> OutcomeReport | AnswersReport:
    """What a body tells.

    Raises:
        RequestError: it tells nothing, or something is wrong with it.
    """
    try:
        return parse_response(body)
    except RequestError as error:
        missing = [problem.field for problem in error.problems if problem.message == "is required"]
        if missing != ["action", "outcome"]:
            raise
        raise RequestError([*error.problems, FieldProblem("answers", _OR_ANSWERS)]) from None


_OR_ANSWERS = "would do instead of `action` and `outcome`: what the person answered, by the name of the fact"


async def outcome_made(call: Call, decision_id: str, report: OutcomeReport, now: datetime.datetime, key: Idempotency | None) -> Made:
    """An outcome, which is looked at first; of a refusal with the next decision.

    Raises:
        Refused: there is no such decision or action of theirs, or the person was erased.
        RequestError: something is wrong with the report.
    """
    decision = _checked(await answerable_by(call, decision_id), report, now)
    told = Told(call.new_id(now), now, decision, report, call.caller)
    if report.outcome != "refused":
        return _alone(told, None, key)
    step = await _step(call, decision_id)
    if step.successor is not None:
        answer = _went_on(step.successor, told.id)
        return Made(bytes(answer.body), outcome_entry(told, bytes(answer.body), key, status=answer.status_code), answer.status_code)
    refused = Settled(report.action, told.offered["kind"], refused=True)
    following = await next_if_any(call, Going(step, now, (refused,), agent=report.agent))
    return _with(told, following, key) if isinstance(following, Made) else _alone(told, following, key)


async def _answered(call: Call, decision_id: str, report: AnswersReport, now: datetime.datetime, key: Idempotency | None) -> Made:
    """Answers: the next decision, which knows them.

    Raises:
        Refused: the conversation went on from this decision already, or is over.
    """
    _kept(await answerable_by(call, decision_id))
    step = await _step(call, decision_id)
    if step.successor is not None:
        raise Refused(_went_on(step.successor))
    going = Going(step, now, answers=report.answers, agent=report.agent)
    because = over(going)
    if because is not None:
        raise Refused(json_answer(ResponseAnswer(None, decision_id, None, None, now, RecordRef("none"), None, because)))
    following = await next_decision(call, going, key)
    answer = as_json(ResponseAnswer(None, decision_id, None, None, now, RecordRef("durable"), _as_it_is(following), None))
    entry = replace(following.entry, private={**(following.entry.private or {}), "given": answer.decode()})
    return replace(following, answer=answer, entry=entry)


def _alone(told: Told, because: NextBecause | None, key: Idempotency | None) -> Made:
    answer = _told_answer(told, None, because)
    return Made(answer, outcome_entry(told, answer, key))


def _with(told: Told, following: Made, key: Idempotency | None) -> Made:
    answer = _told_answer(told, following, None)
    return replace(following, answer=answer, entry=outcome_entry(told, answer, key, then=following.entry))


def _told_answer(told: Told, following: Made | None, because: NextBecause | None) -> bytes:
    report, record = told.report, RecordRef("durable")
    return as_json(ResponseAnswer(told.id, told.decision.id, report.action, report.outcome, told.at, record, _as_it_is(following), because))


def _as_it_is(following: Made | None) -> Any:
    """The next decision within an answer, byte for byte as it is read later."""
    return None if following is None else orjson.Fragment(following.answer)


async def _step(call: Call, decision_id: str) -> Step:
    """The decision as what goes on from it needs it.

    Raises:
        Refused: it is gone, or the person was erased.
    """
    step = await call.read(lambda connection: step_of(connection, call.record.keys, decision_id))
    if step is None:
        raise no_decision()
    if step.decision.case is None:
        raise Refused(problem("erased"))
    return step


def _went_on(successor: str, outcome: str | None = None) -> Response:
    """That the conversation is further on, and where; and what was recorded all the same."""
    kept = "" if outcome is None else f"; the refusal is on record as {outcome}, and the next step after that one knows of it"
    return problem("went-on", detail=f"the next decision is {successor}: answer that one{kept}")


def _checked(found: Answerable, report: OutcomeReport, now: datetime.datetime) -> Answerable:
    """The decision, where the report can be taken.

    Raises:
        Refused: there is no such action, or the person was erased.
        RequestError: something is wrong with the report.
    """
    if found.offered(report.action) is None:
        raise Refused(problem("not-found", detail=not_offered(found, report.action)))
    wrong = list(report_problems(_kept(found), report, now))
    if wrong:
        raise RequestError(wrong)
    return found


def _kept(found: Answerable) -> Answerable:
    """The decision, where the person is still on record.

    Raises:
        Refused: they were erased.
    """
    if found.subject is None:
        raise Refused(problem("erased"))
    return found
