"""What people chose for good about how they are treated: entries of the record, with a row each for what stands.

A choice stands until the person takes it back, whatever callers know of them. It is made by an entry of the kind `choice`, or by a refusal
that the person told in self-service: that outcome's entry says `choice: no_action`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.vocabulary.choices import Choice, ChoiceName
from app.record.callers import Caller
from app.record.entries import SUBJECT, NewEntry, NewRow
from app.record.store.database import stamp
from app.record.store.tables import ChoiceRow

Step = Literal["made", "taken_back"]
MADE: Step = "made"
TAKEN_BACK: Step = "taken_back"
REPLACED = ("step", "at", "entry_id")
_columns = (col(ChoiceRow.choice), col(ChoiceRow.about), col(ChoiceRow.at), col(ChoiceRow.entry_id), col(ChoiceRow.subject))
_standing = select(*_columns).where(col(ChoiceRow.step) == MADE).order_by(col(ChoiceRow.entry_id))


class Chosen(NamedTuple):
    """What an entry says that somebody chose, or took back. `about` is empty where the choice is about nothing in particular."""

    choice: str
    about: str
    step: str


def choice_entry(
    entry_id: str,
    now: datetime.datetime,
    subscriber: str,
    choice: ChoiceName,
    about: str | None,
    step: Step,
    *,
    by: Caller,
    decision: str | None = None,
) -> NewEntry:
    """The entry of a choice, with its row.

    Args:
        entry_id: id of the entry.
        now: the time.
        subscriber: the operator's id of who chooses.
        choice: what.
        about: the channel or the action of the choice.
        step: `made` or `taken_back`.
        by: who calls.
        decision: the decision that offered the action, where one is named.
    """
    told = {"caller": by.name, "role": by.role, "choice": choice, "about": about, "step": step, "decision": decision}
    body = {name: value for name, value in told.items() if value is not None}
    rows = (choice_row(entry_id, now, Chosen(choice, about or "", step)),)
    private = {"subscriber": {"id": subscriber}}  # whoever is to decide in the service's place is told of whom
    return NewEntry(entry_id, "choice", now, body, subscriber=subscriber, private=private, rows=rows)


def choice_row(entry_id: str, now: datetime.datetime, chosen: Chosen) -> NewRow:
    """The row that restates an entry's choice; of entries that come together the newer one's stays."""
    return NewRow("choice", {"subject": SUBJECT, **chosen._asdict(), "at": stamp(now), "entry_id": entry_id}, replacing=REPLACED)


def chosen_by(kind: str, body: Mapping[str, Any]) -> Chosen | None:
    """The choice that an entry makes or takes back; none where it is about something else.

    Args:
        kind: of the entry.
        body: of its envelope.
    """
    if kind == "choice":
        return Chosen(str(body.get("choice")), str(body.get("about") or ""), str(body.get("step")))
    if kind == "outcome" and body.get("choice") == "no_action":
        return Chosen("no_action", str(body.get("action")), MADE)
    return None


def choices_told(envelopes: Iterable[Mapping[str, Any]]) -> list[Choice]:
    """The choices that stand, as the entries themselves tell it, oldest first.

    Args:
        envelopes: of the entries about a person, oldest first.
    """
    found: dict[tuple[str, str], Choice] = {}
    for told in envelopes:
        chosen = chosen_by(told["kind"], told["body"])
        if chosen is not None:
            found.pop(chosen[:2], None)
        if chosen is not None and chosen.step == MADE:
            found[chosen[:2]] = Choice(cast("ChoiceName", chosen.choice), chosen.about or None, told["at"], told["id"])
    return list(found.values())


def standing_of(connection: Connection, token: str) -> tuple[Choice, ...]:
    """The choices of a subject that stand, oldest first."""
    rows = connection.execute(_standing.where(col(ChoiceRow.subject) == token))
    return tuple(_choice(row) for row in rows)


def standing_by_token(connection: Connection, tokens: Sequence[str]) -> dict[str, tuple[Choice, ...]]:
    """The choices of these subjects that stand, oldest first; nothing of the others."""
    found: dict[str, tuple[Choice, ...]] = {}
    for row in connection.execute(_standing.where(col(ChoiceRow.subject).in_(tokens))):
        found[row.subject] = (*found.get(row.subject, ()), _choice(row))
    return found


def _choice(row: Any) -> Choice:
    return Choice(row.choice, row.about or None, row.at, row.entry_id)
