"""Rows of what people chose for good: each is what the newest entry about the choice says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select
from sqlmodel import col

from app.record.choices import Chosen, chosen_by
from app.record.log.merkle import leaf_hash
from app.record.store.database import blob
from app.record.store.tables import ChoiceRow, EntryRow, LeafRow
from app.record.verifying.opening import Wrapped
from app.record.verifying.rows.comparing import compare, rows_by
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

_CHOICE = ChoiceRow.__table__  # type: ignore[attr-defined]


def compare_choices(connection: Connection, entries: Sequence[Told], kept: Mapping[str, Wrapped], findings: Findings) -> None:
    """See that each choice that these entries make or take back has its row, and that it is theirs or a newer entry's.

    Args:
        connection: a transaction that reads.
        entries: of the kinds `choice` and `outcome`.
        kept: subjects that are not erased.
        findings: where differences go.
    """
    chosen = [(told, found) for told in entries if told.entry.subject in kept and (found := chosen_by(told.entry.kind, told.body))]
    if not chosen:
        return
    subjects = {told.entry.subject for told, _ in chosen if told.entry.subject}
    rows = {(row.subject, row.choice, row.about): row for row in rows_by(connection, ChoiceRow, "subject", subjects)}
    for told, found in chosen:
        row = rows.get((str(told.entry.subject), found.choice, found.about))
        if row is None:
            findings.add("row", f"{_named(told.entry.id)}: it is missing", told.leaf, told.entry.id)
        elif row.entry_id < told.entry.id:
            findings.add("row", f"{_named(row.entry_id)}: a newer entry says otherwise", told.leaf, told.entry.id)


def find_made_up_choices(connection: Connection, findings: Findings) -> None:
    """Hold every row against the entry that it names: all are obeyed, however old."""
    query = (
        select(_CHOICE, col(EntryRow.id), col(EntryRow.kind), col(EntryRow.subject).label("owner"), col(EntryRow.envelope))
        .add_columns(col(EntryRow.at).label("told_at"), col(LeafRow.leaf_index), col(LeafRow.hash))
        .join(EntryRow, col(EntryRow.id) == _CHOICE.c.entry_id, isouter=True)
        .join(LeafRow, col(LeafRow.entry_id) == _CHOICE.c.entry_id, isouter=True)
    )
    for row in connection.execute(query):
        found = None if row.id is None else chosen_by(row.kind, _body(row))
        if found is None or (row.hash is not None and leaf_hash(blob(row.envelope)) != blob(row.hash)):
            findings.add("row", f"{_named(row.entry_id)}: there is no such choice", row.leaf_index, row.entry_id)
            continue
        compare(findings, _named(row.entry_id), _expected(row, found), row, leaf=row.leaf_index, entry=row.entry_id)


def _expected(row: Row[Any], found: Chosen) -> Mapping[str, Any]:
    return {**found._asdict(), "subject": row.owner, "at": row.told_at}


def _body(row: Row[Any]) -> Mapping[str, Any]:
    try:
        body = orjson.loads(blob(row.envelope))["body"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return body if isinstance(body, dict) else {}


def _named(entry_id: str) -> str:
    return f"choice row of entry {entry_id}"
