"""A call that was let in: who asks, what it is answered with, and the note of who looked."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from app.api.asked import check_parameters
from app.api.bodies import Refused
from app.api.permissions import is_open, may
from app.api.problems import problem
from app.api.services import Services
from app.record import Record
from app.record.callers import Caller
from app.record.reading.recorded import read_note

_NOBODY = Caller("nobody", "nobody")
"""Who uses a route that asks for no key; the role may do nothing else."""
_CHALLENGE = 'Bearer realm="wanliu"'
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that its caller may make, and the services that answer it."""

    request: Request
    services: Services
    caller: Caller

    @property
    def record(self) -> Record:
        """Where decisions and all that is told of them are kept."""
        return self.services.record

    def now(self) -> datetime.datetime:
        """Read the clock; once a call, where nothing long comes between."""
        return self.services.clock()

    def new_id(self, now: datetime.datetime) -> str:
        """An id for an entry that is made at this time."""
        return str(self.services.ids.new(now))

    async def read(self, work: Callable[[Connection], T], *, deadline: float | None = None) -> T:
        """Read from the record in one transaction.

        Args:
            work: does the reading; its own exceptions are passed on.
            deadline: seconds to wait; left out, the record's own.

        Raises:
            StoreError: too many read, or the store does not answer.
        """
        return await self.record.read(work, deadline=deadline)

    async def note(
        self,
        what: str,
        *,
        of: str | None = None,
        token: str | None = None,
        filters: Mapping[str, Any] | None = None,
        found: int | None = None,
    ) -> None:
        """Put on the record who looks at what is about people, before they see it. What is said of it is that of `read_note`.

        Raises:
            StoreError: it is not on the record, so nothing is to be shown.
        """
        now, who = self.now(), self.caller
        entry_id = self.new_id(now)
        told = read_note(entry_id, now, caller=who.name, role=who.role, what=what, of=of, token=token, filters=filters, found=found)
        await self.record.write(told)


async def admit(request: Request) -> Call:
    """Let in who may use the route; what every route depends on.

    Raises:
        Refused: 401 without a key or with a wrong one, 403 where the role may not.
        RequestError: it has a parameter that the route has not, or one twice.
    """
    services: Services = request.app.state.services
    route = f"{request.method} {request.scope['route'].path_format}"
    if is_open(route):
        return Call(request, services, _NOBODY)
    key = key_of(request)
    caller = services.callers.caller(key)
    if caller is None:
        raise Refused(_unknown(key))
    if not may(caller.role, route):
        raise Refused(problem("forbidden", detail=f"the role `{caller.role}` may not do this"))
    check_parameters(request)
    return Call(request, services, caller)


Admitted = Annotated[Call, Depends(admit)]
"""What an endpoint asks for. Who is let in was looked up for the route already; it is not looked up again."""


def key_of(request: Request) -> str | None:
    """The API key that a request carries: `Authorization: Bearer`, else `X-API-Key`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")


def _unknown(key: str | None) -> Response:
    if key is None:
        detail = "send an API key: `Authorization: Bearer wl_…` or `X-API-Key: wl_…`; `wanliu caller add` makes one"
        return problem("unauthenticated", detail=detail, headers={"www-authenticate": _CHALLENGE})
    detail = "the key is nobody's; it may have been revoked"
    return problem("unauthenticated", detail=detail, headers={"www-authenticate": f'{_CHALLENGE}, error="invalid_token"'})
