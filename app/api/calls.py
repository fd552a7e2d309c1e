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

from app.api.admission.door import patience_of
from app.api.asked import check_parameters
from app.api.bodies import Refused
from app.api.identity.refusing import KeysAway, NotKnown
from app.api.permissions import is_open, may, roles_told
from app.api.problems import problem
from app.api.services import Services
from app.api.watching.watched import watched
from app.record.callers import Caller
from app.record.privacy import lookup_of
from app.record.reading.recorded import read_note
from app.record.store.record import Record

_NOBODY = Caller("nobody", "nobody")
"""Who uses a route that asks for no key; the role may do nothing else."""
_CHALLENGE = 'Bearer realm="wanliu"'
_NO_SUBJECT = "self_service comes with a token whose subject is the subscriber: a key does not say which customer calls"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that its caller may make, and the services that answer it."""

    request: Request
    services: Services
    caller: Caller
    patience: float | None = None
    """Seconds that what it writes may wait for the store; none, the record's own."""

    @property
    def record(self) -> Record:
        """Where decisions and all that is told of them are kept."""
        return self.services.record

    @property
    def scope(self) -> str:
        """Within which an `Idempotency-Key` names one request: the client, and the person whom its token names, not readably."""
        person = self.caller.subject or self.caller.agent
        if person is None:
            return self.caller.name
        return f"{self.caller.name}/{lookup_of(self.record.keys, f'{self.caller.role} {person}').hex()[:32]}"

    @property
    def patient(self) -> dict[str, float]:
        """Its patience, as the record takes it."""
        return {} if self.patience is None else {"deadline": self.patience}

    def now(self) -> datetime.datetime:
        """Read the clock; once a call, where nothing long comes between."""
        return self.services.clock()

    def new_id(self, now: datetime.datetime) -> str:
        """An id for an entry that is made at this time."""
        return self.services.ids.new(now)

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
        told = read_note(
            entry_id, now, caller=who.name, role=who.role, agent=who.agent, what=what, of=of, token=token, filters=filters, found=found
        )
        await self.record.write(told)


async def admit(request: Request) -> Call:
    """Let in who may use the route; what every route depends on.

    Raises:
        Refused: 401 without a key or a token, or with a wrong one, 403 where the role may not, 503 where nobody can check a token.
        RequestError: it has a parameter that the route has not, or one twice.
    """
    services: Services = request.scope["app"].state["services"]
    route = f"{request.method} {request.scope['route'].path_format}"
    if is_open(route):
        return Call(request, services, _NOBODY)
    try:
        caller = await services.callers.who(request.headers)
    except NotKnown as why:
        raise Refused(_unknown(why)) from None
    except KeysAway:
        raise Refused(problem("keys-away")) from None
    if not may(caller.role, route):
        raise Refused(problem("forbidden", detail=f"the role `{caller.role}` may not do this; {roles_told(route)} may"))
    if caller.role == "self_service" and caller.subject is None:
        raise Refused(problem("forbidden", detail=_NO_SUBJECT))
    watched(request).asked_by(caller.role)
    check_parameters(request)
    return Call(request, services, caller, patience_of(request.scope, services.record.deadline))


Admitted = Annotated[Call, Depends(admit)]
"""What an endpoint asks for. Who is let in was looked up for the route already; it is not looked up again."""


def _unknown(why: NotKnown) -> Response:
    told = "" if why.error is None else f', error="{why.error}", error_description="{why.detail}"'
    return problem("unauthenticated", detail=why.detail, headers={"www-authenticate": _CHALLENGE + told})
