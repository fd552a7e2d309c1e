"""Decisions of the first release, which lie in the clear in a table of their own, are taken over into the record."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, delete, select
from sqlmodel import col

from app.record.entries import NewEntry, Written
from app.record.store.batch import Outcome
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.tables import DecisionRow

_SOME = 200
_CALLER = "development"
"""Whoever called the first release: it knew no callers."""
_OFFERED = ("rank", "action", "duty", "kind", "confirm")
_OPTIONAL = ("direction", "reason")


class Adopted(NamedTuple):
    """How many decisions were taken over, and how many rows stay where they are, since they cannot be read as decisions."""

    taken: int = 0
    left: int = 0


def adopt(database: Database, committer: Committer) -> Adopted:
    """Take over what the first release stored.

    A decision goes on the record in the transaction that deletes it from the old table, so that a stop at any moment loses none.

    Raises:
        StoreUnavailable: the store does not take them; the next start goes on.
    """
    taken, left, last = 0, 0, ""
    while rows := _after(database, last):
        last = rows[-1].id
        readable = [entry for row in rows if (entry := _entry(row)) is not None]
        outcomes = committer.commit(readable, beside=_delete)
        stored = sum(isinstance(outcome, Written) for outcome in outcomes)
        taken, left = taken + stored, left + len(rows) - stored
    if taken:
        _forget_clear_text(database)
    return Adopted(taken, left)


def _after(database: Database, last: str) -> Sequence[Any]:
    query = select(*DecisionRow.__table__.c).where(col(DecisionRow.id) > last).order_by(col(DecisionRow.id)).limit(_SOME)  # type: ignore[attr-defined]
    with database.reading() as connection:
        return connection.execute(query).all()


def _delete(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    stored = [outcome.entry_id for outcome in outcomes if isinstance(outcome, Written)]
    connection.execute(delete(DecisionRow).where(col(DecisionRow.id).in_(stored)))


def _entry(row: Any) -> NewEntry | None:
    try:
        case, answer = orjson.loads(row.case), orjson.loads(row.answer)
        return NewEntry(
            id=row.id,
            kind="decision",
            at=datetime.datetime.fromisoformat(row.decided_at),
            body=_body(row, case, answer),
            subscriber=case["subscriber"]["id"],
            private={"case": case, "answer": bytes(row.answer).decode()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _body(row: Any, case: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer tells of the decision, as codes; what was not offered, and why, only where the caller asked for it."""
    body = {
        "caller": _CALLER,
        "role": case["asker"]["role"],
        "channel": case["channel"],
        "mode": "live",
        "locale": case["locale"],
        "explain": _detail(answer),
        "history": "caller",
        "pack": row.pack_digest,
        "engine": row.engine,
        "stage": answer["stage"],
        "phase": answer["phase"]["id"],
        "moment": answer["moment"],
        "personalised": answer["personalised"],
        "signals": {signal["id"]: signal["level"] for signal in answer["signals"]},
        "offered": [_offered(action) for action in answer["actions"]],
        "outcomes": _outcomes(answer["not_offered"] or ()),
    }
    optional = {name: case.get(name) for name in _OPTIONAL} | {"empty_because": answer["empty_because"]}
    return body | {name: value for name, value in optional.items() if value is not None}


def _detail(answer: Mapping[str, Any]) -> str:
    """The detail that was asked for, which the first release did not store."""
    if answer["not_offered"] is not None:
        return "full"
    told = (*answer["phase"]["reasons"], *answer["signals"], *answer["unknown"])
    return "summary" if told else "none"


def _offered(action: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: action[name] for name in _OFFERED}
    if action["tariff"] is not None:
        told["tariff"] = action["tariff"]["id"]
    if action["fallback_for"] is not None:
        told["fallback_for"] = action["fallback_for"]
    return told


def _outcomes(not_offered: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """Actions by cause and clause; the answer has the gate before the clause, the record its own name alone."""
    found: dict[str, dict[str, list[str]]] = {}
    for item in not_offered:
        found.setdefault(item["cause"], {}).setdefault((item["clause"] or "").rpartition(".")[2], []).append(item["action"])
    return found


def _forget_clear_text(database: Database) -> None:
    """Overwrite the log of SQLite, in which what was deleted still stands."""
    if database.is_sqlite:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
