"""Reading one entry: its envelope, and what its subject's key opens, as long as there is one."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.case import Case
from app.record.campaigns.ids import is_row
from app.record.campaigns.stored import stored_row
from app.record.damage import DamagedEntry
from app.record.entries import NewEntry
from app.record.keys import Keys
from app.record.log import tree
from app.record.log.tree import Leaf
from app.record.privacy import Unreadable, commitment_of, lookup_of, open_private, unwrap
from app.record.store.tables import EntryRow, SubjectRow

State = Literal["readable", "erased", "without_case"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it is on record.

    Attributes:
        id: of the entry.
        envelope: what its leaf covers: codes.
        private: what the subject's key opens; none where the person was erased, or where there is nothing of a person.
        state: `readable`, `erased`, or `without_case` where nothing private belongs to it.
        leaf: its place in the log, of a campaign's decision that of its part; none while it waits to be sealed.
    """

    id: str
    envelope: Mapping[str, Any]
    private: Mapping[str, Any] | None
    state: State
    leaf: Leaf | None

    @property
    def body(self) -> Mapping[str, Any]:
        """The codes of what happened."""
        body: Mapping[str, Any] = self.envelope["body"]
        return body

    @property
    def subject(self) -> str | None:
        """The token of whom it is about."""
        token: str | None = self.envelope.get("subject")
        return token

    @property
    def case(self) -> Case | None:
        """What was decided about; none where it cannot be read."""
        return Case.from_json(self.private["case"]) if self.private is not None and "case" in self.private else None

    @property
    def answer(self) -> str | None:
        """The answer as it was given; none where it cannot be read, and of a campaign, which keeps none: `with_answer` makes it."""
        return None if self.private is None else self.private.get("answer")

    @property
    def given(self) -> str | None:
        """What the request that made the entry was answered with: for a decision that answers led to, more than itself."""
        return None if self.private is None else self.private.get("given", self.answer)

    @property
    def status(self) -> int:
        """The status it was answered with, in HTTP's terms."""
        return 200 if self.private is None else int(self.private.get("status", 200))


class Codes(NamedTuple):
    """What an entry says without a key: its kind, its codes, and the token of whom it is about."""

    kind: str
    body: Mapping[str, Any]
    subject: str | None


def codes_of(connection: Connection, entry_id: str) -> Codes | None:
    """The codes of an entry; none where there is no such entry, or its month was archived."""
    envelope = envelope_of(connection, entry_id)
    if envelope is None:
        return None
    told = orjson.loads(envelope)
    return Codes(told["kind"], told["body"], told.get("subject"))


def envelope_of(connection: Connection, entry_id: str) -> bytes | None:
    """The envelope of an entry, or of a decision of a campaign; none where there is no such one, or it was archived.

    Raises:
        DamagedEntry: the file of a campaign is not what was recorded.
    """
    if is_row(entry_id):
        row = stored_row(connection, entry_id)
        return None if row is None else row.envelope
    envelope = connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.id) == entry_id)).scalar_one_or_none()
    return None if envelope is None else bytes(envelope)


def read_entry(connection: Connection, keys: Keys, entry_id: str) -> Recorded | None:
    """An entry by its id, or a decision of a campaign; none where there is no such one, or its month was archived.

    Args:
        connection: a reading transaction.
        keys: of the record.
        entry_id: as it was given out.

    Raises:
        DamagedEntry: what is private of it is not what the envelope commits to.
    """
    found = _stored(connection, entry_id)
    if found is None:
        return None
    envelope = orjson.loads(found.envelope)
    leaf = tree.leaf_of(connection, found.leaf_of)
    if "commitment" not in envelope:
        return Recorded(entry_id, envelope, None, "without_case", leaf)
    key = _key_of(connection, keys, found.subject)
    if key is None or found.private is None:
        return Recorded(entry_id, envelope, None, "erased", leaf)
    return Recorded(entry_id, envelope, opened(key, found.private, entry_id, envelope), "readable", leaf)


