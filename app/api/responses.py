"""What became of a decision's actions: outcomes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from app.api.answers import RecordRef, as_json
from app.api.bodies import Refused, read_json
from app.api.calls import Admitted
from app.api.declaring import declared
from app.api.parameters import DecisionId
from app.api.problems import problem
from app.api.recorded import concerns, no_decision
from app.api.repeating import Made, RepeatKey, given_once
from app.engine.intake import RequestError, parse_body
from app.engine.vocabulary import Outcome, OutcomeReport
from app.record.callers import Caller
from app.record.entries import Idempotency
from app.record.outcomes import Answerable, Told, answerable, not_offered, outcome_entry, report_problems

router = APIRouter()


@dataclass
class OutcomeAnswer:
    """An outcome on the record."""

    outcome_id: str
    decision_id: str
    action: str
    outcome: Outcome
    at: datetime.datetime
    record: RecordRef


@router.post(
    "/v1/decisions/{decision_id}/responses",
    operation_id="respond",
    summary="Tell what became of an action",
    response_description="The outcome. It is durable before this is sent.",
    **declared(OutcomeAnswer, "not-found", "erased", takes=OutcomeReport, repeatable=True),
)
async def respond(call: Admitted, decision_id: DecisionId, idempotency_key: RepeatKey = None) -> Response:
    """Shown, sent, accepted, refused, ignored, activated, stayed, left. What was shown or sent becomes contact history."""
    body = await read_json(call.request)
    report, now = parse_body(body, OutcomeReport), call.now()

    async def make(key: Idempotency | None) -> Made:
        found = await call.read(lambda connection: answerable(connection, decision_id))
        decision = _checked(found, call.caller, report, now)
        told = Told(call.new_id(now), now, decision, report, call.caller)
        answer = as_json(OutcomeAnswer(told.id, decision_id, report.action, report.outcome, told.at, RecordRef("durable")))
        return Made(answer, outcome_entry(told, answer, key))

    return await given_once(call, idempotency_key, body, now, make)


def _checked(found: Answerable | None, caller: Caller, report: OutcomeReport, now: datetime.datetime) -> Answerable:
    """The decision, where the report can be taken.

    Raises:
        Refused: there is no such decision or action, or the person was erased.
        RequestError: something is wrong with the report.
    """
    if found is None or not concerns(caller, found.body["role"]):
        raise no_decision()
    if found.offered(report.action) is None:
        raise Refused(problem("not-found", detail=not_offered(found, report.action)))
    if found.subject is None:
        raise Refused(problem("erased"))
    wrong = list(report_problems(found, report, now))
    if wrong:
        raise RequestError(wrong)
    return found
