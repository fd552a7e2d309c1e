"""The anonymous daily counts, added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.store.tables import DailyCountRow

Counts = Mapping[str, Counter[tuple[tuple[str, str], ...]]]
"""By measure, then by what is counted together."""


def counts_by_pack(connection: Connection, since: str, until: str, pack: str | None) -> Iterator[tuple[str, Counts]]:
    """The counts of some days, both included, by digest of the pack; of one pack where one is named."""
    columns = (col(DailyCountRow.pack), col(DailyCountRow.measure), col(DailyCountRow.grouped), col(DailyCountRow.number))
    query = select(*columns).where(col(DailyCountRow.day) >= since, col(DailyCountRow.day) <= until)
    found: dict[str, dict[str, Counter[tuple[tuple[str, str], ...]]]] = {}
    for row in connection.execute(query if pack is None else query.where(col(DailyCountRow.pack) == pack)):
        counts = found.setdefault(row.pack, defaultdict(Counter))
        counts[row.measure][tuple(sorted(orjson.loads(row.grouped).items()))] += row.number
    yield from found.items()


def joined(parts: Iterable[Counts]) -> Counts:
    """Counts of several packs as one."""
    total: defaultdict[str, Counter[tuple[tuple[str, str], ...]]] = defaultdict(Counter)
    for part in parts:
        for measure, counts in part.items():
            total[measure].update(counts)
    return total


def share(part: int, whole: int) -> float:
    """A part of a whole; 0 of nothing."""
    return part / whole if whole else 0.0
