"""Stages 7 and 8: scores, the greedy choice among what conflicts, and the fallback for an empty list."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.engine.case import Case
from app.engine.conversation import CLOSINGS, against, duty_of
from app.engine.decision import EmptyBecause, Outcome, Ranked, cause_of
from app.engine.facts import Facts
from app.engine.gates import every_gate, not_permitted
from app.engine.pack.model import Action, Pack

DUTIES = {"owed": 0, "care": 1, "offer": 2}
"""Duty before gain: the first key of the order."""
NEEDED = ("channel", "concession")
"""Beside eligibility, what even a fallback cannot do without: a channel, and a known cost."""


class Scored(NamedTuple):
    """A candidate with its score, not ranked yet."""

    action: Action
    ranked: Ranked

    @property
    def order(self) -> tuple[int, float, int, str]:
        """The total order: duty, score, priority, id."""
        return (DUTIES[self.ranked.duty], -self.ranked.score, -self.action.priority, self.action.id)


def rank(pack: Pack, case: Case, facts: Facts, candidates: Iterable[Action]) -> tuple[list[Ranked], list[Outcome]]:
    """Stage 7: the best remaining candidate, dropping what conflicts with it, until the list is full.

    Returns:
        The list, and for every loser to whom and by how much.
    """
    waiting = sorted((score(pack, facts, action) for action in candidates), key=lambda item: item.order)
    chosen: list[Scored] = []
    outcomes: list[Outcome] = []
    limit = min(case.max_actions, pack.choosing.max_actions)
    for item in waiting:
        conflict = _conflict(pack, case, chosen, item, limit)
        if conflict is None:
            chosen.append(item)
        else:
            clause, winner = conflict
            behind = winner.ranked.score - item.ranked.score if winner else None
            outcomes.append(Outcome(item.action.id, "outranked", clause, (), winner.action.id if winner else None, behind))
    return [Ranked(index, *item.ranked[1:]) for index, item in enumerate(chosen, 1)], outcomes


def score(pack: Pack, facts: Facts, action: Action) -> Scored:
    """score = propensity × value × relevance × lever; an unknown propensity or value counts as nothing."""
    shown = facts.open_to(action)
    seen = shown.values
    action.worth(seen, shown.around)
    propensity, value = seen[action.propensity] or 0.0, seen[action.value]
    found = pack.moments.get(seen[pack.slots["moment"]])
    relevance = found.relevance.get(action.category, 1.0) if found else 1.0
    lever = pack.mixes[seen[pack.slots["phase"]]][action.lever]
    tariff = seen[action.tariff_slot] if action.tariff_slot is not None else action.tariff
    duty = duty_of(action, facts)
    concession = math.ceil(seen[action.concession] or 0)
    product = propensity * (value or 0) * relevance * lever
    return Scored(action, Ranked(0, action.id, duty, product, propensity, value, relevance, lever, concession, tariff))


def _conflict(pack: Pack, case: Case, chosen: list[Scored], item: Scored, limit: int) -> tuple[str, Scored | None] | None:
    """The rule that keeps the item off the list, and the winner it lost to."""
    rules, action = pack.choosing, item.action
    for winner in chosen:
        if action.id in winner.action.excludes or winner.action.id in action.excludes:
            return "excludes", winner
        if item.ranked.duty == "offer" and winner.ranked.duty == "owed" and winner.action.category in rules.service_first:
            return "service_first", winner
    same = [winner for winner in chosen if winner.action.category == action.category]
    if len(same) >= rules.per_category:
        return "per_category", same[-1]
    bound = [winner for winner in chosen if winner.action.commitment_months]
    if action.commitment_months and len(bound) >= rules.commitments:
        return "commitments", bound[-1] if bound else None
    spent = sum(winner.ranked.concession for winner in chosen)
    if item.ranked.concession and spent + item.ranked.concession > case.asker.concession_limit:
        conceding = [winner for winner in chosen if winner.ranked.concession]
        return "concession_limit", conceding[-1] if conceding else None
    return ("max_actions", chosen[-1]) if len(chosen) >= limit else None


def empty_cause(pack: Pack, case: Case, facts: Facts, outcomes: Iterable[Outcome]) -> EmptyBecause:
    """Why the list is empty: hands off, or all that there was to propose was refused; else the farthest that any action came. What exceeds
    the asker's limit was not permitted either."""
    for rule in pack.hands_off:
        if facts.values[rule.clause.slot] is True:
            return rule.clause.name  # type: ignore[return-value]
    if case.conversation is not None and case.conversation.refused:
        return "refused"
    causes = set(map(cause_of, outcomes))
    if "outranked" in causes:
        return "guardrail"
    for cause in ("guardrail", "suppressed", "unknown"):
        if cause in causes:
            return cause
    return "not_applicable"


def fall_back(pack: Pack, case: Case, facts: Facts, cause: EmptyBecause, ranked: Sequence[Ranked] = ()) -> list[Ranked]:
    """Stage 8: the pack's actions for an empty list, in its order; at the end of a conversation after what is owed.

    They need not fit the phase or the signals; they must be possible, permitted, within the asker's limit, and without conflict. A
    conversation ends with none that sells or concedes.
    """
    limit = min(case.max_actions, pack.choosing.max_actions)
    chosen = [Scored(pack.by_id[item.action], item) for item in ranked]
    listed = {item.action for item in ranked} | facts.refused
    names = [name for name in pack.choosing.fallback.get(cause, ()) if name not in listed]
    met = every_gate(pack, facts) if names else []
    for name in names:
        action, kept = pack.by_id[name], met[pack.places[name]]
        if not rules_out(kept) and not_permitted(pack, action, facts) is None:
            item = score(pack, facts, action)
            if _stands_in(case, cause, item) and _conflict(pack, case, chosen, item, limit) is None:
                chosen.append(item)
    added = [item.ranked._replace(rank=index, fallback_for=cause) for index, item in enumerate(chosen, 1)]
    return [*ranked, *added[len(ranked) :]]


def rules_out(kept: Outcome | None) -> bool:
    """Does what keeps an action from its gates keep it from standing in, too?"""
    return kept is not None and any(item.gate == "eligible" or item.clause in NEEDED for item in kept.failing)


def _stands_in(case: Case, cause: EmptyBecause, item: Scored) -> bool:
    """May a fallback be said after what went before in the conversation?"""
    clause = against(case, item.action, item.ranked.duty)
    if cause in CLOSINGS:
        sells = item.ranked.duty == "offer" or item.action.marketing or item.ranked.concession > 0
        return not sells and clause not in ("refused", "accepted")
    return clause is None


def assert_permitted(pack: Pack, facts: Facts, ranked: list[Ranked]) -> None:
    """The last look at a finished list, fallbacks included.

    Raises:
        GuardrailBreach: an action is on it that contact policy or a guardrail does not permit, or the person refused for good.
    """
    for item in ranked:
        if item.action in facts.refused:
            raise GuardrailBreach(f"`{item.action}` against the person's own choice")
        permit = pack.permits[item.action]
        forbidden = permit[permit.see(facts.values)]
        if forbidden is not None:
            raise GuardrailBreach(f"`{item.action}` against `{forbidden.clause}`")


class GuardrailBreach(AssertionError):
    """The pipeline let an action through that is not permitted: a defect of the engine, answered by no answer at all."""
