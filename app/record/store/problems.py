"""What the store answers instead of taking an entry, and whose fault an error of the database is."""

from __future__ import annotations

from typing import cast

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError, SQLAlchemyError, StatementError

from app.engine.vocabulary.choices import Choice

_OF_ROWS = ("21", "22", "23")
"""SQLSTATE classes of what a row can do wrong: one written twice by a statement, values that do not fit, broken constraints."""


class StoreError(Exception):
    """The store did not take an entry."""


class StoreBusy(StoreError):
    """More entries are waiting to be stored than the queue holds."""


class StoreUnavailable(StoreError):
    """The store did not answer in time, or at all."""


class RowRefused(StoreError):
    """The store refused this one entry; the others of its commit are stored."""


class PersonErased(RowRefused):
    """The entry keeps something private about a person who was erased."""


class HasSuccessor(StoreError):
    """The decision has a next step in its conversation already; neither the entry nor its companion was stored."""


class ChoicesStand(StoreError):
    """The person chose otherwise than the decision knows: it was not stored, and is to be made again."""

    def __init__(self, choices: tuple[Choice, ...]) -> None:
        """
        Args:
            choices: what stands, oldest first.
        """
        super().__init__(choices)

    def __str__(self) -> str:
        return "what the person chose for good changed meanwhile; decide again"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What stands, oldest first."""
        return cast("tuple[Choice, ...]", self.args[0])


class KeyUnknown(StoreError):
    """A person's key is wrapped with a key that this process does not know: nothing about them can be written or read here."""


class KeyReused(StoreError):
    """The idempotency key was used before, for another request."""


DATABASE_ERRORS = (SQLAlchemyError,)
"""What the database raises."""

ROW_ERRORS = (SQLAlchemyError, ValueError, TypeError, OverflowError)
"""What may be raised for the sake of one row."""


def taken_in(error: Exception, table: str) -> bool:
    """Is this error that a key of this table is taken already."""
    if not isinstance(error, IntegrityError):
        return False
    if isinstance(error.orig, psycopg.Error):
        return error.orig.diag.table_name == table
    return f" {table}." in str(error.orig)


def blames_row(error: Exception) -> bool:
    """Is this error one row's fault, so that its neighbours can be stored without it."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, ValueError | TypeError | OverflowError | StatementError)
    if isinstance(error.orig, psycopg.Error):
        return _blames_row_on_postgresql(error.orig)
    return isinstance(error, IntegrityError | DataError | ProgrammingError | InterfaceError) and not _is_lost(error)


def _blames_row_on_postgresql(cause: psycopg.Error) -> bool:
    if cause.sqlstate:
        return cause.sqlstate[:2] in _OF_ROWS
    return not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)


def _is_lost(error: DBAPIError) -> bool:
    return error.connection_invalidated or "closed" in str(error.orig)
