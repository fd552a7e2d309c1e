"""Logs for tests: entries written as the writer writes them, without its queue, and sealed by the real sealer."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from app.engine.pack import digest_of
from app.record.callers import hash_of, key_digest
from app.record.canonical import canonical
from app.record.choices import MADE, REPLACED, Step, chosen_by
from app.record.contacts import contact_id, contact_row
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.outcomes import outcome_row
from app.record.packs.steps import PackContent
from app.record.privacy import lookup_of, new_subject, seal, unwrap
from app.record.store.database import Database, stamp
from app.record.store.tables import (
    CallerRow,
    ChoiceRow,
    ContactRow,
    EntryRow,
    IdempotencyRow,
    OutcomeRow,
    PackRow,
    PackStepRow,
    SubjectLeafRow,
    SubjectRow,
    UnsealedRow,
)

NOW = datetime.datetime(2026, 11, 22, 10, 0, tzinfo=datetime.UTC)
FILES = {"rules/pack.yaml": b"pack: {name: small, version: '1', jurisdiction: cn}\n", "policies/a.yaml": "# 挽留\n".encode()}
PACK = digest_of(FILES)
NOTE = "looked at"


def decision_body(**changes: Any) -> dict[str, Any]:
    """The codes of a small decision."""
    return {
        "caller": "desk",
        "role": "agent",
        "channel": "call_centre",
        "mode": "live",
        "locale": "en",
        "explain": "summary",
        "history": "caller",
        "pack": PACK,
        "engine": "1.0.0",
        "stage": "stable",
        "phase": "prevention",
        "moment": "none",
        "personalised": True,
        "signals": {"price.bill_rise": "high"},
        "offered": [{"rank": 1, "action": "bill_explain", "duty": "owed"}],
        "outcomes": {"not_eligible": {"not_already": ["tariff_pack"]}},
        **changes,
    }


def case_of(subscriber: str) -> dict[str, Any]:
    """A small case, as JSON."""
    at = NOW.isoformat()
    times = {"as_of": at, "contact_at": at, "today": "2026-11-22", "contact_day": "2026-11-22", "contact_minute": 600, "offset": 480}
    unknown = dict.fromkeys(("moment", "direction", "reason", "caller_relation", "verified"))
    return {
        "subscriber": {"id": subscriber, "plan": {"monthly_fee": 12900}},
        "channel": "call_centre",
        "times": times,
        "asker": {"role": "agent", "concession_limit": 0},
        **unknown,
        "answers": {},
        "locale": "en",
        "max_actions": 3,
    }


class Clock:
    """A time that moves on with each look."""

    def __init__(self, begin: datetime.datetime = NOW) -> None:
        self._begin, self._ticks = begin, itertools.count()

    def __call__(self) -> datetime.datetime:
        return self._begin + datetime.timedelta(milliseconds=2 * next(self._ticks))


class Book:
    """Writes entries of one writer into a database."""

    def __init__(self, database: Database, keys: Keys, writer: str = "w-1") -> None:
        self.database, self.keys, self.writer = database, keys, writer
        self.now = NOW
        self.sequence = 0
        self._ids = Ids()

    def step(self, step: str, kind: str = "pack_activated", *, by: str = "bob", effective_at: str | None = None) -> str:
        """Take a step with the pack of the decisions; the id of the entry."""
        told = {"digest": PACK, "step": step, "by": by, "note": digest(NOTE.encode()), "effective_at": effective_at}
        return self.add(kind, {name: value for name, value in told.items() if value is not None})

    def shelve(self) -> None:
        """Put the pack of the decisions into its table, where bundles find it. No entry published it, which verifying finds."""
        row = {"digest": PACK, "name": "small", "version": "1", "at": stamp(self.now), "author": "ann"}
        with self.database.writing() as connection:
            self.database.insert_missing(connection, PackRow, [{**row, "files": PackContent(FILES).packed()}])

    def publish(self) -> str:
        """Publish the pack of the decisions; the id of the entry."""
        told = {"digest": PACK, "step": "published", "by": "ann", "name": "small", "version": "1", "files": len(FILES)}
        entry_id = self.add("pack_published", told)
        self.shelve()
        return entry_id

    def seal(self) -> int:
        """Seal what waits, the heartbeat last; how many leaves the log has then."""
        self.now += datetime.timedelta(milliseconds=7)
        return Sealer(self.database, self.keys, lambda: self.now).seal().size

    def decide(self, subscriber: str, **body: Any) -> str:
        """A decision about a subscriber, with a case that names the person."""
        return self.add("decision", decision_body(**body), subscriber, {"case": case_of(subscriber), "answer": f'{{"for":"{subscriber}"}}'})

    def add(
        self,
        kind: str,
        body: Mapping[str, Any],
        subscriber: str | None = None,
        private: Mapping[str, Any] | None = None,
        *,
        skip: bool = False,
    ) -> str:
        """An entry; its id. With `skip` it takes its number and is lost."""
        self.now += datetime.timedelta(milliseconds=7)
        self.sequence += 1
        entry_id = self._ids.new(self.now)
        if skip:
            return entry_id
        with self.database.writing() as connection:
            envelope: dict[str, Any] = {
                "v": 1, "id": entry_id, "kind": kind, "at": stamp(self.now), "writer": self.writer, "sequence": self.sequence, "body": body
            }  # fmt: skip
            ciphertext = None
            if subscriber is not None:
                token, key = self._subject(connection, subscriber)
                envelope["subject"] = token
                if private is not None:
                    sealed = seal(key, private, entry_id.encode())
                    ciphertext = sealed.ciphertext
                    envelope |= {"private": digest(ciphertext), "commitment": sealed.commitment}
            row = {"id": entry_id, "kind": kind, "at": stamp(self.now), "subject": envelope.get("subject"), "private": ciphertext}
            connection.execute(insert(EntryRow), {**row, "envelope": canonical(envelope)})
            connection.execute(insert(UnsealedRow), {"entry_id": entry_id})
            self._restate(connection, row, body, private or {})
        return entry_id

    def tell(self, decision_id: str, subscriber: str, outcome: str, *, action: str = "bill_explain", reference: str | None = None) -> str:
        """What became of an action of a decision; the id of the entry."""
        told = {"caller": "desk", "role": "agent", "agent": "a-1", "channel": "call_centre", "pack": PACK, "rank": 1}
        body = {**told, "decision": decision_id, "action": action, "outcome": outcome, "at": stamp(self.now)}
        return self.add("outcome", body, subscriber, {"answer": "{}", "reference": reference})

    def choose(self, subscriber: str, choice: str, about: str | None = None, step: Step = MADE) -> str:
        """What a subscriber chooses for good, or takes back; the id of the entry."""
        told = {"caller": "desk", "role": "self_service", "choice": choice, "about": about, "step": step}
        return self.add("choice", {name: value for name, value in told.items() if value is not None}, subscriber)

    def hold(self, subscriber: str, reason: str) -> str:
        """Put a subscriber under legal hold."""
        entry_id = self.add("hold", {"by": "lea", "step": "held"}, subscriber, {"reason": reason})
        lookup = lookup_of(self.keys, subscriber)
        with self.database.writing() as connection:
            values = {"hold": reason, "hold_by": "lea", "hold_since": stamp(self.now)}
            connection.execute(update(SubjectRow).where(col(SubjectRow.lookup) == lookup).values(**values))
        return entry_id

    def caller(self, name: str, change: str = "added", *, key: bytes = b"key", role: str = "agent", grade: str | None = None) -> str:
        """Add or revoke a caller; the id of the entry."""
        row = {"name": name, "role": role, "grade": grade, "secret_hash": hash_of(f"{name} {key!r}"), "made_by": "ann"}
        body = {"change": change, "name": name, "role": role, "by": "ann", **({"grade": grade} if grade else {})}
        entry_id = self.add("caller_changed", body | ({"key": key_digest(row["secret_hash"])} if change == "added" else {}))
        times = {"since": stamp(self.now), "revoked_at": None if change == "added" else stamp(self.now)}
        replacing = [*row, *times][1:] if change == "added" else ["revoked_at"]
        with self.database.writing() as connection:
            self.database.put(connection, CallerRow, [{**row, **times}], replacing=replacing)
        return entry_id

    def erase(self, subscriber: str) -> str:
        """Erase somebody; the id of the entry."""
        entry_id = self.add("erasure", {"by": "pia", "basis": "asked"}, subscriber)
        with self.database.writing() as connection:
            token = connection.execute(select(col(EntryRow.subject)).where(col(EntryRow.id) == entry_id)).scalar_one()
            for table in (ContactRow, ChoiceRow, IdempotencyRow, SubjectLeafRow):
                connection.execute(delete(table).where(table.__table__.c.subject == token))  # type: ignore[attr-defined]
            connection.execute(delete(SubjectRow).where(col(SubjectRow.token) == token))
            connection.execute(update(OutcomeRow).where(col(OutcomeRow.subject) == token).values(subject=None, reference=None))
        return entry_id

    def claim(self, key: str, entry_id: str) -> None:
        """Let an idempotency key lead to an entry."""
        with self.database.writing() as connection:
            subject = connection.execute(select(col(EntryRow.subject)).where(col(EntryRow.id) == entry_id)).scalar_one()
            row = {"caller": "desk", "key": key, "body_hash": b"hash", "entry_id": entry_id, "subject": subject}
            connection.execute(insert(IdempotencyRow), {**row, "expires_at": stamp(self.now + datetime.timedelta(days=1))})

    def _restate(self, connection: Connection, row: Mapping[str, Any], body: Mapping[str, Any], private: Mapping[str, Any]) -> None:
        """The rows that the writer stores beside an entry."""
        if row["kind"].startswith("pack_") and "step" in body:
            step = {name: body.get(name) for name in ("digest", "step", "by", "effective_at")}
            note = NOTE if body.get("note") == digest(NOTE.encode()) else None
            connection.execute(insert(PackStepRow), {"entry_id": row["id"], "at": row["at"], **step, "note": note})
        chosen = chosen_by(row["kind"], body)
        if chosen is not None:
            values = {"subject": row["subject"], **chosen._asdict(), "at": row["at"], "entry_id": row["id"]}
            self.database.put(connection, ChoiceRow, [values], replacing=REPLACED)
        if row["kind"] != "outcome":
            return
        connection.execute(insert(OutcomeRow), outcome_row(row["id"], row["subject"], body, private.get("reference")))
        at = datetime.datetime.fromisoformat(body["at"])
        offered = {"action": body["action"], "kind": None}
        known = select(col(ContactRow.result)).where(col(ContactRow.id) == contact_id(body["decision"], body["action"]))
        before = connection.execute(known).scalar()
        contact = contact_row({"channel": "call_centre"}, body["decision"], offered, body["outcome"], at, before)
        if contact is not None and row["subject"] is not None:
            rows = [{**contact.values, "subject": row["subject"]}]
            if contact.replacing:
                self.database.put(connection, ContactRow, rows, replacing=contact.replacing)
            else:
                self.database.insert_missing(connection, ContactRow, rows)

    def _subject(self, connection: Any, subscriber: str) -> tuple[str, bytes]:
        lookup = lookup_of(self.keys, subscriber)
        found = connection.execute(select(SubjectRow).where(col(SubjectRow.lookup) == lookup)).first()
        if found is not None:
            return found.token, unwrap(self.keys, bytes(found.wrapped_key), found.wrapped_with)
        made = new_subject(self.keys)
        row = {
            "lookup": lookup,
            "token": made.token,
            "wrapped_key": made.wrapped,
            "wrapped_with": made.wrapped_with,
            "since": stamp(self.now),
        }
        connection.execute(insert(SubjectRow), row)
        return made.token, made.key


def digest(data: bytes) -> str:
    """SHA-256 as envelopes write it."""
    return f"sha256:{sha256(data).hexdigest()}"
