"""What a store needs now and then: partitions for the months to come, and no idempotency keys that have expired."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from concurrent.futures import Executor

import structlog
from sqlalchemy import delete
from sqlmodel import col

from app.record.store.database import Database, cause, stamp
from app.record.store.partitions import partition_entries
from app.record.store.problems import DATABASE_ERRORS
from app.record.store.tables import IdempotencyRow

EVERY = 3_600.0
"""Seconds between two rounds."""
_LOCK = 4_002
_log = structlog.get_logger("wanliu.record")


def keep_up(database: Database, now: datetime.datetime) -> None:
    """Do what is due. Where others use the tables at the moment, nobody has to wait for long: the next round does it.

    Raises:
        SQLAlchemyError: the database does not take it.
    """
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 1000")
            database.lock(connection, _LOCK)
            partition_entries(connection, now)
        connection.execute(delete(IdempotencyRow).where(col(IdempotencyRow.expires_at) <= stamp(now)))


async def keep_up_for_ever(database: Database, clock: Callable[[], datetime.datetime], threads: Executor, *, every: float = EVERY) -> None:
    """Do what is due in one of the threads, now and every hour. What fails is logged, and done in the next round."""
    while True:
        try:
            await asyncio.get_running_loop().run_in_executor(threads, keep_up, database, clock())
        except DATABASE_ERRORS as error:
            _log.warning("upkeep_failed", cause=cause(error))
        await asyncio.sleep(every)
