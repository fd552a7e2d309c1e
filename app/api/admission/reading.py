"""Reading a body before anything is done with it: no more of it than it may have, and no longer than it may take."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from types import coroutine
from typing import Any

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
        message = await _next(receive, min(give_up, loop.time() + _SILENCE))
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > most:
            raise TooLarge
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _next(receive: Receive, give_up: float) -> Message:
    """The next message, if it comes by this time of the loop's clock. One that is there already, as most are, is taken without a timer."""
    coming = receive().__await__()
    try:
        awaited = next(coming)
    except StopIteration as came:
        message: Message = came.value
        return message
    try:
        async with asyncio.timeout_at(give_up):
            return await _rest(coming, awaited)
    except TimeoutError:
        raise TooSlow from None


@coroutine
def _rest(coming: Generator[Any, None, Message], awaited: Any) -> Generator[Any, None, Message]:
    """Go on with what was begun, and awaits something."""
    try:
        yield awaited
    except BaseException:
        coming.close()
        raise
    return (yield from coming)
