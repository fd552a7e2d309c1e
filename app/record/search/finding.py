"""Searching the record: newest first, by any combination of what the index knows, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.search import cursors
from app.record.search.indexing import asked, indexed
from app.record.search.looking import Finder
from app.record.search.query import Query
from app.record.store.tables import EntryRow, LeafRow

PAGE = 20
LARGEST_PAGE = 200
MOST_BLOCKS = 25_000
"""Blocks, of 4,096 leaves each, that one page looks through; a page may end there, with a cursor to go on."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found. `envelope` is none where its month has been archived."""

    leaf: int
    entry_id: str
    at: str
    envelope: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was found, newest leaf first.

    Attributes:
        hits: the entries.
        cursor: what gives the next page; none at the end.
        searched: how many leaves the index had: all of them were searched, entries that wait to be sealed or indexed were not.
    """

    hits: tuple[Hit, ...]
    cursor: str | None
    searched: int


def search(connection: Connection, query: Query, *, limit: int = PAGE, cursor: str | None = None) -> Page:
    """A page of what the query finds.

    What is sealed later gets higher indexes, so that further pages are what they would have been.

    Args:
        connection: one reading transaction.
        query: what is searched for.
        limit: entries on the page.
        cursor: what the page before gave; none for the first.

    Raises:
        BadCursor: of another search, or none at all.
    """
    size = indexed(connection)
    end = size if cursor is None else min(cursors.read(cursor, query), size)
    finder = Finder(connection, query, end, MOST_BLOCKS)
    found = list(islice(finder.leaves(), limit + 1))
    if len(found) > limit:
        going_on: int | None = found[limit - 1]
    else:
        going_on = finder.stopped_at
    return Page(_hits(connection, found[:limit]), None if going_on is None else cursors.written(going_on, query), size)


def counted(connection: Connection, query: Query) -> int:
    """How many sealed entries the query finds."""
    return sum(bits.bit_count() for _, bits in Finder(connection, query, indexed(connection)).blocks())


def found_ids(connection: Connection, query: Query, most: int) -> list[str]:
    """Ids of the newest entries that the query finds."""
    indexes = list(islice(Finder(connection, query, indexed(connection), MOST_BLOCKS).leaves(), most))
    ids: dict[int, str] = {}
    for part in asked(indexes):
        rows = select(col(LeafRow.leaf_index), col(LeafRow.entry_id)).where(col(LeafRow.leaf_index).in_(part))
        ids.update((row.leaf_index, row.entry_id) for row in connection.execute(rows))
    return [ids[index] for index in indexes if index in ids]


def _hits(connection: Connection, indexes: Sequence[int]) -> tuple[Hit, ...]:
    query = (
        select(col(LeafRow.leaf_index), col(LeafRow.entry_id), col(LeafRow.at), col(EntryRow.envelope))
        .outerjoin(EntryRow, col(EntryRow.id) == col(LeafRow.entry_id))
        .where(col(LeafRow.leaf_index).in_(indexes))
        .order_by(col(LeafRow.leaf_index).desc())
    )
    return tuple(
        Hit(row.leaf_index, row.entry_id, row.at, None if row.envelope is None else orjson.loads(bytes(row.envelope)))
        for row in connection.execute(query)
    )
