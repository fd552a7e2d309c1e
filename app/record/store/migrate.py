"""Bringing a store up to date, in one transaction: a second process that starts at the same time waits and finds it done."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.record.store.database import Database

MIGRATIONS = Path(__file__).parents[3] / "migrations"
_LOCK = 4_001


def bring_up_to_date(database: Database) -> None:
    """Run the migrations that the store has not seen, for as long as they take."""
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        database.lock(connection, _LOCK)
        upgrade(connection)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the migrations up to one. The caller begins, with `BEGIN IMMEDIATE` on SQLite, and commits."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
