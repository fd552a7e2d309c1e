"""The callers that the store knows by their keys, and those whom tokens name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection
from starlette.datastructures import Headers

from app.api.identity.credentials import Credential, credential_of
from app.api.identity.refusing import NotKnown
from app.api.identity.tokens import Tokens
from app.record.callers import DEVELOPMENT, Caller, KnownCallers, hash_of, known_callers
from app.record.store.problems import StoreError

LOOK_SECONDS = 1.0
_LONGEST_KEY = 200
_ANYBODY = Caller(DEVELOPMENT, DEVELOPMENT)
_log = structlog.get_logger("wanliu.callers")

ReadCallers = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
"""Runs a reading function on the store's connection."""


class CallerBook:
    """Who may call, as the store says, looked at again every second, and as tokens say where they are taken.

    As long as nobody was ever added and no tokens are taken the service is in development mode: everybody may do everything, where only
    this machine can reach it. Once there was a caller it never goes back. While the store cannot be read, who was known stays known.
    """

    def __init__(self, *, reachable: bool = False, every: float = LOOK_SECONDS) -> None:
        """
        Args:
            reachable: do others than this machine reach the service? Then nobody may do anything before there are callers.
            every: seconds between two looks.
        """
        self._reachable, self._every = reachable, every
        self._known: Mapping[bytes, Caller] | None = None
        self._met: dict[str, Caller] = {}
        self._systems: Mapping[str, str] = {}
        self.tokens: Tokens | None = None

    @property
    def development(self) -> bool:
        """Was nobody ever added, and are no tokens taken?"""
        return self._known is None and self.tokens is None

    def system_of(self, name: str) -> str:
        """The system that a name belongs to: its own, unless it was put beside another."""
        return self._systems.get(name, name)

    def names_of(self, system: str) -> list[str]:
        """The names that belong to a system."""
        return [*({system} if self.system_of(system) == system else ()), *(name for name, of in self._systems.items() if of == system)]

    async def look(self, read: ReadCallers) -> None:
        """Take over who may call from the store.

        Raises:
            StoreError: it cannot be read.
        """
        found: KnownCallers | None = await read(known_callers)
        by_key = ({} if self._known is not None else None) if found is None else found.by_key
        if by_key != self._known:
            _log.info("callers_changed", callers=sorted(caller.name for caller in (by_key or {}).values()))
        self._known, self._systems, self._met = by_key, {} if found is None else found.systems, {}

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

    async def who(self, headers: Headers) -> Caller:
        """Who sends a request with these headers.

        Raises:
            NotKnown: nobody who may.
            KeysAway: it has a token, and there are no keys to check it with.
        """
        if self.development and not self._reachable:
            return _ANYBODY
        credential = credential_of(headers)
        if credential is None:
            raise NotKnown(self._how(), None)
        if credential.is_token and self.tokens is not None:
            return await self.tokens.caller(credential.text)
        found = self.caller(credential.text)
        if found is None:
            raise NotKnown(self._nobodys(credential))
        return found

    def caller(self, key: str) -> Caller | None:
        """Whose key it is; none where it is nobody's. Who was met is known by the key itself until the next look.

        Hashes are compared by looking them up: how long that takes tells nothing of a key.
        """
        found = self._met.get(key)
        if found is None and self._known and len(key) <= _LONGEST_KEY:
            found = self._known.get(hash_of(key))
            if found is not None:
                self._met[key] = found
        return found

    def _how(self) -> str:
        keys = "send an API key: `Authorization: Bearer wl_...` or `X-API-Key: wl_...`; `wanliu caller add` makes one"
        return keys if self.tokens is None else f"send a token of the identity provider: `Authorization: Bearer ...`; or {keys}"

    def _nobodys(self, credential: Credential) -> str:
        if credential.is_misplaced and self.tokens is not None:
            return "the key is nobody's; a token goes into the header Authorization, after Bearer, and not into X-API-Key"
        if credential.is_token or credential.is_misplaced:
            return "tokens are not taken here: the service has no WANLIU_JWT_KEYS; send an API key"
        return "the key is nobody's; it may have been revoked"
