"""The keeper of the workers: starts them, replaces those that end, hang or have answered enough, and lets all go at the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from app.api.serving.child import Child
from app.api.watching.shared import bury
from app.settings import Settings

_log = structlog.get_logger("wanliu.workers")


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of a keeper, in seconds."""

    beat: float = 1.0
    """Between two looks at all workers."""
    first_pause: float = 0.2
    """Before a worker is started in the place of one that ended soon after its start; doubled each time."""
    longest_pause: float = 30.0
    steady: float = 30.0
    """A worker that ran for so long had started well."""
    start: float = 600.0
    """How long a worker may say nothing before it answers: it reads its program, and has a pack tried."""
    leave: float = 600.0
    """How long a worker may finish what it has, once another has its place."""
    close: float = 5.0
    """Beyond the grace, for a worker to close what it had open."""


class NotStarted(Exception):
    """The first worker does not answer; the message says why, in words for a person."""


class Keeper:
    """Keeps `settings.workers` processes answering on one listening socket."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        relay: Callable[[], Awaitable[socket.socket]],
        news: Callable[[], dict[str, Any]] = dict,
        pace: Pace | None = None,
    ) -> None:
        """
        Args:
            settings: of the service.
            listener: what the workers listen on.
            relay: makes the end of a pair of sockets for a new worker, over which its entries are written.
            news: what the workers are told every second.
            pace: its times.
        """
        self._settings, self._listener, self._relay, self._news, self._pace = settings, listener, relay, news, pace or Pace()
        self._children: set[Child] = set()
        self._places: list[Child | None] = [None] * settings.workers
        self._one_at_a_time = asyncio.Lock()
        self._ending = asyncio.Event()
        self._forced = False
        self.replaced: Counter[str] = Counter()
        """Workers that were replaced, by cause: `spent`, `ended`, `hung`."""

    @property
    def development(self) -> bool:
        """Does any worker say that nobody was ever added who may call."""
        return any(child.load.get("development", False) for child in self._children)

    @property
    def figures(self) -> dict[str, Any]:
        """How many workers answer, how many finish what they have, and how many were replaced and why. One that starts is neither."""
        there = [child for child in self._children if child.ready and not child.gone]
        finishing = sum(child.finishing for child in there)
        return {"answering": len(there) - finishing, "finishing": finishing, "replaced": dict(self.replaced)}

    async def run(self, welcome: Callable[[dict[str, Any]], None]) -> bool:
        """Keep workers until told to stop, then let them finish. False where it was told twice, so that they could not.

        Args:
            welcome: is told what the first worker said, and begins to listen; then that worker begins to answer.

        Raises:
            NotStarted: the first worker does not answer.
        """
        self._heed_signals()
        beating = asyncio.create_task(self._beat())
        try:
            first = await self._first()
            if first is not None:
                welcome(first.ready or {})
                first.begin()
                await self._keep(first)
        finally:
            beating.cancel()
            await self._let_go()
        return not self._forced

    def stop(self) -> None:
        """Let the workers finish; told again, end them at once."""
        self._forced = self._ending.is_set()
        if self._forced:
            _log.warning("stopping_at_once")
        else:
            _log.info("stopping", grace_seconds=self._settings.grace_seconds)
        self._ending.set()
        for child in self._children:
            child.changed.set()
            if self._forced:
                child.kill()

    def renew(self) -> None:
        """Put a new worker into each place, one after the other."""
        for child in self._children:
            child.replace()

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.renew)

    async def _first(self) -> Child | None:
        """The first worker, once it can answer; none where it is told to stop before."""
        child = await self._started()
        if child.ready is None and not self._ending.is_set():
            raise NotStarted(child.failed or "the worker ended while it was starting; the log says why")
        return child if child.ready else None

    async def _keep(self, first: Child) -> None:
        ending = asyncio.create_task(self._ending.wait())
        tending = [asyncio.create_task(self._tend(place, first if place == 0 else None)) for place in range(len(self._places))]
        done, left = await asyncio.wait([ending, *tending], return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()

    async def _tend(self, place: int, child: Child | None) -> None:
        """See that a worker answers in this place, for ever."""
        pause = self._pace.first_pause
        while True:
            child = self._places[place] = child or await self._answering(pause)
            while not (child.gone or child.spent):
                await child.wait()
            pause = self._next_pause(pause, child)
            if child.gone:
                self._note_end(child)
                child = None
            else:
                child = await self._succeeded(child, pause)

    async def _answering(self, pause: float) -> Child:
        """A new worker that answers, tried until one does."""
        while True:
            async with self._one_at_a_time:
                child = await self._started()
            if child.ready is not None:
                child.begin()
                return child
            if not self._ending.is_set():
                _log.error("worker_not_started", why=child.failed or "it ended", seconds_to_wait=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._pace.longest_pause)

    async def _succeeded(self, child: Child, pause: float) -> Child | None:
        """The worker that answers in the place of one that is spent; that one itself where no other starts."""
        async with self._one_at_a_time:
            successor = await self._started()
        if successor.ready is None:
            if not self._ending.is_set():
                _log.error("worker_not_replaced", pid=child.pid, why=successor.failed or "it ended", seconds_to_wait=pause)
            await asyncio.sleep(pause)
            return child
        self.replaced["spent"] += 1
        _log.info("worker_replaced", pid=child.pid, by=successor.pid, requests=child.load.get("requests"))
        successor.begin()
        child.finish(self._pace.leave, linger=True)
        return successor

    def _next_pause(self, pause: float, child: Child) -> float:
        """How long to wait before the next but one is started."""
        steady = asyncio.get_running_loop().time() - child.started > self._pace.steady
        return self._pace.first_pause if steady else min(2 * pause, self._pace.longest_pause)

    def _note_end(self, child: Child) -> None:
        self.replaced["hung" if child.hung else "ended"] += 1
        _log.error("worker_ended", pid=child.pid, exit_code=child.exit_code, hung=child.hung)

    async def _started(self) -> Child:
        """A worker that can answer once it is told to begin, or one that will not: it said why, or ended."""
        with await self._relay() as relay:
            child = Child(self._settings, self._listener, relay)
        self._children.add(child)
        while not (child.ready or child.gone or self._ending.is_set()):
            await child.wait()
        return child

    async def _beat(self) -> None:
        """Tell the workers the news, and end those that hang."""
        while True:
            await asyncio.sleep(self._pace.beat)
            now, news = asyncio.get_running_loop().time(), self._news()
            for child in list(self._children):
                if child.gone:
                    self._children.discard(child)
                    bury(child.pid)
                elif now - child.heard > (self._settings.hang_seconds if child.ready else self._pace.start):
                    child.end_hung()
                else:
                    child.tell(news=news)

    async def _let_go(self) -> None:
        """Let nobody in any more, and every worker finish what it has, for the grace."""
        self._listener.close()
        for child in self._children:
            child.finish(self._settings.grace_seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.grace_seconds + self._pace.close):
                await self._all_gone()
        for child in self._children:
            child.kill()
        await self._all_gone()

    async def _all_gone(self) -> None:
        for child in self._children:
            while not child.gone:
                await child.wait()
