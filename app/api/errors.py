"""Which error becomes which problem: the one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ExceptionHandler

from app.api.bodies import Refused
from app.api.packs.answers import mistakes
from app.api.problems import problem
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import told
from app.engine.problems import PackError
from app.record.campaigns.jobs import JobProblem
from app.record.damage import DamagedEntry
from app.record.erasing.holds import NotHeld
from app.record.erasing.persons import Held, NotErased
from app.record.erasing.reasons import BadReason
from app.record.export.exporting import NothingSealed
from app.record.export.sharing import TooMuch
from app.record.outgoing.subscriptions import TooManyWebhooks
from app.record.packs.library import DamagedPack
from app.record.packs.steps import BadStep, OwnPack, PackStepError, UnknownPack
from app.record.persons import NobodyKnown
from app.record.search.cursors import BadCursor
from app.record.search.filters import BadFilters
from app.record.store.problems import KeyReused, StoreBusy, StoreError

_log = structlog.get_logger("wanliu.store")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Answered = Callable[[Request, Any], Response]


def handle_errors(app: FastAPI) -> None:
    """Answer every error with a problem."""
    for kind, answered in ERRORS.items():
        app.add_exception_handler(kind, _handler(answered))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _handler(lambda _, __: problem("internal")))  # who stands outside logs it


def _handler(answered: Answered) -> ExceptionHandler:
    async def handler(request: Request, error: Exception) -> Response:
        return answered(request, error)

    return handler


def _told(kind: str) -> Answered:
    """A problem of this kind, with the error's own message."""
    return lambda _, error: problem(kind, detail=str(error))


def _named(field: str) -> Answered:
    """A wrong field, with the error's own message."""
    return lambda _, error: problem("invalid-request", errors=[FieldProblem(field, str(error))])


def _fields(_: Request, error: RequestError | BadFilters) -> Response:
    return problem("invalid-request", errors=error.problems)


def _parameters(_: Request, error: RequestValidationError) -> Response:
    return problem("invalid-request", errors=[FieldProblem(".".join(map(str, item["loc"][1:])), told(item)) for item in error.errors()])


def _key_reused(_: Request, __: KeyReused) -> Response:
    return problem("idempotency-key-reused", errors=[FieldProblem("Idempotency-Key", "was used for another request; use a new one")])


def _store_failed(request: Request, error: StoreError) -> Response:
    _log.warning("store_failed", why=str(error))
    return problem("store-busy" if isinstance(error, StoreBusy) else "store-unavailable", detail=_not_done(request))


def _not_done(request: Request) -> str:
    """What the store was wanted for."""
    if request.method == "GET":
        return "nothing was read"
    if request.scope["route"].path in ("/v1/decisions", "/v1/decisions/batch"):
        return "the decision could not be stored in time, so it is not given; ask again, with an `Idempotency-Key`"
    return "the change is not known to be stored, and may still be: look, or send it again with its `Idempotency-Key`, if it has one"


ERRORS: Mapping[type[Exception], Answered] = {
    Refused: lambda _, error: error.response,
    RequestError: _fields,
    RequestValidationError: _parameters,
    BadFilters: _fields,
    BadCursor: _named("cursor"),
    TooMuch: _named("from"),
    BadStep: lambda _, error: problem("invalid-request", errors=[FieldProblem(error.field, str(error))]),
    BadReason: lambda _, error: problem("invalid-request", errors=[FieldProblem(error.field, error.wrong)]),
    UnknownPack: _told("not-found"),
    OwnPack: _told("own-pack"),
    PackStepError: _told("wrong-state"),
    PackError: lambda _, error: problem("invalid-pack", errors=mistakes(error)),
    TooManyWebhooks: _told("no-room"),
    JobProblem: _told("wrong-state"),
    NobodyKnown: _told("not-found"),
    Held: _told("held"),
    NotHeld: _told("wrong-state"),
    NotErased: _told("wrong-state"),
    NothingSealed: _told("not-found"),
    DamagedEntry: _told("damaged"),
    DamagedPack: _told("damaged"),
    KeyReused: _key_reused,
    StoreError: _store_failed,
}
"""By error, how it is answered; of an error that has none, its nearest ancestor's."""


def problem_of(request: Request, error: Exception) -> Response | None:
    """The problem that an error is answered with, as the answer to one of several in a request; none where it is a defect."""
    answered = next((ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS), None)
    return None if answered is None else answered(request, error)


_NO_PATH = "there is no such path; `GET /openapi.json` lists those there are"
_A_DIGEST = "a pack is named by its digest, `sha256:` and 64 of 0-9 a-f; `GET /v1/packs` lists them"


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    if status == 405:
        allowed = ", ".join(_allowed(request))
        return problem("method-not-allowed", detail=f"this path takes {allowed}", headers={"allow": allowed})
    if status == 404:
        return problem("not-found", detail=_A_DIGEST if request.url.path.startswith("/v1/packs/") else _NO_PATH)
    return problem("bad-request")


def _allowed(request: Request) -> list[str]:
    """Every method that some route answers on this path."""
    found = [method for method in _METHODS if any(_matches(request, route, method) for route in request.app.routes)]
    return ["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found


def _matches(request: Request, route: object, method: str) -> bool:
    match, _ = route.matches({**request.scope, "method": method})  # type: ignore[attr-defined]
    return bool(match is Match.FULL)
