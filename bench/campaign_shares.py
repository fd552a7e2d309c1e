"""Where the time of deciding on columns goes: facts, signals, gates, ranking, patterns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from typing import Any
from unittest.mock import patch

from app.campaign import deciding
from app.campaign.batch import Batch
from app.campaign.plan import Plan, plans_of
from app.engine.pack import Pack
from app.engine.to_polars import Column, Joined, Worked

STAGES = ("facts", "signals", "gates", "ranking", "patterns")
_FUNCTIONS = {"_screened": "gates", "facts_wanted": "gates", "_signals": "signals"}
"""Functions of deciding beside the columns; what is left is ranking."""

Seconds = dict[str, float]


class _Steps(list[list[Column]]):
    """Steps of which each has columns of one stage alone, and which count the time until the next one is asked for."""

    def __init__(self, plan: Plan, seconds: Seconds) -> None:
        found = [part for step in plan.columns.steps for part in _by_stage(plan, step)]
        super().__init__(step for _, step in found)
        self._stages, self._seconds = [stage for stage, _ in found], seconds

    def __iter__(self) -> Iterator[list[Column]]:
        for stage, step in zip(self._stages, super().__iter__(), strict=True):
            began = time.perf_counter()
            yield step
            self._seconds[stage] += time.perf_counter() - began


def _by_stage(plan: Plan, step: Sequence[Column]) -> Iterator[tuple[str, list[Column]]]:
    stages = _stages(plan)
    parts: dict[str, list[Column]] = {}
    for column in step:
        stage = "patterns" if isinstance(column, Joined) else stages.get(column.name, "facts") if isinstance(column, Worked) else "facts"
        parts.setdefault(stage, []).append(column)
    yield from parts.items()


def _stages(plan: Plan) -> dict[str, str]:
    """The stage of each column that is not a fact, or a condition that several of them share."""
    ranking = [name for entry in plan.entries for name in (entry.duty, entry.concession, entry.propensity, entry.value, entry.tariff)]
    gates = [gate.column for entry in plan.entries for gate in (*entry.gates, *entry.contact, *entry.guardrails)]
    placing = [plan.hands_off, *plan.stages.values(), *plan.phases.values(), *plan.levels.values()]
    signals = ["stage", "phase", "moment", *(gate.column for clauses in placing for gate in clauses)]
    return {
        **dict.fromkeys((name for name in ranking if name is not None), "ranking"),
        **dict.fromkeys(gates, "gates"),
        **dict.fromkeys(signals, "signals"),
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """How many seconds each stage took for so many people, and how much there was to decide."""

    seconds: Seconds
    people: int
    signals: int
    actions: int


def measured(pack: Pack, batches: Sequence[Batch]) -> Measured:
    """How long each stage takes for these batches, when everything was laid out before.

    Args:
        pack: what decides.
        batches: of subscribers; the first is decided once more before.
    """
    deciding.decide_batch(pack, batches[0])
    seconds, signals, actions = dict.fromkeys(STAGES, 0.0), 0, 0
    with ExitStack() as stack:
        for plan in plans_of(pack).values():
            stack.enter_context(patch.object(plan.columns, "steps", _Steps(plan, seconds)))
        for name, stage in _FUNCTIONS.items():
            stack.enter_context(patch.object(deciding, name, _counting(getattr(deciding, name), stage, seconds)))
        for batch in batches:
            began, before = time.perf_counter(), sum(seconds.values())
            decided = deciding.decide_batch(pack, batch)
            seconds["ranking"] += time.perf_counter() - began - (sum(seconds.values()) - before)
            signals, actions = signals + decided.signals.height, actions + decided.ranked.height
    return Measured(seconds, sum(batch.size for batch in batches), signals, actions)


def _counting(function: Callable[..., Any], stage: str, seconds: Seconds) -> Callable[..., Any]:
    @wraps(function)
    def counted(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            seconds[stage] += time.perf_counter() - began

    return counted
