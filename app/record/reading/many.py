"""Reading many decisions at once: a query for all of them, and one for what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.campaigns.ids import is_row
from app.record.campaigns.stored import stored_rows
from app.record.contacts import STRENGTH
from app.record.keys import Keys
from app.record.privacy import unwrap
from app.record.reading.recorded import Recorded, opened
from app.record.store.tables import EntryRow, OutcomeRow, SubjectRow
from app.record.verifying.opening import wrapped_keys


class Newest(NamedTuple):
    """The newest decision about a subject, by its codes."""

    id: str
    body: Mapping[str, Any]


Theirs = Callable[[Mapping[str, Any], str | None], bool]
"""Says, by the codes of a decision and the token of whom it is about, whether it may be read."""


def read_decisions(connection: Connection, keys: Keys, ids: Sequence[str], theirs: Theirs) -> dict[str, Recorded]:
    """Those of these entries that are decisions which may be read, by id, without their places in the log; no other is opened.

    Raises:
        DamagedEntry: what is private of one is not what its envelope commits to.
    """
    columns = [col(getattr(EntryRow, name)) for name in ("id", "envelope", "private")]
    query = (
        select(*columns, col(SubjectRow.wrapped_key), col(SubjectRow.wrapped_with))
        .outerjoin(SubjectRow, col(SubjectRow.token) == col(EntryRow.subject))
        .where(col(EntryRow.id).in_(ids), col(EntryRow.kind) == "decision")
    )
    stored = [*connection.execute(query), *_of_campaigns(connection, ids)]
    envelopes = ((row, orjson.loads(bytes(row.envelope))) for row in stored)
    return {row.id: _recorded(keys, row, told) for row, told in envelopes if theirs(told["body"], told.get("subject"))}


class _Row(NamedTuple):
    """A decision of a campaign, as the query for others has one."""

    id: str
    envelope: bytes
    private: bytes
    wrapped_key: bytes | None
    wrapped_with: str | None


def _of_campaigns(connection: Connection, ids: Sequence[str]) -> list[_Row]:
    rows = stored_rows(connection, [entry_id for entry_id in ids if is_row(entry_id)])
    keys = wrapped_keys(connection, {row.subject for row in rows.values()})
    return [_Row(row.id, row.envelope, row.private, *keys.get(row.subject, (None, None))) for row in rows.values()]


def ids_about(connection: Connection, token: str, *, before: str | None, most: int) -> list[str]:
    """Ids of the newest decisions about a subject, newest first; of those before an id, where one is given."""
    query = select(col(EntryRow.id)).where(col(EntryRow.subject) == token, col(EntryRow.kind) == "decision")
    query = query if before is None else query.where(col(EntryRow.id) < before)
    return list(connection.execute(query.order_by(col(EntryRow.id).desc()).limit(most)).scalars())


def newest_about(connection: Connection, tokens: Sequence[str]) -> dict[str, Newest]:
    """The newest decision about each of these subjects."""
    newest = (
        select(func.max(col(EntryRow.id)))
        .where(col(EntryRow.subject).in_(tokens), col(EntryRow.kind) == "decision")
        .group_by(col(EntryRow.subject))
    )
    columns = (col(EntryRow.subject), col(EntryRow.id), col(EntryRow.envelope))
    rows = connection.execute(select(*columns).where(col(EntryRow.id).in_(newest.scalar_subquery())))
    return {str(row.subject): Newest(row.id, orjson.loads(bytes(row.envelope))["body"]) for row in rows}


def outcomes_by_decision(connection: Connection, ids: Iterable[str]) -> dict[str, dict[str, tuple[str, str]]]:
    """Of decisions, by action the outcome that is the most final, and its time, as the entries of outcomes tell them."""
    wanted = list(ids)
    query = (
        select(col(EntryRow.kind), col(EntryRow.at), col(EntryRow.envelope))
        .join(OutcomeRow, col(OutcomeRow.entry_id) == col(EntryRow.id))
        .where(col(OutcomeRow.decision_id).in_(wanted))
        .order_by(col(EntryRow.id))
    )
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for row in connection.execute(query):
        body = orjson.loads(bytes(row.envelope))["body"]
        if row.kind == "outcome" and body["decision"] in wanted:
            _take(found.setdefault(body["decision"], {}), body, row.at)
    return found


def _take(told: dict[str, tuple[str, str]], body: Mapping[str, Any], at: str) -> None:
    outcome, before = body["outcome"], told.get(body["action"])
    if before is None or STRENGTH.get(outcome, -1) >= STRENGTH.get(before[0], -1):
        told[body["action"]] = (outcome, body.get("at") or at)


def _recorded(keys: Keys, row: Any, envelope: Mapping[str, Any]) -> Recorded:
    if "commitment" not in envelope:
        return Recorded(row.id, envelope, None, "without_case", None)
    if row.wrapped_key is None or row.private is None:
        return Recorded(row.id, envelope, None, "erased", None)
    key = unwrap(keys, bytes(row.wrapped_key), row.wrapped_with)
    return Recorded(row.id, envelope, opened(key, bytes(row.private), row.id, envelope), "readable", None)
