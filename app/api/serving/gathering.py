"""A transport that writes once a turn of the loop: the head of an answer and its body go out together, and the client wakes up once."""

from __future__ import annotations

import asyncio
from typing import Any

LARGEST = 65_536
"""Bytes that wait for the end of the turn; more are written at once."""


class GatheredWrites:
    """Stands before a transport, and is used in its place."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, at the end of this turn."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._bytes += len(data)
        if self._bytes > LARGEST:
            self.flush()

    def write_whole(self, data: bytes) -> None:
        """Write all that there will be in this turn: nothing is waited for."""
        if self._waiting:
            self.flush()
        self._transport.write(data)

    def flush(self) -> None:
        """Write what waits; nothing where the client is gone."""
        if self._waiting:
            data, self._waiting, self._bytes = b"".join(self._waiting), [], 0
            if not self._transport.is_closing():
                self._transport.write(data)

    def close(self) -> None:
        """Close, after what waits."""
        self.flush()
        self._transport.close()
