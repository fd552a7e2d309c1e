"""Searching the record: newest first, by any combination of what the index knows, page by page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from app.record.log import tree
from app.record.search.indexing import BLOCK, asked, offsets, unpacked
from app.record.search.terms import term
from app.record.store.tables import EntryRow, LeafRow, SearchBlockRow, SearchSpanRow, SubjectLeafRow

FILTERS: Mapping[str, str] = {
    "kind": "any",
    "channel": "any",
    "caller": "any",
    "role": "any",
    "agent": "any",
    "pack": "any",
    "stage": "any",
    "phase": "any",
    "moment": "any",
    "empty": "any",
    "signal": "all",
    "offered": "all",
    "tariff": "all",
    "suppressed": "all",
    "clause": "all",
    "outcome": "all",
}
"""What can be asked for, and what several values of one filter mean: an entry has one channel, but many signals."""
PAGE = 20
LARGEST_PAGE = 200
MOST_VALUES = 10
"""Values of one filter."""
MOST_BLOCKS = 25_000
"""Blocks, of 4,096 leaves each, that one page looks through; a page may end there, with a cursor to go on."""
_STEPS = (4, 64, 512)
_ALL = (1 << BLOCK) - 1
_CURSOR = struct.Struct(">Q8s")


class BadCursor(ValueError):
    """The cursor is not one that this search gave."""

    def __init__(self) -> None:
        super().__init__("is not a cursor of this search; leave it out to begin with the newest")


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for. All that is given must hold.

    Attributes:
        terms: by a name of `FILTERS`, the values wanted.
        subject: the token of a subscriber.
        since: entries at or after this time, as the store writes times.
        until: entries before this time.
    """

    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subject: str | None = None
    since: str | None = None
    until: str | None = None

    def groups(self) -> list[tuple[str, ...]]:
        """Terms of the index: of each group one, of all groups at once."""
        found: list[tuple[str, ...]] = []
        for name, values in self.terms.items():
            terms = tuple(term(name, value) for value in values)
            found += [terms] if FILTERS[name] == "any" else [(item,) for item in terms]
        return [group for group in found if group]

    @property
    def digest(self) -> bytes:
        """Eight bytes that tell this search from others."""
        told = orjson.dumps([sorted(map(sorted, self.groups())), self.subject, self.since, self.until])
        return hashlib.sha256(told).digest()[:8]


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
        searched: how many leaves the log had: all of them up to this one were searched, entries that wait to be sealed were not.
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
    size = tree.size(connection)
    end = size if cursor is None else min(_read(cursor, query), size)
    finder = _Finder(connection, query, end, MOST_BLOCKS)
    found = list(islice(finder.leaves(), limit + 1))
    if len(found) > limit:
        going_on: int | None = found[limit - 1]
    else:
        going_on = finder.stopped_at
    return Page(_hits(connection, found[:limit]), None if going_on is None else _written(going_on, query), size)


def counted(connection: Connection, query: Query) -> int:
    """How many sealed entries the query finds."""
    return sum(bits.bit_count() for _, bits in _Finder(connection, query, tree.size(connection), None).blocks())


def found_ids(connection: Connection, query: Query, most: int) -> list[str]:
    """Ids of the newest entries that the query finds."""
    indexes = list(islice(_Finder(connection, query, tree.size(connection), MOST_BLOCKS).leaves(), most))
    ids: dict[int, str] = {}
    for part in asked(indexes):
        rows = select(col(LeafRow.leaf_index), col(LeafRow.entry_id)).where(col(LeafRow.leaf_index).in_(part))
        ids.update((row.leaf_index, row.entry_id) for row in connection.execute(rows))
    return [ids[index] for index in indexes if index in ids]


