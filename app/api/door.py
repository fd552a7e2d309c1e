"""The outermost layer: a log line per request, HEAD as GET without its body, and a problem instead of a traceback."""

from __future__ import annotations

import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem

_log = structlog.get_logger("wanliu.http")
_CLIENT_GONE = 499


class Door:
    """Pure ASGI. What is logged is about the request's kind, never about whom it concerns: no ids, no query, no addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, method, status = time.perf_counter(), scope["method"], 0
        scope = {**scope, "method": "GET" if method == "HEAD" else method}

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            status = _CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets a problem and the log the traceback
            _log.error("request_failed", exc_info=error)
            if not status:
                await problem("internal")(scope, receive, watched)
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        _log.info("request", method=method, route=_template(scope), status=status, ms=milliseconds, phase=scope.get("phase"))


def _template(scope: Scope) -> str | None:
    path: str | None = getattr(scope.get("route"), "path", None)
    return path
