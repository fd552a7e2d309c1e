"""A route for the busiest endpoint: what it takes is handed to it straight, where FastAPI would find it out anew for every request.

It stands in the API's document like any other. Resolving dependencies takes longer than reading the body, for two parameters.
"""

from __future__ import annotations

from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.api.calls import admit
from app.api.repeating import RepeatKey
from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.wording import message_of

_HEADER = "Idempotency-Key"
_key = TypeAdapter[str | None](RepeatKey)


class DirectRoute(APIRoute):
    """For an endpoint that takes the admitted call and the request's `Idempotency-Key`, and answers with a response."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in who may, and answer; errors go to the application's table as everywhere."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive, send)
        response = await self.endpoint(await admit(request), repeat_key(request))
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
