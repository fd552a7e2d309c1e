"""Deciding for many in one request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import Field
from starlette.responses import Response

from app.api.batch.answering import BatchAnswer
from app.api.batch.shapes import ALSO_NDJSON, NDJSON
from app.api.bodies import check_type
from app.api.calls import Admitted
from app.api.declaring import REFERENCES, declared
from app.api.parameters import Worded

_LINES = {
    "type": "string",
    "description": "A `BatchLine` a line: UTF-8, ended by a line feed, at most 1 MB; blank lines are passed over.",
    "x-line": {"$ref": REFERENCES.format(model="BatchLine")},
}
_ANSWERS = {
    "type": "string",
    "description": "A line for each: `BatchDecision` or `BatchProblem`, in the order of the request; at the end a `BatchEnd`.",
    "x-line": {"anyOf": [{"$ref": REFERENCES.format(model=f"Batch{part}")} for part in ("Decision", "Problem", "End")]},
}

BatchKey = Annotated[
    Annotated[str, Field(pattern="^[A-Za-z0-9_.:/+=-]{1,94}$"), Worded("1 to 94 letters, digits and _ . : / + = -")] | None,
    Header(
        alias="Idempotency-Key",
        description="Each line that has no `idempotency_key` gets this one, a colon and its number: sent again, it has the same answer.",
    ),
]

router = APIRouter()


@router.post(
    "/v1/decisions/batch",
    operation_id="decideMany",
    summary="Decide for many subscribers, line by line",
    response_description="A line for each line, in their order, while they come; a last one with counts.",
    **declared({200: {"content": {NDJSON: {"schema": _ANSWERS}}}}, takes=_LINES, media=(NDJSON,)),
)
async def decide_many(call: Admitted, idempotency_key: BatchKey = None) -> Response:
    """One bad line is one problem among the answers; at most 10,000 lines. Each decision is on record before its line is sent."""
    check_type(call.request, NDJSON, *ALSO_NDJSON)
    return BatchAnswer(call, idempotency_key)
