"""Errors as problem details (RFC 9457): one table from what went wrong to what is answered. Nothing that was sent is repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from app.engine.intake import FieldProblem

MEDIA_TYPE = "application/problem+json"
SCHEMA = {"$ref": "#/components/schemas/Problem"}
_RETRY_SECONDS = "1"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake in a request: the dotted field, `body` for the whole, and what is wrong with it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong. `type` is stable and says which kind of problem it is; `errors` names fields where fields are wrong."""

    type: str
    title: str
    status: int
    detail: str | None
    errors: list[FieldError]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, its title, and whether asking again soon may help."""

    status: int
    title: str
    retry: bool = False


KINDS: Mapping[str, Kind] = {
    "bad-request": Kind(400, "The request cannot be read"),
    "unauthenticated": Kind(401, "It is not known who calls"),
    "forbidden": Kind(403, "The caller may not do this"),
    "not-found": Kind(404, "There is nothing here"),
    "method-not-allowed": Kind(405, "The method is not allowed here; `Allow` lists those that are"),
    "own-pack": Kind(409, "Who published a pack cannot approve it"),
    "wrong-state": Kind(409, "This is not where the step begins"),
    "not-sealed": Kind(409, "The decision waits to be sealed, for a second", retry=True),
    "pack-unusable": Kind(409, "A pack that is needed cannot be used by this version"),
    "went-on": Kind(409, "The conversation went on from this decision already"),
    "no-room": Kind(409, "There are as many of these as there may be"),
    "held": Kind(409, "The person is under legal hold"),
    "erased": Kind(410, "The person this was about was erased"),
    "slow-body": Kind(408, "The body did not come in time"),
    "body-too-large": Kind(413, "The body is larger than it may be"),
    "unsupported-media-type": Kind(415, "The body is not of the type that this call takes"),
    "head-too-large": Kind(431, "The head of the request is larger than it may be"),
    "invalid-request": Kind(422, "The request is not one this service can answer"),
    "idempotency-key-reused": Kind(422, "The idempotency key was used for another request"),
    "invalid-pack": Kind(422, "The pack has mistakes"),
    "too-many-requests": Kind(429, "The caller asks more often than it may", retry=True),
    "keys-away": Kind(503, "The keys that tokens are checked with cannot be had", retry=True),
    "internal": Kind(500, "The service failed"),
    "damaged": Kind(500, "What is stored is not what was recorded"),
    "too-late": Kind(503, "The answer would come later than `Wanliu-Deadline-Ms` says", retry=True),
    "overloaded": Kind(503, "More is asked than can be answered", retry=True),
    "draining": Kind(503, "The service is about to stop", retry=True),
    "store-busy": Kind(503, "More waits for the store than fits", retry=True),
    "store-unavailable": Kind(503, "The store does not answer", retry=True),
}
"""Every kind of problem, by the last part of its `type`."""


def problem(
    kind: str, *, detail: str | None = None, errors: Iterable[FieldProblem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The response for a kind of problem."""
    known = KINDS[kind]
    fields = [FieldError(item.field, item.message) for item in errors]
    content = orjson.dumps(Problem(f"urn:wanliu:problem:{kind}", known.title, known.status, detail, fields))
    retry = {"retry-after": _RETRY_SECONDS} if known.retry else {}
    return Response(content, known.status, {**retry, **(headers or {})}, MEDIA_TYPE)


def documented(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The responses of these kinds, for the API's document."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        known = KINDS[kind]
        answered = responses.setdefault(known.status, {"description": "", "content": {MEDIA_TYPE: {"schema": SCHEMA, "examples": {}}}})
        answered["description"] = f"{answered['description']} `{kind}`: {known.title}.".strip()
        answered["content"][MEDIA_TYPE]["examples"][kind] = {"$ref": f"#/components/examples/{kind}"}
        if known.retry:
            answered["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return responses


def shown_problems() -> dict[str, Any]:
    """An example of each kind, for the API's document."""
    return {kind: {"summary": known.title, "value": _shown(kind, known)} for kind, known in KINDS.items()}


def _shown(kind: str, known: Kind) -> dict[str, Any]:
    wrong = [{"field": "subscriber.plan.monthly_fe", "message": "does not exist; did you mean `monthly_fee`?"}]
    errors = wrong if kind == "invalid-request" else []
    return {"type": f"urn:wanliu:problem:{kind}", "title": known.title, "status": known.status, "detail": None, "errors": errors}
