"""What the witness remembers of each log, in one SQLite file, synced before it answers."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

BETWEEN = datetime.timedelta(minutes=1)
"""The history keeps one checkpoint of a log in so long; the latest is always kept."""
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS latest"
    " (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, since TEXT NOT NULL, note TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS history"
    " (origin TEXT, since TEXT, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, PRIMARY KEY (origin, since))"
    " STRICT, WITHOUT ROWID",
)
_BUSY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint of a log that the witness has cosigned, and since when it knows the log to be of this size."""

    origin: str
    size: int
    root: bytes
    since: datetime.datetime
    note: str


class Memory:
    """The file. One connection, one request at a time; other processes on the same file are kept out by its lock."""

    def __init__(self, file: Path) -> None:
        """
        Args:
            file: made when it is not there.

        Raises:
            sqlite3.Error: it cannot be opened, or is something else.
        """
        self._connection = sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *_SCHEMA):
            self._connection.execute(statement)

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connection.close()

    def latest(self, origin: str) -> Seen | None:
        """The newest checkpoint of a log."""
        with self._lock:
            return self._latest(origin)

    def history(self, origin: str, before: datetime.datetime | None, most: int) -> list[Seen]:
        """Checkpoints of a log, newest first, about one a minute, those before a time."""
        query = "SELECT size, root, since, note FROM history WHERE origin = ? AND since < ? ORDER BY since DESC LIMIT ?"
        with self._lock:
            rows = self._connection.execute(query, (origin, _text(before) if before else "~", most)).fetchall()
        return [_seen(origin, row) for row in rows]

    def replace(self, origin: str, judge: Callable[[Seen | None], Seen]) -> Seen:
        """Put what `judge` says in the place of the latest checkpoint, which nobody else changes meanwhile.

        Raises:
            sqlite3.Error: the file does not take it; like with what `judge` raises, nothing was changed.
        """
        with self._lock, self._transaction():
            seen = judge(self._latest(origin))
            values = {"origin": origin, "size": seen.size, "root": seen.root, "since": _text(seen.since), "note": seen.note}
            self._connection.execute("INSERT OR REPLACE INTO latest VALUES (:origin, :size, :root, :since, :note)", values)
            self._connection.execute(
                "INSERT INTO history SELECT :origin, :since, :size, :root, :note"
                " WHERE NOT EXISTS (SELECT 1 FROM history WHERE origin = :origin AND since > :recent)",
                {**values, "recent": _text(seen.since - BETWEEN)},
            )
        return seen

    def _latest(self, origin: str) -> Seen | None:
        row = self._connection.execute("SELECT size, root, since, note FROM latest WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else _seen(origin, row)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise


def _seen(origin: str, row: tuple[int, bytes, str, str]) -> Seen:
    return Seen(origin, row[0], row[1], datetime.datetime.fromisoformat(row[2]), row[3])


def _text(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).isoformat(timespec="microseconds")
