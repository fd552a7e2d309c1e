"""Development mode is told with every answer: who reads one should not take what anybody may do for what they may do."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.identity.book import CallerBook

HEADER = (b"wanliu-mode", b"development")


class TellMode:
    """Pure ASGI: puts `Wanliu-Mode: development` on every answer while the service is in that mode."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Let a request through."""
        callers: CallerBook = scope["app"].state["services"].callers
        if not callers.development:
            return self._app(scope, receive, send)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], HEADER]}
            await send(message)

        return self._app(scope, receive, told)
