"""Who may call the service: names with a role and an API key, of which only the hash is kept. Every change is on the record."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.problems import nearest
from app.record.entries import NewEntry, NewRow
from app.record.store.database import stamp
from app.record.store.tables import CallerRow

ROLES: Mapping[str, str] = {
    "agent": "a desktop for call-centre agents: decides, and tells what became of it",
    "self_service": "an app or web page for customers: the same, in texts for customers",
    "campaign": "a campaign engine: the same, for many",
    "compliance": "reviewers: read, explain, replay and prove every decision",
    "privacy_officer": "access, erasure and legal hold; lists who looked, what was erased, who is held",
    "author": "writes packs, publishes them, asks what-if",
    "approver": "approves and activates packs of others",
    "operations": "watches the service",
}
"""The roles of callers."""
DEVELOPMENT = "development"
"""Name and role of everybody, as long as there are no callers."""
KEY_PREFIX = "wl_"
_KEY_BYTES = 32
_RESERVED = frozenset({DEVELOPMENT, "cli", "sealer", "seed", "system"})
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_GRADE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CHANGING = ("role", "grade", "secret_hash", "since", "made_by", "revoked_at")


class CallerRefused(ValueError):
    """The change cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls: a name, a role, and for agents the grade by which the pack limits what they concede."""

    name: str
    role: str
    grade: str | None = None


class Listed(NamedTuple):
    """A caller as the list shows it: times as the store writes them."""

    name: str
    role: str
    grade: str | None
    since: str
    made_by: str
    revoked_at: str | None


class Added(NamedTuple):
    """A caller to be stored, and the key, which is known nowhere else from now on."""

    entry: NewEntry
    key: str


def hash_of(key: str) -> bytes:
    """What is kept of a key. Its 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def key_digest(secret_hash: bytes) -> str:
    """The hash of a key as the record says it, so that nobody puts another key under the name unseen."""
    return f"sha256:{secret_hash.hex()}"


def callers_by_key(connection: Connection) -> dict[bytes, Caller] | None:
    """Who may call, by the hash of the key; none at all where no caller was ever added."""
    rows = connection.execute(
        select(col(CallerRow.secret_hash), col(CallerRow.name), col(CallerRow.role), col(CallerRow.grade), col(CallerRow.revoked_at))
    ).all()
    if not rows:
        return None
    return {bytes(row.secret_hash): Caller(row.name, row.role, row.grade) for row in rows if row.revoked_at is None}


def all_callers(connection: Connection) -> list[Listed]:
    """Everybody who was ever added, by name."""
    rows = connection.execute(select(*(col(getattr(CallerRow, name)) for name in Listed._fields)).order_by(col(CallerRow.name)))
    return [Listed(*row) for row in rows]


def add_caller(
    known: Mapping[str, Listed], entry_id: str, now: datetime.datetime, name: str, role: str, *, by: str, grade: str | None = None
) -> Added:
    """Give a name a key and a role. A name that was revoked may come back, with a new key.

    Args:
        known: callers by name.
        entry_id: id of the entry.
        now: the time.
        name: small letters, digits and `_ . -`.
        role: one of `ROLES`.
        by: who adds it.
        grade: for agents, a name under `arbitration.concession` of the pack, such as `leader`.

    Raises:
        CallerRefused: the name is taken or none, there is no such role, or the role has no grades.
    """
    _check(known, name, role, grade)
    key = KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    row = {"name": name, "role": role, "grade": grade, "secret_hash": hash_of(key), "since": stamp(now), "made_by": by, "revoked_at": None}
    replacing = _CHANGING if name in known else None
    return Added(_entry(entry_id, now, "added", row, replacing), key)


def revoke_caller(known: Mapping[str, Listed], entry_id: str, now: datetime.datetime, name: str, *, by: str) -> NewEntry:
    """Take a caller's key away; the name stays on the list.

    Raises:
        CallerRefused: there is no such caller, or it was revoked before.
    """
    found = known.get(name)
    if found is None:
        hint = nearest(name, known)
        raise CallerRefused(f"there is no caller `{name}`{f'; {hint}' if hint else ''}")
    if found.revoked_at is not None:
        raise CallerRefused(f"`{name}` was revoked at {found.revoked_at}")
    row = {"name": name, "role": found.role, "grade": found.grade, "revoked_at": stamp(now), "secret_hash": b"", "since": found.since}
    return _entry(entry_id, now, "revoked", {**row, "made_by": by}, ("revoked_at",))


def _check(known: Mapping[str, Listed], name: str, role: str, grade: str | None) -> None:
    if not _NAME.fullmatch(name):
        raise CallerRefused(f"name: expected 1 to 64 small letters, digits and _ . -, beginning with a letter or digit, not `{name}`")
    if name in _RESERVED:
        raise CallerRefused(f"name: `{name}` is what the record calls something else; choose another")
    if name in known and known[name].revoked_at is None:
        raise CallerRefused(f"name: there is a caller `{name}` already; revoke it first, or add another beside it, such as `{name}-2`")
    if role not in ROLES:
        hint = nearest(role, ROLES)
        raise CallerRefused(f"role: expected one of {', '.join(ROLES)}, not `{role}`{f'; {hint}' if hint else ''}")
    if grade is not None and role != "agent":
        raise CallerRefused("grade: only the role agent has grades; leave it out")
    if grade is not None and not _GRADE.fullmatch(grade):
        raise CallerRefused("grade: expected a name under `arbitration.concession` of the pack, such as leader")


def _entry(entry_id: str, now: datetime.datetime, change: str, row: Mapping[str, Any], replacing: tuple[str, ...] | None) -> NewEntry:
    body = {"change": change, "name": row["name"], "role": row["role"], "by": row["made_by"]}
    if row["grade"] is not None:
        body["grade"] = row["grade"]
    if change == "added":
        body["key"] = key_digest(row["secret_hash"])
    return NewEntry(entry_id, "caller_changed", now, body, rows=(NewRow("caller", row, replacing),))
