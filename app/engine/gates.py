"""Stages 4 to 6: eligible, applicable, suitable; then contact policy; then guardrails. Only what is surely true lets an action through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.engine.case import Case
from app.engine.decision import Failing, Outcome
from app.engine.facts import Facts
from app.engine.pack.model import Action, Pack


def open_gates(pack: Pack, facts: Facts) -> list[Outcome | None]:
    """Stage 4: what became of each action at its gates, in the order of actions; none where every gate is open."""
    became = pack.gates(facts.values, facts.around)
    return became if facts.unprofiled is None else _judge_marketing_unprofiled(pack, facts, facts.unprofiled, became)


def closed_gates(pack: Pack, action: Action, case: Case, facts: Facts) -> list[Failing]:
    """Every gate of the action that is not open."""
    values = facts.seen_by(action)
    cost = (values[action.concession],) if action.may_cost_unknown else ()
    door = pack.doors[case.channel][values[pack.slots["phase"]]][pack.places[action.id]]
    return door.closed((*cost, *(values[clause.slot] for clause in action.gates)))


def _judge_marketing_unprofiled(pack: Pack, facts: Facts, profile: Facts, became: list[Outcome | None]) -> list[Outcome | None]:
    """Gates, duty and concession of offers and marketing care come from the unprofiled facts instead."""
    others = pack.gates(profile.values, profile.around)
    for action in pack.actions:
        if action.marketing:
            for slot in action.own_slots:
                facts.values[slot] = profile.values[slot]
    return [other if action.marketing else own for action, own, other in zip(pack.actions, became, others, strict=True)]


def keep_permitted(pack: Pack, candidates: Iterable[Action], facts: Facts) -> tuple[list[Action], list[Outcome]]:
    """Stages 5 and 6: what contact policy, then the guardrails permit. Both see all facts."""
    permitted: list[Action] = []
    outcomes: list[Outcome] = []
    for action in candidates:
        forbidden = not_permitted(pack, action, facts)
        if forbidden is None:
            permitted.append(action)
        else:
            outcomes.append(forbidden)
    return permitted, outcomes


def not_permitted(pack: Pack, action: Action, facts: Facts) -> Outcome | None:
    """The outcome of an action that contact policy or, where that permits it, a guardrail does not permit; else none."""
    action.policy(facts.values, facts.around)
    permit = pack.permits[action.id]
    return permit[permit.see(facts.values)]


def forbidding(pack: Pack, action: Action, values: list[Any]) -> list[Failing]:
    """The clauses that do not permit an action, looked at once more after they were worked out."""
    permit = pack.permits[action.id]
    return permit.forbidding(permit.see(values))
