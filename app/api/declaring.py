"""What a route says of itself in the API's document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.api.bodies import JSON
from app.api.problems import documented
from app.engine.vocabulary import AnswersReport, DecisionRequest, OutcomeReport
from app.engine.vocabulary.model import Model

NAMED: tuple[type[Model], ...] = (DecisionRequest, OutcomeReport, AnswersReport)
"""Bodies that stand by name among the document's shapes; others stand where they are sent."""
REFERENCES = "#/components/schemas/{model}"

_OF_DOOR = ("too-many-requests", "too-late", "overloaded")

Answers = type | Mapping[int | str, Mapping[str, Any]]
Sent = type[Model] | Mapping[str, Any]


def declared(
    answers: Answers, *problems: str, takes: Sent | None = None, repeatable: bool = False, media: Iterable[str] = (JSON,)
) -> dict[str, Any]:
    """The responses and the body of a route that reads or writes the record, as arguments for the route's decorator.

    What it looks like in practice stands in `app/api/examples/`, in a file called as the operation.

    Args:
        answers: the shape of a 200, or every good response by status.
        problems: kinds that this route answers with, beside those of every route, of bodies and of repeated requests.
        takes: the shape of the body, or its JSON Schema; left out, none is read.
        repeatable: is an `Idempotency-Key` honoured?
        media: content types that the body may have.
    """
    good = {200: {"model": answers}} if isinstance(answers, type) else answers
    of_body = ("slow-body", "body-too-large", "unsupported-media-type") if takes is not None else ()
    of_key = ("idempotency-key-reused", "damaged") if repeatable else ()
    bad = documented(*problems, *of_body, "invalid-request", *of_key, "internal", "store-busy", "store-unavailable", "keys-away", *_OF_DOOR)
    made: dict[str, Any] = {"responses": {**good, **bad}}
    if takes is not None:
        content = {kind: {"schema": _schema(takes)} for kind in media}
        made["openapi_extra"] = {"requestBody": {"required": True, "content": content}}
    return made


def _schema(shape: Sent) -> Mapping[str, Any]:
    if not isinstance(shape, type):
        return shape
    return {"$ref": REFERENCES.format(model=shape.__name__)} if shape in NAMED else shape.model_json_schema()
