"""The API's document: what FastAPI gathers from the endpoints, and the shapes of what they read and write themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, TypeAdapter

from app import __version__
from app.api.admission.door import DEADLINE
from app.api.admission.lanes import HEALTH
from app.api.announced import data_schemas, webhooks
from app.api.batch.shapes import BatchDecision, BatchEnd, BatchLine, BatchProblem
from app.api.bodies import JSON
from app.api.declaring import NAMED, REFERENCES
from app.api.exemplary import show
from app.api.links import LINKS
from app.api.permissions import PERMISSIONS, is_open
from app.api.problems import KINDS, Problem, documented, shown_problems
from app.api.rechecking import RecheckRequest
from app.api.tmf.answering import PATHS as TMF_PATHS
from app.api.tmf.declaring import errors
from app.api.tmf.given import RecommendationRequest
from app.api.tmf.hub import HubRequest
from app.api.tmf.interacting import InteractionRequest
from app.api.tmf.shapes import TmfError

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token (JWT) of the identity provider, or an API key, `wl_…`."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key, for who cannot send the other."},
}
_TAKEN: tuple[type[BaseModel], ...] = (*NAMED, BatchLine, RecheckRequest, RecommendationRequest, HubRequest, InteractionRequest)
"""Bodies, and lines of bodies, that stand by name."""
_ANSWERED: tuple[type, ...] = (BatchDecision, BatchProblem, BatchEnd, Problem, TmfError)
"""Shapes of answers that no route has as its own."""
_AT_THE_DOOR = ("too-many-requests", "too-late", "overloaded", "draining", "keys-away")
_OF_BODIES = ("slow-body",)
_METHODS = ("get", "post", "put", "patch", "delete")
_LISTS = {"searchDecisions": "entries", "listPacks": "packs"}
"""Operations whose `fields` are those of each on a list, and the field that has the list."""
_READING = ("get",)
_PATIENCE: dict[str, Any] = {
    "name": "Wanliu-Deadline-Ms",
    "in": "header",
    "description": "How long the caller still waits for the answer, in milliseconds. What cannot be answered by then is refused at once, "
    "with nothing done (`too-late`), and what is to be recorded waits no longer for the store. Left out, the service's own limits hold.",
    "schema": {"type": "integer", "minimum": DEADLINE[0], "maximum": DEADLINE[1]},
    "example": 2000,
}
_DESCRIPTION = """\
Decides the next best actions for a telecom subscriber, and says why. Rules and policies are a pack of files; every answer names the pack it
was made with.

Money is an integer in the currency's smallest unit, data in MB, voice in minutes, times ISO 8601 with their offset, dates local. What is
left out is unknown; nothing is recognised or permitted on unknown.

Calls carry a token of the operator's identity provider, `Authorization: Bearer …`, or an API key, `Authorization: Bearer wl_…` or
`X-API-Key: wl_…`, whose role may make the call or not; `x-roles` lists those that may. A customer's token names the subscriber. Without
callers and tokens the service is in development mode: it is reached from its own machine only, asks for neither, and says so in the header
`Wanliu-Mode`.

Errors are problem details (RFC 9457), `application/problem+json`. Their `type` is `urn:wanliu:problem:` and one of:

{problems}
"""


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the application."""
    problems = "\n".join(f"- `{name}` ({kind.status}): {kind.title}." for name, kind in KINDS.items())
    found = get_openapi(title="Wanliu", version=__version__, description=_DESCRIPTION.format(problems=problems), routes=app.routes)
    schemas: dict[str, Any] = found.setdefault("components", {}).setdefault("schemas", {})
    for shape in _TAKEN:
        _add(schemas, shape.__name__, shape.model_json_schema(ref_template=REFERENCES, mode="validation"))
    for name in ("DecisionRequest", "BatchLine", "SubscriberContext", "FreshContext"):
        _close(schemas[name])
    for answer in _ANSWERED:
        _add(schemas, answer.__name__, TypeAdapter(answer).json_schema(ref_template=REFERENCES, mode="serialization"))
    for name, shape in data_schemas().items():
        _add(schemas, name, shape)
    schemas["BatchDecision"]["properties"]["decision"] = {"$ref": REFERENCES.format(model="DecisionAnswer")}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, item in found["paths"].items():
        for method in filter(item.__contains__, _METHODS):
            _secure(item[method], f"{method.upper()} {path}")
            _refuse(item[method], path)
            _loosen(item[method], schemas)
            _link(item[method])
            show(item[method])
            if method not in _READING:
                _wait(item[method])
    found["webhooks"] = webhooks()
    found["components"] = {
        "schemas": dict(sorted(schemas.items())),
        "parameters": {_PATIENCE["name"]: _PATIENCE},
        "examples": shown_problems(),
        "securitySchemes": _SCHEMES,
    }
    return found


