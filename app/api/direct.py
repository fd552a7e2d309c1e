"""The short way to the busiest endpoint: what it takes is handed to it straight, where FastAPI would find it out anew for every request.

It stands in the API's document, and is found by its route, like any other. Finding the route and resolving dependencies takes longer than
reading the body, for two parameters.
"""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.calls import admit
from app.api.errors import problem_of
from app.api.heads import Headed
from app.api.repeating import RepeatKey
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import message_of

_HEADER = "Idempotency-Key"
_key = TypeAdapter[str | None](RepeatKey)


class Direct:
    """Pure ASGI: answers the requests of one route, whose endpoint takes the admitted call and the request's `Idempotency-Key`."""

    def __init__(self, app: ASGIApp, route: APIRoute) -> None:
        """
        Args:
            app: answers all other requests.
            route: its path has no parameters.
        """
        self._app, self._route, self._path, self._methods = app, route, route.path, route.methods or set()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request of the route, or pass it on."""
        own = scope["path"] == self._path and scope["method"] in self._methods
        return (self._answer if own else self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in who may, and answer; errors are answered as everywhere."""
        scope["route"] = self._route
        request = Headed(scope, receive, send)
        try:
            response = await self._route.endpoint(await admit(request), repeat_key(request))
        except Exception as error:
            found = problem_of(request, error)
            if found is None:
                raise
            response = found
        await response(scope, receive, send)


def repeat_key(request: Request) -> str | None:
    """The request's `Idempotency-Key`.

    Raises:
        RequestError: it is not one.
    """
    given = request.headers.get(_HEADER)
    if given is None:
        return None
    try:
        return _key.validate_python(given)
    except ValidationError as error:
        raise RequestError([FieldProblem(_HEADER, message_of(error))]) from None
