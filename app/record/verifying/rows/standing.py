"""Entries that stay for ever and that the service obeys by their rows: packs, callers, holds, erasures; all are read, however old."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select
from sqlmodel import col

from app.record.log.merkle import leaf_hash
from app.record.store.database import blob
from app.record.store.tables import EntryRow, LeafRow
from app.record.verifying.reading import columns, entry_of
from app.record.verifying.rows.told import Told, told_by
from app.record.verifying.verdict import Findings

_KINDS = ("caller_changed", "webhook_changed", "hold", "erasure")
_PACK = "pack_%"


def standing(connection: Connection, first: int, findings: Findings) -> list[Told]:
    """These entries in the order in which they came; those before the first leaf that is read are held against their leaves here.

    Args:
        connection: a transaction that reads.
        first: the first leaf that is read anyway.
        findings: where an entry goes that is not the one that was sealed.
    """
    return sorted(_read(connection, first, findings), key=lambda told: told.place)


def _read(connection: Connection, first: int, findings: Findings) -> Iterator[Told]:
    query = (
        select(col(LeafRow.leaf_index), col(LeafRow.hash), *columns())
        .join(LeafRow, col(LeafRow.entry_id) == col(EntryRow.id), isouter=True)
        .where(or_(col(EntryRow.kind).in_(_KINDS), col(EntryRow.kind).like(_PACK)))
    )
    for row in connection.execute(query):
        entry = entry_of(row)
        if row.leaf_index is not None and row.leaf_index < first and leaf_hash(entry.envelope) != blob(row.hash):
            findings.add("record", "the entry is not the one that was sealed: it or its leaf was changed", row.leaf_index, entry.id)
        yield from told_by([(row.leaf_index, entry)], entry.kind)