class _Finder:
    """Looks through the blocks below a leaf, newest first."""

    def __init__(self, connection: Connection, query: Query, end: int, most: int | None) -> None:
        self._connection, self._query, self._end, self._most = connection, query, end, most
        self._groups = query.groups()
        self.stopped_at: int | None = None
        """The leaf above which everything was searched, where the search stopped before the end of the log."""

    def leaves(self) -> Iterator[int]:
        """Indexes of the leaves that match, highest first."""
        for block, bits in self.blocks():
            yield from (block * BLOCK + offset for offset in reversed(list(offsets(bits))))

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Blocks with leaves that match, and their bits."""
        own, within = self._own(), self._within()
        waiting = self._candidates(own, within)
        if self._most is not None and len(waiting) > self._most:
            waiting = waiting[: self._most]
            self.stopped_at = waiting[-1] * BLOCK
        for part in _portions(waiting):
            known = self._stored(part) if self._groups else {}
            for block in part:
                bits = self._matching(block, known)
                if own is not None:
                    bits &= own.get(block, 0)
                if bits and within is not None and not within[block]:
                    bits &= self._timed(block)
                if bits:
                    yield block, bits

    def _candidates(self, own: Mapping[int, int] | None, within: Mapping[int, bool] | None) -> list[int]:
        last = (self._end - 1) // BLOCK
        given = [set(blocks) for blocks in (own, within) if blocks is not None]
        found = set.intersection(*given) if given else range(last + 1)
        return sorted((block for block in found if block <= last), reverse=True)

    def _matching(self, block: int, known: Mapping[tuple[str, int], int]) -> int:
        bits = _ALL if (block + 1) * BLOCK <= self._end else (1 << (self._end - block * BLOCK)) - 1
        for group in self._groups:
            joined = 0
            for item in group:
                joined |= known.get((item, block), 0)
            bits &= joined
        return bits

    def _stored(self, blocks: Sequence[int]) -> dict[tuple[str, int], int]:
        """What the index says of these blocks, for the terms in question."""
        terms = sorted({item for group in self._groups for item in group})
        query = select(col(SearchBlockRow.term), col(SearchBlockRow.block), col(SearchBlockRow.bits)).where(
            col(SearchBlockRow.term).in_(terms), _among(blocks)
        )
        return {(row.term, row.block): unpacked(bytes(row.bits)) for row in self._connection.execute(query)}

    def _own(self) -> dict[int, int] | None:
        """The subject's leaves as bits; none where everybody is meant."""
        if self._query.subject is None:
            return None
        found: dict[int, int] = {}
        query = select(col(SubjectLeafRow.leaf_index)).where(col(SubjectLeafRow.subject) == self._query.subject)
        for index in self._connection.execute(query).scalars():
            block, offset = divmod(index, BLOCK)
            found[block] = found.get(block, 0) | 1 << offset
        return found

    def _within(self) -> dict[int, bool] | None:
        """The blocks with leaves in the wanted time, and whether all of theirs are; none where any time is wanted."""
        since, until = self._query.since, self._query.until
        if since is None and until is None:
            return None
        query = select(col(SearchSpanRow.block), col(SearchSpanRow.first_at), col(SearchSpanRow.last_at))
        if since is not None:
            query = query.where(col(SearchSpanRow.last_at) >= since)
        if until is not None:
            query = query.where(col(SearchSpanRow.first_at) < until)
        return {
            row.block: (since is None or row.first_at >= since) and (until is None or row.last_at < until)
            for row in self._connection.execute(query)
        }

    def _timed(self, block: int) -> int:
        """The bits of the leaves of a block that are in the wanted time: leaves are only nearly in the order of their times."""
        since, until, first = self._query.since, self._query.until, block * BLOCK
        query = select(col(LeafRow.leaf_index), col(LeafRow.at)).where(
            col(LeafRow.leaf_index) >= first, col(LeafRow.leaf_index) < first + BLOCK
        )
        bits = bytearray(BLOCK // 8)
        for index, at in self._connection.execute(query):
            if (since is None or at >= since) and (until is None or at < until):
                bits[(index - first) >> 3] |= 1 << ((index - first) & 7)
        return int.from_bytes(bits, "little")


def _among(blocks: Sequence[int]) -> ColumnElement[bool]:
    """Is a row of one of these blocks, highest first: asked by their ends where none is left out."""
    block = col(SearchBlockRow.block)
    return block.between(blocks[-1], blocks[0]) if blocks[0] - blocks[-1] + 1 == len(blocks) else block.in_(blocks)


def _portions(blocks: Sequence[int]) -> Iterator[Sequence[int]]:
    """A few blocks first, for a page is often full after them; then more at a time."""
    start, step = 0, iter(_STEPS)
    size = next(step)
    while start < len(blocks):
        yield blocks[start : start + size]
        start += size
        size = next(step, _STEPS[-1])


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


def _written(leaf: int, query: Query) -> str:
    return base64.urlsafe_b64encode(_CURSOR.pack(leaf, query.digest)).decode().rstrip("=")


def _read(cursor: str, query: Query) -> int:
    """The leaf below which the page begins."""
    try:
        leaf, digest = _CURSOR.unpack(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, struct.error, ValueError):
        raise BadCursor from None
    if digest != query.digest:
        raise BadCursor
    return int(leaf)
