"""What became of the actions of a decision, as entries. Adds to the anonymous counts:

| measure | grouped by | counts |
| --- | --- | --- |
| `outcome` | `action`, `channel`, `outcome` | outcomes |
| `told` | `agent`, `first`, `role` | actions of decisions that somebody told of, once each; `first` where it was the first on the list |
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.intake import FieldProblem
from app.engine.problems import nearest
from app.engine.vocabulary import OutcomeReport
from app.record.canonical import canonical
from app.record.contacts import contact_row
from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow
from app.record.store.database import stamp
from app.record.store.tables import ContactRow, EntryRow, OutcomeRow, SubjectRow

CLOCKS_DIFFER = datetime.timedelta(minutes=5)
"""How far the clock of who reports may be from ours."""
_NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Answerable:
    """A decision that outcomes may be told of.

    `subject` is the token of whom it was about, none once that person was erased. `told` are the actions that were told of before,
    each with the result of its contact, none where it has none.
    """

    id: str
    at: datetime.datetime
    subject: str | None
    body: Mapping[str, Any]
    told: Mapping[str, str | None]

    def offered(self, action: str) -> Mapping[str, Any] | None:
        """What the decision says of an action on its list."""
        return next((item for item in self.body["offered"] if item["action"] == action), None)


def answerable(connection: Connection, decision_id: str) -> Answerable | None:
    """The decision with this id; none where there is no such decision."""
    row = connection.execute(
        select(col(EntryRow.kind), col(EntryRow.at), col(EntryRow.envelope), col(SubjectRow.token))
        .outerjoin(SubjectRow, col(SubjectRow.token) == col(EntryRow.subject))
        .where(col(EntryRow.id) == decision_id)
    ).first()
    if row is None or row.kind != "decision":
        return None
    told: dict[str, str | None] = dict.fromkeys(
        connection.execute(select(col(OutcomeRow.action)).where(col(OutcomeRow.decision_id) == decision_id)).scalars()
    )
    contacts = select(col(ContactRow.action), col(ContactRow.result)).where(col(ContactRow.decision_id) == decision_id)
    told.update((contact.action, contact.result) for contact in connection.execute(contacts) if contact.action)
    return Answerable(decision_id, datetime.datetime.fromisoformat(row.at), row.token, orjson.loads(row.envelope)["body"], told)


def report_problems(decision: Answerable, report: OutcomeReport, now: datetime.datetime) -> Iterator[FieldProblem]:
    """What is wrong with a report on an action that was offered."""
    offered = decision.offered(report.action) or {}
    if report.outcome == "activated" and offered.get("confirm", "none") != "none" and report.reference is None:
        yield FieldProblem(
            "reference", f"is required: `{report.action}` needs the confirmation `{offered['confirm']}` before it is activated"
        )
    if report.outcome == "left" and report.reason is None:
        yield FieldProblem("reason", "is required where the outcome is `left`; `not_said` where nobody said why")
    if report.at is not None and report.at > now + CLOCKS_DIFFER:
        yield FieldProblem("at", "is later than now; what has not happened is no outcome")
    if report.at is not None and report.at < decision.at - CLOCKS_DIFFER:
        yield FieldProblem("at", "is before the decision")


def not_offered(decision: Answerable, action: str) -> str:
    """That an action was not on the list, and what was."""
    listed = [item["action"] for item in decision.body["offered"]]
    if not listed:
        return "the decision has no actions; its list is empty"
    hint = nearest(action, listed)
    return f"the decision did not offer this action but {', '.join(listed)}{f'; {hint}' if hint else ''}"


def outcome_entry(
    entry_id: str,
    now: datetime.datetime,
    decision: Answerable,
    report: OutcomeReport,
    at: datetime.datetime,
    caller: str,
    role: str,
    answer: bytes,
    idempotency: Idempotency | None = None,
) -> NewEntry:
    """The entry of an outcome, with its row, and the contact it makes known.

    Args:
        entry_id: its id.
        now: when it is told.
        decision: what it answers; the subscriber is still on record, and the action was offered.
        report: what is told.
        at: when it happened.
        caller: name of who tells.
        role: their role.
        answer: what they are answered, byte for byte.
        idempotency: their key for the request.
    """
    offered = decision.offered(report.action)
    if offered is None or decision.subject is None:
        raise ValueError("the action was not offered, or the person was erased")
    told = {"agent": report.agent, "reason": report.reason}
    body = {
        "caller": caller,
        "role": role,
        "decision": decision.id,
        "channel": decision.body["channel"],
        "pack": decision.body["pack"],
        "action": report.action,
        "rank": offered["rank"],
        "outcome": report.outcome,
        "at": stamp(at),
        **{name: value for name, value in told.items() if value is not None},
    }
    row = {
        "entry_id": entry_id,
        "decision_id": decision.id,
        "subject": SUBJECT,
        "action": report.action,
        "outcome": report.outcome,
        "at": stamp(at),
        "reference": report.reference,
        **told,
    }
    contact = contact_row(decision.body, decision.id, offered, report.outcome, at, decision.told.get(report.action))
    return NewEntry(
        id=entry_id,
        kind="outcome",
        at=now,
        body=body,
        token=decision.subject,
        private={"answer": answer.decode(), "reference": report.reference},
        idempotency=idempotency,
        rows=tuple(filter(None, (NewRow("outcome", row), contact))),
        tally=_tally(now, decision, body),
    )


def _tally(now: datetime.datetime, decision: Answerable, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if decision.body.get("test_line"):
        return None
    counts = [["outcome", _grouped(action=body["action"], channel=body["channel"], outcome=body["outcome"]), 1]]
    if body["action"] not in decision.told:
        agent = body.get("agent") or decision.body.get("agent") or _NOBODY
        counts.append(["told", _grouped(agent=agent, first=body["rank"] == 1, role=body["role"]), 1])
    return {"day": now.astimezone(datetime.UTC).date().isoformat(), "pack": decision.body["pack"], "counts": counts}


def _grouped(**values: object) -> str:
    return canonical(values).decode()
