"""The rows around one entry: for a decision what came of it, the key it was asked under, and its pack; for another entry its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.keys import Keys
from app.record.store.tables import EntryRow, LeafRow, OutcomeRow
from app.record.verifying.archives import Archives
from app.record.verifying.opening import wrapped_keys
from app.record.verifying.reading import Entry, columns, entry_of
from app.record.verifying.rows.choices import compare_choices
from app.record.verifying.rows.comparing import text
from app.record.verifying.rows.contacts import Contacts
from app.record.verifying.rows.idempotency import compare_keys
from app.record.verifying.rows.outcomes import compare_outcomes
from app.record.verifying.rows.packs import compare_files
from app.record.verifying.rows.recommendations import compare_recommendations
from app.record.verifying.rows.subjects import SubjectLeaves
from app.record.verifying.rows.successors import compare_successors
from app.record.verifying.rows.told import Told, told_by
from app.record.verifying.verdict import Findings


def rows_of_entry(connection: Connection, keys: Keys, leaf: int | None, entry: Entry, findings: Findings) -> None:
    """Compare the rows around one entry.

    Outcomes of a decision are found by their rows: one whose row was deleted is missed here, and found by reading the whole log.

    Args:
        connection: a transaction that reads.
        keys: of the log.
        leaf: of the entry; none while it waits.
        entry: any.
        findings: where differences go.
    """
    kept = wrapped_keys(connection, {entry.subject} if entry.subject else ())
    if leaf is not None:
        SubjectLeaves(connection, findings).compare([(leaf, entry)], kept)
    compare_keys(connection, findings, of=entry.id)
    compare_recommendations(connection, [(leaf, entry)], kept, findings)
    body = (entry.told or {}).get("body")
    codes = body if isinstance(body, dict) else {}
    if entry.kind in ("decision", "outcome"):
        decision_id = entry.id if entry.kind == "decision" else text(codes, "decision")
        found = {told.entry.id: told for told in (*_outcomes(connection, decision_id), *told_by([(leaf, entry)], "outcome"))}
        outcomes = sorted(found.values(), key=lambda told: told.place)
        compare_outcomes(connection, keys, outcomes, kept, findings)
        Contacts(connection, cache(lambda: Archives.read(connection)), findings).compare(outcomes, kept)
    compare_choices(connection, [*told_by([(leaf, entry)], "choice"), *told_by([(leaf, entry)], "outcome")], kept, findings)
    if entry.kind == "decision" and text(codes, "parent"):
        compare_successors(connection, [*told_by([(leaf, entry)], "decision")], Archives.read(connection), findings)
    if entry.kind == "decision" and text(codes, "pack"):
        compare_files(connection, text(codes, "pack"), findings)


def _outcomes(connection: Connection, decision_id: str) -> Iterator[Told]:
    query = (
        select(col(LeafRow.leaf_index), *columns())
        .join(OutcomeRow, col(OutcomeRow.entry_id) == col(EntryRow.id))
        .join(LeafRow, col(LeafRow.entry_id) == col(EntryRow.id), isouter=True)
        .where(col(OutcomeRow.decision_id) == decision_id)
    )
    for row in connection.execute(query).all():
        yield from told_by([(row.leaf_index, entry_of(row))], "outcome")
