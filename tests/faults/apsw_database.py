"""The store's own code on a connection of apsw, whose file layer can be watched: as much of Python's sqlite3 as SQLAlchemy asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw
from sqlalchemy import event

from app.record.store.database import Database

_BUSY_MILLISECONDS = 5_000


def database_on(vfs: str, file: Path, *pragmas: str) -> Database:
    """The database of the file, through this file layer.

    Args:
        vfs: the name of the layer.
        file: the SQLite file.
        pragmas: run on each connection after those of the store.
    """
    database = Database(f"sqlite:///{file}")

    @event.listens_for(database.engine, "do_connect")
    def connect(*_: object) -> Connection:
        return Connection(file, vfs)

    @event.listens_for(database.engine, "connect")
    def prepare(connection: Connection, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return database


class Cursor:
    """One statement and its rows, read at once."""

    arraysize = 1

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, statement: str, values: Any = ()) -> Cursor:
        before, cursor = self._connection.total_changes(), self._connection.cursor()
        described: list[Any] = []
        cursor.exec_trace = lambda cursor, _sql, _values: described.append(cursor.get_description()) or True
        self._rows = list(cursor.execute(statement, values))
        self.description = [(*column[:1], *[None] * 6) for column in described[0]] if described and described[0] else None
        self.rowcount = -1 if self.description else self._connection.total_changes() - before
        self.lastrowid = self._connection.last_insert_rowid()
        return self

    def executemany(self, statement: str, many: Iterable[Any]) -> Cursor:
        self.rowcount = sum(self.execute(statement, values).rowcount for values in many)
        return self

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        count = self.arraysize if size is None else size
        found, self._rows = self._rows[:count], self._rows[count:]
        return found

    def fetchall(self) -> list[Any]:
        found, self._rows = self._rows, []
        return found

    def close(self) -> None:
        self._rows = []


class Connection:
    """As sqlite3.Connection is in autocommit."""

    isolation_level: str | None = None

    def __init__(self, file: Path, vfs: str) -> None:
        self._connection = apsw.Connection(str(file), vfs=vfs)
        self._connection.set_busy_timeout(_BUSY_MILLISECONDS)

    def cursor(self, *_: object) -> Cursor:
        return Cursor(self._connection)

    def execute(self, statement: str, values: Any = ()) -> Cursor:
        return self.cursor().execute(statement, values)

    def create_function(self, *_: object, **__: object) -> None:
        """SQLAlchemy offers `regexp`, which nothing asks for."""

    def commit(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
