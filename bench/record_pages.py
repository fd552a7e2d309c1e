"""Searching: a page for each filter alone and for each two together, with values that many entries have and values that few have."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.search.finding import search
from app.record.search.query import FILTERS, Query
from app.record.search.terms import terms_of
from app.record.store.tables import EntryRow, LeafRow

SAMPLE = 4_000

Figures = dict[str, Any]
Asked = tuple[str, str, str]
"""A filter, how common its value is, and the value."""


def pages(connection: Connection, seed: int, rounds: int) -> Figures:
    """The slowest page of one filter and of two, in milliseconds, and what was asked for."""
    sample = _sample(connection, seed)
    common, rare = _values(sample, -1), _values(sample, 0)
    alone = [[asked] for asked in (*common, *rare)]
    pairs = [list(pair) for values in (common, rare) for pair in itertools.combinations(values, 2)]
    pairs += [[one, other] for one, other in itertools.product(common, rare) if one[0] != other[0]]
    singles = [(_milliseconds(connection, asked, rounds), asked) for asked in alone]
    doubles = [(_milliseconds(connection, asked, rounds), asked) for asked in pairs]
    slowest = max((*singles, *doubles))
    return {
        "page_alone_slowest_ms": round(max(singles)[0], 1),
        "page_pair_slowest_ms": round(max(doubles)[0], 1),
        "page_slowest_ms": round(slowest[0], 1),
        "page_slowest_asked": " and ".join(f"{name} ({how})" for name, how, _ in slowest[1]),
        "page_median_ms": round(sorted(taken for taken, _ in (*singles, *doubles))[len(singles + doubles) // 2], 2),
        "pages": len(alone) + len(pairs),
    }


def _sample(connection: Connection, seed: int) -> list[Any]:
    """Envelopes of some leaves."""
    dice = random.Random(seed)
    size = connection.execute(select(col(LeafRow.leaf_index)).order_by(col(LeafRow.leaf_index).desc()).limit(1)).scalar_one() + 1
    indexes = dice.sample(range(size), min(SAMPLE, size))
    query = (
        select(col(EntryRow.envelope)).join(LeafRow, col(LeafRow.entry_id) == col(EntryRow.id)).where(col(LeafRow.leaf_index).in_(indexes))
    )
    return [orjson.loads(envelope) for envelope in connection.execute(query).scalars()]


def _values(sample: list[Any], place: int) -> list[Asked]:
    """For each filter a value by its place among those of the sample, the rarest first; a subscriber, and a time."""
    found: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
    for envelope in sample:
        for name, _, value in (term.partition("=") for term in terms_of(envelope)):
            if name in found:
                found[name][value] += 1
    how = "common" if place else "rare"
    values = [(name, how, sorted(counts, key=lambda value: (counts[value], value))[place]) for name, counts in found.items() if counts]
    times = sorted(envelope["at"] for envelope in sample)
    subjects = Counter(envelope["subject"] for envelope in sample if "subject" in envelope)
    middle = times[len(times) // 2] if place else times[len(times) // 50]
    return [*values, ("subject", how, subjects.most_common()[0 if place else -1][0]), ("until", how, middle)]


def _milliseconds(connection: Connection, asked: list[Asked], rounds: int) -> float:
    """The quickest of so many times."""
    terms = {name: (value,) for name, _, value in asked if name in FILTERS}
    rest = {name: value for name, _, value in asked if name not in FILTERS}
    query, taken = Query(terms, **rest), []
    for _ in range(rounds):
        began = time.perf_counter()
        search(connection, query)
        taken.append(time.perf_counter() - began)
    return min(taken) * 1_000
