"""Rows of outcomes: each is what its entry says, and the reference what its payload says while the person's key is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, or_, select
from sqlmodel import col

from app.record.keys import Keys
from app.record.outcomes import outcome_row
from app.record.store.tables import EntryRow, OutcomeRow
from app.record.verifying.archives import Archives
from app.record.verifying.opening import Wrapped
from app.record.verifying.reading import Entry
from app.record.verifying.rows.comparing import compare, rows_by
from app.record.verifying.rows.payloads import Unopened, payload_of
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

_TABLE = OutcomeRow.__table__  # type: ignore[attr-defined]


def compare_outcomes(connection: Connection, keys: Keys, outcomes: Sequence[Told], kept: Mapping[str, Wrapped], findings: Findings) -> None:
    """Hold the rows of these outcomes against their entries.

    Args:
        connection: a transaction that reads.
        keys: of the log.
        outcomes: entries of the kind `outcome`.
        kept: subjects that are not erased.
        findings: where differences go.
    """
    rows = {row.entry_id: row for row in rows_by(connection, OutcomeRow, "entry_id", {told.entry.id for told in outcomes})}
    for told in outcomes:
        what = f"outcome row of entry {told.entry.id}"
        if told.entry.id not in rows:
            findings.add("row", f"{what}: it is missing", told.leaf, told.entry.id)
            continue
        expected = outcome_row(told.entry.id, _owner(told.entry, kept), told.body, None)
        try:
            expected["reference"] = payload_of(keys, told.entry, kept).get("reference")
        except Unopened as error:
            del expected["reference"]
            findings.add("row", f"{what}: the reference cannot be compared: {error}", told.leaf, told.entry.id)
        compare(findings, what, expected, rows[told.entry.id], leaf=told.leaf, entry=told.entry.id)


def find_made_up_outcomes(connection: Connection, archives: Archives, findings: Findings) -> None:
    """Name rows whose entry is no outcome, or is not there, and was not archived."""
    query = (
        select(_TABLE.c.entry_id, col(EntryRow.id))
        .join(EntryRow, col(EntryRow.id) == _TABLE.c.entry_id, isouter=True)
        .where(or_(col(EntryRow.id).is_(None), col(EntryRow.kind) != "outcome"))
    )
    for row in connection.execute(query):
        if row.id is not None or not archives.covers(row.entry_id):
            findings.add("row", f"outcome row of entry {row.entry_id}: there is no such outcome", None, row.entry_id)


def _owner(entry: Entry, kept: Mapping[str, Wrapped]) -> str | None:
    return entry.subject if entry.subject in kept else None
