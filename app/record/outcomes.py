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
from app.record.callers import Caller
from app.record.campaigns.ids import is_row
from app.record.campaigns.stored import stored_row
from app.record.canonical import canonical
from app.record.choices import choice_row, chosen_by
from app.record.contacts import contact_row
from app.record.counting import counted
from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow
from app.record.store.database import stamp
from app.record.store.tables import ContactRow, EntryRow, OutcomeRow, SubjectRow

CLOCKS_DIFFER = datetime.timedelta(minutes=5)
"""How far the clock of who reports may be from ours."""
WITH_REASON = ("refused", "left")
"""Outcomes that have a reason."""
_NOBODY = "-"
_OPENING: Mapping[str, frozenset[str]] = {
    "accepted": frozenset({"accepted", "activated"}),
    "told": frozenset({"shown", "sent", "ignored", "accepted", "activated"}),
}
"""By when an action opens a case, the outcomes that open it."""


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
    found = _decision(connection, decision_id)
    if found is None:
        return None
    envelope, subject = found
    told: dict[str, str | None] = dict.fromkeys(
        connection.execute(select(col(OutcomeRow.action)).where(col(OutcomeRow.decision_id) == decision_id)).scalars()
    )
    contacts = select(col(ContactRow.action), col(ContactRow.result)).where(col(ContactRow.decision_id) == decision_id)
    told.update((contact.action, contact.result) for contact in connection.execute(contacts) if contact.action)
    return Answerable(decision_id, datetime.datetime.fromisoformat(envelope["at"]), subject, envelope["body"], told)


def _decision(connection: Connection, decision_id: str) -> tuple[Mapping[str, Any], str | None] | None:
    """The envelope of a decision, and the token of whom it is about while the person is known."""
    if is_row(decision_id):
        stored = stored_row(connection, decision_id)
        if stored is None:
            return None
        known = connection.execute(select(col(SubjectRow.token)).where(col(SubjectRow.token) == stored.subject)).scalar_one_or_none()
        return orjson.loads(stored.envelope), known
    row = connection.execute(
        select(col(EntryRow.kind), col(EntryRow.envelope), col(SubjectRow.token))
        .outerjoin(SubjectRow, col(SubjectRow.token) == col(EntryRow.subject))
        .where(col(EntryRow.id) == decision_id)
    ).first()
    return None if row is None or row.kind != "decision" else (orjson.loads(row.envelope), row.token)


