"""The writer: one thread that stores what queued up during the last commit, and mends itself when the store fails.

While the store is known to be down, nobody waits for it: entries are refused at once, and the thread looks for the store until it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import structlog

from app.record.entries import NewEntry, Written
from app.record.spool.draining import Drain
from app.record.store.batch import Outcome
from app.record.store.committer import Committer
from app.record.store.problems import StoreBusy, StoreError, StoreUnavailable

LARGEST_BATCH = 512
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_LOOK_AT_SPOOL = 1.0
_log = structlog.get_logger("wanliu.record")

Committed = Callable[[int, float, bool], None]
"""Is told of every commit: how many entries, how many seconds, and whether the store took them. Called in the writer's thread."""


class Waiting(NamedTuple):
    """An entry in the queue, and who waits for it."""

    entry: NewEntry
    stored: asyncio.Future[Written]

    @property
    def waits(self) -> bool:
        """Does anybody wait for it still."""
        return not self.stored.done()


class Writer:
    """Takes entries from event loops and stores them in groups."""

    def __init__(self, committer: Committer, longest_queue: int, drain: Drain | None = None) -> None:
        """
        Args:
            committer: stores them.
            longest_queue: entries that may wait before `StoreBusy`.
            drain: empties the spool, where there is one.
        """
        self._committer, self._drain = committer, drain
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._longest = longest_queue
        self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)
        self._stopping = threading.Event()
        self._down: StoreUnavailable | None = None
        self.committed: Committed = _untold

    @property
    def runs(self) -> bool:
        """Does the thread take entries."""
        return self._thread.is_alive() and not self._stopping.is_set()

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to take entries."""
        self._thread.start()

    def stop(self) -> None:
        """Store what still waits, then end."""
        if self.runs:
            self._stopping.set()
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, entry: NewEntry) -> asyncio.Future[Written]:
        """Put an entry into the queue; the future, of the running loop, is done when it is durable. Cancel it to stop waiting.

        Raises:
            StoreBusy: the queue is full.
            StoreUnavailable: the store is down, or not open.
        """
        self.check()
        if self._queue.qsize() >= self._longest:
            raise StoreBusy("too many entries wait to be stored")
        waiting = Waiting(entry, asyncio.get_running_loop().create_future())
        self._queue.put(waiting)
        return waiting.stored

    def check(self) -> None:
        """Does the store take entries, as far as is known.

        Raises:
            StoreUnavailable: it does not.
        """
        if not self.runs:
            raise StoreUnavailable("the store is not open")
        down = self._down
        if down is not None:
            raise StoreUnavailable(*down.args)

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            if batch:
                self._store(batch)
            if self._drain is not None:
                self._empty_spool(self._drain)
        self._committer.close()

    def _next_batch(self) -> list[Waiting] | None:
        """Everything that waits, waiting for the first; none at the end. Who has stopped waiting is left out."""
        try:
            first = self._queue.get(timeout=None if self._drain is None else _LOOK_AT_SPOOL)
        except queue.Empty:
            return []
        if first is None:
            return None
        return [waiting for waiting in [first, *self._rest()] if waiting.waits]

    def _empty_spool(self, drain: Drain) -> None:
        """Store what was spooled, as long as nobody waits."""
        try:
            while drain.step() and self._queue.empty():
                pass
        except StoreUnavailable as error:
            self._mend(error, [])
        except Exception as error:  # noqa: BLE001 - the writer goes on, whatever the spool does to it
            _log.error("spool_not_drained", exc_info=error)

    def _rest(self) -> Iterator[Waiting]:
        for _ in range(LARGEST_BATCH - 1):
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting is None:
                self._queue.put(None)
                return
            yield waiting

    def _store(self, batch: list[Waiting]) -> None:
        """Store a batch; when the store fails, once more after it was mended, for those who wait still."""
        error = self._try(batch)
        if error is None:
            return
        self._mend(error, batch)
        again = [waiting for waiting in batch if waiting.waits]
        error = self._try(again) if again else None
        if error is not None:
            self._mend(error, again)
            _tell(again, [error] * len(again))

    def _try(self, batch: Sequence[Waiting]) -> StoreUnavailable | None:
        began = time.perf_counter()
        error = self._tried(batch)
        self.committed(len(batch), time.perf_counter() - began, error is None)
        return error

    def _tried(self, batch: Sequence[Waiting]) -> StoreUnavailable | None:
        try:
            outcomes = self._committer.commit([waiting.entry for waiting in batch])
        except StoreUnavailable as error:
            return error
        except Exception as error:  # noqa: BLE001 - the writer goes on, whatever one batch does to it
            _log.error("batch_failed", exc_info=error)
            return StoreUnavailable(f"the batch failed: {type(error).__name__}")
        _tell(batch, outcomes)
        return None

    def _mend(self, error: StoreUnavailable, batch: Sequence[Waiting]) -> None:
        """Look for the store until it is back. The batch is given up, unless its commit may have happened: then the store will say."""
        pause = _FIRST_PAUSE
        while (found := self._looked()) is not None:
            if self._down is None:
                _log.warning("store_down", cause=str(error))
            self._down = found
            if self._stopping.is_set() or not self._committer.in_doubt:
                _tell(batch, [error] * len(batch))
                self._refuse_queued(found)
            if self._stopping.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
        if self._down is not None:
            _log.info("store_back")
        self._down = None

    def _looked(self) -> StoreUnavailable | None:
        """Why the store does not take entries; none when it does."""
        try:
            self._committer.probe()
        except StoreUnavailable as error:
            return error
        except Exception as error:  # noqa: BLE001 - the writer goes on looking
            _log.error("probe_failed", exc_info=error)
            return StoreUnavailable(f"the store cannot be tried: {type(error).__name__}")
        return None

    def _refuse_queued(self, error: StoreUnavailable) -> None:
        refused = list(self._rest())
        _tell(refused, [error] * len(refused))


def _untold(entries: int, seconds: float, stored: bool) -> None:
    """Nobody wants to know."""


def _tell(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    """Tell those who wait, in the loop in which they do."""
    told: dict[asyncio.AbstractEventLoop, list[tuple[Waiting, Outcome]]] = {}
    for waiting, outcome in zip(batch, outcomes, strict=True):
        told.setdefault(waiting.stored.get_loop(), []).append((waiting, outcome))
    for loop, part in told.items():
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, part)


def _resolve(part: Sequence[tuple[Waiting, Outcome]]) -> None:
    for waiting, outcome in part:
        if not waiting.waits:
            continue
        if isinstance(outcome, StoreError):
            waiting.stored.set_exception(outcome)
        else:
            waiting.stored.set_result(outcome)
