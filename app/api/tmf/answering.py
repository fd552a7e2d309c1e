"""Answers of this door: JSON as TM Forum sends it, and errors in TM Forum's form, wherever on our side they come from."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import orjson
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import KINDS, MEDIA_TYPE
from app.api.tmf.shapes import TmfError

JSON = "application/json;charset=utf-8"
PATHS = ("/tmf-api", "/customer/v4")
STATUSES: Mapping[int, int] = {410: 404, 422: 400}
"""Statuses that TM Forum does not have: a wrong field is 400, and who was erased is not there."""


def answered(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON."""
    return Response(orjson.dumps(content), status, headers, JSON)


def error_of(problem: Mapping[str, Any]) -> TmfError:
    """A problem as TM Forum tells it.

    Args:
        problem: as problem details have it.
    """
    fields = "; ".join(f"{item['field']}: {item['message']}" for item in problem["errors"])
    return {
        "@type": "Error",
        "code": problem["type"].rpartition(":")[2],
        "reason": problem["title"],
        "message": " ".join(filter(None, [problem["detail"], fields])) or problem["title"],
        "status": str(status_of(problem["status"])),
        "referenceError": problem["type"],
    }


def status_of(status: int) -> int:
    """The status at this door for one elsewhere."""
    return STATUSES.get(status, status)


class TmfErrors:
    """Pure ASGI. On the paths of this door every problem becomes an error of TM Forum's, also those of routes that there are not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Let a request through."""
        return (self._answer if scope["path"].startswith(PATHS) else self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        reworded = _Reworded(send)
        try:
            await self._app(scope, receive, reworded)
        except Exception:
            if not reworded.begun:
                await Response(orjson.dumps(error_of(_internal())), 500, media_type=JSON)(scope, receive, send)
            raise  # who stands outside logs it, and sees that an answer was begun


class _Reworded:
    """Sends an answer on; a problem when all of it is there, in other words."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: Message | None = None
        self._body = b""
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and MutableHeaders(raw=message["headers"]).get("content-type") == MEDIA_TYPE:
            self._held = message
            return
        if self._held is None:
            self.begun = True
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            self.begun = True
            await self._send_held(self._held)

    async def _send_held(self, start: Message) -> None:
        content = orjson.dumps(error_of(orjson.loads(self._body)))
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-type"], headers["content-length"] = JSON, str(len(content))
        self._held = None
        await self._send({**start, "status": status_of(start["status"]), "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": content})


def _internal() -> Mapping[str, Any]:
    kind = KINDS["internal"]
    return {"type": "urn:wanliu:problem:internal", "title": kind.title, "status": kind.status, "detail": None, "errors": []}
