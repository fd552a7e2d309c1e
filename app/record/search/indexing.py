"""The search index: for every 4,096 leaves and every term, which of them carry it. Filled behind the log, never read for a proof."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.search.terms import outcome_terms, terms_of
from app.record.store.database import Database, fetched
from app.record.store.tables import LeafRow, SearchBlockRow, SearchIndexRow, SearchSpanRow

BLOCK = 4_096
_WHOLE = BLOCK // 8
_MOST_ASKED = 2_000
"""Values in one `IN`."""
_STORED = "SELECT term, bits FROM search_block WHERE block = {block} AND term {among}"
_SPANS = "SELECT block, first_at, last_at FROM search_span WHERE block {among}"
_OUTCOMES = """
SELECT entry.envelope FROM outcome JOIN entry ON entry.id = outcome.entry_id WHERE outcome.decision_id {among} AND entry.kind = 'outcome'
"""

Places = dict[int, dict[str, list[int]]]
"""By block and term, the offsets of leaves that carry it, lowest first."""


class Findable(NamedTuple):
    """What leaves are found by: by terms, which of them are decisions, what outcomes among them tell, and the times of their blocks."""

    places: Places
    decisions: dict[str, int]
    told: list[Mapping[str, Any]]
    spans: dict[int, tuple[str, str]]


def findable(leaves: Iterable[tuple[int, str, bytes]]) -> Findable:
    """What leaves are found by.

    Args:
        leaves: of each its index, lowest first, the id of its entry, and the entry's envelope.
    """
    found = Findable({}, {}, [], {})
    for index, entry_id, written in leaves:
        envelope = orjson.loads(written)
        _place(found.places, index, terms_of(envelope))
        if envelope["kind"] == "decision":
            found.decisions[entry_id] = index
        elif envelope["kind"] == "outcome":
            found.told.append(envelope["body"])
        block, at = index // BLOCK, envelope["at"]
        first, last = found.spans.get(block, (at, at))
        found.spans[block] = min(first, at), max(last, at)
    return found


def answered(database: Database, connection: Connection, found: Findable) -> Places:
    """The places of what outcomes tell on the decisions that they answer: outcomes among the leaves, and those that came before their
    decision was a leaf. Whichever of the two is indexed later puts it there.

    Args:
        database: where they are.
        connection: a reading transaction.
        found: the leaves.
    """
    known, told = dict(found.decisions), [*found.told, *_told_of(database, connection, list(found.decisions))]
    earlier = sorted({body["decision"] for body in told} - known.keys())
    for part in asked(earlier):
        leaves = select(col(LeafRow.entry_id), col(LeafRow.leaf_index)).where(col(LeafRow.entry_id).in_(part))
        known.update((row.entry_id, row.leaf_index) for row in connection.execute(leaves))
    terms: dict[int, set[str]] = {}
    for body in told:
        if body["decision"] in known:
            terms.setdefault(known[body["decision"]], set()).update(outcome_terms(body["outcome"], body["action"]))
    places: Places = {}
    for index in sorted(terms):
        _place(places, index, terms[index])
    return places


def portions(places: Places, most: int) -> Iterator[tuple[int, dict[str, list[int]]]]:
    """A block and some of its terms at a time, at most so many."""
    for block, terms in places.items():
        rest = iter(sorted(terms.items()))
        while part := dict(islice(rest, most)):
            yield block, part


def put_terms(database: Database, connection: Connection, block: int, terms: Mapping[str, Sequence[int]]) -> None:
    """Put the places of terms into a block, beside those that it has. What is there already may be put there again.

    Args:
        database: where the index is.
        connection: a writing transaction.
        block: its number.
        terms: the places by term, lowest first.
    """
    among, values = database.is_one_of(list(terms))
    before = dict(fetched(connection, _STORED.format(block=block, among=among), values))
    rows = [{"term": term, "block": block, "bits": _joined(before.get(term, b""), offsets)} for term, offsets in terms.items()]
    database.put(connection, SearchBlockRow, rows, replacing=["bits"])


def put_spans(database: Database, connection: Connection, spans: Mapping[int, tuple[str, str]]) -> None:
    """Note the first and last time of leaves of each block, beside what is noted.

    Args:
        database: where the index is.
        connection: a writing transaction.
        spans: the times by block.
    """
    joined = dict(spans)
    among, values = database.is_one_of(list(spans))
    for block, first_at, last_at in fetched(connection, _SPANS.format(among=among), values):
        first, last = spans[block]
        joined[block] = min(first, first_at), max(last, last_at)
    rows = [{"block": block, "first_at": first, "last_at": last} for block, (first, last) in joined.items()]
    database.put(connection, SearchSpanRow, rows, replacing=["first_at", "last_at"])


def indexed(connection: Connection) -> int:
    """How many leaves of the log the index has: so far is it searched."""
    return connection.execute(select(col(SearchIndexRow.leaves))).scalar() or 0


def below(end: int, block: int) -> int:
    """The bits of a block whose leaves come before `end`."""
    return (1 << max(0, min(end - block * BLOCK, BLOCK))) - 1


def packed(bits: int) -> bytes:
    """The bits of a block as they are stored."""
    count = bits.bit_count()
    if 2 * count >= _WHOLE:
        return bits.to_bytes(_WHOLE, "little")
    return struct.pack(f"<{count}H", *offsets(bits))


def unpacked(stored: bytes) -> int:
    """The bits of a block that were stored."""
    if len(stored) == _WHOLE:
        return int.from_bytes(stored, "little")
    return _bits(offset for (offset,) in struct.iter_unpack("<H", stored))


def offsets(bits: int) -> Iterator[int]:
    """The places of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def asked(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Values in portions that one statement takes."""
    return (values[start : start + _MOST_ASKED] for start in range(0, len(values), _MOST_ASKED))


def _place(places: Places, index: int, terms: Iterable[str]) -> None:
    """Put a leaf, none of whose block came with a higher index, in the places of its terms, each given once."""
    block, offset = divmod(index, BLOCK)
    here = places.setdefault(block, {})
    for term in terms:
        here.setdefault(term, []).append(offset)


def _bits(offsets: Iterable[int]) -> int:
    bits = bytearray(_WHOLE)
    for offset in offsets:
        bits[offset >> 3] |= 1 << (offset & 7)
    return int.from_bytes(bits, "little")


def _told_of(database: Database, connection: Connection, decisions: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """What entries of outcomes tell of these decisions; their rows only find them."""
    for part in asked(decisions):
        among, values = database.is_one_of(part)
        for (envelope,) in fetched(connection, _OUTCOMES.format(among=among), values):
            body: Mapping[str, Any] = orjson.loads(envelope)["body"]
            yield body


def _joined(stored: bytes, offsets: Sequence[int]) -> bytes:
    """What was stored, with more places. Most often these come after those, and nothing of it has to be looked at."""
    come_after = not stored or int.from_bytes(stored[-2:], "little") < offsets[0]
    if come_after and len(stored) + 2 * len(offsets) < _WHOLE:
        return stored + struct.pack(f"<{len(offsets)}H", *offsets)
    return packed(unpacked(stored) | _bits(offsets))
