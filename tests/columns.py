"""Decisions as both ways of deciding give them, in one form in which they can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.campaign.batch import batch_of
from app.campaign.deciding import Decided, decide_batch
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.pack import Pack

Told = dict[str, Any]
_RANKED = ("action", "duty", "score", "propensity", "value", "relevance", "lever", "concession", "tariff", "fallback_for")


def by_rows(pack: Pack, cases: Sequence[Case]) -> list[Told]:
    """What the pipeline for one case decides, case by case."""
    return [_told(decide(pack, case)) for case in cases]


def _told(decision: Decision) -> Told:
    return {
        "stage": decision.stage.id,
        "phase": decision.phase.id,
        "moment": decision.moment,
        "personalised": decision.personalised,
        "empty_because": decision.empty_because,
        "signals": dict(decision.signals),
        "ranked": [tuple(getattr(item, name) for name in _RANKED) for item in decision.ranked],
        "outcomes": {item.action: (item.cause, item.clause) for item in decision.outcomes},
        "outranked": {item.action: (item.clause, item.lost_to, item.behind) for item in decision.outcomes if item.cause == "outranked"},
    }


def by_columns(pack: Pack, cases: Sequence[Case]) -> list[Told]:
    """What the pipeline on columns decides of all of them."""
    return told(decide_batch(pack, batch_of(pack, cases)))


def told(decided: Decided) -> list[Told]:
    """The decisions of a batch, a subscriber each."""
    found: list[Told] = []
    for row in decided.subscribers.iter_rows(named=True):
        assert row["i"] == len(found)
        kept = {name: row[name] for name in ("stage", "phase", "moment", "personalised", "empty_because")}
        found.append({**kept, "signals": {}, "ranked": [], "outcomes": {}, "outranked": {}})
    for place, signal, level in decided.signals.iter_rows():
        found[place]["signals"][signal] = level
    for row in decided.ranked.iter_rows(named=True):
        assert row["rank"] == len(found[row["i"]]["ranked"]) + 1
        found[row["i"]]["ranked"].append(tuple(row[name] for name in _RANKED))
    for row in decided.outcomes.iter_rows(named=True):
        place = row.pop("i")
        became = {action: decided.legend[action][code] for action, code in row.items()}
        found[place]["outcomes"] = {action: (item.cause, item.clause) for action, item in became.items()}
    for place, action, *lost in decided.outranked.iter_rows():
        found[place]["outranked"][action] = tuple(lost)
    return found
