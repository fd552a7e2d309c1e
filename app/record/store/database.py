"""The database behind the record: SQLite or PostgreSQL, one schema, the same statements but for the few that are told apart here."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

import psycopg
from sqlalchemy import (
    URL,
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    LargeBinary,
    any_,
    create_engine,
    event,
    literal,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel

from app.record.store.place import LOST, Place

T = TypeVar("T")
_SQLITE = "sqlite:///"
_CHUNKS = "wanliu.chunks"
_CHUNKS_OPTION = "wanliu_chunks"
_BUSY_SECONDS = 5
_BUSY_PAUSE = 0.02
_CONNECT_SECONDS = 5
_POOL = 8
_SILENCE_SECONDS = 15
"""After which a connection that says nothing is given up, by either side."""
_WORTH_COPYING = 8
_COPIED: Mapping[type, str] = {LargeBinary: "bytea", BigInteger: "int8"}
"""What columns that are no texts are called in a binary copy."""


class Database:
    """Connections to one database.

    SQLite: write-ahead log, every commit synced, and what is deleted is overwritten. PostgreSQL: commits wait for the disk.
    """

    def __init__(self, url: str, *, patience: float = 0, chunks: Path | None = None) -> None:
        """
        Args:
            url: `sqlite:///` and a path, or `postgresql://user:password@host/name`.
            patience: seconds after which PostgreSQL gives up a statement, and soon after that a transaction in which nothing is said; 0
                waits for ever. SQLite waits 5 seconds for its one writer.
            chunks: folder for the decisions of campaigns; left out, `wanliu.chunks` beside the SQLite file, or in the current folder.
        """
        self.url = _url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.chunks = chunks or (self.file.parent if self.file else Path()) / _CHUNKS
        self.place = Place(self.file)
        engine = _sqlite_engine(self.url, self.place) if self.is_sqlite else _postgresql_engine(self.url, patience)
        self.engine: Engine = engine.execution_options(**{_CHUNKS_OPTION: self.chunks})
        self._turns = threading.RLock()
        self.gives_way = 0.0
        """Seconds for which whoever changes much, a piece at a time, leaves SQLite's one writer's place to other processes between two: who
        waits for it looks only now and then whether it is free. 0 where others need not go first."""

    @property
    def file(self) -> Path | None:
        """The SQLite file; none for PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @property
    def shown(self) -> str:
        """The URL as a person may see it: without its password."""
        return self.url.set(drivername=self.url.get_backend_name()).render_as_string(hide_password=True)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that will write; on SQLite it takes the write lock at its begin, so that it never has to be given up half-way."""
        with self.turn(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                with contextlib.suppress(SQLAlchemyError):
                    connection.exec_driver_sql("ROLLBACK")
                raise

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for other threads of this process that write, where there is one writer: SQLite itself would sleep and look again.

        Raises:
            OperationalError: it is not this thread's turn within the time that SQLite waits for other processes.
        """
        if not self.is_sqlite:
            yield
            return
        if not self._turns.acquire(timeout=_BUSY_SECONDS):
            raise OperationalError("BEGIN", None, TimeoutError("database is locked"))
        try:
            yield
        finally:
            self._turns.release()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield connection
            finally:
                with contextlib.suppress(SQLAlchemyError):
                    connection.exec_driver_sql("ROLLBACK")

    def append(self, connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows whose keys are new, fast. All of them have the same columns: texts, bytes and large numbers."""
        if not self.is_sqlite and len(rows) >= _WORTH_COPYING:
            _copy(connection, table, rows)
        elif rows:
            self._insert(connection, table, rows)

    def insert(self, connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows whose keys are new."""
        if rows:
            self._insert(connection, table, rows)

    def insert_missing(self, connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
        """Insert the rows whose key is not there yet."""
        if rows:
            self._insert(connection, table, rows, "ON CONFLICT DO NOTHING")

    def put(
        self,
        connection: Connection,
        table: type[SQLModel],
        rows: Sequence[dict[str, Any]],
        *,
        replacing: Sequence[str],
        where: ColumnElement[bool] | None = None,
    ) -> None:
        """Insert the rows; where a key is there already, and its row is as `where` says, replace the named columns, if any."""
        if not replacing:
            self.insert_missing(connection, table, rows)
        elif rows and where is None:
            self._insert(connection, table, rows, _instead(table, [f"{name} = excluded.{name}" for name in replacing]))
        elif rows:
            statement = self._statement(table)
            taken = {name: statement.excluded[name] for name in replacing}
            connection.execute(statement.on_conflict_do_update(index_elements=_key(table), set_=taken, where=where), rows)

    def add_up(self, connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]], *, column: str) -> None:
        """Insert the rows; where a key is there already, add to the column."""
        if rows:
            self._insert(connection, table, rows, _instead(table, [f"{column} = {table.__tablename__}.{column} + excluded.{column}"]))

    def among(self, column: Mapped[T], values: Sequence[T]) -> ColumnElement[bool]:
        """Is the column's value one of many: a single parameter on PostgreSQL, which parses each of a list anew."""
        if self.is_sqlite:
            return column.in_(values)
        return column == any_(literal(list(values), postgresql.ARRAY(cast("ColumnElement[T]", column).type)))

    def is_one_of(self, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """The same for `fetched`: what stands after the column, and the values to give.

        In binary: the driver takes ten times as long to write a list of texts as text, and of bytes a hundred.
        """
        return (f"IN ({', '.join('?' * len(values))})", values) if self.is_sqlite else ("= ANY(%b)", [list(values)])

    def lock(self, connection: Connection, number: int) -> None:
        """Hold the lock of this number to the end of the transaction, waiting for it. SQLite's one writer holds all of them."""
        if not self.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")

    def dispose(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _insert(self, connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]], ending: str = "") -> None:
        """Insert rows of the same columns; `ending` says what to do where a key is there already."""
        names, mark = list(rows[0]), "?" if self.is_sqlite else "%s"
        statement = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))}) {ending}"  # noqa: S608
        run_many(connection, statement, [[row[name] for name in names] for row in rows])

    def _statement(self, table: type[SQLModel]) -> Any:
        return (sqlite if self.is_sqlite else postgresql).insert(table.__table__)  # type: ignore[attr-defined]


