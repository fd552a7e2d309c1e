"""Why the first came before the next: every candidate beside the one above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.engine.arbitration import score
from app.engine.decision import Decision
from app.engine.pack import Pack


@dataclass(frozen=True, slots=True)
class Compared:
    """A candidate beside the one before it. `decided_by` is the key of the order that told them apart, `parts` the factors of its score."""

    action: str
    rank: int | None
    duty: str
    score: float
    parts: Mapping[str, float | None]
    decided_by: str | None
    behind: float | None
    lost_to: str | None


def compared(pack: Pack, decision: Decision) -> list[Compared]:
    """Every candidate that came to be ranked, best first, each with why the one before it came before."""
    ranked = {item.action: item.rank for item in decision.ranked}
    lost = {item.action: item for item in decision.outcomes if item.cause == "outranked"}
    fallback = any(item.fallback_for for item in decision.ranked)
    scored = [score(pack, decision.facts, pack.by_id[name]) for name in (*ranked, *lost)]
    if not fallback:
        scored.sort(key=lambda item: item.order)
    found: list[Compared] = []
    for place, item in enumerate(scored):
        parts = item.ranked
        loser = lost.get(item.action.id)
        decided_by = None if place == 0 else "fallback" if fallback else _told_apart(scored[place - 1].order, item.order)
        found.append(
            Compared(
                item.action.id,
                ranked.get(item.action.id),
                parts.duty,
                parts.score,
                {"propensity": parts.propensity, "value": parts.value, "relevance": parts.relevance, "lever": parts.lever},
                decided_by if loser is None else str(loser.clause),
                None if place == 0 else scored[0].ranked.score - parts.score,
                loser.lost_to if loser else None,
            )
        )
    return found


def _told_apart(first: tuple[int, float, int, str], second: tuple[int, float, int, str]) -> str:
    return next(name for name, one, other in zip(("duty", "score", "priority", "id"), first, second, strict=True) if one != other)
