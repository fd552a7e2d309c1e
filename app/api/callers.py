"""Who asks: the caller behind a key, and whether their role may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection
from starlette.requests import Request

from app.api.bodies import Refused
from app.api.permissions import is_open, may
from app.api.problems import problem
from app.record import StoreError
from app.record.callers import DEVELOPMENT, Caller, callers_by_key, hash_of

LOOK_SECONDS = 1.0
_LONGEST_KEY = 200
_ANYBODY = Caller(DEVELOPMENT, DEVELOPMENT)
_CHALLENGE = 'Bearer realm="wanliu"'
_log = structlog.get_logger("wanliu.callers")

ReadCallers = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
"""Runs a reading function on the store's connection."""


class CallerBook:
    """Who may call, as the store says, looked at again every second.

    As long as nobody was ever added the service is in development mode: everybody may do everything, where only this machine can reach
    it. Once there was a caller it never goes back. While the store cannot be read, who was known stays known.
    """

    def __init__(self, *, reachable: bool = False, every: float = LOOK_SECONDS) -> None:
        """
        Args:
            reachable: do others than this machine reach the service? Then nobody may do anything before there are callers.
            every: seconds between two looks.
        """
        self._reachable, self._every = reachable, every
        self._known: Mapping[bytes, Caller] | None = None

    @property
    def development(self) -> bool:
        """Was nobody ever added?"""
        return self._known is None

    async def look(self, read: ReadCallers) -> None:
        """Take over who may call from the store.

        Raises:
            StoreError: it cannot be read.
        """
        found: dict[bytes, Caller] | None = await read(callers_by_key)
        if found is None and self._known is not None:
            found = {}
        if found != self._known:
            _log.info("callers_changed", callers=sorted(caller.name for caller in (found or {}).values()))
        self._known = found

    async def follow(self, read: ReadCallers) -> None:
        """Look again and again, for ever."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look(read)
            except StoreError as error:
                _log.warning("callers_not_read", why=str(error))
            except Exception as error:  # noqa: BLE001 - the store may be mended
                _log.error("callers_not_read", exc_info=error)

    def caller(self, key: str | None) -> Caller | None:
        """Whose key it is; none where it is nobody's.

        Hashes are compared by looking them up: how long that takes tells nothing of a key.
        """
        if self._known is None:
            return None if self._reachable else _ANYBODY
        return self._known.get(hash_of(key)) if key is not None and len(key) <= _LONGEST_KEY else None


async def admit(request: Request) -> None:
    """Let in who may use the route, and note who it is; what every route depends on.

    Raises:
        Refused: 401 without a key or with a wrong one, 403 where the role may not.
    """
    route = f"{request.method} {request.scope['route'].path_format}"
    if is_open(route):
        return
    key = key_of(request)
    caller = request.app.state.services.callers.caller(key)
    if caller is None:
        raise Refused(_unknown(key))
    if not may(caller.role, route):
        raise Refused(problem("forbidden", detail=f"the role `{caller.role}` may not do this"))
    request.scope["caller"] = caller


def caller_of(request: Request) -> Caller:
    """Who asks, after `admit`."""
    caller: Caller = request.scope["caller"]
    return caller


def key_of(request: Request) -> str | None:
    """The API key that a request carries: `Authorization: Bearer`, else `X-API-Key`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")


def _unknown(key: str | None) -> Any:
    if key is None:
        detail = "send an API key: `Authorization: Bearer wl_…` or `X-API-Key: wl_…`; `wanliu caller add` makes one"
        return problem("unauthenticated", detail=detail, headers={"www-authenticate": _CHALLENGE})
    detail = "the key is nobody's; it may have been revoked"
    return problem("unauthenticated", detail=detail, headers={"www-authenticate": f'{_CHALLENGE}, error="invalid_token"'})
