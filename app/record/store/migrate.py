"""Bringing a store up to date, in one transaction: a second process that starts at the same time waits and finds it done."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.record.store.database import Database, fetched

MIGRATIONS = Path(__file__).parents[3] / "migrations"
_LOCK = 4_001


def bring_up_to_date(database: Database) -> None:
    """Run the migrations that the store has not seen, for as long as they take."""
    if _is_up_to_date(database):
        return
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        database.lock(connection, _LOCK)
        upgrade(connection)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the migrations up to one. The caller begins, with `BEGIN IMMEDIATE` on SQLite, and commits."""
    from alembic import command  # a tenth of the time in which a process starts, and seldom needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _is_up_to_date(database: Database) -> bool:
    """Has the store seen the newest migration. Where there is no store yet, it has not."""
    try:
        with database.reading() as connection:
            return fetched(connection, "SELECT version_num FROM alembic_version") == [(_newest(),)]
    except DBAPIError:
        return False


@cache
def _newest() -> str:
    """The number of the newest migration, with which the name of its file begins."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]
