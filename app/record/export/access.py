"""Everything that is held about one person, and every decision about them in plain words: the answer to their request for access."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.texts import Language, language_of
from app.record.campaigns.stored import rows_about
from app.record.choices import choices_told
from app.record.export.refusals import Refusal, refusals_of
from app.record.export.retelling import Untold, pack_of, retold
from app.record.export.words import decision_in_words
from app.record.keys import Keys
from app.record.outgoing.about import events_about
from app.record.persons import Person, person_of
from app.record.privacy import lookup_of
from app.record.reading.afterwards import contacts_told
from app.record.reading.recorded import Recorded, read_entry
from app.record.reading.remaking import with_answer_if_any
from app.record.reading.replaying import Packs
from app.record.recommendations import kept_of
from app.record.store.tables import EntryRow


@dataclass(frozen=True, slots=True)
class TellDecision:
    """A decision about the person.

    `words` tell it in their language, `known` is what was known of them then, `answer` what was answered. Words are missing where the pack
    that decided cannot be run any more; `why` says so. `asked` is what it was asked with beside that, such as a shopping cart.
    """

    id: str
    at: str
    words: Sequence[str]
    known: Mapping[str, Any]
    answer: Mapping[str, Any]
    pack: str
    why: str | None = None
    asked: Mapping[str, Any] | None = None


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
    """Everything that is held about one person.

    Attributes:
        person: since when they are known, and whether a legal hold keeps it.
        decisions: about them, oldest first.
        contacts: of ours with them, oldest first.
        refusals: what they refused.
        choices: what they chose for good and did not take back, oldest first.
        events: about them, that other systems are still to be told of.
        others: everything else on the record about them.
        titles: of actions, as the packs that decided call them, in the person's language.
        offset: minutes that the person's own time is ahead of UTC, as last known.
    """

    person: Person
    decisions: Sequence[TellDecision]
    contacts: Sequence[Mapping[str, Any]]
    refusals: Sequence[Refusal]
    choices: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    others: Sequence[Told]
    titles: Mapping[str, str]
    offset: int

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
    language, entries = language_of(locale), list(_entries(connection, keys, person.token))
    decisions = [entry for entry in entries if entry.envelope["kind"] == "decision"]
    contacts = contacts_told(entries)
    return Held(
        person=person,
        decisions=[_tell(entry, packs, language) for entry in decisions],
        contacts=contacts,
        refusals=refusals_of(contacts, entries),
        choices=[item.as_json() for item in choices_told(entry.envelope for entry in entries)],
        events=events_about(connection, person.token),
        others=[_other(entry) for entry in entries if entry.envelope["kind"] != "decision"],
        titles=_titles(decisions, packs, language),
        offset=_offset(decisions),
    )


def words_of(recorded: Recorded, packs: Packs, language: Language) -> tuple[list[str], str | None]:
    """A decision in plain words; or none, and why there are none."""
    try:
        told = retold(recorded, packs, language)
    except Untold as error:
        return [], str(error)
    at = datetime.datetime.fromisoformat(recorded.envelope["at"])
    return list(decision_in_words(told.explanation, told.case, at, told.pack, language)), None


def _entries(connection: Connection, keys: Keys, token: str) -> Iterator[Recorded]:
    ids = connection.execute(select(col(EntryRow.id)).where(col(EntryRow.subject) == token)).scalars().all()
    return filter(None, (read_entry(connection, keys, entry_id) for entry_id in sorted([*ids, *rows_about(connection, token)])))


def _tell(recorded: Recorded, packs: Packs, language: Language) -> TellDecision:
    private: Mapping[str, Any] = {"answer": "{}", **(with_answer_if_any(recorded, packs).private or {"case": {"subscriber": {}}})}
    words, why = words_of(recorded, packs, language)
    return TellDecision(
        id=recorded.id,
        at=recorded.envelope["at"],
        words=words,
        known=private["case"],
        answer=orjson.loads(private["answer"]),
        pack=recorded.body["pack"],
        why=why,
        asked=kept_of(recorded) or None,
    )


def _other(recorded: Recorded) -> Told:
    envelope, private = recorded.envelope, recorded.private
    shown = None if private is None else {name: value for name, value in private.items() if name != "salt"}
    return Told(recorded.id, envelope["at"], envelope["kind"], recorded.body, shown)


def _titles(decisions: Sequence[Recorded], packs: Packs, language: Language) -> dict[str, str]:
    """Of every action of the packs that decided; those of a later pack count."""
    told: dict[str, str] = {}
    for digest in dict.fromkeys(decision.body["pack"] for decision in decisions):
        pack = pack_of(digest, packs)
        told |= {action.id: action.title.say(language) for action in pack.actions} if pack is not None else {}
    return told


def _offset(decisions: Sequence[Recorded]) -> int:
    cases = (decision.case for decision in reversed(decisions))
    return next((case.times.offset for case in cases if case is not None), 0)
