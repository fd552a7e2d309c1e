"""The provider's keys, kept: fetched in the background, the last good ones used while they cannot be had."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from app.api.identity.fetching import Source
from app.api.identity.keyset import BadKeys, KeySet, SigningKey, read_keys

RETRY = 30.0
"""Seconds after which a source that failed is asked again."""
_log = structlog.get_logger("wanliu.tokens")


class KeptKeys:
    """The newest good keys of a source. `version` changes with them, so that what was concluded from older ones is forgotten."""

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source, self._clock = source, clock
        self._keys: KeySet | None = None
        self._text = b""
        self._looking: asyncio.Task[None] | None = None
        self._looked = float("-inf")
        self.missed: str | None = None
        """Why the last look brought nothing; none where it did."""
        self.version = 0

    @property
    def had(self) -> bool:
        """Were there ever keys?"""
        return self._keys is not None

    async def find(self, key_id: str | None, algorithm: str) -> SigningKey | None:
        """The key for a token. One that is not known is looked for at the source once, for all who wait, and not soon again."""
        found = self._keys.find(key_id, algorithm) if self._keys else None
        if found is None and (self._looking is not None or self._clock() - self._looked >= self._source.pause):
            await self.look()
            found = self._keys.find(key_id, algorithm) if self._keys else None
        return found

    async def look(self) -> None:
        """Take over the keys that the source has now, where they are good. Who asks while somebody looks waits for that look."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._looking)

    async def follow(self) -> None:
        """Look again and again, for ever."""
        while True:
            await asyncio.sleep(min(self._source.every, RETRY) if self.missed else self._source.every)
            await self.look()

    async def _look(self) -> None:
        try:
            self._take(await self._source.fetch())
            self.missed = None
        except BadKeys as error:
            self._miss(str(error))
        except Exception as error:  # noqa: BLE001 - the last good keys go on, whatever it was
            self._miss(type(error).__name__)
        finally:
            self._looked, self._looking = self._clock(), None

    def _miss(self, why: str) -> None:
        if why != self.missed:
            _log.warning("token_keys_not_had", why=why, last_good=self.had)
        self.missed = why

    def _take(self, text: bytes) -> None:
        if text == self._text and self.had:
            return
        self._keys, self._text = read_keys(text), text
        self.version += 1
        _log.info("token_keys_changed", keys=len(self._keys.named) + len(self._keys.unnamed))
