"""An end of the pair of sockets, within an event loop: what is sent in one turn of the loop goes out together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

from app.record.relay.frames import Frames, framed


class Link(asyncio.Protocol):
    """Sends numbered values, and hands over those that arrive. What is sent before it is connected waits."""

    def __init__(self, heard: Callable[[int, Any], None], lost: Callable[[], None]) -> None:
        """
        Args:
            heard: takes a number and what came with it.
            lost: is called once, when the other end is gone.
        """
        self._heard, self._lost = heard, lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._waiting: list[bytes] = []
        self.gone = False

    async def connect(self, end: socket.socket) -> None:
        """Begin, with this end of the pair."""
        await self._loop.create_connection(lambda: self, sock=end)

    def send(self, number: int, value: object) -> None:
        """Send a value.

        Raises:
            TypeError: it cannot be sent.
        """
        content = framed(number, value)
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(content)

    def close(self) -> None:
        """End, after what is on its way."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """What waited goes out."""
        self._transport = cast("asyncio.Transport", transport)  # what a stream socket has; uvloop's is no subclass
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Hand over what is whole."""
        for number, value in self._frames.feed(data):
            self._heard(number, value)

    def connection_lost(self, error: Exception | None) -> None:
        """Say so."""
        self.gone = True
        self._lost()

    def _flush(self) -> None:
        if self._waiting and self._transport is not None and not self.gone:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()