def _refuse(operation: dict[str, Any], path: str) -> None:
    """What the door answers before the operation is begun with, in the form that its path has for problems."""
    responses = operation["responses"]
    for response in responses.values():
        if response.get("content", {}).get(JSON) == {"schema": {}}:
            del response["content"][JSON]  # FastAPI's own, where a route names another type
    if path in HEALTH:
        return
    kinds = [*_AT_THE_DOOR, *(_OF_BODIES if "requestBody" in operation else ())]
    for status, refusal in (errors if path.startswith(TMF_PATHS) else documented)(*kinds).items():
        known = responses.setdefault(str(status), {**refusal, "description": ""})
        known["description"] = f"{known['description']} {refusal['description']}".strip()
        for media, content in refusal["content"].items():
            known["content"][media]["examples"].update(content["examples"])
    operation["responses"] = dict(sorted(responses.items()))


def _loosen(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Where a caller may choose fields, the answer may have only some of them."""
    media = operation["responses"].get("200", {}).get("content", {}).get(JSON)
    if "$ref" not in (media or {}).get("schema", ()) or not any(
        parameter["name"] == "fields" for parameter in operation.get("parameters", ())
    ):
        return
    whole = media["schema"]["$ref"].rpartition("/")[2]
    listed = _LISTS.get(operation["operationId"])
    if listed is None:
        media["schema"] = _or_some_of(whole, schemas)
        return
    items = schemas[whole]["properties"][listed]
    items["items"] = _or_some_of(items["items"]["$ref"].rpartition("/")[2], schemas)


def _or_some_of(whole: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a shape of which all fields or some are answered."""
    some = {name: part for name, part in schemas[whole].items() if name != "required"}
    schemas[f"SomeOf{whole}"] = {**some, "title": f"SomeOf{whole}", "description": f"The fields of `{whole}` that were asked for."}
    return {"anyOf": [{"$ref": REFERENCES.format(model=name)} for name in (whole, f"SomeOf{whole}")]}


def _wait(operation: dict[str, Any]) -> None:
    """How long its caller waits, which the door reads before the operation is begun with."""
    operation.setdefault("parameters", []).append({"$ref": f"#/components/parameters/{_PATIENCE['name']}"})


def _link(operation: dict[str, Any]) -> None:
    """Where its answers lead."""
    for status, links in LINKS.get(operation["operationId"], {}).items():
        operation["responses"][str(status)]["links"] = dict(links)


def _add(schemas: dict[str, Any], title: str, schema: dict[str, Any]) -> None:
    for name, shape in {**schema.pop("$defs", {}), title: schema}.items():
        if schemas.setdefault(name, shape) != shape:
            raise ValueError(f"two shapes are called {name}")


def _secure(operation: dict[str, Any], route: str) -> None:
    """What an operation asks of who calls it."""
    if is_open(route):
        operation["security"] = []
        return
    operation["security"] = [{name: []} for name in _SCHEMES]
    operation["x-roles"] = sorted(PERMISSIONS.get(route, ()))
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]  # FastAPI's own, which is nobody's
    for status, response in documented("unauthenticated", "forbidden").items():
        responses.setdefault(str(status), response)
    responses["401"]["headers"] = {"WWW-Authenticate": {"description": "How to send a key.", "schema": {"type": "string"}}}
    operation["responses"] = dict(sorted(responses.items()))


def _close(part: Any) -> None:
    """Where names follow a pattern, no others are allowed: pydantic refuses them, but leaves it out of the schema."""
    if isinstance(part, list):
        for item in part:
            _close(item)
    elif isinstance(part, dict):
        if "patternProperties" in part:
            part["additionalProperties"] = False
        for item in part.values():
            _close(item)