def report_problems(decision: Answerable, report: OutcomeReport, now: datetime.datetime) -> Iterator[FieldProblem]:
    """What is wrong with a report on an action that was offered."""
    offered = decision.offered(report.action) or {}
    if report.outcome == "activated" and offered.get("confirm", "none") != "none" and report.reference is None:
        yield FieldProblem(
            "reference", f"is required: `{report.action}` needs the confirmation `{offered['confirm']}` before it is activated"
        )
    if report.outcome == "left" and report.reason is None:
        yield FieldProblem("reason", "is required where the outcome is `left`; `not_said` where nobody said why")
    if report.reason is not None and report.outcome not in WITH_REASON:
        yield FieldProblem("reason", f"is told of {' and '.join(f'`{outcome}`' for outcome in WITH_REASON)} only; leave it out")
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


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody tells of an action that was offered, and that may be taken.

    Attributes:
        id: of the entry that it becomes.
        now: when it is told.
        decision: what it answers; the subscriber is still on record.
        report: what is told; the action is on the decision's list.
        by: who tells.
        for_good: the person never wants the action again; what they refuse in self-service is refused so anyway.
    """

    id: str
    now: datetime.datetime
    decision: Answerable
    report: OutcomeReport
    by: Caller
    for_good: bool = False

    @property
    def at(self) -> datetime.datetime:
        """When it happened; by a clock that is ahead of ours, now."""
        return min(self.report.at or self.now, self.now)

    @property
    def offered(self) -> Mapping[str, Any]:
        """What the decision says of the action.

        Raises:
            ValueError: it is not on the list.
        """
        offered = self.decision.offered(self.report.action)
        if offered is None:
            raise ValueError("the action was not offered")
        return offered


def outcome_entry(
    told: Told, answer: bytes, idempotency: Idempotency | None = None, *, status: int = 200, then: NewEntry | None = None
) -> NewEntry:
    """The entry of an outcome, with its row, and the contact it makes known; what the person refuses in self-service they refuse for good.

    Args:
        told: the outcome.
        answer: what who tells it is answered, byte for byte.
        idempotency: their key for the request.
        status: of the answer, in HTTP's terms.
        then: the next decision that it leads to, which is stored with it.

    Raises:
        ValueError: the action was not offered, or the person was erased.
    """
    decision, report = told.decision, told.report
    if decision.subject is None:
        raise ValueError("the person was erased")
    body = _body(told)
    row = NewRow("outcome", outcome_row(told.id, SUBJECT, body, report.reference))
    contact = contact_row(decision.body, decision.id, told.offered, report.outcome, told.at, decision.told.get(report.action))
    return NewEntry(
        id=told.id,
        kind="outcome",
        at=told.now,
        body=body,
        token=decision.subject,
        private={"answer": answer.decode(), "reference": report.reference, **({} if status == 200 else {"status": status})},
        idempotency=idempotency,
        rows=tuple(filter(None, (row, contact, _refused_for_good(told, body)))),
        tally=_tally(told.now, decision, body),
        companion=then,
    )


def _body(told: Told) -> Mapping[str, Any]:
    """What the envelope says: codes only."""
    for_good = told.report.outcome == "refused" and (told.for_good or told.by.role == "self_service")
    optional = {
        "agent": told.report.agent,
        "reason": told.report.reason,
        "choice": "no_action" if for_good else None,
        "opens": _opened(told),
    }
    return {
        "caller": told.by.name,
        "role": told.by.role,
        "decision": told.decision.id,
        "channel": told.decision.body["channel"],
        "pack": told.decision.body["pack"],
        "action": told.report.action,
        "rank": told.offered["rank"],
        "outcome": told.report.outcome,
        "at": stamp(told.at),
        **{name: value for name, value in optional.items() if value is not None},
    }


def _opened(told: Told) -> Mapping[str, Any] | None:
    """The case that an outcome opens: with the first one that says that the person accepted, or was told, as the action has it."""
    opens: Mapping[str, Any] = told.offered.get("opens", {})
    opening = _OPENING.get(opens.get("when", ""), frozenset())
    return opens if told.report.outcome in opening and told.decision.told.get(told.report.action) not in opening else None


def _refused_for_good(told: Told, body: Mapping[str, Any]) -> NewRow | None:
    chosen = chosen_by("outcome", body)
    return None if chosen is None else choice_row(told.id, told.now, chosen)


def outcome_row(entry_id: str, subject: object, body: Mapping[str, Any], reference: str | None) -> dict[str, Any]:
    """The row that restates an outcome's entry: what it is found by, beside the decision it answers.

    Args:
        entry_id: of the outcome.
        subject: the token of whom it is about; none once that person was erased.
        body: of the entry's envelope.
        reference: the confirmation, which only the private payload has.
    """
    told = {name: body.get(name) for name in ("action", "outcome", "at", "agent", "reason")}
    return {"entry_id": entry_id, "decision_id": body.get("decision"), "subject": subject, "reference": reference, **told}


def _tally(now: datetime.datetime, decision: Answerable, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if decision.body.get("test_line"):
        return None
    counts = [["outcome", _grouped(action=body["action"], channel=body["channel"], outcome=body["outcome"]), 1]]
    if body["action"] not in decision.told:
        agent = body.get("agent") or decision.body.get("agent") or _NOBODY
        counts.append(["told", _grouped(agent=agent, first=body["rank"] == 1, role=body["role"]), 1])
    return counted(now, decision.body["pack"], counts)


def _grouped(**values: object) -> str:
    return canonical(values).decode()
