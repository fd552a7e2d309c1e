"""A decision in plain words, for the person it was about: when, where, what we suggested and why, what became of it, how to refuse it.

Only what is written for customers is told: no code, no score, no phase, nothing of risk or of what they are worth to us, nothing of what
was advice for our own people.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from app.engine.answer import ActionAnswer
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.pack.model import Action
from app.engine.terms import local_time, term
from app.engine.texts import Language, enumerated
from app.engine.view import view
from app.engine.vocabulary import FACTS, SECTIONS
from app.record.choices import standing_of
from app.record.export.plain_words import BECAME, DATA, NOTHING, TEXT, WHERE
from app.record.export.retelling import pack_of
from app.record.export.words import CHANNELS
from app.record.reading.consulting import LOCALES
from app.record.reading.many import outcomes_by_decision
from app.record.reading.recorded import Recorded
from app.record.reading.replaying import Packs

SELF_SERVICE = "self_service"
_OF_OUR_VIEW = frozenset({"vip", "value", "churn", "perception", "consent"})
"""Sections that hold what we think of somebody, or what is told in words of its own."""
_INNER_QUOTES = str.maketrans("“”", "‘’")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that was suggested.

    Attributes:
        action: what to name where it is refused.
        name: as the customer may know it.
        why: in words for the customer; none where there are none.
        became: what became of it; none where nobody told.
        refused: does a refusal of the person stand?
    """

    action: str
    name: str
    why: str | None
    became: str | None
    refused: bool


@dataclass(frozen=True, slots=True)
class Plain:
    """A decision as the customer reads it. `words` tell all of it, a sentence or two each."""

    decision_id: str
    at: str
    channel: str
    words: Sequence[str]
    suggestions: Sequence[Suggestion]


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What came after: of a decision by action the last outcome and its time, and the actions whose refusal stands."""

    outcomes: Mapping[str, tuple[str, str]]
    refused: frozenset[str]


def all_plainly(connection: Connection, found: Sequence[Recorded], packs: Packs, language: Language) -> list[Plain]:
    """Decisions about one person in words for them, with what became of each; those that cannot be read any more are left out.

    Args:
        connection: a reading transaction.
        found: decisions, all about the same person.
        packs: every pack ever used.
        language: of the words.
    """
    token = next((item.subject for item in found if item.subject is not None), "")
    refused = frozenset(item.about for item in standing_of(connection, token) if item.choice == "no_action" and item.about)
    outcomes = outcomes_by_decision(connection, [item.id for item in found])
    readable = (item for item in found if item.state == "readable")
    return [plainly(item, packs, Afterwards(outcomes.get(item.id, {}), refused), language) for item in readable]


def plainly(found: Recorded, packs: Packs, after: Afterwards, language: Language) -> Plain:
    """A decision on record in words for the customer.

    Args:
        found: the decision, readable.
        packs: every pack ever used.
        after: what became of it.
        language: of the words.

    Raises:
        ValueError: the decision's case cannot be read.
    """
    case, pack = found.case, pack_of(found.body["pack"], packs)
    if case is None:
        raise ValueError("the person was erased")
    told = _Told(case, pack, found, after, language)
    suggestions = [*told.suggestions()]
    return Plain(found.id, found.envelope["at"], told.channel, [*told.words(suggestions)], suggestions)


class _Told:
    """Words one decision."""

    def __init__(self, case: Case, pack: Pack | None, found: Recorded, after: Afterwards, language: Language) -> None:
        self.case, self.pack, self.found, self.after, self.language = case, pack, found, after, language
        self.channel = CHANNELS.get(case.channel, {}).get(language, case.channel)
        self.shown: Mapping[str, ActionAnswer] = {} if pack is None else _shown(pack, replace(case, locale=LOCALES[language]))

    def say(self, code: str, **given: Any) -> str:
        return TEXT[code][self.language == "zh"].format(**given)

    def suggestions(self) -> Iterator[Suggestion]:
        """What was written to the customer, or told to them as somebody reported."""
        for item in self.found.body["offered"]:
            name, shown = item["action"], self.shown.get(item["action"])
            action = self.pack.by_id.get(name) if self.pack is not None else None
            if action is None or not (name in self.after.outcomes or _was_for_them(shown)):
                continue
            why = self._joined(reason.text for reason in shown.reasons) if shown is not None else ""
            yield Suggestion(name, self._named(action, shown), why or None, self._became(name), name in self.after.refused)

    def words(self, suggestions: Sequence[Suggestion]) -> Iterator[str]:
        """The whole, in order."""
        yield self.say("head", at=self._at(self.found.envelope["at"]), where=term(WHERE, self.case.channel, self.language))
        for item in suggestions:
            yield self._joined(self._of(item))
        if suggestions:
            yield self.say("refuse")
        else:
            yield self._nothing()
        if not self.found.body.get("personalised", True):
            yield self.say("unprofiled")

    def _of(self, item: Suggestion) -> Iterator[str]:
        yield self._suggested(item)
        if item.why:
            yield item.why
        action = self.pack.by_id[item.action] if self.pack is not None else None
        if action is not None:
            if sections := self._rests_on(action):
                yield self.say("rests on", sections=enumerated(sections, self.language))
            yield self.say("marketing" if action.marketing else "service")
        if item.became:
            yield item.became
        if item.refused:
            yield self.say("refused for good")

    def _suggested(self, item: Suggestion) -> str:
        """What it was: the tariff, else what was written to them, else what it is called."""
        shown = self.shown.get(item.action)
        if shown is not None and shown.tariff is not None:
            return self.say("tariff", name=item.name)
        if shown is not None and shown.text:
            return self.say("wrote", text=shown.text.translate(_INNER_QUOTES))
        return self.say("suggested", name=item.name)

    def _nothing(self) -> str:
        body = self.found.body
        if body["offered"]:
            return self.say("for our people" if self.pack is not None else "rules gone", count=len(body["offered"]))
        return NOTHING.get(str(body.get("empty_because")), NOTHING["not_applicable"])[self.language == "zh"]

    def _named(self, action: Action, shown: ActionAnswer | None) -> str:
        return shown.tariff.name if shown is not None and shown.tariff is not None else action.title.say(self.language)

    def _became(self, action: str) -> str | None:
        outcome, at = self.after.outcomes.get(action, ("", ""))
        words = BECAME.get(outcome)
        return None if words is None else words[self.language == "zh"].format(at=self._at(at))

    def _rests_on(self, action: Action) -> list[str]:
        """What of the person's own data the conditions of an action looked at."""
        bases = {base for clause in action.gates for base in clause.bases if base in FACTS and not FACTS[base].restricted}
        known = {base.partition(".")[0] for base in bases} & self.case.subscriber.model_fields_set
        return [term(DATA, name, self.language) for name in SECTIONS if name in known and name not in _OF_OUR_VIEW]

    def _at(self, time: str) -> str:
        return local_time(datetime.datetime.fromisoformat(time), self.case.times.offset, self.language)

    def _joined(self, parts: Iterable[str]) -> str:
        return ("" if self.language == "zh" else " ").join(parts)


def _was_for_them(shown: ActionAnswer | None) -> bool:
    """Was it a text for the customer? A script is for whoever speaks to them."""
    return shown is not None and bool(shown.text)


def _shown(pack: Pack, case: Case) -> Mapping[str, ActionAnswer]:
    """What the customer may see of each action on the list, decided again."""
    whole = explain(pack, case, decide(pack, case), "summary", evidence=False)
    return {item.action: item for item in view(whole, pack.restricted, SELF_SERVICE).actions}
