"""The outermost layer: a request is watched and logged, HEAD is GET without its body, and a problem stands for a traceback."""

from __future__ import annotations

import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem
from app.api.watching.metrics import METHODS, OTHER, UNMATCHED
from app.api.watching.watched import Watch, put
from app.record.correlation import TRACE

_log = structlog.get_logger("wanliu.http")
_CLIENT_GONE = 499
_CLOSED = "the handler is closed"
"""What uvloop says where a client hung up in the middle of a write."""


class Door:
    """Pure ASGI. What is logged is about the request's kind, never about whom it concerns: no ids, no query, no addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        watch: Watch = scope["app"].state["services"].watch
        started, method, status = time.perf_counter(), scope["method"], 0
        watched = watch.begin(scope)
        if method == "HEAD":
            scope = {**scope, "method": "GET"}
        put(scope, watched)
        before = TRACE.set(watched.trace)
        watch.metrics.in_flight += 1

        async def passed_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"traceresponse", watched.response)]}
            elif method == "HEAD":
                message = {**message, "body": b""}
            try:
                await send(message)
            except RuntimeError as error:
                if _CLOSED not in str(error):
                    raise
                raise ClientDisconnect from None

        try:
            await self._app(scope, receive, passed_on)
        except ClientDisconnect:
            status = _CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets a problem and the log the traceback
            _log.error("request_failed", exc_info=error)
            if not status:
                await problem("internal")(scope, receive, passed_on)
        finally:
            watch.metrics.in_flight -= 1
            seconds = time.perf_counter() - started
            route, known = _template(scope), method if method in METHODS else OTHER
            watch.metrics.answered(route or UNMATCHED, known, status, seconds)
            watched.end(route, known, status)
            log = _log.bind()  # once, as structlog would for every attribute that it is asked for
            log.info("request", method=known, route=route, status=status, ms=round(seconds * 1000, 2), **watched.told)
            TRACE.reset(before)


def _template(scope: Scope) -> str | None:
    path: str | None = getattr(scope.get("route"), "path_format", None)
    return path
