"""What became of a decision's actions: outcomes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from app.api.answers import RecordRef
from app.api.bodies import JSON, Refused, read_json
from app.api.callers import caller_of
from app.api.problems import documented, problem
from app.api.repeating import RepeatKey, answer_of, answered_before, key_for
from app.api.services import Services
from app.engine.intake import RequestError, parse_body
from app.engine.vocabulary import Outcome, OutcomeReport
from app.record.callers import DEVELOPMENT, Caller
from app.record.outcomes import Answerable, answerable, not_offered, outcome_entry, report_problems

DECISION_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
DecisionId = Annotated[str, Path(pattern=DECISION_ID, description="A `decision_id`.")]
_BODY = {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/OutcomeReport"}}}}

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
    responses={
        200: {"model": OutcomeAnswer},
        **documented(
            "not-found",
            "erased",
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
async def respond(request: Request, decision_id: DecisionId, idempotency_key: RepeatKey = None) -> Response:
    """Shown, sent, accepted, refused, ignored, activated, stayed, left. What was shown or sent becomes contact history."""
    services: Services = request.app.state.services
    body = await read_json(request)
    report, caller, now = parse_body(body, OutcomeReport), caller_of(request), services.clock()
    key = key_for(request, idempotency_key, body, now)
    answer = await answered_before(services.record, key, now)
    if answer is not None:
        return Response(answer, media_type=JSON)
    found = await services.record.read(lambda connection: answerable(connection, decision_id))
    decision = _checked(found, caller, report, now)
    outcome_id, at = str(services.ids.new(now)), min(report.at or now, now)
    answer = orjson.dumps(OutcomeAnswer(outcome_id, decision_id, report.action, report.outcome, at, RecordRef("durable")))
    written = await services.record.write(outcome_entry(outcome_id, now, decision, report, at, caller.name, caller.role, answer, key))
    return Response(await answer_of(services.record, written.entry_id) if written.repeated else answer, media_type=JSON)


def concerns(caller: Caller, role: str) -> bool:
    """Is a decision that this role asked for the caller's too: callers of one role are parts of one system."""
    return caller.role in (role, DEVELOPMENT)


def _checked(found: Answerable | None, caller: Caller, report: OutcomeReport, now: datetime.datetime) -> Answerable:
    """The decision, where the report can be taken.

    Raises:
        Refused: there is no such decision or action, or the person was erased.
        RequestError: something is wrong with the report.
    """
    if found is None or not concerns(caller, found.body["role"]):
        raise Refused(problem("not-found", detail="no decision has this id"))
    if found.offered(report.action) is None:
        raise Refused(problem("not-found", detail=not_offered(found, report.action)))
    if found.subject is None:
        raise Refused(problem("erased"))
    wrong = list(report_problems(found, report, now))
    if wrong:
        raise RequestError(wrong)
    return found
