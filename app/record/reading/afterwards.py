"""What became of decisions, as the entries of outcomes tell it: rows may help to find these entries, and are never believed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.contacts import contact_row
from app.record.keys import Keys
from app.record.reading.recorded import Recorded, read_entry
from app.record.store.tables import EntryRow, OutcomeRow


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an action afterwards."""

    entry_id: str
    at: str
    action: str
    outcome: str
    agent: str | None
    confirmed_by: str | None
    reason: str | None


def outcomes_of(connection: Connection, keys: Keys, decision: Recorded) -> list[Answered]:
    """What became of a decision's actions, oldest first, as envelopes say it; the confirmation, as private payloads do.

    Args:
        connection: a reading transaction.
        keys: of the record.
        decision: a decision.

    Raises:
        DamagedEntry: what is private of an outcome is not what its envelope commits to.
    """
    entries = filter(None, (read_entry(connection, keys, entry_id) for entry_id in _ids(connection, decision)))
    told = (entry for entry in entries if entry.envelope["kind"] == "outcome" and entry.body.get("decision") == decision.id)
    return sorted((_answered(entry) for entry in told), key=lambda answered: (answered.at, answered.entry_id))


def contacts_told(entries: Iterable[Recorded]) -> list[Mapping[str, Any]]:
    """The contacts that a person's outcomes make known, oldest first; an action of a decision is one.

    Args:
        entries: about the person, oldest first.
    """
    decisions: dict[str, Mapping[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.envelope["kind"] == "decision":
            decisions[entry.id] = entry.body
        elif entry.envelope["kind"] == "outcome":
            _tell(found, entry, decisions.get(entry.body["decision"], {}))
    return sorted(found.values(), key=lambda contact: contact["at"])


def _ids(connection: Connection, decision: Recorded) -> Sequence[str]:
    """Of entries that may be its outcomes: those about the same person, and those of its rows."""
    rows = select(col(OutcomeRow.entry_id)).where(col(OutcomeRow.decision_id) == decision.id)
    found = set(connection.execute(rows).scalars())
    if decision.subject is not None:
        same = select(col(EntryRow.id)).where(col(EntryRow.subject) == decision.subject, col(EntryRow.kind) == "outcome")
        found |= set(connection.execute(same.where(col(EntryRow.id) >= decision.id)).scalars())
    return sorted(found)


def _answered(entry: Recorded) -> Answered:
    body, private = entry.body, entry.private or {}
    at = body.get("at") or entry.envelope["at"]
    return Answered(entry.id, at, body["action"], body["outcome"], body.get("agent"), private.get("reference"), body.get("reason"))


def _tell(found: dict[str, dict[str, Any]], entry: Recorded, decision: Mapping[str, Any]) -> None:
    body = entry.body
    at = datetime.datetime.fromisoformat(body.get("at") or entry.envelope["at"])
    offered = next(_listed(decision, body["action"]), {"action": body["action"], "kind": None})
    known = {"channel": body.get("channel"), **decision}
    before = next((contact["result"] for contact in found.values() if _is_of(contact, body)), None)
    row = contact_row(known, body["decision"], offered, body["outcome"], at, before)
    if row is None:
        return
    told = {name: value for name, value in row.values.items() if name not in ("id", "subject")}
    kept = found.setdefault(str(row.values["id"]), told)
    kept.update((name, told[name]) for name in row.replacing or ())


def _listed(decision: Mapping[str, Any], action: str) -> Iterator[Mapping[str, Any]]:
    return ({"kind": None, **item} for item in decision.get("offered", ()) if item["action"] == action)


def _is_of(contact: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return bool(contact["decision_id"] == body["decision"] and contact["action"] == body["action"])
