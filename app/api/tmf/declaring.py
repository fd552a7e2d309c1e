"""What the routes of this door say of themselves in the API's document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.bodies import JSON
from app.api.declaring import REFERENCES
from app.api.problems import KINDS
from app.api.tmf.answering import error_of, status_of

Good = Mapping[int | str, Mapping[str, Any]]
"""Good responses by status."""
_EVERYWHERE = ("unauthenticated", "forbidden", "invalid-request", "internal", "store-busy", "store-unavailable")
_OF_BODIES = ("body-too-large", "unsupported-media-type")
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_CHALLENGE = {"WWW-Authenticate": {"description": "How to send a key.", "schema": {"type": "string"}}}
HREF = {"Location": {"description": "Its `href`.", "schema": {"type": "string"}}}


def declared_as_tmf(good: Good, *problems: str, takes: type | None = None) -> dict[str, Any]:
    """The responses and the body of a route, as arguments for its decorator.

    Args:
        good: every good response by status.
        problems: kinds that this route answers with, beside those of every route and of bodies.
        takes: the shape of the body; left out, none is read.
    """
    kinds = (*_EVERYWHERE, *problems, *(_OF_BODIES if takes else ()))
    made: dict[str, Any] = {"responses": {**good, **errors(*kinds)}}
    if takes is not None:
        content = {JSON: {"schema": {"$ref": REFERENCES.format(model=takes.__name__)}}}
        made["openapi_extra"] = {"requestBody": {"required": True, "content": content}}
    return made


def errors(*kinds: str) -> dict[int | str, Any]:
    """The responses of these kinds of problems."""
    found: dict[int | str, Any] = {}
    for kind in sorted(kinds, key=lambda kind: status_of(KINDS[kind].status)):
        status = status_of(KINDS[kind].status)
        answer = found.setdefault(status, {"description": "", "content": {JSON: {"schema": _ERROR, "examples": {}}}})
        answer["description"] = f"{answer['description']} `{kind}`: {KINDS[kind].title}.".strip()
        answer["content"][JSON]["examples"][kind] = {"value": _shown(kind)}
        headers = _RETRY if KINDS[kind].retry else _CHALLENGE if status == 401 else {}
        if headers:
            answer["headers"] = headers
    return found


_ERROR = {"$ref": REFERENCES.format(model="TmfError")}


def _shown(kind: str) -> Mapping[str, Any]:
    known = KINDS[kind]
    wrong = [{"field": "relatedParty.id", "message": "expected 1 to 64 characters"}] if kind == "invalid-request" else []
    return error_of({"type": f"urn:wanliu:problem:{kind}", "title": known.title, "status": known.status, "detail": None, "errors": wrong})
