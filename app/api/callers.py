"""Who may call: the callers that the store knows, by their keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection

from app.record import StoreError
from app.record.callers import DEVELOPMENT, Caller, callers_by_key, hash_of

LOOK_SECONDS = 1.0
_LONGEST_KEY = 200
_ANYBODY = Caller(DEVELOPMENT, DEVELOPMENT)
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
