"""Bringing a store up to date, in one transaction: a second process that starts at the same time waits and finds it done."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def upgrade(connection: Connection) -> None:
    """Run the migrations that the store has not seen. The caller begins, with `BEGIN IMMEDIATE`, and commits."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
