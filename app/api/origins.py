"""Calls from pages of other origins (CORS): allowed to those that the settings name, and to nobody else."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_SENT = (
    b"authorization, content-type, x-api-key, idempotency-key, if-match, if-none-match, traceparent, tracestate, x-subscriber-id,"
    b" wanliu-deadline-ms"
)
"""Headers that a page may send beside those that every page may."""
_SHOWN = b"etag, link, location, retry-after, traceresponse, www-authenticate"
"""Headers of an answer that a page may read beside those that every page may."""
_REMEMBER_SECONDS = b"600"

Headers = list[tuple[bytes, bytes]]


class Origins:
    """Pure ASGI, and the outermost layer, so that a page reads what it is refused with too.

    No cookie is asked for or set, so answers never allow credentials: a page sends its key itself.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        """
        Args:
            app: what answers.
            allowed: origins, exactly as browsers send them.
        """
        self._app = app
        self._allowed = frozenset(origin.encode() for origin in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer a browser that asks beforehand."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        told = self._told(asked.get(b"origin"))
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            await _answer(send, [*told, *(_beforehand() if len(told) > 1 else ())])
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *told]}
            await send(message)

        await self._app(scope, receive, telling)

    def _told(self, origin: bytes | None) -> Headers:
        """What every answer says: whatever stands between must not give one origin's answer to another."""
        vary = (b"vary", b"origin")
        if origin not in self._allowed:
            return [vary]
        return [vary, (b"access-control-allow-origin", origin), (b"access-control-expose-headers", _SHOWN)]


def _beforehand() -> Headers:
    return [
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _SENT),
        (b"access-control-max-age", _REMEMBER_SECONDS),
    ]


async def _answer(send: Send, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
