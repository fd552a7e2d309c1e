"""Events that wait to be told. They are put here in the transaction that makes their entries leaves: the log is their order.

So nothing is told that is not on the record, nothing on the record is left untold, wherever and by whichever process it was written, and
who writes an entry need not know who subscribed. Here stands where to read, never what: the event is worded when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, insert
from sqlmodel import SQLModel

from app.record.callers import known_callers
from app.record.outgoing.model import DECIDED, PER_LEAF, RECOMMENDED, TOLD, EventType, Heard, Subscription
from app.record.outgoing.subscriptions import webhooks
from app.record.recommendations import VIA
from app.record.store.database import Database
from app.record.store.tables import EventLineRow, EventRow

_KINDS: Mapping[str, EventType] = {"decision": DECIDED, "outcome": TOLD}
_TELLING = frozenset({*_KINDS, "choice", "enquiry"})
_PORTION = 1_000
_OPENED: Mapping[str, EventType] = {
    "promise": "wanliu.promise.v1",
    "call_back": "wanliu.call_back.v1",
    "escalation": "wanliu.escalation.v1",
}


class Event(NamedTuple):
    """An event: its type, and of one that opens a case, the action that does, as its entry has it."""

    type: Heard
    opened_by: Mapping[str, Any] | None


class Leaf(NamedTuple):
    """An entry that becomes a leaf: its place in the log, id, kind, time, whom it is about, and its envelope."""

    place: int
    id: str
    kind: str
    at: str
    subject: str | None
    envelope: bytes


def put_out(database: Database, connection: Connection, leaves: Sequence[Leaf]) -> None:
    """Put out the events that these leaves make, for everybody who subscribed to them.

    Args:
        database: where they are.
        connection: the transaction that adds the leaves, after it has read them: who subscribed before they were written is seen now.
        leaves: in the order of the log.
    """
    telling = [leaf for leaf in leaves if leaf.kind in _TELLING and leaf.subject is not None]
    heard = [kept.subscription for kept in webhooks(connection)] if telling else []
    systems = _systems(connection) if any(one.wanted.system for one in heard) else {}
    events = [row for leaf in telling for row in _rows(leaf, heard, systems)] if heard else []
    for start in range(0, len(events), _PORTION):
        _put(database, connection, events[start : start + _PORTION])


def line_up(database: Database, connection: Connection, events: Sequence[Mapping[str, Any]]) -> None:
    """See that each event's line is there, and knows it as its last.

    Whoever tells the last event of a line meanwhile waits for this transaction, and then finds that there is another.
    """
    newest = {(row["webhook"], row["subject"]): row for row in events}
    lines = [
        {"webhook": row["webhook"], "subject": row["subject"], "newest": row["number"], "due_at": row["at"], "tries": 0}
        for _, row in sorted(newest.items())
    ]
    table: type[SQLModel] = EventLineRow
    database.put(connection, table, lines, replacing=("newest",))


def events_of(kind: str, body: Mapping[str, Any]) -> list[Event]:
    """The events that an entry makes, in the order in which they are told: what happened, each case that it opens, TM Forum's."""
    first = [Event(_KINDS[kind], None)] if kind in _KINDS else []
    asked_there = RECOMMENDED if body.get("via") == VIA else ()
    opened = (Event(_OPENED[item["opens"]["case"]], item) for item in _opening(kind, body))
    return [*first, *opened, *(Event(name, None) for name in asked_there)]


def event_at(number: int, kind: str, body: Mapping[str, Any]) -> Event:
    """The event of an entry that has this number."""
    return events_of(kind, body)[number % PER_LEAF]


def _systems(connection: Connection) -> Mapping[str, str]:
    """By caller's name, the system it belongs to, where that is another's name."""
    found = known_callers(connection)
    return {} if found is None else found.systems


def _opening(kind: str, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What opens a case: actions of a decision by being decided, an outcome's action, or that somebody wants a person to decide."""
    if kind == "decision":
        yield from (item for item in body["offered"] if item.get("opens", {}).get("when") == "decided")
    elif kind == "outcome" and "opens" in body:
        yield body
    elif kind == "choice" and (body["choice"], body["step"]) == ("human_review", "made"):
        yield {"opens": {"case": "escalation"}}


def _rows(leaf: Leaf, heard: Sequence[Subscription], systems: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    body = orjson.loads(leaf.envelope)["body"]
    system = systems.get(body["caller"], body["caller"])
    for part, event in enumerate(events_of(leaf.kind, body)):
        number = leaf.place * PER_LEAF + part
        about = {"number": number, "type": event.type, "entry_id": leaf.id, "subject": leaf.subject, "at": leaf.at}
        yield from ({"webhook": one.id, **about} for one in heard if one.hears(event.type, body, system))


def _put(database: Database, connection: Connection, events: Sequence[dict[str, Any]]) -> None:
    connection.execute(insert(EventRow), events)
    line_up(database, connection, events)
