"""Leaves with their entries, in the order of the log, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select
from sqlmodel import col

from app.record.store.database import blob
from app.record.store.tables import EntryRow, LeafRow, UnsealedRow

BATCH = 1_000


@dataclass(frozen=True)
class Entry:
    """An entry as its row has it. Without slots, so that its envelope is read once, whoever looks into it."""

    id: str
    kind: str
    at: str
    subject: str | None
    envelope: bytes
    private: bytes | None

    def faults(self, told: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
        """(what, message) of everything in which the row differs from what its envelope told."""
        if told is None:
            yield "record", "its envelope is no JSON object"
            return
        for name in ("id", "kind", "at", "subject"):
            if told.get(name) != getattr(self, name):
                yield "entry", f"the column `{name}` says something else than the envelope"
        found = None if self.private is None else f"sha256:{sha256(self.private).hexdigest()}"
        if found != told.get("private"):
            yield "private", "the private payload was changed" if found and "private" in told else "the private payload is missing or new"

    @cached_property
    def told(self) -> Mapping[str, Any] | None:
        """The envelope as JSON values; none where it is no object."""
        try:
            found = orjson.loads(self.envelope)
        except orjson.JSONDecodeError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A leaf, by which time it is found, and its entry where that is still kept."""

    index: int
    entry_id: str
    at: str
    hash: bytes
    entry: Entry | None


def leaves(connection: Connection, first: int = 0, end: int | None = None) -> Iterator[Sequence[Sealed]]:
    """Batches of leaves from an index on, with their entries."""
    while True:
        query = select(col(LeafRow.leaf_index), col(LeafRow.entry_id), col(LeafRow.at).label("leaf_at"), col(LeafRow.hash), *columns())
        query = query.join(EntryRow, col(EntryRow.id) == col(LeafRow.entry_id), isouter=True).where(col(LeafRow.leaf_index) >= first)
        if end is not None:
            query = query.where(col(LeafRow.leaf_index) < end)
        rows = connection.execute(query.order_by(col(LeafRow.leaf_index)).limit(BATCH)).all()
        if not rows:
            return
        yield [_sealed(row) for row in rows]
        first = rows[-1].leaf_index + 1


def _sealed(row: Row[Any]) -> Sealed:
    entry = entry_of(row) if row.envelope is not None else None
    return Sealed(row.leaf_index, row.entry_id, row.leaf_at, blob(row.hash), entry)


def waiting(connection: Connection) -> Iterator[tuple[str, Entry | None]]:
    """Entries that wait for their leaves; none for one that is gone."""
    last = ""
    while True:
        query = select(col(UnsealedRow.entry_id).label("waiting_id"), *columns()).join(
            EntryRow, col(EntryRow.id) == col(UnsealedRow.entry_id), isouter=True
        )
        rows = connection.execute(query.where(col(UnsealedRow.entry_id) > last).order_by(col(UnsealedRow.entry_id)).limit(BATCH)).all()
        if not rows:
            return
        yield from ((row.waiting_id, entry_of(row) if row.envelope is not None else None) for row in rows)
        last = rows[-1].waiting_id


def columns() -> list[Any]:
    """What `entry_of` reads."""
    return [col(EntryRow.id), col(EntryRow.kind), col(EntryRow.at), col(EntryRow.subject), col(EntryRow.envelope), col(EntryRow.private)]


def entry_of(row: Row[Any]) -> Entry:
    """The entry of a row that has all its columns."""
    private = None if row.private is None else blob(row.private)
    return Entry(row.id, row.kind, row.at, row.subject, blob(row.envelope), private)
