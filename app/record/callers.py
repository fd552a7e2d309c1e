"""Who may call the service: names with a role and an API key, of which only the hash is kept. Every change is on the record."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
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
RESERVED = frozenset({DEVELOPMENT, "cli", "sealer", "seed", "system", "nobody"})
"""Names that mean something else on the record."""
NAME_PATTERN = r"[a-z0-9][a-z0-9_.-]{0,63}"
GRADE_PATTERN = r"[a-z][a-z0-9_]{0,63}"
_NO_SUBJECT = frozenset({"self_service"})
"""Roles that are about one person, whom a token names and a key does not."""
_CHANGING = ("role", "grade", "system", "secret_hash", "since", "made_by", "revoked_at")


class CallerRefused(ValueError):
    """The change cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls.

    Attributes:
        name: of the client, as the record names it.
        role: one of `ROLES`, or `DEVELOPMENT`.
        grade: of an agent, by which the pack limits what they concede.
        system: whose decisions are the caller's own; the name, where it belongs to no other.
        subject: the subscriber's id, where the token of a customer names one. Neither logged nor stored as it is.
        agent: the code of the person in front of the screen, where the token names it.
    """

    name: str
    role: str
    grade: str | None = None
    system: str = ""
    subject: str | None = field(default=None, repr=False)
    agent: str | None = None

    def __post_init__(self) -> None:
        if not self.system:
            object.__setattr__(self, "system", self.name)


class Listed(NamedTuple):
    """A caller as the list shows it: times as the store writes them, and the system where it is another than the name."""

    name: str
    role: str
    grade: str | None
    system: str | None
    since: str
    made_by: str
    revoked_at: str | None


class KnownCallers(NamedTuple):
    """Callers by the hash of their key, and the system of each name that belongs to another's, revoked ones too."""

    by_key: Mapping[bytes, Caller]
    systems: Mapping[str, str]


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
    found = known_callers(connection)
    return None if found is None else dict(found.by_key)


def known_callers(connection: Connection) -> KnownCallers | None:
    """Who may call, and which system every name belongs to; none at all where no caller was ever added."""
    columns = (CallerRow.secret_hash, CallerRow.name, CallerRow.role, CallerRow.grade, CallerRow.system, CallerRow.revoked_at)
    rows = connection.execute(select(*(col(column) for column in columns))).all()
    if not rows:
        return None
    by_key = {
        bytes(row.secret_hash): Caller(row.name, row.role, row.grade, row.system or row.name) for row in rows if row.revoked_at is None
    }
    return KnownCallers(by_key, {row.name: row.system for row in rows if row.system})


def all_callers(connection: Connection) -> list[Listed]:
    """Everybody who was ever added, by name."""
    rows = connection.execute(select(*(col(getattr(CallerRow, name)) for name in Listed._fields)).order_by(col(CallerRow.name)))
    return [Listed(*row) for row in rows]


def add_caller(
    known: Mapping[str, Listed],
    entry_id: str,
    now: datetime.datetime,
    name: str,
    role: str,
    *,
    by: str,
    grade: str | None = None,
    beside: str | None = None,
) -> Added:
    """Give a name a key and a role. A name that was revoked may come back, with a new key, in the system that it always belonged to.

    Args:
        known: callers by name.
        entry_id: id of the entry.
        now: the time.
        name: small letters, digits and `_ . -`.
        role: one of `ROLES`.
        by: who adds it.
        grade: for agents, a name under `arbitration.concession` of the pack, such as `leader`.
        beside: a caller whose system it joins, so that they see each other's decisions; left out, it is a system of its own.

    Raises:
        CallerRefused: the name is taken or none, there is no such role, the role has no keys or no grades, or it cannot join that system.
    """
    _check(known, name, role, grade)
    system = _system(known, name, role, beside)
    key = KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    given = {"name": name, "role": role, "grade": grade, "system": system}
    row = {**given, "secret_hash": hash_of(key), "since": stamp(now), "made_by": by, "revoked_at": None}
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
    given = {"name": name, "role": found.role, "grade": found.grade, "system": found.system}
    row = {**given, "revoked_at": stamp(now), "secret_hash": b"", "since": found.since}
    return _entry(entry_id, now, "revoked", {**row, "made_by": by}, ("revoked_at",))


def _system(known: Mapping[str, Listed], name: str, role: str, beside: str | None) -> str | None:
    """The system that a name joins; none where it is one of its own. What a name decided belongs to one system for ever.

    Raises:
        CallerRefused: there is nobody to be beside, they have another role, or the name belongs to another system already.
    """
    was = known[name].system if name in known else None
    if beside is None:
        return was
    other = known.get(beside)
    if other is None or beside == name:
        hint = nearest(beside, [item for item in known if item != name])
        raise CallerRefused(f"beside: there is no other caller `{beside}`{f'; {hint}' if hint else ''}")
    if other.role != role:
        raise CallerRefused(f"beside: `{beside}` has the role {other.role}; callers of one system have one role")
    system = other.system or beside
    if name in known and (was or name) != system:
        raise CallerRefused(
            f"beside: `{name}` belonged to the system {was or name} before, and its decisions still do; choose another name"
        )
    return None if system == name else system


def _check(known: Mapping[str, Listed], name: str, role: str, grade: str | None) -> None:
    if not re.fullmatch(NAME_PATTERN, name):
        raise CallerRefused(f"name: expected 1 to 64 small letters, digits and _ . -, beginning with a letter or digit, not `{name}`")
    if name in RESERVED:
        raise CallerRefused(f"name: `{name}` is what the record calls something else; choose another")
    if name in known and known[name].revoked_at is None:
        raise CallerRefused(f"name: there is a caller `{name}` already; revoke it first, or add another beside it, such as `{name}-2`")
    if role not in ROLES:
        hint = nearest(role, ROLES)
        raise CallerRefused(f"role: expected one of {', '.join(ROLES)}, not `{role}`{f'; {hint}' if hint else ''}")
    if role in _NO_SUBJECT:
        raise CallerRefused(
            "role: a key does not say which customer calls: self_service comes with a token whose subject is the subscriber, "
            "WANLIU_JWT_KEYS (docs/callers.md)"
        )
    if grade is not None and role != "agent":
        raise CallerRefused("grade: only the role agent has grades; leave it out")
    if grade is not None and not re.fullmatch(GRADE_PATTERN, grade):
        raise CallerRefused("grade: expected a name under `arbitration.concession` of the pack, such as leader")


def _entry(entry_id: str, now: datetime.datetime, change: str, row: Mapping[str, Any], replacing: tuple[str, ...] | None) -> NewEntry:
    body = {"change": change, "name": row["name"], "role": row["role"], "by": row["made_by"]}
    body |= {name: row[name] for name in ("grade", "system") if row[name] is not None}
    if change == "added":
        body["key"] = key_digest(row["secret_hash"])
    return NewEntry(entry_id, "caller_changed", now, body, rows=(NewRow("caller", row, replacing),))
