"""What is not known: the facts a decision would have used, and the questions whose answers could bring in an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.engine.answer import Ask, UnknownFact
from app.engine.case import Case
from app.engine.decision import Decision
from app.engine.once import once_a_pack
from app.engine.pack.model import Clause, Pack
from app.engine.texts import LANGUAGES, Language
from app.engine.wanting import wanted
from app.engine.words import fact_title

MOST_QUESTIONS = 5
SELF_CHANNELS = frozenset({"app", "web", "social", "email", "sms_service", "sms_marketing"})
"""Channels on which the subscriber reads and answers without a person of ours."""
_UNTOLD = ("request.", "port.")
"""Facts that nobody is told are missing."""


def waiting(decision: Decision) -> Iterable[Clause]:
    """The clauses, each once, for which actions are undecided that may be looked at."""
    actions = decision.undecided if decision.personalised else [item for item in decision.undecided if not item.doer.marketing]
    return {clause.slot: clause for item in actions for clause in item.clauses}.values()


@once_a_pack
def facts_told(pack: Pack) -> tuple[str, ...]:
    """The facts of a pack that are said to be missing where they are, by name; `events` and `contacts` among them."""
    return tuple(sorted(name for name in (*(base.name for base in pack.base), "events", "contacts") if not name.startswith(_UNTOLD)))


def questions(pack: Pack, case: Case, decision: Decision, language: Language) -> list[Ask]:
    """Questions about unknown facts of actions that nothing else keeps out; those that may unlock most first."""
    undecided = decision.undecided
    askable = _askable(pack, case, decision) if undecided else frozenset()
    unlocks: dict[str, list[str]] = {}
    for item in undecided if askable else ():
        action = item.doer
        if all(askable.isdisjoint(clause.bases) for clause in item.clauses) or (action.marketing and not decision.personalised):
            continue
        for fact in sorted(wanted(pack, decision, item.clauses, decision.facts.seen_by(action)) & askable):
            unlocks.setdefault(fact, []).append(action.id)
    order = sorted(unlocks, key=lambda fact: (-len(unlocks[fact]), fact))
    return [Ask(fact, pack.questions[fact].text.say(language), unlocks[fact]) for fact in order[:MOST_QUESTIONS]]


def _askable(pack: Pack, case: Case, decision: Decision) -> frozenset[str]:
    """Unknown facts that may be asked for by this side, at this moment."""
    side = "self" if case.channel in SELF_CHANNELS else "agent"
    values = decision.facts.values
    return frozenset(
        [
            fact
            for fact, slot, when in pack.asked_of[side]
            if (slot is None or values[slot] is None) and (when is None or values[when] is True)
        ]
    )


def unknown_facts(
    pack: Pack, decision: Decision, clauses: Iterable[Clause] | None, values: list[Any], language: Language
) -> list[UnknownFact]:
    """Facts that are missing or too old, by name: those that the clauses and stronger phases want, or all that the pack reads; what is too
    old always."""
    too_old = decision.facts.too_old
    if clauses is None:
        names = {base.name for base in pack.base if values[base.slot] is None}
        names |= {name for name in ("events", "contacts") if getattr(decision.facts.around, name) is None}
    else:
        names = wanted(pack, decision, clauses, values, phases=True)
    found, as_missing = [], _missing(pack)[language]
    for name in sorted(names | too_old.keys() if too_old else names):
        missing = as_missing[name]
        if missing is not None:
            found.append(UnknownFact(name, missing.title, "too_old", too_old[name]) if name in too_old else missing)
    return found


class _Missing(dict[str, UnknownFact | None]):
    """What is said in a language of facts of a pack that are missing, where anything is; each is found when it is first missed."""

    def __init__(self, pack: Pack, language: Language) -> None:
        super().__init__()
        self.pack, self.language = pack, language

    def __missing__(self, name: str) -> UnknownFact | None:
        told = None if name.startswith(_UNTOLD) else UnknownFact(name, fact_title(self.pack, name, self.language), "missing", None)
        self[name] = told
        return told


@once_a_pack
def _missing(pack: Pack) -> Mapping[Language, _Missing]:
    return {language: _Missing(pack, language) for language in LANGUAGES}


def titles_wanted(pack: Pack, decision: Decision, clause: Clause, values: list[Any], language: Language) -> list[str]:
    """Titles of the facts for want of which a clause is unknown."""
    return [fact_title(pack, name, language) for name in sorted(wanted(pack, decision, [clause], values)) if not name.startswith("port.")]
