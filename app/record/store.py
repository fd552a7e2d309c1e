"""The store: decisions on SQLite, many to a commit, each durable before whoever waits for it goes on.

One thread owns the connection that writes. While it commits, rows queue up; then it takes them all, at most 512, into one transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlmodel import Session, col, select

from app.record.migrate import upgrade
from app.record.tables import DecisionRow

LARGEST_BATCH = 512
LONGEST_QUEUE = 4_096
DEADLINE = 0.15
_BUSY_SECONDS = 5


class StoreError(Exception):
    """The store did not take a decision."""


class StoreBusy(StoreError):
    """More decisions are waiting to be stored than the queue holds."""


class StoreUnavailable(StoreError):
    """The store did not answer in time, or at all."""


class RowRefused(StoreError):
    """The store refused this one decision; the others of its commit are stored."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision to be stored. Times as ISO text, `case` and `answer` as the bytes of JSON."""

    id: str
    decided_at: str
    pack_digest: str
    engine: str
    case: bytes
    answer: bytes


@dataclass(slots=True)
class _Waiting:
    """A record in the queue, and who waits for it."""

    record: DecisionRecord
    stored: asyncio.Future[None]


class Store:
    """Keeps decisions in a SQLite file. Open it with `open`, in the event loop that will use it."""

    def __init__(self, file: Path, *, deadline: float = DEADLINE, longest_queue: int = LONGEST_QUEUE) -> None:
        """
        Args:
            file: made when it is not there.
            deadline: seconds that `record` waits.
            longest_queue: records that may wait before `StoreBusy`.
        """
        self._file = file
        self._opened: tuple[int, int] | None = None
        self._failed = False
        self._engine = engine_of(file)
        self._deadline = deadline
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(longest_queue)
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._reader = ThreadPoolExecutor(1, "store-reader")
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Bring the file up to date and start writing.

        Raises:
            StoreUnavailable: it cannot be opened, or is no store.
        """
        self._loop = asyncio.get_running_loop()
        await self._loop.run_in_executor(self._reader, self._migrate)
        self._writer.start()

    async def close(self) -> None:
        """Store what still waits, then let go of the file."""
        if self._writer.is_alive():
            await asyncio.to_thread(self._queue.put, None)
            await asyncio.to_thread(self._writer.join)
        self._reader.shutdown()
        self._engine.dispose()

    async def record(self, record: DecisionRecord) -> None:
        """Store a decision; it is durable when this returns.

        A caller that goes away does not undo the commit that it shares with others.

        Raises:
            StoreBusy: the queue is full; nothing was stored.
            StoreUnavailable: not stored in time. It may be stored yet, but nobody was told so.
            RowRefused: the store refused this record.
        """
        if self._loop is None or not self._writer.is_alive():
            raise StoreUnavailable("the store is not open")
        waiting = _Waiting(record, self._loop.create_future())
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise StoreBusy("too many decisions wait to be stored") from None
        try:
            stored, _ = await asyncio.wait([waiting.stored], timeout=self._deadline)
        finally:
            waiting.stored.cancel()  # where nobody waits any more, the writer leaves it out
        if not stored:
            raise StoreUnavailable("the decision was not stored in time")
        waiting.stored.result()

    async def get(self, decision_id: str) -> DecisionRecord | None:
        """A decision as it was stored; none when there is no such id.

        Raises:
            StoreUnavailable: the store cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, decision_id)

    async def check(self) -> None:
        """Does the store take decisions: it is there, it is read, and where the last commit failed another is tried.

        Raises:
            StoreUnavailable: it does not.
        """
        if not self._writer.is_alive():
            raise StoreUnavailable("the store is not open")
        await asyncio.get_running_loop().run_in_executor(self._reader, self._try)

    def _try(self) -> None:
        self._read("")
        if self._failed:
            try:
                with writing(self._engine) as connection:
                    connection.exec_driver_sql("PRAGMA user_version = 0")  # writes a page, and changes nothing
            except SQLAlchemyError as error:
                raise StoreUnavailable(f"the store cannot be written: {_cause(error)}") from error
            self._failed = False

    def _migrate(self) -> None:
        try:
            with writing(self._engine) as connection:
                upgrade(connection)
            self._opened = _inode(self._file)
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(f"the store cannot be opened: {_cause(error)}") from error

    def _in_place(self) -> None:
        """An open file goes on taking rows after it was deleted or replaced, for nobody to find.

        Raises:
            StoreUnavailable: the file is not the one that was opened.
        """
        try:
            found = _inode(self._file)
        except OSError:
            found = None
        if found != self._opened:
            raise StoreUnavailable("the store's file was deleted or replaced; put it back, or start the service again")

    def _read(self, decision_id: str) -> DecisionRecord | None:
        self._in_place()
        try:
            with Session(self._engine) as session:
                row = session.exec(select(DecisionRow).where(col(DecisionRow.id) == decision_id)).first()
                return None if row is None else DecisionRecord(**row.model_dump())
        except SQLAlchemyError as error:
            raise StoreUnavailable("the store cannot be read") from error

    def _write(self) -> None:
        """The writer's thread: batch after batch until the end is queued."""
        while batch := self._next_batch():
            outcomes = self._outcomes([waiting.record for waiting in batch])
            self._failed = any(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
            self._tell(batch, outcomes)

    def _outcomes(self, records: Sequence[DecisionRecord]) -> Sequence[StoreError | None]:
        try:
            self._in_place()
            outcomes = _stored(self._engine, records)
            self._in_place()
        except StoreUnavailable as error:
            return [error] * len(records)
        return outcomes

    def _next_batch(self) -> list[_Waiting]:
        """Everything that waits, waiting for the first; empty at the end. Who has stopped waiting is left out."""
        batch: list[_Waiting] = []
        while not batch:
            first = self._queue.get()
            if first is None:
                return []
            batch = [waiting for waiting in [first, *self._rest()] if not waiting.stored.done()]
        return batch

    def _rest(self) -> Iterator[_Waiting]:
        for _ in range(LARGEST_BATCH - 1):
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting is None:
                self._queue.put(None)
                return
            yield waiting

    def _tell(self, batch: Sequence[_Waiting], outcomes: Sequence[StoreError | None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
                self._loop.call_soon_threadsafe(_resolve, batch, outcomes)


def engine_of(file: Path) -> Engine:
    """An engine for the file: write-ahead log, every commit synced, autocommit unless `writing` begins a transaction."""
    url = URL.create("sqlite", database=str(file))
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return engine


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that takes the write lock at its begin, so that it never has to be given up half-way."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            with contextlib.suppress(SQLAlchemyError):
                connection.exec_driver_sql("ROLLBACK")
            raise


def _stored(engine: Engine, records: Sequence[DecisionRecord]) -> list[StoreError | None]:
    """Store all of them in one commit, or, when one is refused, all the others. What became of each."""
    rows = [asdict(record) for record in records]
    try:
        with writing(engine) as connection:
            connection.execute(insert(DecisionRow), rows)
        return [None] * len(rows)
    except OperationalError as error:
        return [StoreUnavailable(_cause(error))] * len(rows)
    except (SQLAlchemyError, ValueError, OverflowError):
        return _stored_singly(engine, rows)


def _stored_singly(engine: Engine, rows: Sequence[dict[str, Any]]) -> list[StoreError | None]:
    outcomes: list[StoreError | None] = []
    try:
        with writing(engine) as connection:
            outcomes = [_try_row(connection, row) for row in rows]
    except SQLAlchemyError as error:
        return [StoreUnavailable(_cause(error))] * len(rows)
    return outcomes


def _try_row(connection: Connection, row: dict[str, Any]) -> StoreError | None:
    """A statement that fails undoes itself only; the transaction goes on."""
    try:
        connection.execute(insert(DecisionRow), row)
    except OperationalError:
        raise
    except (SQLAlchemyError, ValueError, OverflowError) as error:
        return RowRefused(_cause(error))
    return None


def _inode(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_dev, state.st_ino


def _cause(error: Exception) -> str:
    """What went wrong, without the statement and its values."""
    return str(error.orig) if isinstance(error, DBAPIError) and error.orig is not None else type(error).__name__


def _resolve(batch: Sequence[_Waiting], outcomes: Sequence[StoreError | None]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if waiting.stored.done():
            continue
        if outcome is None:
            waiting.stored.set_result(None)
        else:
            waiting.stored.set_exception(outcome)
