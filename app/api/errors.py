"""Which error becomes which problem."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from app.api.bodies import Refused
from app.api.problems import problem
from app.engine.intake import FieldProblem, RequestError
from app.record import KeyReused, StoreBusy, StoreError

_log = structlog.get_logger("wanliu.store")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_kinds = {404: "not-found", 405: "method-not-allowed"}


def handle_errors(app: FastAPI) -> None:
    """Answer every error with a problem."""
    app.add_exception_handler(RequestError, _request_error)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StoreError, _store_error)
    app.add_exception_handler(RequestValidationError, _parameter_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _request_error(_: Request, error: Exception) -> Response:
    return problem("invalid-request", errors=error.problems if isinstance(error, RequestError) else ())


async def _refused(_: Request, error: Exception) -> Response:
    return error.response if isinstance(error, Refused) else problem("bad-request")


async def _store_error(_: Request, error: Exception) -> Response:
    if isinstance(error, KeyReused):
        return problem("idempotency-key-reused", errors=[FieldProblem("Idempotency-Key", "was used for another request; use a new one")])
    _log.warning("store_failed", why=str(error))
    return problem("store-busy" if isinstance(error, StoreBusy) else "store-unavailable")


async def _parameter_error(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    return problem("invalid-request", errors=[FieldProblem(str(item["loc"][-1]), "is not of the expected form") for item in found])


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = {"allow": ", ".join(_allowed(request))} if status == 405 else None
    return problem(_kinds.get(status, "bad-request"), headers=headers)


def _allowed(request: Request) -> list[str]:
    """Every method that some route answers on this path."""
    found = [method for method in _METHODS if any(_matches(request, route, method) for route in request.app.routes)]
    return ["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found


def _matches(request: Request, route: object, method: str) -> bool:
    match, _ = route.matches({**request.scope, "method": method})  # type: ignore[attr-defined]
    return bool(match is Match.FULL)
