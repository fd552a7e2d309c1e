"""Results that local teams wrote on their lists, put on the record as outcomes: each once, however often a list comes back."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.campaign.problems import CellProblem
from app.campaign.results import RefusedResult, Result, Results
from app.record.damage import DamagedEntry
from app.record.ids import Ids
from app.record.outcomes import Answerable, Told, answerable, not_offered, outcome_entry, report_problems
from app.record.store.tables import OutcomeRow

if TYPE_CHECKING:
    from app.record.callers import Caller
    from app.record.store.database import Database
    from app.record.store.record import Record

_LOCK = 0x5EA3
"""Of whoever hands in a list, as long as an outcome of it is being stored."""
_FIELDS: Mapping[str, str] = {"reference": "outcome"}
"""The column of a list that a field of a report stands in, where that has another name."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows of a list: every row is in one of these.

    Attributes:
        recorded: rows that are new on the record.
        known: rows whose outcome was on the record already.
        refused: rows that cannot be taken, and why, in the order of the list.
        open: rows without an outcome yet.
    """

    recorded: int
    known: int
    refused: tuple[RefusedResult, ...]
    open: int

    @property
    def read(self) -> int:
        """How many rows."""
        return self.recorded + self.known + len(self.refused) + self.open


class _Known(Exception):
    """The outcome is on the record already."""


def take_results(record: Record, found: Results, by: Caller) -> Taken:
    """Put what a list tells on the record. Each outcome is durable when its turn is over; broken off, the list can be given again.

    Args:
        record: brought up to date, of a command.
        found: as the list was read.
        by: who hands it in.

    Raises:
        StoreError: the store does not take it.
    """
    recorded = known = 0
    refused, ids = list(found.refused), Ids()
    for result in found.found:
        wrong = _taken(record, result, by, ids)
        if wrong is None:
            recorded += 1
        elif wrong:
            refused.append(RefusedResult(result.row, result.line, tuple(wrong)))
        else:
            known += 1
    return Taken(recorded, known, tuple(sorted(refused, key=lambda row: row.row)), found.open)


def _taken(record: Record, result: Result, by: Caller, ids: Ids) -> Sequence[CellProblem] | None:
    """Put one outcome on the record: none where it is, nothing wrong where it was already, else what is wrong."""
    decision_id, now = str(result.decision), record.clock()
    try:
        decision = record.read_now(lambda connection: answerable(connection, decision_id))
    except DamagedEntry:
        return [_wrong("the decision cannot be read: the record is damaged", "decision")]
    wrong = _problems(decision, result, now)
    if decision is None or wrong:
        return wrong
    told = Told(ids.new(now), now, decision, result.report, by)
    entry = outcome_entry(told, _answer(told))
    try:
        record.write_now(entry, beside=lambda connection, _: _refuse_known(record.database, connection, result))
    except _Known:
        return []
    return None


def _problems(decision: Answerable | None, result: Result, now: datetime.datetime) -> list[CellProblem]:
    if decision is None:
        return [_wrong("no decision on record has this id", "decision")]
    if decision.offered(result.report.action) is None:
        return [_wrong(not_offered(decision, result.report.action), "action")]
    if decision.subject is None:
        return [_wrong("the person was erased", "decision")]
    return [_wrong(problem.message, _FIELDS.get(problem.field, problem.field)) for problem in report_problems(decision, result.report, now)]


def _wrong(message: str, column: str) -> CellProblem:
    return CellProblem(message, column, kind=message.partition(";")[0])


def _refuse_known(database: Database, connection: Connection, result: Result) -> None:
    """See that the outcome is not there yet, in the transaction that stores it; who hands in the same at the same time waits for its end.

    Raises:
        _Known: it is.
    """
    database.lock(connection, _LOCK)
    same = {"decision_id": str(result.decision), "action": result.report.action, "outcome": result.report.outcome}
    query = select(col(OutcomeRow.entry_id)).where(*(col(getattr(OutcomeRow, name)) == value for name, value in same.items()))
    if len(connection.execute(query.limit(2)).all()) > 1:
        raise _Known


def _answer(told: Told) -> bytes:
    """What the record keeps as the answer: that of `POST /v1/decisions/{id}/responses` where no decision follows."""
    because = "message" if told.report.outcome == "refused" else None
    shown: dict[str, Any] = {"outcome_id": told.id, "decision_id": told.decision.id, "action": told.report.action}
    shown |= {"outcome": told.report.outcome, "at": told.at, "record": {"state": "durable"}, "next": None, "next_because": because}
    return orjson.dumps(shown)
