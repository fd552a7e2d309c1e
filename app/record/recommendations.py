"""Decisions that were asked for as TM Forum recommendations, and enquiries about nobody: whose list each stands on, and how lists are read.

What was asked with, beside the case, is kept in the private payload under `tmf680`. An enquiry names no subscriber; what it was asked with
may be somebody's all the same, so that it has a key of its own, under `enquiry:` and its id, and is erased like a person.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import col

from app.record.entries import SUBJECT, Idempotency, NewEntry, NewRow
from app.record.keys import Keys
from app.record.reading.recorded import Recorded, read_entry
from app.record.store.tables import RecommendationRow

TABLE = "recommendation"
VIA = "tmf680"
"""What the body of an entry has under `via`, and what its payload keeps under this name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Whose recommendations are meant; what is none is not looked at.

    Attributes:
        role: that asked.
        callers: names, of which one asked.
        agent: code of the person in front of the screen.
        subject: token of whom they are about.
    """

    role: str | None = None
    callers: Sequence[str] | None = None
    agent: str | None = None
    subject: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """That a row is one of theirs."""
        found = [
            col(getattr(RecommendationRow, name)) == value
            for name in ("role", "agent", "subject")
            if (value := getattr(self, name)) is not None
        ]
        return found if self.callers is None else [*found, col(RecommendationRow.caller).in_(self.callers)]


@dataclass(frozen=True, slots=True)
class Enquiry:
    """A question about nobody.

    Attributes:
        id: of the entry that it becomes.
        at: when it was asked.
        body: codes: `caller`, `role`, `pack`, with `agent` where there is one.
        kept: what it was asked with.
        answer: what it was answered, byte for byte.
    """

    id: str
    at: datetime.datetime
    body: Mapping[str, Any]
    kept: Mapping[str, Any]
    answer: bytes


def as_recommendation(entry: NewEntry, kept: Mapping[str, Any]) -> NewEntry:
    """A decision's entry, on the list of who asked for it as a recommendation.

    Args:
        entry: of the decision.
        kept: what it was asked with, beside the case.
    """
    body = {**entry.body, "via": VIA}
    row = NewRow(TABLE, recommendation_row(entry.id, SUBJECT, body))
    private = {**(entry.private or {}), VIA: orjson.dumps(kept).decode()}
    return replace(entry, body=body, private=private, rows=(*entry.rows, row))


def enquiry_entry(asked: Enquiry, idempotency: Idempotency | None = None) -> NewEntry:
    """The entry of a question about nobody, on the list of who asked it."""
    entry = NewEntry(
        id=asked.id,
        kind="enquiry",
        at=asked.at,
        body=asked.body,
        subscriber=f"enquiry:{asked.id}",
        private={"answer": asked.answer.decode()},
        idempotency=idempotency,
    )
    return as_recommendation(entry, asked.kept)


def recommendation_row(entry_id: str, subject: object, body: Mapping[str, Any]) -> dict[str, Any]:
    """The row that restates whose list an entry stands on.

    Args:
        entry_id: of the decision or enquiry.
        subject: the token of whom it is about.
        body: of the entry's envelope.
    """
    return {"entry_id": entry_id, "subject": subject, **{name: body.get(name) for name in ("role", "caller", "agent")}}


def kept_of(found: Recorded) -> Mapping[str, Any]:
    """What a recommendation was asked with; nothing where it cannot be read."""
    kept: Mapping[str, Any] = orjson.loads((found.private or {}).get(VIA, "{}"))
    return kept


def recommendation(connection: Connection, keys: Keys, entry_id: str, listed: Listed) -> Recorded | None:
    """The recommendation with this id; none where there is none on this list, or the person was erased.

    Raises:
        DamagedEntry: it is not what was recorded.
    """
    query = select(col(RecommendationRow.entry_id)).where(col(RecommendationRow.entry_id) == entry_id, *listed.conditions())
    if connection.execute(query).first() is None:
        return None
    found = read_entry(connection, keys, entry_id)
    return found if found is not None and found.private is not None else None


def recommendations(
    connection: Connection, keys: Keys, listed: Listed, *, offset: int = 0, limit: int, only: str | None = None
) -> tuple[int, list[Recorded]]:
    """How many recommendations a list has, and some of them, newest first.

    Args:
        connection: a reading transaction.
        keys: of the record.
        listed: whose.
        offset: how many of the newest to leave out.
        limit: how many to read.
        only: the id of one; others are left out.

    Raises:
        DamagedEntry: one is not what was recorded.
    """
    wanted = [*listed.conditions(), *([] if only is None else [col(RecommendationRow.entry_id) == only])]
    total: int = connection.execute(select(func.count()).select_from(RecommendationRow).where(*wanted)).scalar_one()
    newest = select(col(RecommendationRow.entry_id)).where(*wanted).order_by(col(RecommendationRow.entry_id).desc())
    ids = connection.execute(newest.offset(offset).limit(limit)).scalars().all()
    found = (read_entry(connection, keys, entry_id) for entry_id in ids)
    return total, [entry for entry in found if entry is not None and entry.private is not None]
