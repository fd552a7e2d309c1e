"""Reading many decisions at once: a query for all of them, and one for what became of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.campaigns.ids import is_row, row_id
from app.record.campaigns.searching import MOST_FILES, Part, parts_before, rows_of
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


class OwnPage(NamedTuple):
    """Ids of decisions, newest first, and before which id the next page begins; none at the end."""

    ids: list[str]
    next: str | None


def page_about(connection: Connection, token: str, *, before: str | None, most: int) -> OwnPage:
    """The newest decisions about a subject, those of campaigns too; of those before an id, where one is given.

    It looks into no more than `MOST_FILES` files of campaigns, so that a page may end, empty even, where there is more.

    Raises:
        DamagedEntry: the file of a campaign is missing, or is not what was written.
    """
    alone: Iterator[tuple[str, Part | None]] = ((name, None) for name in ids_about(connection, token, before=before, most=most + 1))
    parts = ((row_id(part.campaign, part.last_row), part) for part in parts_before(connection, before))
    found, files = list[str](), 0
    for name, part in heapq.merge(alone, parts, key=itemgetter(0), reverse=True):
        if part is not None and files >= MOST_FILES:
            return OwnPage(found, _after(part))
        files += part is not None
        found += [name] if part is None else [one for one in rows_of(part, token) if before is None or one < before]
        if len(found) > most:
            return OwnPage(found[:most], found[most - 1])
    return OwnPage(found, None)


def _after(part: Part) -> str:
    """The id that comes after those of a part, which are below it."""
    return row_id(part.campaign, part.last_row + 1)


def ids_about(connection: Connection, token: str, *, before: str | None, most: int) -> list[str]:
    """Ids of the newest decisions about a subject that were asked for alone, newest first; of those before an id, where one is given."""
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