def run(connection: Connection, statement: str, *values: Sequence[Any]) -> None:
    """Run a statement by the driver alone: what each decision needs takes a fifth of the time so. It raises what SQLAlchemy would."""
    with _cursor(connection, statement) as cursor:
        cursor.execute(statement, *values)


def run_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement once for each row, as `run` does."""
    with _cursor(connection, statement) as cursor:
        cursor.executemany(statement, rows)


def fetched(connection: Connection, statement: str, *values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement finds, as `run` does."""
    options = {} if connection.dialect.name == "sqlite" else {"binary": True}  # or bytes would come as hexadecimal text
    with _cursor(connection, statement, **options) as cursor:
        cursor.execute(statement, *values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextlib.contextmanager
def _cursor(connection: Connection, statement: str, **options: Any) -> Iterator[Any]:
    """A cursor of the driver. What it raises is raised as SQLAlchemy raises it."""
    raw: Any = connection.connection.dbapi_connection
    kind = connection.dialect.loaded_dbapi.Error
    try:
        with contextlib.closing(raw.cursor(**options)) as cursor:
            yield cursor
    except kind as error:
        raise DBAPIError.instance(statement, None, error, kind, hide_parameters=True, dialect=connection.dialect) from error


def _copy(connection: Connection, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    names = list(rows[0])
    columns = table.__table__.columns  # type: ignore[attr-defined]
    types = {name: _COPIED.get(type(columns[name].type), "text") for name in names}
    copied(connection, str(table.__tablename__), types, ([row[name] for name in names] for row in rows))


def copied(connection: Connection, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows on PostgreSQL as a binary copy, which is the fastest way.

    Args:
        connection: a transaction that writes.
        table: its name.
        columns: names and types of the columns, in the order of the values.
        rows: the values of each.
    """
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with _cursor(connection, statement) as cursor, cursor.copy(statement) as copying:
        copying.set_types(list(columns.values()))
        for row in rows:
            copying.write_row(row)


def chunks_of(connection: Connection) -> Path:
    """The folder for the decisions of campaigns that belongs to this connection's database."""
    found: Path = connection.get_execution_options()[_CHUNKS_OPTION]
    return found


def changed(result: CursorResult[Any]) -> int:
    """How many rows a statement changed."""
    return result.rowcount


def cause(error: Exception) -> str:
    """What went wrong in the database, without the statement and its values."""
    found = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(found, psycopg.Error) and found.diag.message_primary:
        return found.diag.message_primary
    return next(iter(str(found).splitlines()), "") if found is not None else type(error).__name__


def blob(value: object) -> bytes:
    """Bytes as they were stored.

    Raises:
        TypeError: it is something else: SQLite keeps anything in any column, and of a number `bytes` would make so many zeros.
    """
    if not isinstance(value, bytes | memoryview):
        raise TypeError(f"bytes are stored here, and this is a {type(value).__name__}")
    return bytes(value)


def stamp(moment: datetime.datetime) -> str:
    """A time as the store writes it: UTC, with microseconds, so that text sorts as time does."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def _instead(table: type[SQLModel], changes: Sequence[str]) -> str:
    return f"ON CONFLICT ({', '.join(_key(table))}) DO UPDATE SET {', '.join(changes)}"


def _key(table: type[SQLModel]) -> list[str]:
    return [column.name for column in table.__table__.primary_key]  # type: ignore[attr-defined]


def _url(url: str) -> URL:
    """The URL with its driver. What follows `sqlite:///` is a path as it is: nothing in it is quoted, and there are no options."""
    if url.startswith(_SQLITE):
        return URL.create("sqlite", database=url.removeprefix(_SQLITE))
    return make_url(url).set(drivername="postgresql+psycopg")


def _sqlite_engine(url: URL, place: Place) -> Engine:
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}, hide_parameters=True
    )

    opened: list[str] = []

    @event.listens_for(engine, "do_connect")
    def find(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> None:
        if place.is_lost:  # what opens another file meanwhile makes the log of the one that will be put back its own, and ends it
            raise sqlite3.OperationalError(LOST)
        if opened:  # a file that is gone is missed: to make another would take the place, and the log, of the one put back
            arguments[0], options["uri"] = opened[0], True

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        _turn_to_wal(connection)
        for pragma in ("synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        opened[:] = [f"file:{quote(url.database or '')}?mode=rw"]

    return engine


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Write ahead from now on. Where several open a new file at once SQLite refuses all but one without waiting: here it is waited."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_BUSY_PAUSE)


def _postgresql_engine(url: URL, patience: float) -> Engine:
    given = {
        "synchronous_commit": "on",
        "statement_timeout": round(patience * 1000),
        "idle_in_transaction_session_timeout": _SILENCE_SECONDS * 1000 if patience else 0,
    }
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=_POOL,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": _SILENCE_SECONDS * 1000,
            "application_name": "wanliu",
            "options": " ".join(f"-c {name}={value}" for name, value in given.items()),
        },
    )
