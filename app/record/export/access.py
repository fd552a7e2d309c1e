"""Everything that is held about one person, and every decision about them in plain words: the answer to their request for access."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.problems import PackError
from app.engine.texts import Language, language_of
from app.record.erasing.persons import NobodyKnown, Person, person_of
from app.record.export.words import decision_in_words
from app.record.keys import Keys
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.privacy import lookup_of
from app.record.reading.recorded import Recorded, read_entry
from app.record.reading.replaying import Packs
from app.record.store.tables import ContactRow, EntryRow

_AGREED_TO = ("marketing", "personalised", "partner_sharing")


@dataclass(frozen=True, slots=True)
class TellDecision:
    """A decision about the person.

    `words` tell it in their language, `known` is what was known of them then, `answer` what was answered. Words are missing where the pack
    that decided cannot be run any more; `why` says so.
    """

    id: str
    at: str
    words: Sequence[str]
    known: Mapping[str, Any]
    answer: Mapping[str, Any]
    pack: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something the person refused: an action, a channel, or a use of their data; since when, and how often it was said."""

    what: str
    channel: str | None
    since: str
    times: int


@dataclass(frozen=True, slots=True)
class Told:
    """Something else on the record about the person: an outcome, a look at their data, a legal hold."""

    id: str
    at: str
    kind: str
    body: Mapping[str, Any]
    private: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Held:
    """Everything that is held about one person. `person` says since when they are known, and whether a legal hold keeps it."""

    person: Person
    decisions: Sequence[TellDecision]
    contacts: Sequence[Mapping[str, Any]]
    refusals: Sequence[Refusal]
    others: Sequence[Told]

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        told: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return told


def held_about(connection: Connection, keys: Keys, packs: Packs, subscriber_id: str, locale: str = "zh-CN") -> Held:
    """Gather what is held about a subscriber.

    Args:
        connection: a reading transaction.
        keys: of the record.
        packs: every pack ever used.
        subscriber_id: the operator's id.
        locale: language of the words, `zh-CN` or `en`.

    Raises:
        NobodyKnown: the record knows no such subscriber, or they were erased.
    """
    person = person_of(connection, lookup_of(keys, subscriber_id))
    if person is None:
        raise NobodyKnown("the record knows no such subscriber: never met, or erased before")
    entries = list(_entries(connection, keys, person.token))
    decisions = [entry for entry in entries if entry.envelope["kind"] == "decision"]
    contacts = _contacts(connection, person.token)
    return Held(
        person=person,
        decisions=[_tell(entry, packs, locale) for entry in decisions],
        contacts=contacts,
        refusals=[*_refused(contacts, decisions), *_not_agreed(decisions)],
        others=[_other(entry) for entry in entries if entry.envelope["kind"] != "decision"],
    )


def words_of(recorded: Recorded, packs: Packs, locale: str) -> tuple[list[str], str | None]:
    """A decision in plain words; or none, and why there are none."""
    language: Language = language_of(locale)
    if recorded.case is None:
        return [], "the person was erased; what was decided is on record, as codes"
    try:
        pack = packs.get(recorded.body["pack"])
    except (PackError, UnknownPack, DamagedPack) as error:
        return [], f"the pack that decided cannot be run: {str(error).partition(chr(10))[0]}"
    case: Case = replace(recorded.case, locale=locale)
    explanation = explain(pack, case, decide(pack, case), "full")
    at = datetime.datetime.fromisoformat(recorded.envelope["at"])
    return list(decision_in_words(explanation, case, at, pack, language)), None


def _entries(connection: Connection, keys: Keys, token: str) -> Iterator[Recorded]:
    ids = connection.execute(select(col(EntryRow.id)).where(col(EntryRow.subject) == token).order_by(col(EntryRow.id))).scalars().all()
    return filter(None, (read_entry(connection, keys, entry_id) for entry_id in ids))


def _tell(recorded: Recorded, packs: Packs, locale: str) -> TellDecision:
    private: Mapping[str, Any] = recorded.private or {"case": {"subscriber": {}}, "answer": "{}"}
    words, why = words_of(recorded, packs, locale)
    return TellDecision(
        id=recorded.id,
        at=recorded.envelope["at"],
        words=words,
        known=private["case"],
        answer=orjson.loads(private["answer"]),
        pack=recorded.body["pack"],
        why=why,
    )


def _other(recorded: Recorded) -> Told:
    envelope, private = recorded.envelope, recorded.private
    shown = None if private is None else {name: value for name, value in private.items() if name != "salt"}
    return Told(recorded.id, envelope["at"], envelope["kind"], recorded.body, shown)


def _contacts(connection: Connection, token: str) -> list[Mapping[str, Any]]:
    names = ("at", "channel", "kind", "action", "campaign", "result", "decision_id")
    query = select(*(getattr(ContactRow, name) for name in names)).where(col(ContactRow.subject) == token).order_by(col(ContactRow.at))
    return [dict(row) for row in connection.execute(query).mappings()]


def _refused(contacts: Sequence[Mapping[str, Any]], decisions: Sequence[Recorded]) -> list[Refusal]:
    """Actions that were refused, on our own record and in histories that callers sent."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for contact in (*contacts, *_sent(decisions)):
        if contact.get("result") == "refused":
            found.setdefault((contact.get("action") or "", contact.get("channel")), []).append(contact["at"])
    return [Refusal(action, channel, min(times), len(set(times))) for (action, channel), times in sorted(found.items(), key=str)]


def _sent(decisions: Sequence[Recorded]) -> Iterator[Mapping[str, Any]]:
    for decision in decisions:
        yield from ((decision.private or {}).get("case", {}).get("subscriber", {}).get("contacts") or ())


def _not_agreed(decisions: Sequence[Recorded]) -> Iterator[Refusal]:
    """What the person does not agree to as last known, since the first decision from which on that did not change."""
    since: dict[str, tuple[str, int]] = {}
    for decision in decisions:
        consent = (decision.private or {}).get("case", {}).get("subscriber", {}).get("consent") or {}
        refused = {name for name in _AGREED_TO if consent.get(name) == "no"} | {
            f"channel {name}" for name in consent.get("refused_channels") or ()
        }
        known = {name for name in since if name in consent or (name.startswith("channel ") and "refused_channels" in consent)}
        for name in known - refused:
            del since[name]
        for name in refused:
            first, times = since.get(name, (consent.get("updated_on") or decision.envelope["at"], 0))
            since[name] = first, times + 1
    return (Refusal(name, None, first, times) for name, (first, times) in sorted(since.items()))
