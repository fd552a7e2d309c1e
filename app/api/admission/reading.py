"""Reading a body before anything is done with it: no more of it than it may have, and no longer than it may take."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

_SILENCE = 10.0
"""Seconds in which some bytes must come."""


class TooLarge(Exception):
    """The body is larger than it may be."""


class TooSlow(Exception):
    """The body does not come, or not as fast as it has to."""


async def read(receive: Receive, most: int, seconds: float) -> bytes:
    """The whole body.

    Args:
        receive: where it comes from.
        most: bytes that it may have.
        seconds: that it may take.

    Raises:
        TooLarge: there is more; the rest is not waited for.
        TooSlow: it did not come in time.
        ClientDisconnect: the client is gone.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + seconds
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        try:
            async with asyncio.timeout_at(min(give_up, loop.time() + _SILENCE)):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > most:
            raise TooLarge
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class Again:
    """Gives a body that was read, as if it came now; after it, whatever comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        """The next part."""
        body, self._body = self._body, None
        return await self._receive() if body is None else {"type": "http.request", "body": body, "more_body": False}
