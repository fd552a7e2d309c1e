"""What a store holds that no writer of ours has written is told, by name: SQLite keeps anything in any column, and files rot."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy.exc import DBAPIError

from app.record.log.tree import DamagedTree

_NOT_OF_ITS_KIND = (TypeError, ValueError, LookupError, OverflowError, AttributeError)
_NO_TEXT = re.compile(r"Could not decode to UTF-8 column '(\w+)'")


def damage_in(error: Exception) -> str | None:
    """What is wrong with the store, where that is why reading it failed; none where it is not. Nothing that stands in it is told."""
    if isinstance(error, DamagedTree):
        return str(error)
    if isinstance(error, _NOT_OF_ITS_KIND):
        return f"something is not of its kind ({type(error).__name__})"
    if not isinstance(error, DBAPIError) or not isinstance(error.orig, sqlite3.DatabaseError):
        return None
    column = _NO_TEXT.search(str(error.orig))
    if column is not None:
        return f"what stands in the column `{column[1]}` is no text"
    return "the file is malformed" if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT else None
