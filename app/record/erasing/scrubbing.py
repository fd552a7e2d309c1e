"""Having the bytes of deleted rows overwritten."""

from __future__ import annotations

import time

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from app.record.store.database import Database
from app.record.store.tables import (
    ChoiceRow,
    ContactRow,
    EventLineRow,
    EventRow,
    IdempotencyRow,
    OutcomeRow,
    RecommendationRow,
    SubjectLeafRow,
    SubjectRow,
)

_PATIENCE = 10.0
_PAUSE = 0.05
_TOUCHED = (SubjectRow, ContactRow, ChoiceRow, IdempotencyRow, OutcomeRow, SubjectLeafRow, RecommendationRow, EventRow, EventLineRow)


def scrub(database: Database, *, patience: float = _PATIENCE, full: bool = False) -> bool:
    """Have the bytes of deleted rows overwritten; false where somebody else kept the log of changes busy all the while.

    SQLite: the file is written anew and the write-ahead log emptied, for which writers wait. PostgreSQL: the tables are vacuumed, so that
    the space of deleted rows is used again; `full` writes them anew, for which everybody waits. What its write-ahead log, archives and
    backups hold leaves with them, by their own rules.
    """
    try:
        with database.engine.connect() as connection:
            return _scrubbed_file(connection, patience) if database.is_sqlite else _scrubbed_tables(connection, full=full)
    except OperationalError:  # locked all the while, or not done in the time that a statement may take
        return False


def _scrubbed_file(connection: Connection, patience: float) -> bool:
    if not _emptied(connection, patience):
        return False
    connection.exec_driver_sql("VACUUM")
    return _emptied(connection, patience)


def _scrubbed_tables(connection: Connection, *, full: bool) -> bool:
    for table in _TOUCHED:
        connection.exec_driver_sql(f"VACUUM {'FULL ' if full else ''}{table.__tablename__}")
    return True


def _emptied(connection: Connection, patience: float) -> bool:
    """Bring the write-ahead log back into the file and cut it to nothing, which waits for readers."""
    give_up = time.monotonic() + patience
    while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one():
        if time.monotonic() > give_up:
            return False
        time.sleep(_PAUSE)
    return True
