"""Reading in threads of their own: as many at a time as there are threads, and no more waiting than are let in."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from app.record.keys import UnknownKey
from app.record.store.database import Database, cause
from app.record.store.problems import DATABASE_ERRORS, KeyUnknown, StoreBusy, StoreUnavailable

_THREADS = 4

T = TypeVar("T")
Reading = Callable[[Connection], T]


class Readers:
    """Reads one database."""

    def __init__(self, database: Database, longest_queue: int) -> None:
        self._database = database
        self._may_read = threading.BoundedSemaphore(longest_queue)
        self.threads = ThreadPoolExecutor(_THREADS, "record-reader")

    async def read(self, work: Reading[T], deadline: float) -> T:
        """Read within a transaction that sees one state; wait `deadline` seconds at most.

        Raises:
            StoreBusy: too many read.
            StoreUnavailable: the database cannot be read, or not in time.
            KeyUnknown: this process does not know the key of somebody whom it is about.
        """
        if not self._may_read.acquire(blocking=False):
            raise StoreBusy("too many wait to read the record")
        wanted = threading.Event()
        wanted.set()
        try:
            reading = asyncio.wrap_future(self.threads.submit(contextvars.copy_context().run, self._read_if, wanted, work))
        except RuntimeError:
            self._may_read.release()
            raise StoreUnavailable("the store is not open") from None
        reading.add_done_callback(_forget)
        try:
            async with asyncio.timeout(deadline):  # wait_for loses a cancellation on Python 3.11
                return await asyncio.shield(reading)
        except TimeoutError:
            raise StoreUnavailable("the record was not read in time") from None
        finally:
            wanted.clear()

    def read_now(self, work: Reading[T]) -> T:
        """Read in this thread, for as long as it takes.

        Raises:
            StoreUnavailable: the database cannot be read.
            KeyUnknown: this process does not know the key of somebody whom it is about.
        """
        self._database.place.check()
        try:
            with self._database.reading() as connection:
                return work(connection)
        except UnknownKey as error:
            raise KeyUnknown(str(error)) from error
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"the record cannot be read: {cause(error)}") from error

    def close(self) -> None:
        """Let those who read come to an end."""
        self.threads.shutdown()

    def _read_if(self, wanted: threading.Event, work: Reading[T]) -> T:
        """Read, unless nobody waits for it any more when its turn comes."""
        try:
            if not wanted.is_set():
                raise StoreUnavailable("nobody waits for it")
            return self.read_now(work)
        finally:
            self._may_read.release()


def _forget(reading: asyncio.Future[T]) -> None:
    """Take note of how a read ended, so that it is not called forgotten where nobody waits for it any more."""
    if not reading.cancelled():
        reading.exception()
