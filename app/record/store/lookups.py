"""Looking up for many requests at once: what is asked while a query runs is asked together by the next one.

Nothing is remembered: a query begins after the request that it answers, so that it sees what any process stored before.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from app.record.store.problems import StoreBusy, StoreUnavailable
from app.record.store.readers import Reading

LARGEST_GROUP = 512
"""Keys of one query."""

K = TypeVar("K")
V = TypeVar("V")
Read = Callable[[Reading[Mapping[K, V]]], Coroutine[Any, Any, Mapping[K, V]]]


class Lookups(Generic[K, V]):
    """Finds what belongs to keys, one query at a time for all who wait."""

    def __init__(self, read: Read[K, V], look: Callable[[Connection, Sequence[K]], Mapping[K, V]], nothing: V, longest_queue: int) -> None:
        """
        Args:
            read: reads from the store, in a thread.
            look: the query: of the keys for which there is something, what.
            nothing: what is found for other keys.
            longest_queue: keys that may wait before `StoreBusy`.
        """
        self._read, self._look, self._nothing, self._longest_queue = read, look, nothing, longest_queue
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def of(self, key: K, patience: float) -> V:
        """What belongs to a key.

        Args:
            key: what is looked for.
            patience: seconds to wait.

        Raises:
            StoreBusy: too many wait.
            StoreUnavailable: the store cannot be read, or not in time.
        """
        if len(self._waiting) >= self._longest_queue:
            raise StoreBusy("too many wait to look something up")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[V] = loop.create_future()
        self._waiting.setdefault(key, []).append(found)
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._run(), context=contextvars.Context())
        timer = loop.call_later(patience, _give_up, found)
        try:
            return await found
        finally:
            timer.cancel()
            found.cancel()

    async def _run(self) -> None:
        while self._waiting:
            group = {key: self._waiting.pop(key) for key in list(islice(self._waiting, LARGEST_GROUP))}
            wanted = [key for key, futures in group.items() if not all(future.done() for future in futures)]
            if wanted:
                await self._answer(group, wanted)

    async def _answer(self, group: Mapping[K, Sequence[asyncio.Future[V]]], keys: Sequence[K]) -> None:
        waiting = [(key, future) for key, futures in group.items() for future in futures]
        try:
            found = await self._read(lambda connection: self._look(connection, keys))
        except BaseException as error:
            for _, future in waiting:
                _fail(future, error)
            if not isinstance(error, Exception):
                raise
            return
        for key, future in waiting:
            if not future.done():
                future.set_result(found.get(key, self._nothing))


def _give_up(found: asyncio.Future[Any]) -> None:
    _fail(found, StoreUnavailable("the record was not read in time"))


def _fail(found: asyncio.Future[Any], error: BaseException) -> None:
    if not found.done():
        found.set_exception(error if isinstance(error, Exception) else StoreUnavailable("the store is being closed"))
