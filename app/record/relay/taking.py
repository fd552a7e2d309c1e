"""The keeper's side: what workers send is stored by one writer, many entries to a commit."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol

import structlog

from app.record.entries import NewEntry, Written
from app.record.relay.frames import patient_of
from app.record.relay.link import Link
from app.record.store.problems import StoreError, StoreUnavailable

_log = structlog.get_logger("wanliu.record")


class Storing(Protocol):
    """What entries are written to: a record that is open."""

    async def write(self, entry: NewEntry, *, deadline: float | None = None) -> Written:
        """Store an entry; it is durable when this returns."""
        ...

    async def check(self) -> None:
        """Does it take entries."""
        ...


async def take_from(record: Storing, end: socket.socket) -> Desk:
    """Store what a worker sends, until it goes away.

    Args:
        record: open in this loop.
        end: the keeper's end of the worker's pair.
    """
    desk = Desk(record)
    await desk.link.connect(end)
    return desk


class Desk:
    """Where one worker's entries arrive."""

    def __init__(self, record: Storing) -> None:
        self._record = record
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, asyncio.Task[Any]] = {}
        self.link = Link(self._heard, self._lost)

    def _heard(self, number: int, value: Any) -> None:
        if value is None:
            self._never_mind(number)
            return
        task = self._loop.create_task(self._record.check() if isinstance(value, str) else self._write(*patient_of(value)))
        self._open[number] = task
        task.add_done_callback(partial(self._answer, number))

    def _write(self, entry: NewEntry, patience: float) -> Coroutine[Any, Any, Any]:
        return self._record.write(entry, deadline=patience)

    def _never_mind(self, number: int) -> None:
        task = self._open.get(number)
        if task is not None:
            task.cancel()

    def _answer(self, number: int, task: asyncio.Task[Any]) -> None:
        del self._open[number]
        if not task.cancelled() and not self.link.gone:
            self.link.send(number, _told(task))

    def _lost(self) -> None:
        """The worker is gone; what it sent is stored all the same, as after any broken connection, unless it waits still."""
        for task in self._open.values():
            task.cancel()


def _told(task: asyncio.Task[Any]) -> Any:
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, StoreError):
        return error
    _log.error("entry_failed", exc_info=error)
    return StoreUnavailable(f"the entry was not stored: {type(error).__name__}")
