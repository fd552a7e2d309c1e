"""Stages 4 to 6: eligible, applicable, suitable; then contact policy; then guardrails. Only what is surely true lets an action through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.engine.case import Case
from app.engine.decision import Failing, Outcome
from app.engine.doors import outcome
from app.engine.facts import Facts
from app.engine.pack.model import Action, Clause, Pack

Seen = tuple[tuple[Any, ...], ...]
"""For each action what its gates look at."""


def open_gates(pack: Pack, case: Case, facts: Facts) -> list[Outcome | None]:
    """Stage 4: what became of each action at its gates, in the order of actions; none where every gate is open."""
    seen, doors = pack.gates(facts.values, facts.around), pack.doors[case.channel]
    if facts.unprofiled is not None:
        seen = _judge_marketing_unprofiled(pack, facts, facts.unprofiled, seen)
    return [door[came_to] for door, came_to in zip(doors, seen, strict=True)]


def closed_gates(pack: Pack, action: Action, case: Case, facts: Facts) -> list[Failing]:
    """Every gate of the action that is not open."""
    values = facts.seen_by(action)
    seen = (values[pack.slots["phase"]], values[action.concession], *(values[clause.slot] for clause in action.gates))
    return pack.doors[case.channel][pack.places[action.id]].closed(seen)


def _judge_marketing_unprofiled(pack: Pack, facts: Facts, profile: Facts, seen: Seen) -> Seen:
    """Gates, duty and concession of offers and marketing care come from the unprofiled facts instead."""
    unprofiled = pack.gates(profile.values, profile.around)
    for action in pack.actions:
        if action.marketing:
            for slot in action.own_slots:
                facts.values[slot] = profile.values[slot]
    return tuple(other if action.marketing else own for action, own, other in zip(pack.actions, seen, unprofiled, strict=True))


def keep_permitted(candidates: Iterable[Action], facts: Facts) -> tuple[list[Action], list[Outcome]]:
    """Stages 5 and 6: what contact policy, then the guardrails permit. Both see all facts."""
    permitted: list[Action] = []
    outcomes: list[Outcome] = []
    for action in candidates:
        failing = not_permitted(action, facts)
        if failing:
            outcomes.append(outcome(action, failing))
        else:
            permitted.append(action)
    return permitted, outcomes


def not_permitted(action: Action, facts: Facts) -> list[Failing]:
    """Contact clauses that do not permit the action; where all do, guardrails that do not."""
    action.policy(facts.values, facts.around)
    return forbidding(action, facts.values)


def forbidding(action: Action, values: list[Any]) -> list[Failing]:
    """The same, once the clauses were worked out."""
    return not_open(action.contact, values) or not_open(action.guardrails, values)


def not_open(clauses: Iterable[Clause], values: list[Any]) -> list[Failing]:
    """The clauses that are false or unknown, in order; an unknown that the pack allows is neither."""
    return [
        clause.undecided if value is None else clause.failed
        for clause in clauses
        if (value := values[clause.slot]) is not True and not (value is None and clause.allows_unknown)
    ]
