"""Rotating the record's own keys: a new one is used from now on, the old ones stay for what they have signed and wrapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select, update
from sqlmodel import col

from app.record.entries import NewEntry
from app.record.ids import Ids
from app.record.keys import Keys, public_half, rotate_file
from app.record.privacy import rewrap
from app.record.store.record import Record
from app.record.store.tables import SubjectRow

_BATCH = 500


def rotate(record: Record, file: Path, which: Literal["signing", "wrapping"], *, by: str) -> Keys:
    """Put a new key into the keys file, and onto the record that there is one.

    Args:
        record: of the log, opened with the keys of the file.
        file: the keys file.
        which: what the key is for.
        by: who rotates.

    Raises:
        KeysProblem: the file cannot be written, or is not there.
        StoreError: the store does not take the entry. The key is in the file; what it signs is verified all the same.
    """
    now = record.clock()
    keys = rotate_file(file, which, now)
    body: dict[str, Any] = {"by": by, "which": which}
    if which == "signing":
        body |= {"key": public_half(keys)["signing"][-1]["key"], "before": public_half(keys)["signing"][-2]["key"]}
    else:
        body |= {"key": keys.wrapping[-1].id, "before": keys.wrapping[-2].id}
    record.write_now(NewEntry(Ids().new(now), "key_changed", now, body))
    return keys


def rewrap_subjects(record: Record, keys: Keys) -> int:
    """Wrap the keys of all subjects with the newest wrapping key, in small transactions; how many were changed.

    A process that does not know the newest key yet cannot read subjects any more: start the services anew before.

    Raises:
        KeysProblem: a key is missing.
        Unreadable: a wrapped key was changed.
        SQLAlchemyError: the database does not take it; run it again.
    """
    done = 0
    while count := _rewrap_some(record, keys):
        done += count
    return done


def _rewrap_some(record: Record, keys: Keys) -> int:
    newest = keys.wrapping[-1].id
    query = select(col(SubjectRow.lookup), col(SubjectRow.wrapped_key), col(SubjectRow.wrapped_with)).where(
        col(SubjectRow.wrapped_with) != newest
    )
    with record.database.writing() as connection:
        rows = connection.execute(query.limit(_BATCH).with_for_update()).all()
        for row in rows:
            wrapped, wrapped_with = rewrap(keys, bytes(row.wrapped_key), row.wrapped_with)
            changed = update(SubjectRow).where(col(SubjectRow.lookup) == bytes(row.lookup))
            connection.execute(changed.values(wrapped_key=wrapped, wrapped_with=wrapped_with))
    return len(rows)
