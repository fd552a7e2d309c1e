"""Rows of contacts: an action of a decision is one, with the time of the outcome told first and the result of the most final one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, func, select
from sqlmodel import col

from app.record.campaigns.stored import stored_rows
from app.record.contacts import STRENGTH, contact_id
from app.record.damage import DamagedEntry
from app.record.search.indexing import asked
from app.record.store.database import blob
from app.record.store.months import first_moment_after
from app.record.store.tables import CheckpointRow, ContactRow, EntryRow, LeafRow, OutcomeRow
from app.record.verifying.archives import Archives
from app.record.verifying.opening import Wrapped
from app.record.verifying.rows.comparing import compare, rows_by, text
from app.record.verifying.rows.told import Told
from app.record.verifying.verdict import Findings

Round = Sequence[Row[Any]]
"""Outcomes of one action that were sealed together, so that the order in which they came is not known."""
_OUTCOME = OutcomeRow.__table__  # type: ignore[attr-defined]
_CONTACT = ContactRow.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class Contacts:
    """Holds contacts against the outcomes that made them known, a batch of outcomes at a time."""

    connection: Connection
    archives: Callable[[], Archives]
    findings: Findings
    _rows: dict[str, dict[str, Row[Any]]] = field(default_factory=dict)
    _decisions: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def compare(self, outcomes: Sequence[Told], kept: Mapping[str, Wrapped]) -> None:
        """Hold the contacts of those decisions of which the last outcome is among these against all that was told of them."""
        last = {told.entry.id: told for told in outcomes}
        decisions = {text(told.body, "decision") for told in outcomes}
        if not decisions:
            return
        self._read(decisions)
        for decision_id, siblings in groupby(_told_of(self.connection, decisions), key=lambda row: row.decision_id):
            rows = list(siblings)
            if rows[-1].entry_id in last:
                self._compare(decision_id, rows, last[rows[-1].entry_id], kept)

    def find_made_up(self) -> None:
        """Name contacts that no outcome of their decision makes known."""
        same = and_(col(OutcomeRow.decision_id) == col(ContactRow.decision_id), col(OutcomeRow.action) == col(ContactRow.action))
        query = select(_CONTACT).join(OutcomeRow, same, isouter=True).where(col(OutcomeRow.entry_id).is_(None))
        for row in self.connection.execute(query):
            if not self.archives().covers(row.decision_id):
                self._made_up(row, None)

    def _read(self, decisions: set[str]) -> None:
        self._rows = {decision_id: {} for decision_id in decisions}
        for row in rows_by(self.connection, ContactRow, "decision_id", decisions):
            self._rows[row.decision_id][row.id] = row
        self._decisions = dict(_bodies(self.connection, decisions))

    def _compare(self, decision_id: str, told: Sequence[Row[Any]], last: Told, kept: Mapping[str, Wrapped]) -> None:
        rows = self._rows.get(decision_id, {})
        by_action: dict[str, list[Row[Any]]] = {}
        for row in told:
            if row.outcome in STRENGTH and last.entry.subject in kept:
                by_action.setdefault(row.action, []).append(row)
        for action, outcomes in by_action.items():
            expected = self._expected(decision_id, action, last)
            found = rows.pop(expected["id"], None)
            if found is not None:
                self._one(expected, found, outcomes, last)
            elif not self._may_be_gone(decision_id, outcomes):
                self.findings.add("row", f"{_named(decision_id, action)}: it is missing", last.leaf, last.entry.id)
        if not self._archived(decision_id):
            for row in rows.values():
                self._made_up(row, last.leaf)

    def _expected(self, decision_id: str, action: str, last: Told) -> dict[str, Any]:
        """What the contact says whatever the outcomes. Of a decision that was archived nothing tells channel, kind and campaign."""
        body = self._decisions.get(decision_id)
        known = {"id": contact_id(decision_id, action), "subject": last.entry.subject, "action": action}
        if body is None:
            return known
        listed = (item for item in body.get("offered") or () if isinstance(item, dict) and item.get("action") == action)
        kind = next(listed, {}).get("kind")
        return {**known, "channel": body.get("channel"), "kind": kind, "campaign": body.get("campaign")}

    def _one(self, expected: Mapping[str, Any], found: Row[Any], outcomes: Sequence[Row[Any]], last: Told) -> None:
        what = _named(found.decision_id, expected["action"])
        compare(self.findings, what, expected, found, leaf=last.leaf, entry=last.entry.id)
        if self._archived(found.decision_id):  # the first outcomes may be gone with it
            return
        ats, results = _possible([[row] for row in outcomes])
        if found.at in ats and found.result in results:
            return
        ats, results = _possible(list(self._rounds(outcomes)))
        if found.at not in ats:
            self.findings.add("row", f"{what}: `at` says something else than its outcomes", last.leaf, last.entry.id)
        if found.result not in results:
            told = " or ".join(sorted(results))
            self.findings.add("row", f"{what}: `result` says {str(found.result)[:80]}, its outcomes {told}", last.leaf, last.entry.id)

    def _rounds(self, outcomes: Sequence[Row[Any]]) -> Iterator[Round]:
        """Outcomes by the checkpoint that was signed first over their leaves."""
        return (list(part) for _, part in groupby(outcomes, key=lambda row: self._signed(row.leaf_index)))

    def _signed(self, leaf: int | None) -> int | None:
        if leaf is None:
            return None
        return self.connection.execute(select(func.min(col(CheckpointRow.size))).where(col(CheckpointRow.size) > leaf)).scalar()

    def _may_be_gone(self, decision_id: str, outcomes: Sequence[Row[Any]]) -> bool:
        """Contacts go with the month of their time."""
        newest = max(self.archives().said, default=None)
        return self._archived(decision_id) or (newest is not None and min(row.at for row in outcomes) < first_moment_after(newest))

    def _archived(self, decision_id: str) -> bool:
        return decision_id not in self._decisions and self.archives().covers(decision_id)

    def _made_up(self, row: Row[Any], leaf: int | None) -> None:
        self.findings.add("row", f"contact row {row.id} of decision {row.decision_id}: no outcome makes it known", leaf, row.decision_id)


def _named(decision_id: str, action: str) -> str:
    return f"contact row of decision {decision_id}, action {action}"


def _told_of(connection: Connection, decisions: Iterable[str]) -> Iterator[Row[Any]]:
    """All outcomes of these decisions, a decision after the other, in the order in which they came."""
    found: list[Row[Any]] = []
    for part in asked(sorted(decisions)):
        query = select(_OUTCOME, col(LeafRow.leaf_index)).join(LeafRow, col(LeafRow.entry_id) == _OUTCOME.c.entry_id, isouter=True)
        found += connection.execute(query.where(_OUTCOME.c.decision_id.in_(part)))
    return iter(sorted(found, key=lambda row: (row.decision_id, row.leaf_index is None, row.leaf_index or 0, row.entry_id)))


def _bodies(connection: Connection, decisions: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in asked(sorted(decisions)):
        for row in connection.execute(select(col(EntryRow.id), col(EntryRow.envelope)).where(col(EntryRow.id).in_(part))):
            with contextlib.suppress(orjson.JSONDecodeError, TypeError, LookupError):  # one that was changed says nothing; its leaf tells
                yield row.id, dict(orjson.loads(blob(row.envelope))["body"])
    with contextlib.suppress(DamagedEntry):  # the part that has it tells
        yield from ((row.id, orjson.loads(row.envelope)["body"]) for row in stored_rows(connection, decisions).values())


def _possible(rounds: Iterable[Round]) -> tuple[set[str], set[str]]:
    """The times and the results that a contact may have: a result takes the place of one that is not more final."""
    ats: set[str] = set()
    results: set[str] = set()
    for told in rounds:
        ats = ats or {row.at for row in told}
        weakest = min((STRENGTH[result] for result in results), default=0)
        final = {row.outcome for row in told if STRENGTH[row.outcome] >= max(weakest, 1)}
        if not results:
            results = final or {row.outcome for row in told}
        elif final:
            least = max(STRENGTH[result] for result in final)
            results = final | {result for result in results if STRENGTH[result] > least}
    return ats, results
