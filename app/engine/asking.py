"""What is not known: the facts a decision would have used, and the questions whose answers could bring in an action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.engine.answer import Ask, UnknownFact
from app.engine.case import Case
from app.engine.decision import Decision, Outcome
from app.engine.pack.model import Clause, Pack
from app.engine.texts import Language
from app.engine.wanting import wanted
from app.engine.words import fact_title

MOST_QUESTIONS = 5
SELF_CHANNELS = frozenset({"app", "web", "social", "email", "sms_service", "sms_marketing"})
"""Channels on which the subscriber reads and answers without a person of ours."""


def questions(pack: Pack, case: Case, decision: Decision, undecided: Sequence[Outcome], language: Language) -> list[Ask]:
    """Questions about unknown facts of actions that nothing else keeps out; those that may unlock most first."""
    askable = _askable(pack, case, decision) if undecided else frozenset()
    unlocks: dict[str, list[str]] = {}
    for outcome in undecided if askable else ():
        action = pack.by_id[outcome.action]
        clauses = unknown_clauses(pack, outcome)
        if all(askable.isdisjoint(clause.bases) for clause in clauses) or (action.marketing and not decision.personalised):
            continue
        for fact in sorted(wanted(pack, decision, clauses, decision.facts.seen_by(action)) & askable):
            unlocks.setdefault(fact, []).append(action.id)
    order = sorted(unlocks, key=lambda fact: (-len(unlocks[fact]), fact))
    return [Ask(fact, pack.questions[fact].text.say(language), unlocks[fact]) for fact in order[:MOST_QUESTIONS]]


def _askable(pack: Pack, case: Case, decision: Decision) -> frozenset[str]:
    """Unknown facts that may be asked for by this side, at this moment."""
    sides = ("self" if case.channel in SELF_CHANNELS else "agent", "both")
    values = decision.facts.values
    return frozenset(
        question.fact
        for question in pack.questions.values()
        if question.who in sides
        and (question.when is None or values[question.when] is True)
        and ((slot := pack.slots.get(question.fact)) is None or values[slot] is None)
    )


def unknown_clauses(pack: Pack, outcome: Outcome) -> list[Clause]:
    """The clauses of the pack that kept an action out as unknown."""
    known = pack.clauses[outcome.action]
    return [clause for item in outcome.failing if item.unknown and (clause := known.get(item[:2]))]


def unknown_facts(
    pack: Pack, decision: Decision, clauses: Iterable[Clause] | None, values: list[Any], language: Language
) -> list[UnknownFact]:
    """Facts that are missing or too old, by name: those the clauses want, or all that the pack reads; what is too old always."""
    too_old = decision.facts.too_old
    if clauses is None:
        names = {base.name for base in pack.base if values[base.slot] is None}
        names |= {name for name in ("events", "contacts") if getattr(decision.facts.around, name) is None}
    else:
        names = wanted(pack, decision, clauses, values)
    found = []
    for name in sorted(names | set(too_old)):
        if not name.startswith(("request.", "port.")):
            age = too_old.get(name)
            found.append(UnknownFact(name, fact_title(pack, name, language), "missing" if age is None else "too_old", age))
    return found


def titles_wanted(pack: Pack, decision: Decision, clause: Clause, values: list[Any], language: Language) -> list[str]:
    """Titles of the facts for want of which a clause is unknown."""
    return [fact_title(pack, name, language) for name in sorted(wanted(pack, decision, [clause], values)) if not name.startswith("port.")]
