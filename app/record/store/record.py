"""The record as the rest of the program uses it: write an entry, durable when it returns; read."""

from __future__ import annotations

import asyncio
import datetime
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import select
from sqlmodel import col

from app.engine.vocabulary.choices import NOT_KNOWN
from app.record.entries import NewEntry, Written
from app.record.keys import Keys
from app.record.relay.sending import RelayedWriter
from app.record.spool.draining import Drain
from app.record.spool.waiting import Spool
from app.record.store.adoption import Adopted, adopt
from app.record.store.committer import Beside, Committer
from app.record.store.database import Database, cause
from app.record.store.migrate import bring_up_to_date
from app.record.store.problems import DATABASE_ERRORS, ChoicesStand, KeyUnknown, StoreBusy, StoreError, StoreUnavailable
from app.record.store.readers import Readers, Reading
from app.record.store.tables import TreeRow
from app.record.store.upkeep import keep_up_for_ever
from app.record.store.writer import Committed, Writer

DEADLINE = 0.15
READ_DEADLINE = 5.0
LONGEST_QUEUE = 4_096
_PATIENCE = 10.0
_PAUSE = 0.1
_SILENCE = 0.1

T = TypeVar("T")
_log = structlog.get_logger("wanliu.record")


class Record:
    """The record of one database, opened once a process: by `open` where requests are answered, by `prepare` in a command."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        *,
        clock: Callable[[], datetime.datetime],
        deadline: float = DEADLINE,
        read_deadline: float = READ_DEADLINE,
        longest_queue: int = LONGEST_QUEUE,
        spool: Spool | None = None,
        spool_folder: Path | None = None,
        relay: socket.socket | None = None,
    ) -> None:
        """
        Args:
            database: where it is kept; made, and brought up to date, when opened.
            keys: of this log.
            clock: gives the time.
            deadline: seconds that `write` waits.
            read_deadline: seconds that `read` waits.
            longest_queue: entries that may wait before `StoreBusy`, and reads too.
            spool: where entries without an idempotency key wait while the store is down; left out, they are refused.
            spool_folder: where entries may wait from another time or process, whether or not this one spools.
            relay: this process's end of a pair of sockets; the process at the other end, which has opened the record, writes for this one.
        """
        self.database, self.clock = database, clock
        self.keys = keys = replace(keys, source=keys.source.anew())
        self.deadline, self.read_deadline = deadline, read_deadline
        self.spool_folder = spool_folder
        self._committer = Committer(database, keys, clock)
        self._spool = spool
        self._relayed = None if relay is None else RelayedWriter(relay, longest_queue)
        self._writer = self._relayed or Writer(self._committer, longest_queue, None if spool is None else Drain(spool, self._committer))
        self._upkeep: asyncio.Task[None] | None = None
        self._readers = Readers(database, longest_queue)

    async def open(self) -> None:
        """Bring the database up to date and start writing; where another process writes for this one, that has done so already.

        Raises:
            StoreUnavailable: it cannot be opened, or is no store.
        """
        if self._relayed is not None:
            await asyncio.to_thread(self.database.place.remember)
            self._relayed.start()
            return
        adopted = await asyncio.to_thread(self.prepare)
        if any(adopted):
            _log.info("first_release_taken_over", decisions=adopted.taken, unreadable=adopted.left)
        if self._spool is not None:
            await asyncio.to_thread(self._spool.open)
        self._writer.start()
        self._upkeep = asyncio.create_task(keep_up_for_ever(self.database, self.clock, self._readers.threads))

    def prepare(self) -> Adopted:
        """Bring the database up to date, and take over what the first release stored; enough for `write_now`.

        Raises:
            StoreUnavailable: it cannot be opened, or is no store.
        """
        try:
            bring_up_to_date(self.database)
        except (*DATABASE_ERRORS, OSError) as error:
            raise StoreUnavailable(f"the store cannot be opened: {cause(error)}") from error
        self.database.place.remember()
        try:
            return adopt(self.database, self._committer)
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"decisions of the first release cannot be taken over: {cause(error)}") from error

    async def close(self) -> None:
        """Store what still waits, then let go of the database."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        if self._relayed is not None:
            self._relayed.stop()
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """As `close`, for a command."""
        if self._relayed is None:
            self._writer.stop()
        self._committer.close()
        if self._spool is not None:
            self._spool.close()
        self._readers.close()
        self.database.dispose()

    async def write(self, entry: NewEntry, *, deadline: float | None = None) -> Written:
        """Store an entry; it is durable when this returns: in the store or, where that is down and the entry has no idempotency key, in the
        spool. Whether a key was used before, the store alone can tell, and what a person chose too: a decision that is spooled has to take
        marketing and profiling to be refused.

        A caller that goes away does not undo the commit that it shares with others.

        Args:
            entry: what to store.
            deadline: seconds to wait; left out, `deadline`.

        Raises:
            StoreBusy: too many wait; nothing was stored.
            StoreUnavailable: not stored in time. It may be stored yet, but nobody was told so.
            RowRefused: the store refused this entry.
            KeyUnknown: this process does not know the key of the person whom it is about.
            KeyReused: its idempotency key was used for another request.
            ChoicesStand: it is a decision that does not know what the person chose.
        """
        try:
            return await self._store(entry, self.deadline if deadline is None else deadline)
        except (StoreBusy, StoreUnavailable):
            if self._spool is None or not self._writer.runs or entry.idempotency is not None or _binds(entry):
                raise
            if entry.choices not in (None, NOT_KNOWN):
                raise ChoicesStand(NOT_KNOWN) from None
            return await self._spool.keep(entry, self.deadline)

    async def _store(self, entry: NewEntry, deadline: float) -> Written:
        if isinstance(self._writer, Writer):
            stored, longest = self._writer.submit(entry), deadline
        else:  # the process that writes keeps the deadline, and may spool then: here only its silence is not waited for
            stored, longest = self._writer.submit(entry, deadline), deadline + self.deadline + _SILENCE
        patience = asyncio.get_running_loop().call_later(longest, _give_up, stored)
        try:
            return await stored
        finally:
            patience.cancel()
            stored.cancel()  # where nobody waits any more, the writer leaves it out

    def write_now(self, entry: NewEntry, *, patience: float = _PATIENCE, beside: Beside | None = None) -> Written:
        """Store an entry without the queue, from a command; it is durable when this returns.

        Args:
            entry: what to store.
            patience: seconds to keep trying.
            beside: changes something more in the same transaction; may be called again where the store fails.

        Raises:
            StoreUnavailable: the store did not take it in time.
            RowRefused: the store refused it.
            KeyReused: its idempotency key was used for another request.
        """
        give_up = time.monotonic() + patience
        while True:
            try:
                [outcome] = self._committer.commit([entry], beside=beside)
                break
            except StoreUnavailable:
                if time.monotonic() > give_up:
                    raise
                time.sleep(_PAUSE)
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    async def read(self, work: Reading[T], *, deadline: float | None = None) -> T:
        """Read in another thread, within a transaction that sees one state of the record.

        Args:
            work: does the reading; its own exceptions are passed on.
            deadline: seconds to wait; left out, `read_deadline`.

        Raises:
            StoreBusy: too many read.
            StoreUnavailable: the database cannot be read, or not in time.
        """
        return await self._readers.read(work, self.read_deadline if deadline is None else deadline)

    def read_now(self, work: Reading[T]) -> T:
        """Read in this thread, for as long as it takes.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        return self._readers.read_now(work)

    def watch(self, committed: Committed) -> None:
        """Tell of every commit of this process from now on."""
        if isinstance(self._writer, Writer):
            self._writer.committed = committed

    @property
    def queued(self) -> int:
        """How many entries wait in this process to be stored; none where another one writes for it."""
        return self._writer.waiting if isinstance(self._writer, Writer) else 0

    @property
    def spooled_bytes(self) -> int:
        """Bytes that this process keeps in the spool."""
        return 0 if self._spool is None else self._spool.bytes

    async def check(self) -> None:
        """Does it take entries: the store is there, is read, and no commit has failed since it last took some; or else the spool has room.

        Raises:
            StoreUnavailable: it does not.
            KeyUnknown: not about everybody: a person was met whose key is wrapped with one that this process does not know.
        """
        missing = await asyncio.to_thread(self.keys.source.missing, self.keys)
        if missing:
            raise KeyUnknown("; ".join(missing))
        if self._relayed is not None:
            await self._relayed.check_there()
            return
        try:
            await self._check_store()
        except StoreUnavailable:
            if self._spool is None or not self._writer.runs or not self._spool.has_room:
                raise

    async def _check_store(self) -> None:
        self._writer.check()
        await self.read(lambda connection: connection.execute(select(col(TreeRow.size))).scalar_one())


def _binds(entry: NewEntry) -> bool:
    """Must the very next decision know of it? Then it is not on the record before it is in the store."""
    return any(row.table in ("choice", "successor") for part in entry.parts for row in part.rows)


def _give_up(stored: asyncio.Future[Written]) -> None:
    if not stored.done():
        stored.set_exception(StoreUnavailable("the entry was not stored in time"))
