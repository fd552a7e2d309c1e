"""May an action that was decided still go out: its gates, contact policy and guardrails say so anew; that others are better does not."""

from __future__ import annotations

from typing import NamedTuple

from app.engine.arbitration import rules_out, score
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision, Outcome
from app.engine.gates import every_gate, not_permitted
from app.engine.pack.model import Pack

HANDS_OFF = "hands_off"


class Still(NamedTuple):
    """What stops an action; no cause where nothing does.

    Attributes:
        cause: of an outcome; of the pack's hands-off clauses, such as `port_out_in_progress`; `withdrawn`: the pack does not have the
            action any more; `changed`: it would come from another tariff now.
        decision: what would be decided now; none where the pack does not have the action.
        outcome: what became of the action in it, where that stops it.
    """

    cause: str | None
    decision: Decision | None = None
    outcome: Outcome | None = None


def still(pack: Pack, case: Case, action: str, *, tariff: str | None = None, stood_in: bool = False) -> Still:
    """Decide anew, and see what stops an action. Being outranked does not.

    Args:
        pack: in force.
        case: as of now.
        action: what was decided.
        tariff: that it came from.
        stood_in: was it a fallback, which fits no phase and no signal?
    """
    if action not in pack.by_id:
        return Still("withdrawn")
    decision = decide(pack, case)
    outcome = decision.outcomes[pack.places[action]]
    if outcome.cause not in (None, "outranked") and not (stood_in and _may_stand_in(pack, decision, action)):
        return Still(_hands_off(pack, decision) or outcome.cause, decision, outcome)
    changed = tariff is not None and score(pack, decision.facts, pack.by_id[action]).ranked.tariff != tariff
    return Still("changed" if changed else None, decision)


def _hands_off(pack: Pack, decision: Decision) -> str | None:
    """The clause for which hands are off, where they are."""
    if decision.phase.id != HANDS_OFF:
        return None
    return next((rule.clause.name for rule in pack.hands_off if decision.facts.values[rule.clause.slot] is True), None)


def _may_stand_in(pack: Pack, decision: Decision, action: str) -> bool:
    facts, kept = decision.facts, every_gate(pack, decision.facts)[pack.places[action]]
    return not rules_out(kept) and action not in facts.refused and not_permitted(pack, pack.by_id[action], facts) is None
