"""What an event is worded from: read when it is sent, so that of a person who was erased meanwhile nothing is said any more."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from app.record.keys import Keys
from app.record.outgoing.model import PER_LEAF, Subscription
from app.record.outgoing.outbox import Event, event_at
from app.record.reading.recorded import Recorded, read_decision, read_entry


class NothingLeft(Exception):
    """Nothing is left to tell of: the person was erased, or the entry archived. The message is a code."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, and all that may be said of it.

    Attributes:
        subscription: who is told.
        number: of the event; it grows along the log, and so along the events of one subscriber.
        event: its type, and the action that opens a case, if one does.
        entry: what makes it.
        decision: which the entry is, or that it answers; none where it is about none.
        log: the name of the log.
    """

    subscription: Subscription
    number: int
    event: Event
    entry: Recorded
    decision: Recorded | None
    log: str

    @property
    def id(self) -> str:
        """Of the event, the same however often it is told: of the entry, and beyond its first event a letter, `-b`, `-c` and so on."""
        part = self.number % PER_LEAF
        return self.entry.id if part == 0 else f"{self.entry.id}-{chr(ord('a') + part)}"

    @property
    def at(self) -> datetime.datetime:
        """When it went on record."""
        return datetime.datetime.fromisoformat(self.entry.envelope["at"])

    @property
    def case(self) -> Mapping[str, Any]:
        """What was decided about, as JSON has it; of what is about no decision, the subscriber's id alone."""
        private = (self.decision or self.entry).private or {}
        found: Mapping[str, Any] = private.get("case", private)
        return found

    @property
    def subscriber(self) -> str:
        """The operator's id of whom it is about."""
        found: str = self.case["subscriber"]["id"]
        return found

    @property
    def answer(self) -> Mapping[str, Any]:
        """What who asked for the decision was answered, in their language."""
        found: Mapping[str, Any] = orjson.loads((self.decision and self.decision.answer) or "{}")
        return found

    def action(self, name: str) -> Mapping[str, Any]:
        """What the answer says of an action on the decision's list; nothing where it is not there."""
        return next((item for item in self.answer.get("actions", ()) if item["action"] == name), {})


def read_happened(connection: Connection, keys: Keys, subscription: Subscription, number: int, entry_id: str) -> Happened:
    """What an event is worded from.

    Args:
        connection: that reads.
        keys: of the record.
        subscription: who is told.
        number: of the event.
        entry_id: what makes it.

    Raises:
        NothingLeft: the person was erased, or an entry archived.
        DamagedEntry: what is stored is not what was recorded.
        KeysProblem: the person's key is wrapped with one that this process does not know.
    """
    entry = _readable(read_entry(connection, keys, entry_id))
    kind, body = entry.envelope["kind"], entry.body
    decision = entry if kind == "decision" else None
    if decision is None and "decision" in body:
        decision = _readable(read_decision(connection, keys, body["decision"]))
    return Happened(subscription, number, event_at(number, kind, body), entry, decision, keys.log)


def _readable(found: Recorded | None) -> Recorded:
    if found is None:
        raise NothingLeft("archived")
    if found.private is None or (found.envelope["kind"] == "decision" and "case" not in found.private):
        raise NothingLeft("erased")
    return found
