"""The answer to a batch: lines go out in the order in which they came, while others still come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.api.answers import as_json
from app.api.batch.deciding import Answered, decided_line, problem_line
from app.api.batch.incoming import PATIENCE, Incoming, Stalled, Stopped
from app.api.batch.shapes import NDJSON, BatchEnd, BatchSummary
from app.api.calls import Call
from app.api.problems import problem

MOST_LINES = 10_000
STORE_PATIENCE = 10.0
"""Seconds that a line may wait for the store: nobody stands before a screen."""
_LOOK_SECONDS = 0.1
IN_FLIGHT = 64
"""Lines that are worked on at once, and so share commits; where the caller does not take answers, no more than these are made."""


class BatchAnswer(Response):
    """Decides a batch while it is sent.

    At most `IN_FLIGHT` lines are worked on or wait to be taken. What is decided is on record before its line goes out; when the caller
    goes away, the rest is not begun.
    """

    media_type = NDJSON

    def __init__(self, call: Call, key: str | None, *, patience: float = PATIENCE) -> None:
        """
        Args:
            call: the batch.
            key: its idempotency key, of which lines make theirs.
            patience: seconds to wait for a line to come, or to be taken.
        """
        self.status_code, self.background = 200, None
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no"})
        self._call, self._key, self._patience = replace(call, patience=STORE_PATIENCE), key, patience
        self._decided = self._refused = 0
        self._ended = False

    def init_headers(self, headers: dict[str, str] | None = None) -> None:  # type: ignore[override]
        """Headers without a length, which nobody knows yet."""
        pairs = {"content-type": NDJSON, **(headers or {})}
        self.raw_headers = [(name.encode(), value.encode()) for name, value in pairs.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        incoming = Incoming(receive, patience=self._patience)
        leaving = asyncio.ensure_future(self._leave(incoming))
        gone, work = asyncio.ensure_future(incoming.watch()), asyncio.ensure_future(self._work(incoming, send))
        try:
            await asyncio.wait((gone, work), return_when=asyncio.FIRST_COMPLETED)
            if not (work.done() or self._ended):
                raise ClientDisconnect
            await work
        finally:
            await _end(gone, work, leaving)

    async def _leave(self, incoming: Incoming) -> None:
        """Begin no more lines once the process is about to end."""
        watch, loop = self._call.services.watch, asyncio.get_running_loop()
        while watch.batches_end is None or loop.time() < watch.batches_end:  # noqa: ASYNC110 - it is a time
            await asyncio.sleep(_LOOK_SECONDS)
        await incoming.stop()

    async def _work(self, incoming: Incoming, send: Send) -> None:
        started: asyncio.Queue[asyncio.Future[Answered] | None] = asyncio.Queue(IN_FLIGHT)
        begin = asyncio.ensure_future(self._begin(incoming, started))
        taken: asyncio.Future[Answered] | None = None
        try:
            await self._send(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while (taken := await started.get()) is not None:
                await self._send(send, {"type": "http.response.body", "body": self._counted(await taken), "more_body": True})
            summary, self._ended = self._summary(complete=begin.result()), True
            await self._send(send, {"type": "http.response.body", "body": summary, "more_body": False})
        finally:
            left = [started.get_nowait() for _ in range(started.qsize())]
            await _end(begin, *(task for task in (taken, *left) if task is not None))

    async def _begin(self, incoming: Incoming, started: asyncio.Queue[asyncio.Future[Answered] | None]) -> bool:
        """Begin with line after line; says whether all of them came."""
        complete, number = True, 0
        try:
            async for line in incoming.lines():
                number = line.number
                if number > MOST_LINES:
                    complete = False
                    many = f"a batch has at most {MOST_LINES:,} lines; send the others in another one"
                    await started.put(_told(number, problem("body-too-large", detail=many)))
                    break
                await _put(started, decided_line(self._call, line, self._key))
        except Stalled:
            complete = False
            late = f"nothing came for {self._patience:g} seconds; send the others in another batch"
            await started.put(_told(number + 1, problem("body-too-large", detail=late)))
        except Stopped:
            complete = False
            await started.put(_told(number + 1, problem("draining", detail="this line and those after it were not begun; send them again")))
        await started.put(None)
        return complete

    def _counted(self, answered: Answered) -> bytes:
        self._decided += answered.decided
        self._refused += not answered.decided
        return answered.line

    def _summary(self, *, complete: bool) -> bytes:
        told = BatchSummary(self._decided + self._refused, self._decided, self._refused, complete)
        return as_json(BatchEnd(told)) + b"\n"

    async def _send(self, send: Callable[[Message], Awaitable[None]], message: Message) -> None:
        """Send, as long as the caller takes it.

        Raises:
            ClientDisconnect: nothing was taken for too long.
        """
        try:
            async with asyncio.timeout(self._patience):
                await send(message)
        except TimeoutError:
            raise ClientDisconnect from None


async def _put(started: asyncio.Queue[asyncio.Future[Answered] | None], work: Awaitable[Answered]) -> None:
    task = asyncio.ensure_future(work)
    try:
        await started.put(task)
    except asyncio.CancelledError:
        task.cancel()
        raise


def _told(number: int, why: Response) -> asyncio.Future[Answered]:
    told: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
    told.set_result(problem_line(number, why))
    return told


async def _end(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
