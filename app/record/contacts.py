"""The contact history that outcomes make known: one for all channels, by subscriber."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlmodel import col

from app.engine.vocabulary import LONGEST_HISTORY, Contact
from app.record.entries import SUBJECT, NewRow
from app.record.keys import Keys
from app.record.privacy import lookup_of
from app.record.store.database import stamp
from app.record.store.tables import ContactRow, SubjectRow

STRENGTH: Mapping[str, int] = {"shown": 0, "sent": 0, "ignored": 1, "accepted": 2, "refused": 2, "activated": 2}
"""Outcomes that are a contact, and how final they are: a stronger or equal one takes the place of what was told before."""
_namespace = uuid.UUID("5f0c6f2e-7c1b-4c55-9a3e-1d0b5a7d9a10")


def contacts_of(connection: Connection, keys: Keys, subscriber_id: str) -> tuple[Contact, ...]:
    """The subscriber's contacts on the record, oldest first, the latest 5,000. Those of one decision are one message."""
    return contacts_with(connection, select(col(SubjectRow.token)).where(col(SubjectRow.lookup) == lookup_of(keys, subscriber_id)))


def contacts_with(connection: Connection, token: str | Select[Any]) -> tuple[Contact, ...]:
    """As `contacts_of`, by the subject's token, or the query that finds it."""
    subject = token if isinstance(token, str) else token.scalar_subquery()
    columns = (getattr(ContactRow, name) for name in ("at", "channel", "kind", "action", "campaign", "result", "decision_id"))
    query: Select[Any] = (
        select(*columns)
        .where(col(ContactRow.subject) == subject)
        .order_by(col(ContactRow.at).desc(), col(ContactRow.id).desc())
        .limit(LONGEST_HISTORY)
    )
    return tuple(_contact(row) for row in reversed(connection.execute(query).mappings().all()))


def contact_row(
    decision: Mapping[str, Any], decision_id: str, offered: Mapping[str, Any], outcome: str, at: datetime.datetime, before: str | None
) -> NewRow | None:
    """The contact that an outcome makes known, or the result of the one that an earlier outcome did; none where it is no contact.

    An action of a decision is one contact, however many outcomes tell of it.

    Args:
        decision: what the decision's entry says.
        decision_id: its id.
        offered: what it says of the action.
        outcome: what became of the action.
        at: when.
        before: the contact's result so far; none where there is no contact yet.
    """
    strength = STRENGTH.get(outcome)
    if strength is None:
        return None
    values = {
        "id": contact_id(decision_id, offered["action"]),
        "subject": SUBJECT,
        "at": stamp(at),
        "channel": decision["channel"],
        "kind": offered["kind"],
        "action": offered["action"],
        "campaign": decision.get("campaign"),
        "result": outcome,
        "decision_id": decision_id,
    }
    weaker = strength == 0 or (before is not None and strength < STRENGTH.get(before, 0))
    return NewRow("contact", values, replacing=() if weaker else ("result",))


def contact_id(decision_id: str, action: str) -> str:
    """The id of the contact that an action of a decision is."""
    return str(uuid.uuid5(_namespace, f"{decision_id}/{action}"))


def _contact(row: Mapping[Any, Any]) -> Contact:
    told = {"at": datetime.datetime.fromisoformat(row["at"]), "message": row["decision_id"]}
    known = {name: row[name] for name in ("channel", "kind", "action", "campaign", "result") if row[name] is not None}
    return Contact(**told, **known)
