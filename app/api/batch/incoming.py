"""The body of a batch, read as it comes and cut into lines; no more of it is held than may be."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.types import Receive

from app.api.bodies import LARGEST_BODY

READ_AHEAD = 256 * 1024
"""Bytes that are read although earlier lines are not answered yet: who sends no more than that may read the answers afterwards."""
PATIENCE = 60.0
"""Seconds in which something has to come, or to be taken, for a batch to go on."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its number, from 1; no content where it is longer than a body may be."""

    number: int
    content: bytes | None


class Stalled(Exception):
    """Nothing came, or was taken, for as long as the service waits."""


class Stopped(Exception):
    """No more lines are given out, for the service is about to stop."""


class Incoming:
    """The body: `watch` takes it from the connection, `lines` gives it out."""

    def __init__(self, receive: Receive, *, ahead: int = READ_AHEAD, longest: int = LARGEST_BODY, patience: float = PATIENCE) -> None:
        """
        Args:
            receive: the connection.
            ahead: bytes that are held before reading stops.
            longest: bytes of a line.
            patience: seconds to wait for the next bytes.
        """
        self._receive, self._ahead, self._longest, self._patience = receive, ahead, longest, patience
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._ended = self._stalled = self._stopped = False
        self._changed = asyncio.Condition()

    async def watch(self) -> None:
        """Take in the body, then wait until the caller goes away; ends when it has."""
        while not self._ended:
            try:
                async with asyncio.timeout(self._patience):
                    message = await self._receive()
            except TimeoutError:
                self._stalled = True
                await self._note(b"", ended=True)
                break
            if message["type"] == "http.disconnect":
                return
            await self._note(message.get("body", b""), ended=not message.get("more_body", False))
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def stop(self) -> None:
        """Give out no more lines, whatever comes."""
        async with self._changed:
            self._stopped = True
            self._changed.notify_all()

    async def lines(self) -> AsyncIterator[Line]:
        """The lines, blank ones left out but counted.

        Raises:
            Stalled: nothing came for too long.
            Stopped: no more are given out, though there may be some.
        """
        number, start, too_long = 0, bytearray(), False
        async for chunk in self._taken():
            *whole, rest = chunk.split(b"\n")
            for part in whole:
                if self._stopped:
                    raise Stopped
                number += 1
                start += part
                if too_long or len(start) > self._longest:
                    yield Line(number, None)
                elif not start.isspace() and start:
                    yield Line(number, bytes(start))
                start, too_long = bytearray(), False
            start += rest
            if len(start) > self._longest:
                start, too_long = bytearray(), True
        if self._stopped and not self._ended:
            raise Stopped
        if too_long or start.strip():
            yield Line(number + 1, None if too_long else bytes(start))
        if self._stalled:
            raise Stalled

    async def _note(self, chunk: bytes, *, ended: bool) -> None:
        if not chunk and not ended:
            return
        async with self._changed:
            await self._changed.wait_for(lambda: self._held < self._ahead)
            self._chunks.append(chunk)
            self._held += len(chunk)
            self._ended = ended
            self._changed.notify_all()

    async def _taken(self) -> AsyncIterator[bytes]:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._chunks or self._ended or self._stopped)
                if not self._chunks:
                    return
                chunk = self._chunks.popleft()
                self._held -= len(chunk)
                self._changed.notify_all()
            yield chunk
