"""Decisions of the row path as columns, as whole campaigns have them: what tests of figures, reports and limits start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import polars as pl

from app.engine.asking import facts_told, unknown_facts, waiting
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.pack import Pack
from tests.pipeline import cases, shipped

RANKED = {
    "i": pl.UInt32,
    "rank": pl.UInt8,
    "action": pl.String,
    "duty": pl.String,
    "score": pl.Float64,
    "propensity": pl.Float64,
    "value": pl.Float64,
    "relevance": pl.Float64,
    "lever": pl.Float64,
    "concession": pl.Int64,
    "tariff": pl.String,
    "fallback_for": pl.String,
}


class Became(NamedTuple):
    cause: str | None
    clause: str | None


@dataclass(frozen=True, slots=True)
class Frames:
    subscribers: pl.DataFrame
    signals: pl.DataFrame
    ranked: pl.DataFrame
    outcomes: pl.DataFrame
    legend: Mapping[str, Sequence[Became]]
    outranked: pl.DataFrame
    unknown: pl.DataFrame


@cache
def decisions(seed: int, n: int) -> tuple[tuple[Case, Decision], ...]:
    """Random subscribers, decided with the shipped pack."""
    return tuple((case, decide(shipped(), case)) for case in cases(shipped(), seed, n))


def frames(pack: Pack, decided: Iterable[tuple[Case, Decision]], first: int = 1) -> Frames:
    """Decisions as columns; `first` is the row of the first of them."""
    done = list(decided)
    codes: dict[str, dict[Became, int]] = {action.id: {Became(None, None): 0} for action in pack.actions}
    subscribers, signals, ranked, outranked, unknown = list[Any](), list[Any](), list[Any](), list[Any](), list[Any]()
    outcomes: dict[str, list[int]] = {action.id: [] for action in pack.actions}
    for i, (case, decision) in enumerate(done):
        place = (decision.stage.id, decision.phase.id, decision.moment, decision.personalised, decision.empty_because)
        subscribers.append((i, first + i, case.subscriber.id, *place, len(decision.ranked)))
        signals += [(i, *held) for held in decision.signals]
        missing = {fact.fact for fact in unknown_facts(pack, decision, waiting(decision), decision.facts.values, "en")}
        unknown.append((i, *(name in missing for name in facts_told(pack))))
        ranked += [(i, *item) for item in decision.ranked]
        for outcome in decision.outcomes:
            known = codes[outcome.action]
            outcomes[outcome.action].append(known.setdefault(Became(outcome.cause, outcome.clause), len(known)))
            if outcome.cause == "outranked":
                outranked.append((i, outcome.action, outcome.clause, outcome.lost_to, outcome.behind))
    text, place_type = pl.String, pl.UInt32
    who = {"i": place_type, "row": pl.Int64, "subscriber": text, "stage": text, "phase": text, "moment": text}
    return Frames(
        pl.DataFrame(subscribers, {**who, "personalised": pl.Boolean, "empty_because": text, "offered": pl.UInt8}, orient="row"),
        pl.DataFrame(signals, {"i": place_type, "signal": text, "level": text}, orient="row"),
        pl.DataFrame(ranked, RANKED, orient="row"),
        pl.DataFrame(
            {"i": pl.Series(range(len(done)), dtype=place_type), **{k: pl.Series(v, dtype=pl.UInt8) for k, v in outcomes.items()}}
        ),
        {action: tuple(known) for action, known in codes.items()},
        pl.DataFrame(outranked, {"i": place_type, "action": text, "clause": text, "lost_to": text, "behind": pl.Float64}, orient="row"),
        pl.DataFrame(unknown, {"i": place_type, **dict.fromkeys(facts_told(pack), pl.Boolean)}, orient="row"),
    )
