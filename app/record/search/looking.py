"""Looking through the index: which leaves carry all that a search asks for, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from app.record.search.indexing import BLOCK, below, offsets, unpacked
from app.record.search.query import Query
from app.record.store.tables import LeafRow, SearchBlockRow, SearchSpanRow, SubjectLeafRow

_STEPS = (4, 64, 512)


class Finder:
    """Looks through the blocks below a leaf, newest first.

    Attributes:
        stopped_at: the leaf above which everything was searched, where the search stopped before the end of the log.
    """

    def __init__(self, connection: Connection, query: Query, end: int, most: int | None = None) -> None:
        """
        Args:
            connection: a reading transaction.
            query: what is searched for.
            end: the first leaf that is not looked at.
            most: blocks to look through; none for all.
        """
        self._connection, self._query, self._end, self._most = connection, query, end, most
        self._groups = query.groups()
        self.stopped_at: int | None = None

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
        bits = below(self._end, block)
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