def read_decision(connection: Connection, keys: Keys, decision_id: str) -> Recorded | None:
    """A decision by its id; none where nothing, or something else, has this id.

    Raises:
        DamagedEntry: as `read_entry`.
    """
    found = read_entry(connection, keys, decision_id)
    return found if found is not None and found.envelope["kind"] == "decision" else None


def token_of(connection: Connection, keys: Keys, subscriber_id: str) -> str | None:
    """The token of a subscriber; none for somebody never met, or erased."""
    query = select(col(SubjectRow.token)).where(col(SubjectRow.lookup) == lookup_of(keys, subscriber_id))
    return connection.execute(query).scalar_one_or_none()


def is_subject(connection: Connection, token: str) -> bool:
    """Is anything on record about whom this token names, erased or not?"""
    known = connection.execute(select(col(SubjectRow.token)).where(col(SubjectRow.token) == token)).first()
    return (
        known is not None or connection.execute(select(col(EntryRow.id)).where(col(EntryRow.subject) == token).limit(1)).first() is not None
    )


def read_note(
    entry_id: str,
    now: datetime.datetime,
    *,
    caller: str,
    role: str,
    what: str,
    agent: str | None = None,
    of: str | None = None,
    token: str | None = None,
    filters: Mapping[str, Any] | None = None,
    found: int | None = None,
) -> NewEntry:
    """The entry that says who looked at personal data, to be written before they see it.

    Args:
        entry_id: id of the new entry.
        now: the time.
        caller: who looks, with their role.
        role: theirs.
        what: `answer`, `decision`, `explanation`, `replay`, `list`, `pairs`, `choices`, `campaign`.
        agent: the code of the person in front of the screen, where their token names it.
        of: id of the entry that is looked at.
        token: of whom it is about, where it is one person.
        filters: of a list, what was searched for; no id of a person.
        found: how many entries a list has.
    """
    told = {
        "caller": caller,
        "role": role,
        "agent": agent,
        "what": what,
        "of": of,
        "filters": dict(filters) if filters else None,
        "found": found,
    }
    return NewEntry(entry_id, "read", now, {name: value for name, value in told.items() if value is not None}, token=token)


class _Stored(NamedTuple):
    """What is stored of an entry, or of a decision of a campaign, and the entry whose leaf covers it."""

    envelope: bytes
    private: bytes | None
    subject: str | None
    leaf_of: str


def _stored(connection: Connection, entry_id: str) -> _Stored | None:
    if is_row(entry_id):
        row = stored_row(connection, entry_id)
        return None if row is None else _Stored(row.envelope, row.private, row.subject, row.chunk.entry_id)
    columns = (col(EntryRow.envelope), col(EntryRow.private), col(EntryRow.subject))
    found = connection.execute(select(*columns).where(col(EntryRow.id) == entry_id)).first()
    if found is None:
        return None
    return _Stored(bytes(found.envelope), None if found.private is None else bytes(found.private), found.subject, entry_id)


def _key_of(connection: Connection, keys: Keys, token: str | None) -> bytes | None:
    row = connection.execute(
        select(col(SubjectRow.wrapped_key), col(SubjectRow.wrapped_with)).where(col(SubjectRow.token) == token)
    ).first()
    return None if row is None else unwrap(keys, bytes(row.wrapped_key), row.wrapped_with)


def opened(key: bytes, ciphertext: bytes, entry_id: str, envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """The private payload, held against both hashes of the envelope.

    Raises:
        DamagedEntry: it is not the one that was recorded.
    """
    if f"sha256:{hashlib.sha256(ciphertext).hexdigest()}" != envelope["private"]:
        raise DamagedEntry(f"the private payload of {entry_id} is not the one that was recorded")
    try:
        payload = open_private(key, ciphertext, entry_id.encode())
        kept = commitment_of(payload) == envelope["commitment"]
    except Unreadable:
        raise DamagedEntry(f"the private payload of {entry_id} does not open with its subject's key") from None
    if not kept:
        raise DamagedEntry(f"the case of {entry_id} is not the one that was recorded")
    return payload
