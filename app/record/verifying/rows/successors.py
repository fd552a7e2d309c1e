"""Rows of conversations: each decision that went on from another is its one successor, and the one it names was there before it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.campaigns.stored import stored_rows
from app.record.damage import DamagedEntry
from app.record.decisions import successor_row
from app.record.store.tables import EntryRow, SuccessorRow
from app.record.verifying.archives import Archives
from app.record.verifying.rows.comparing import compare, rows_by, text
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

_TABLE = SuccessorRow.__table__  # type: ignore[attr-defined]


def compare_successors(connection: Connection, decisions: Sequence[Told], archives: Archives, findings: Findings) -> None:
    """Hold the rows of these decisions, and the decisions before them, against what they say.

    Args:
        connection: a transaction that reads.
        decisions: entries of the kind `decision`.
        archives: what was archived.
        findings: where differences go.
    """
    following = [told for told in decisions if text(told.body, "parent")]
    if not following:
        return
    named = {text(told.body, "parent") for told in following}
    rows = {row.parent: row for row in rows_by(connection, SuccessorRow, "parent", set(named))}
    parents = _parents(connection, set(named))
    for told in following:
        parent, what = text(told.body, "parent"), f"successor row of entry {told.entry.id}"
        if parent not in rows:
            findings.add("row", f"{what}: it is missing", told.leaf, told.entry.id)
        else:
            compare(findings, what, successor_row(told.entry.id, parent), rows[parent], leaf=told.leaf, entry=told.entry.id)
        wrong = _wrong(parents.get(parent), told, archives, parent)
        if wrong:
            findings.add("row", f"the decision before {told.entry.id} in its conversation: {wrong}", told.leaf, told.entry.id)


def find_made_up_successors(connection: Connection, archives: Archives, findings: Findings) -> None:
    """Name rows whose decision does not go on from that parent, or is not there, and was not archived."""
    query = select(_TABLE.c.parent, _TABLE.c.entry_id, col(EntryRow.id), col(EntryRow.envelope)).join(
        EntryRow, col(EntryRow.id) == _TABLE.c.entry_id, isouter=True
    )
    for row in connection.execute(query):
        if row.id is None and archives.covers(row.entry_id):
            continue
        if row.id is None or _parent(bytes(row.envelope)) != row.parent:
            what = f"successor row of entry {row.entry_id}"
            findings.add("row", f"{what}: it is not the next decision after {row.parent}", None, row.entry_id)


class _Parent(NamedTuple):
    """A decision that another one goes on from."""

    kind: str
    subject: str | None


def _parents(connection: Connection, named: set[str]) -> Mapping[str, _Parent]:
    """Those that are there, by id; of a campaign whose file is damaged none, which its part tells."""
    found = {row.id: _Parent(row.kind, row.subject) for row in rows_by(connection, EntryRow, "id", named)}
    with contextlib.suppress(DamagedEntry):
        found |= {row.id: _Parent("decision", row.subject) for row in stored_rows(connection, named).values()}
    return found


def _wrong(parent: _Parent | None, told: Told, archives: Archives, parent_id: str) -> str:
    """What is wrong with the decision before; nothing where it is as it should be."""
    if parent is None:
        return "" if archives.covers(parent_id) else "there is no such decision"
    if parent.kind != "decision" or parent_id >= told.entry.id:
        return "it is no decision that was made before"
    return "" if parent.subject == told.entry.subject else "it is about somebody else"


def _parent(envelope: bytes) -> str:
    try:
        told = orjson.loads(envelope)
    except orjson.JSONDecodeError:
        return ""
    body = told.get("body") if isinstance(told, dict) and told.get("kind") == "decision" else None
    return text(body, "parent") if isinstance(body, dict) else ""
