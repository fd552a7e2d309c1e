"""Searching the record: newest first, by any combination of what the index knows, page by page."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.campaigns.searching import MOST_FILES, Part, matching, parts_below
from app.record.damage import DamagedEntry
from app.record.search import cursors
from app.record.search.cursors import ALL_ROWS, Position
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
    """An entry that was found, or a decision of a campaign, whose leaf is that of its part. `envelope` is none where its month has been
    archived, and of a part whose file cannot be read, which then stands for its rows."""

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
    begin = Position(size) if cursor is None else min(cursors.read(cursor, query), Position(size))
    looking = _Looking(connection, query, begin)
    found = list(islice(looking.hits(), limit + 1))
    going_on = found[limit - 1].position if len(found) > limit else looking.stopped
    hits = _whole(connection, [place.hit for place in found[:limit]])
    return Page(hits, None if going_on is None else cursors.written(going_on, query), size)


class _Place(NamedTuple):
    """Something that was found: a leaf, or a row with its envelope; and where the page after it begins."""

    hit: int | Hit
    position: Position


class _Looking:
    """Looks through the log and the files of campaigns, newest leaf first; of one leaf its own entry comes before its rows.

    Attributes:
        stopped: where to go on, where it stopped before the end.
    """

    def __init__(self, connection: Connection, query: Query, begin: Position) -> None:
        """
        Args:
            connection: a reading transaction.
            query: what is searched for.
            begin: where to begin.
        """
        self._connection, self._query, self._begin = connection, query, begin
        self._finder = Finder(connection, query, begin.leaf, MOST_BLOCKS)
        self._files = 0
        self.stopped: Position | None = None

    def hits(self) -> Iterator[_Place]:
        """What is found."""
        leaves: Iterator[tuple[int, Part | None]] = ((leaf, None) for leaf in self._finder.leaves())
        parts = ((part.leaf or 0, part) for part in self._parts())
        for leaf, part in heapq.merge(leaves, parts, key=lambda item: (-item[0], item[1] is not None)):
            if self._is_beyond(leaf, part):
                return
            if part is None:
                yield _Place(leaf, Position(leaf, ALL_ROWS))
            else:
                yield from self._rows(leaf, part)
        if self._finder.stopped_at is not None:
            self.stopped = Position(self._finder.stopped_at)

    def _parts(self) -> Iterator[Part]:
        if "decision" not in self._query.terms.get("kind", ("decision",)):
            return iter(())
        return parts_below(self._connection, self._begin.leaf + (self._begin.rows > 0), self._query)

    def _is_beyond(self, leaf: int, part: Part | None) -> bool:
        """Has the page looked at as much as it may? Of the log it has not looked below where the finder stopped."""
        end = self._finder.stopped_at
        if end is not None and leaf < end:
            self.stopped = Position(end)
        elif part is not None and self._files >= MOST_FILES:
            self.stopped = Position(leaf, ALL_ROWS)
        self._files += part is not None
        return self.stopped is not None

    def _rows(self, leaf: int, part: Part) -> Iterator[_Place]:
        """The rows of a part; one whose file cannot be read is itself there, without an envelope."""
        below = self._begin.rows if leaf == self._begin.leaf else ALL_ROWS
        try:
            for found in matching(self._connection, part, self._query, below):
                yield _Place(Hit(leaf, found.id, part.at, found.envelope), Position(leaf, found.row))
        except DamagedEntry:
            yield _Place(Hit(leaf, part.entry_id, part.at, None), Position(leaf))


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


def _whole(connection: Connection, found: Sequence[int | Hit]) -> tuple[Hit, ...]:
    """What was found, with the entries of leaves."""
    entries = {hit.leaf: hit for hit in _hits(connection, [hit for hit in found if isinstance(hit, int)])}
    return tuple(entries[hit] if isinstance(hit, int) else hit for hit in found)


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
