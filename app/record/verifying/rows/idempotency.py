"""Idempotency keys: the entry that a repeated request is answered with is there, about the same subject."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, or_, select
from sqlmodel import col

from app.record.store.tables import EntryRow, IdempotencyRow
from app.record.verifying.verdict import MOST_FINDINGS, Findings


def compare_keys(connection: Connection, findings: Findings, *, of: str | None = None) -> None:
    """Hold idempotency keys against the entries they lead to.

    Args:
        connection: a transaction that reads.
        findings: where differences go.
        of: the id of one entry; left out, all keys are looked at.
    """
    given, own = col(IdempotencyRow.subject), col(EntryRow.subject)
    another: ColumnElement[bool] = or_(given != own, and_(given.is_(None), own.is_not(None)), and_(given.is_not(None), own.is_(None)))
    query = (
        select(col(IdempotencyRow.entry_id), col(EntryRow.id))
        .join(EntryRow, col(EntryRow.id) == col(IdempotencyRow.entry_id), isouter=True)
        .where(or_(col(EntryRow.id).is_(None), another))
    )
    query = query if of is None else query.where(col(IdempotencyRow.entry_id) == of)
    for row in connection.execute(query.limit(MOST_FINDINGS)):
        wrong = "there is no such entry" if row.id is None else "the entry is about another subject"
        findings.add("row", f"idempotency row of entry {row.entry_id}: {wrong}", None, row.entry_id)
