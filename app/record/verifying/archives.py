"""Months of which entries were archived or dropped, as entries of the record say."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.log.sealer import MOST_LEAVES
from app.record.store.database import blob
from app.record.store.months import month_of
from app.record.store.tables import EntryRow, LeafRow
from app.record.verifying.sequences import Gap
from app.record.verifying.verdict import Findings


@dataclass(slots=True)
class Archives:
    """How many entries of each month the record says are gone, and how many leaves without an entry were met."""

    said: dict[str, int]
    met: dict[str, int] = field(default_factory=dict)
    _stretches: list[list[int]] = field(default_factory=list)

    @classmethod
    def read(cls, connection: Connection) -> Archives:
        """What sealed entries of the kind `archived` say."""
        query = (
            select(col(EntryRow.envelope)).join(LeafRow, col(LeafRow.entry_id) == col(EntryRow.id)).where(col(EntryRow.kind) == "archived")
        )
        said: dict[str, int] = {}
        for (envelope,) in connection.execute(query):
            with contextlib.suppress(ValueError, TypeError, LookupError):  # one that was changed says nothing; its leaf tells
                body = orjson.loads(blob(envelope))["body"]
                said[body["month"]] = said.get(body["month"], 0) + int(body["entries"])
        return cls(said)

    @property
    def count(self) -> int:
        """Leaves without an entry so far."""
        return sum(self.met.values())

    def covers(self, entry_id: str) -> bool:
        """Was the month of this entry archived."""
        try:
            return month_of(entry_id) in self.said
        except (ValueError, OverflowError):
            return False

    def allows(self, index: int, entry_id: str) -> bool:
        """Was the month of this entry archived; then its leaf is counted."""
        if not self.covers(entry_id):
            return False
        month = month_of(entry_id)
        self.met[month] = self.met.get(month, 0) + 1
        if self._stretches and self._stretches[-1][1] == index:
            self._stretches[-1][1] = index + 1
        else:
            self._stretches.append([index, index + 1])
        return True

    def explains(self, gap: Gap) -> bool:
        """Are there enough archived leaves between the neighbours of a gap."""
        first, end = gap.after - MOST_LEAVES, (gap.leaf if gap.leaf is not None else gap.after) + MOST_LEAVES
        at = max(bisect_right(self._stretches, [first]) - 1, 0)
        held = 0
        for start, stop in self._stretches[at:]:
            if start >= end:
                break
            held += max(0, min(stop, end) - max(start, first))
        return held >= gap.count

    def finish(self, findings: Findings) -> None:
        """More entries may not be gone than the record says."""
        for month, met in sorted(self.met.items()):
            if met > self.said[month]:
                findings.add("archive", f"{met} entries of {month} are gone, and the record says that {self.said[month]} were archived")
