"""Stretches of the log, and what proves that each stands in it whole: the roots of the subtrees left and right of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.campaigns.ids import is_row
from app.record.campaigns.stored import parts_with
from app.record.log.tiles import Tiles
from app.record.search.indexing import asked
from app.record.store.tables import LeafRow, OutcomeRow


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Leaves side by side, from the index `first` to `last`."""

    first: int
    last: int

    def edges(self, connection: Connection, size: int) -> tuple[list[bytes], list[bytes]]:
        """The roots of the largest whole subtrees over the leaves before the stretch, and over those after it in a log of `size`.

        With them and the leaves anybody can compute the root of the log, and so see that no leaf was changed, added or left out.
        """
        subtrees = Tiles(connection).subtree
        return [subtrees(*part) for part in cover(0, self.first)], [subtrees(*part) for part in cover(self.last + 1, size)]


def cover(start: int, end: int) -> Iterator[tuple[int, int]]:
    """(level, index) of the largest whole subtrees, side by side, over the leaves from `start` to before `end`."""
    while start < end:
        level = (end - start).bit_length() - 1
        level = min(level, (start & -start).bit_length() - 1) if start else level
        yield level, start >> level
        start += 1 << level


def between(connection: Connection, size: int, since: str | None = None, until: str | None = None) -> list[Stretch]:
    """The stretch that holds every entry from one time to before another; none where there is no entry.

    Entries are sealed in the order in which they came, not quite in that of their times: the stretch may hold a few from outside.

    Args:
        connection: a reading transaction.
        size: leaves of the log.
        since: from this time on, as the store writes times.
        until: before this time.
    """
    if not size:
        return []
    if since is None and until is None:
        return [Stretch(0, size - 1)]
    query = select(func.min(col(LeafRow.leaf_index)).label("first"), func.max(col(LeafRow.leaf_index)).label("last")).where(
        col(LeafRow.leaf_index) < size
    )
    query = query if since is None else query.where(col(LeafRow.at) >= since)
    query = query if until is None else query.where(col(LeafRow.at) < until)
    row = connection.execute(query).mappings().one()
    return [] if row["first"] is None else [Stretch(row["first"], row["last"])]


def of_entries(connection: Connection, size: int, entry_ids: Iterable[str]) -> list[Stretch]:
    """The stretches of these entries, as far as they are sealed; those that touch are one."""
    found: list[int] = []
    for part in asked(sorted(set(entry_ids))):
        query = select(col(LeafRow.leaf_index)).where(col(LeafRow.entry_id).in_(part), col(LeafRow.leaf_index) < size)
        found += connection.execute(query).scalars()
    return joined(Stretch(index, index) for index in found)


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The stretches in their order, those that overlap or touch as one."""
    found: list[Stretch] = []
    for stretch in sorted(stretches):
        if found and stretch.first <= found[-1].last + 1:
            found[-1] = Stretch(found[-1].first, max(found[-1].last, stretch.last))
        else:
            found.append(stretch)
    return found


def about_decisions(connection: Connection, decision_ids: Sequence[str]) -> list[str]:
    """The ids of decisions, of campaigns those of the parts that have them, and of the outcomes that answer them."""
    found = [entry_id for entry_id in decision_ids if not is_row(entry_id)]
    found += parts_with(connection, [entry_id for entry_id in decision_ids if is_row(entry_id)])
    for part in asked(sorted(set(decision_ids))):
        found += connection.execute(select(col(OutcomeRow.entry_id)).where(col(OutcomeRow.decision_id).in_(part))).scalars()
    return found
