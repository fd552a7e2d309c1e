"""Rows of recommendations: each says whose list its entry stands on, as the entry does; entries of erased persons have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, or_, select
from sqlmodel import col

from app.record.recommendations import VIA, recommendation_row
from app.record.store.tables import EntryRow, RecommendationRow
from app.record.verifying.archives import Archives
from app.record.verifying.opening import Wrapped
from app.record.verifying.reading import Entry
from app.record.verifying.rows.comparing import compare, rows_by
from app.record.verifying.rows.told import Told, told_by
from app.record.verifying.verdict import Findings

KINDS = ("decision", "enquiry")
_TABLE = RecommendationRow.__table__  # type: ignore[attr-defined]


def compare_recommendations(
    connection: Connection, entries: Sequence[tuple[int | None, Entry]], kept: Mapping[str, Wrapped], findings: Findings
) -> None:
    """Hold the rows of these entries against them.

    Args:
        connection: a transaction that reads.
        entries: of any kind, each with its leaf.
        kept: subjects that are not erased.
        findings: where differences go.
    """
    asked = [told for kind in KINDS for told in told_by(entries, kind) if _is_listed(told, kept)]
    rows = {row.entry_id: row for row in rows_by(connection, RecommendationRow, "entry_id", {told.entry.id for told in asked})}
    for told in asked:
        what = f"recommendation row of entry {told.entry.id}"
        if told.entry.id not in rows:
            findings.add("row", f"{what}: it is missing", told.leaf, told.entry.id)
            continue
        expected = recommendation_row(told.entry.id, told.entry.subject, told.body)
        compare(findings, what, expected, rows[told.entry.id], leaf=told.leaf, entry=told.entry.id)


def find_made_up_recommendations(connection: Connection, archives: Archives, findings: Findings) -> None:
    """Name rows whose entry is of another kind or person, or is not there, and was not archived."""
    same = and_(col(EntryRow.kind).in_(KINDS), col(EntryRow.subject) == _TABLE.c.subject)
    query = (
        select(_TABLE.c.entry_id, col(EntryRow.id))
        .join(EntryRow, col(EntryRow.id) == _TABLE.c.entry_id, isouter=True)
        .where(or_(col(EntryRow.id).is_(None), ~same))
    )
    for row in connection.execute(query):
        if row.id is not None or not archives.covers(row.entry_id):
            findings.add("row", f"recommendation row of entry {row.entry_id}: there is no such recommendation", None, row.entry_id)


def _is_listed(told: Told, kept: Mapping[str, Wrapped]) -> bool:
    return told.body.get("via") == VIA and told.entry.subject in kept
