"""An end of the pair of sockets, within an event loop: values go out together, once a turn of the loop or while the other end works."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

from app.record.relay.frames import Frames, framed


class Link(asyncio.Protocol):
    """Sends numbered values, and hands over those that arrive. What is sent before it is connected waits."""

    def __init__(self, heard: Callable[[int, Any], None], lost: Callable[[], None], *, gather: float = 0.0) -> None:
        """
        Args:
            heard: takes a number and what came with it.
            lost: is called once, when the other end is gone.
            gather: seconds that values may wait for the other end to say something about those before them, so that more go out together.
        """
        self._heard, self._lost, self._gather = heard, lost, gather
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._waiting: list[bytes] = []
        self._later: asyncio.TimerHandle | None = None
        self._unanswered = False
        self.gone = False

    async def connect(self, end: socket.socket) -> None:
        """Begin, with this end of the pair."""
        await self._loop.create_connection(lambda: self, sock=end)

    def send(self, number: int, value: object, *, hurry: bool = False) -> None:
        """Send a value; with those that wait, where it is in a hurry.

        Raises:
            TypeError: it cannot be sent.
        """
        self._waiting.append(framed(number, value))
        if not self._unanswered or hurry:
            self._loop.call_soon(self._flush)
        elif self._later is None:
            self._later = self._loop.call_later(self._gather, self._flush)

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
        self._unanswered = False
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """Say so."""
        self.gone = True
        self._lost()

    def _flush(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._waiting and self._transport is not None and not self.gone:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()
            self._unanswered = self._gather > 0
