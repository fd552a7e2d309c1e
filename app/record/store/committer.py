"""Commits of one writer, one after the other on a connection of its own, and what became of one whose end nobody heard."""

from __future__ import annotations

import contextlib
import datetime
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, delete, select
from sqlmodel import col

from app.record.entries import NewEntry, Written
from app.record.keys import Keys
from app.record.store.batch import Batch, Outcome, written
from app.record.store.database import Database, cause, run
from app.record.store.problems import DATABASE_ERRORS, ROW_ERRORS, StoreUnavailable, blames_row
from app.record.store.tables import EntryRow

Beside = Callable[[Connection, Sequence[Outcome]], None]
_PROBE_BYTES = 65_536
"""Enough to find out about a disk that is full."""
_OF_OLD_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND (classid::bigint << 32) + objid::bigint = {number}"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

_BY_KEY = "SET enable_seqscan = off"
"""A writer looks rows up by their keys. A table that is small, or new, PostgreSQL would read from beginning to end for each commit."""


class Committer:
    """Stores entries, many to a commit. Safe to use from several threads, which take turns.

    A commit during which the connection breaks may have happened or not: before anything else is written, the store is asked.
    """

    def __init__(self, database: Database, keys: Keys, clock: Callable[[], datetime.datetime]) -> None:
        self._database, self._keys, self._clock = database, keys, clock
        self._writer = f"w-{secrets.token_hex(8)}"
        self._number = int.from_bytes(secrets.token_bytes(7))
        """Of the lock that a transaction of this writer holds, so that one whose connection broke can be waited for."""
        self._sequence = 1
        self._connection: Connection | None = None
        self._doubtful: Mapping[str, Outcome] = {}
        self._settled: Mapping[str, Outcome] = {}
        """Of entries that turned out to be stored, what they are answered with if they are given again."""
        self._alone = threading.RLock()

    @property
    def in_doubt(self) -> bool:
        """Is there a commit of which it is not known whether it happened."""
        return bool(self._doubtful)

    def commit(self, entries: Sequence[NewEntry], *, beside: Beside | None = None) -> list[Outcome]:
        """Store entries; they are durable when this returns. What became of each, in their order.

        Entries of an earlier call whose end is not known may be given again: they are stored once.

        Args:
            entries: to be stored.
            beside: does something more in the same transaction, knowing what became of them.

        Raises:
            StoreUnavailable: none of them is known to be stored.
        """
        with self._alone:
            self._settle()
            settled, self._settled = self._settled, {}
            rest = [entry for entry in entries if entry.id not in settled]
            outcomes = iter(self._commit(rest, beside) if rest else ())
            return [settled.get(entry.id) or next(outcomes) for entry in entries]

    def present(self, ids: Sequence[str]) -> set[str]:
        """Which of these entries are in the store.

        Raises:
            StoreUnavailable: it cannot be asked.
        """
        with self._alone, self._transaction() as connection:
            found = set(connection.execute(select(col(EntryRow.id)).where(self._database.among(col(EntryRow.id), ids))).scalars())
            connection.exec_driver_sql("ROLLBACK")
            return found

    def probe(self) -> None:
        """Does the store take entries: write one, and take it away again.

        Raises:
            StoreUnavailable: it does not.
        """
        with self._alone:
            self._settle()
            with self._transaction() as connection:
                self._database.append(
                    connection, EntryRow, [{"id": self._writer, "kind": "probe", "at": "", "envelope": secrets.token_bytes(_PROBE_BYTES)}]
                )
                connection.execute(delete(EntryRow).where(col(EntryRow.id) == self._writer))
                self._finish(connection)

    def close(self) -> None:
        """Let go of the connection."""
        with self._alone:
            self._drop()

    def _commit(self, entries: Sequence[NewEntry], beside: Beside | None) -> list[Outcome]:
        try:
            with self._transaction() as connection:
                outcomes = self._batch(connection).enter(entries, self._sequence)
                return self._end(connection, entries, outcomes, beside)
        except ROW_ERRORS:  # one of them is at fault: the others are stored without it
            pass
        with self._transaction() as connection:
            outcomes = self._batch(connection).enter_what_can_be(entries, self._sequence)
            return self._end(connection, entries, outcomes, beside)

    def _batch(self, connection: Connection) -> Batch:
        return Batch(self._database, self._keys, self._writer, connection, self._clock())

    def _end(self, connection: Connection, entries: Sequence[NewEntry], outcomes: list[Outcome], beside: Beside | None) -> list[Outcome]:
        """Commit. Where that fails, what was written stays in doubt until the store has been asked."""
        count = written(outcomes)
        if count:
            if beside is not None:
                beside(connection, outcomes)
            self._doubtful = {entry.id: outcome for entry, outcome in reversed(list(zip(entries, outcomes, strict=True)))}
            self._finish(connection)
            self._doubtful = {}
            self._sequence += count
        else:
            connection.exec_driver_sql("ROLLBACK")
        self._database.place.check()
        return outcomes

    def _finish(self, connection: Connection) -> None:
        run(connection, "COMMIT")

    def _settle(self) -> None:
        """Ask the store whether the commit that is in doubt happened."""
        if not self._doubtful:
            return
        ids = [entry_id for entry_id, outcome in self._doubtful.items() if isinstance(outcome, Written) and not outcome.repeated]
        with self._transaction() as connection:
            found = connection.execute(select(col(EntryRow.id)).where(col(EntryRow.id) == ids[0])).first()
            connection.exec_driver_sql("ROLLBACK")
        if found is not None:
            self._sequence += written(list(self._doubtful.values()))
            self._settled = self._doubtful
        self._doubtful = {}

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction on the writer's connection, which is given up when anything goes wrong.

        Raises:
            StoreUnavailable: the database failed. What is a row's fault is passed on.
        """
        try:
            with self._database.turn():
                self._database.place.check()
                connection = self._connected()
                run(connection, self._begin)
                yield connection
        except DATABASE_ERRORS as error:
            self._give_up(error)
            if blames_row(error):
                raise
            raise StoreUnavailable(cause(error)) from error
        except BaseException as error:
            self._give_up(error)
            raise

    @property
    def _begin(self) -> str:
        if self._database.is_sqlite:
            return "BEGIN IMMEDIATE"
        return f"BEGIN; SELECT pg_advisory_xact_lock({self._number})"

    def _connected(self) -> Connection:
        """The connection. A new one first ends what an old one of this writer may still be doing."""
        if self._connection is None:
            self._connection = self._database.engine.connect()
            if not self._database.is_sqlite:
                self._connection.exec_driver_sql(_OF_OLD_CONNECTIONS.format(number=self._number))
                self._connection.exec_driver_sql(_BY_KEY)
        return self._connection

    def _give_up(self, error: BaseException) -> None:
        """Go back to before the transaction; without the connection, unless it is one row's fault."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection.exec_driver_sql("ROLLBACK")
        except DATABASE_ERRORS:
            self._drop()
        if not isinstance(error, Exception) or not blames_row(error):
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*DATABASE_ERRORS):
                connection.invalidate()
            with contextlib.suppress(*DATABASE_ERRORS):
                connection.close()
