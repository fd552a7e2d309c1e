"""Stages 4 to 6: eligible, applicable, suitable; then contact policy; then guardrails. Only what is surely true lets an action through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.engine.decision import IN_CONVERSATION, Decision, Outcome
from app.engine.facts import Facts
from app.engine.pack.model import Action, Pack


def open_gates(pack: Pack, facts: Facts) -> tuple[list[Outcome | None], list[int]]:
    """Stage 4: what became of each action at its gates, in the order of actions, none where every gate is open; and the places of those for
    which no clause is false: they are open or undecided.

    An action is left at the first clause that is false; the gates after it are not looked at.
    """
    became, standing = pack.screen(facts.values, facts.around)
    profile = facts.unprofiled
    if profile is None:
        return became, standing
    others, others_standing = pack.screen(profile.values, profile.around)
    marketing = pack.marketing
    standing = [place for place in standing if not marketing[place]] + [place for place in others_standing if marketing[place]]
    return _judge_marketing_unprofiled(pack, facts, profile, became, others), standing


def every_gate(pack: Pack, facts: Facts) -> list[Outcome | None]:
    """What became of each action, with all gates that are not open. What any of them looks at stands in the facts then."""
    became, profile = pack.gates(facts.values, facts.around), facts.unprofiled
    if profile is None:
        return became
    return _judge_marketing_unprofiled(pack, facts, profile, became, pack.gates(profile.values, profile.around))


def in_full(pack: Pack, decision: Decision) -> Decision:
    """The decision with every gate that kept an action out, not its cause alone; all that gates look at stands in its facts then."""
    met = every_gate(pack, decision.facts)
    pairs = zip(decision.outcomes, met, strict=True)
    return replace(decision, outcomes=tuple([item if kept is None else _with(item, kept) for item, kept in pairs]))


def _with(outcome: Outcome, kept: Outcome) -> Outcome:
    """The outcome with the gates that kept the action out; what it was kept out by beside its gates stays the cause."""
    if outcome.cause in (None, "suppressed"):
        return outcome
    by_itself = bool(outcome.failing) and outcome.failing[0].clause in IN_CONVERSATION
    return outcome._replace(failing=(*outcome.failing, *kept.failing)) if by_itself else kept


def _judge_marketing_unprofiled(
    pack: Pack, facts: Facts, profile: Facts, became: list[Outcome | None], others: list[Outcome | None]
) -> list[Outcome | None]:
    """Gates, duty and concession of offers and marketing care come from the unprofiled facts instead."""
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
