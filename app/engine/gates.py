"""Stages 4 to 6: eligible, applicable, suitable; then contact policy; then guardrails. Only what is surely true lets an action through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.engine.case import Case
from app.engine.decision import Cause, Failing, Outcome
from app.engine.facts import Facts
from app.engine.pack.model import Action, Clause, Pack

_causes: dict[str, Cause] = {
    "eligible": "not_eligible",
    "applicable": "not_applicable",
    "suitable": "not_suitable",
    "contact": "suppressed",
    "guardrail": "guardrail",
}


MOST_REMEMBERED = 256
"""Outcomes of one action that are kept; few come up again and again."""
_not_met = Outcome("", None)
_wrong_phase = Failing("applicable", "phase", unknown=False)
_wrong_channel = Failing("applicable", "channel", unknown=False)
_unknown_concession = Failing("suitable", "concession", unknown=True)


def open_gates(pack: Pack, case: Case, facts: Facts) -> tuple[list[Action], list[Outcome]]:
    """Stage 4: the actions whose every gate is open, and what became of the others."""
    pack.gates(facts.values, facts.around)
    if facts.unprofiled is not None:
        _judge_marketing_unprofiled(pack, facts)
    candidates: list[Action] = []
    outcomes: list[Outcome] = []
    own = facts.values
    profile = own if facts.unprofiled is None else facts.unprofiled.values
    for action, marketing, see, known in pack.doors[case.channel]:
        seen = see(profile if marketing else own)
        found = known.get(seen, _not_met)
        if found is _not_met:
            failing = closed_gates(pack, action, case, facts)
            found = outcome(action, failing) if failing else None
            if len(known) < MOST_REMEMBERED:
                known[seen] = found
        if found is None:
            candidates.append(action)
        else:
            outcomes.append(found)
    return candidates, outcomes


def closed_gates(pack: Pack, action: Action, case: Case, facts: Facts) -> list[Failing]:
    """Every gate of the action that is not open."""
    values = facts.seen_by(action)
    failing = not_open(action.gates, values)
    if case.channel not in action.channels:
        failing.insert(0, _wrong_channel)
    if values[pack.slots["phase"]] not in action.phases:
        failing.insert(0, _wrong_phase)
    if values[action.concession] is None:
        failing.append(_unknown_concession)
    return failing


def _judge_marketing_unprofiled(pack: Pack, facts: Facts) -> None:
    """Scores of offers and marketing care come from the unprofiled facts too."""
    if facts.unprofiled is None:
        return
    pack.gates(facts.unprofiled.values, facts.unprofiled.around)
    for action in pack.actions:
        if action.marketing:
            for slot in action.own_slots:
                facts.values[slot] = facts.unprofiled.values[slot]


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


def outcome(action: Action, failing: list[Failing]) -> Outcome:
    """One cause for an action that was kept out: its first false clause, or the first unknown one where none is false."""
    for first in failing:
        if not first.unknown:
            break
    else:
        first = failing[0]
    if first is not failing[0]:
        failing = [first, *(item for item in failing if item is not first)]
    return Outcome(action.id, "unknown" if first.unknown else _causes[first.gate], first.clause, tuple(failing))
