"""Delivering: events that wait are sent until they are taken, those of one subscriber one after the other, at least once.

Any number of processes may deliver: they share the work by leases. What fails is tried again after a pause that doubles; what nobody took
in three days is given up, and kept until somebody has it tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.record.ids import Ids
from app.record.outgoing.happened import NothingLeft
from app.record.outgoing.pace import Pace
from app.record.outgoing.preparing import NotPrepared, prepared
from app.record.outgoing.sending import Reply, Sender
from app.record.outgoing.subscriptions import remove_webhook, webhook
from app.record.outgoing.taking import Line, Run, Waiting, due, put_down, take, tidy
from app.record.outgoing.wording import Wording
from app.record.store.database import cause
from app.record.store.problems import StoreError
from app.record.store.record import Record

_BY = "system"
_THREADS = 4
_TIDY_SECONDS = 60.0
_AFTER_FAILURE = 4.0
_LAST_SECONDS = 3.0
"""For what is being sent when it has to end; what takes longer is sent again when its lease has ended."""
_log = structlog.get_logger("wanliu.outgoing")
T = TypeVar("T")


class _TooLate(Exception):
    """An event is not begun any more, for its lease would end before it was told."""


class Deliverer:
    """Delivers the events of one record."""

    def __init__(self, record: Record, words: Mapping[str, Wording], *, private: bool, pace: Pace | None = None) -> None:
        """
        Args:
            record: opened, or prepared.
            words: by format, how events are worded.
            private: may events go into networks of one's own.
            pace: how hard it tries; left out, as `Pace` says.
        """
        self._record, self._words, self._pace = record, words, pace or Pace()
        self._sender = Sender(private=private, seconds=self._pace.seconds)
        self._ids = Ids()
        self._at_work: dict[asyncio.Task[Run], Line] = {}
        self._threads = ThreadPoolExecutor(_THREADS, "deliverer")
        self._stopping = asyncio.Event()
        self._told_to_stop = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tidied = 0.0

    async def run(self) -> None:
        """Deliver until `stop`; what is being sent then is let come to its end."""
        self._loop = asyncio.get_running_loop()
        if self._told_to_stop:
            self._stopping.set()
        try:
            while not self._stopping.is_set():
                await self._guarded(self._round)
            await self._guarded(self._last_round)
        finally:
            for task in self._at_work:
                task.cancel()
            await self._sender.close()
            self._threads.shutdown()

    def stop(self) -> None:
        """End soon. May be called from any thread, before it runs too."""
        self._told_to_stop = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do a part of the work; what fails is logged and tried again a little later: leases see to it that nothing is lost."""
        try:
            await work()
        except SQLAlchemyError as error:
            _log.warning("not_delivered", cause=cause(error))
        except StoreError as error:
            _log.warning("not_delivered", cause=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round may go well
            _log.error("not_delivered", exc_info=error)
        else:
            return
        await self._pause(_AFTER_FAILURE)

    async def _round(self) -> None:
        """Take what is due, wait until something is done, put that down."""
        if time.monotonic() > self._tidied + _TIDY_SECONDS:
            await self._in_thread(lambda: tidy(self._record.database))
            self._tidied = time.monotonic()
        for line in await self._in_thread(self._take):
            self._at_work[asyncio.create_task(self._tell(line))] = line
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=self._pace.every, return_when=asyncio.FIRST_COMPLETED)
            await self._settle()
        else:
            await self._sender.forget_idle()
            await self._pause()

    async def _last_round(self) -> None:
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=_LAST_SECONDS)
        await self._settle()

    async def _settle(self) -> None:
        """Put down the runs that are done. A line whose run broke off is taken up again when its lease has ended."""
        done = [task for task in self._at_work if task.done()]
        runs = [task.result() for task in done if task.exception() is None]
        if runs:
            await self._in_thread(lambda: put_down(self._record.database, runs, self._record.clock()))
        for task in done:
            del self._at_work[task]
            if task.exception() is not None:
                _log.error("line_broken_off", exc_info=task.exception())

    def _take(self) -> list[Line]:
        """Lines for which there is room."""
        now, busy = self._record.clock(), Counter(line.subscription.id for line in self._at_work.values())
        room = self._pace.lines - len(self._at_work)
        found = self._record.read_now(lambda connection: due(connection, now)) if room > 0 else []
        rooms: dict[str, int] = {}
        for webhook_id in random.sample(found, len(found)):
            mine = min(self._pace.per_webhook - busy[webhook_id], room)
            if mine > 0:
                rooms[webhook_id] = mine
                room -= mine
        return take(self._record.database, rooms, now, self._pace.lease) if rooms else []

    async def _tell(self, line: Line) -> Run:
        """Send the events of a line until one fails."""
        delivered: list[int] = []
        dropped: list[int] = []
        until = time.monotonic() + self._pace.begins
        for event in line.events:
            if self._stopping.is_set() or time.monotonic() > until:
                break
            try:
                reply = await self._send(line, event, until)
            except _TooLate:
                break
            except NothingLeft as nothing:
                _log.info("event_dropped", webhook=line.subscription.id, type=event.type, why=str(nothing))
                dropped.append(event.number)
                continue
            except Exception as error:  # noqa: BLE001 - the line is let go, whatever one event does to it
                _log.error("event_not_sent", exc_info=error)
                reply = Reply("failed here")
            if reply.problem is not None:
                return await self._failed(Run(line, delivered, dropped, problem=reply.problem), event, reply)
            delivered.append(event.number)
        return Run(line, delivered, dropped)

    async def _send(self, line: Line, event: Waiting, until: float) -> Reply:
        """Send an event once, worded and signed now.

        Raises:
            NothingLeft: there is nothing to say any more.
            _TooLate: reading it took so long that somebody else may have the line soon.
        """
        now = self._record.clock()
        try:
            ready = await self._in_thread(lambda: prepared(self._record, self._words, line.kept, event, now))
        except NotPrepared as problem:
            return Reply(str(problem))
        if time.monotonic() > until:
            raise _TooLate
        return await self._sender.send(line.subscription.wanted.callback, ready.body, ready.headers)

    async def _failed(self, run: Run, event: Waiting, reply: Reply) -> Run:
        """What becomes of a line in which an event was not taken."""
        line = run.line
        told: dict[str, object] = {"webhook": line.subscription.id, "type": event.type, "problem": reply.problem}
        if reply.gone:
            await self._in_thread(lambda: self._remove(line.subscription.id))
            _log.warning("webhook_gone", **told)
            return run
        held = replace(run, hold=reply.wait if reply.everybody else None)
        if self._record.clock() - event.at > self._pace.give_up:
            _log.warning("event_given_up", **told)
            return replace(held, dead=(event.number,))
        tries = 0 if run.ended else line.tries
        wait = max(self._pace.pause(tries), reply.wait or datetime.timedelta())
        _log.info("event_not_taken", **told, tries=tries + 1, again_in_s=round(wait.total_seconds(), 1))
        return replace(held, wait=wait)

    def _remove(self, webhook_id: str) -> None:
        """End a subscription whose receiver is gone; on the record, as any other."""
        now = self._record.clock()
        found = self._record.read_now(lambda connection: webhook(connection, webhook_id))
        if found is not None:
            self._record.write_now(remove_webhook(self._ids.new(now), now, found, by=_BY, why="gone"))

    async def _pause(self, times: float = 1) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(times * self._pace.every):
                await self._stopping.wait()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
