"""What the lines of a batch say, those that come and those that go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, WithJsonSchema

from app.api.answers import DecisionAnswer
from app.api.parameters import Worded
from app.api.problems import FieldError
from app.engine.vocabulary import DecisionRequest
from app.engine.vocabulary.types import Code
from app.record.store.idempotency import KEY_PATTERN

NDJSON = "application/x-ndjson"
ALSO_NDJSON = (
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-lines",
)
"""Other names under which lines of JSON are sent."""


class BatchLine(DecisionRequest):
    """A line of a batch: a request for a decision, and how its caller calls it."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    reference: Annotated[
        Code | None,
        Field(title="Reference", description="The caller's own name for the line; its answer has it, and nothing is done with it."),
    ] = None
    idempotency_key: Annotated[
        Annotated[str, Field(pattern=KEY_PATTERN), Worded("1 to 100 letters, digits and _ . : / + = -")] | None,
        Field(
            title="Idempotency key",
            description="As the header of a single request. Left out, the batch's, a colon, and the line's number.",
        ),
    ] = None


@dataclass
class BatchDecision:
    """A line that was decided. It was on record before this was sent."""

    line: int
    reference: str | None
    decision: Annotated[DecisionAnswer, WithJsonSchema({"type": "object"})]


@dataclass
class BatchProblem:
    """A line that was not decided, or why the batch ended before its end. The other lines are not touched by it."""

    line: int
    reference: str | None
    type: str
    title: str
    status: int
    detail: str | None
    errors: list[FieldError]


@dataclass
class BatchSummary:
    """What the batch came to. `complete` says that its end was reached; without this line the answer was cut off."""

    lines: int
    decided: int
    refused: int
    complete: bool


@dataclass
class BatchEnd:
    """The last line."""

    summary: BatchSummary
