"""Decisions as both ways of deciding give them, in one form in which they can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from app.campaign.batch import PLACE, Batch, batch_of
from app.campaign.deciding import Decided, Worked, decide_batch
from app.campaign.entries import Gate
from app.engine.asking import unknown_facts, waiting
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.facts import Facts
from app.engine.gates import every_gate
from app.engine.pack import Pack

Told = dict[str, Any]
_RANKED = ("action", "duty", "score", "propensity", "value", "relevance", "lever", "concession", "tariff", "fallback_for")


def by_rows(pack: Pack, cases: Sequence[Case]) -> list[Told]:
    """What the pipeline for one case decides, case by case."""
    return [told_of(pack, decide(pack, case)) for case in cases]


def told_of(pack: Pack, decision: Decision) -> Told:
    """A decision of the pipeline for one case, with the facts that were wanted and not known."""
    unknown = unknown_facts(pack, decision, waiting(decision), decision.facts.values, "en")
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
        "unknown": {fact.fact for fact in unknown},
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
        found.append({**kept, "signals": {}, "ranked": [], "outcomes": {}, "outranked": {}, "unknown": set()})
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
    for fact in decided.unknown.drop("i"):
        for place in fact.arg_true():
            found[place]["unknown"].add(fact.name)
    return found


def differences(rows: Iterable[Told], columns: Iterable[Told]) -> list[tuple[int, dict[str, Any]]]:
    """Where two ways of deciding differ: the place of the subscriber, and of each part that is not alike what either has."""
    pairs = enumerate(zip(rows, columns, strict=True))
    return [
        (place, {name: _apart(one[name], other[name]) for name in one if one[name] != other[name]})
        for place, (one, other) in pairs
        if one != other
    ]


def _apart(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return {name: (one.get(name), other.get(name)) for name in {**one, **other} if one.get(name) != other.get(name)}
    return one, other


def on_channel(cases: Iterable[Case], channel: str) -> list[Case]:
    """The cases, all met on one channel."""
    return [replace(case, channel=channel) for case in cases]


def batch_on(batch: Batch, channel: str) -> Batch:
    """The same of a batch."""
    return replace(batch, facts=batch.facts.with_columns(pl.lit(channel).alias("request.channel")))


def values_apart(pack: Pack, cases: Sequence[Case], decided: Decided) -> Iterator[tuple[int, str, Any, Any]]:
    """Where a column is not what a case's slots have: the place of the subscriber, the name or clause, and both values.

    `cases` are the first of the batch. Compares all named values, the clauses of signals, stages, phases, gates, contact policy and
    guardrails, and what scores are made of.
    """
    for worked in decided.worked:
        seen, alone = (frame.filter(pl.col(PLACE) < len(cases)).to_dicts() for frame in (worked.seen, worked.open))
        for one, other in zip(seen, alone, strict=True):
            yield from ((one[PLACE], *found) for found in _apart_in(pack, cases[one[PLACE]], worked, one, other))


def _apart_in(pack: Pack, case: Case, worked: Worked, seen: Mapping[str, Any], alone: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    facts = decide(pack, case).facts
    every_gate(pack, facts)
    plan = worked.plan
    for entry in plan.entries:
        shown = facts.open_to(entry.action)
        entry.action.worth(shown.values, shown.around)
        entry.action.policy(facts.values, facts.around)
        view = alone if entry.action.marketing else seen
        yield from _clauses_apart(entry.action.id, entry.gates, shown, view)
        yield from _clauses_apart(entry.action.id, (*entry.contact, *entry.guardrails), facts, seen)
        yield from _names_apart(pack, (entry.propensity, entry.value), shown, view)
        yield from _names_apart(pack, filter(None, (entry.duty, entry.concession)), facts, seen)
    for gates in (*plan.levels.values(), *plan.stages.values(), *plan.phases.values()):
        yield from _clauses_apart("rules", gates, facts, seen)
    named = [
        name for name in pack.slots if name in seen and not name.startswith(("joined:", "duty:", "concession:", "propensity:", "value:"))
    ]
    yield from _names_apart(pack, named, facts, seen)
    if facts.unprofiled is not None:
        yield from _names_apart(pack, (name for name in named if name in alone), facts.unprofiled, alone)


def _clauses_apart(of: str, gates: Iterable[Gate], facts: Facts, row: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for gate in gates:
        yield from _value_apart(f"{of} {gate.clause.gate} {gate.clause.name}", facts.values[gate.clause.slot], row[gate.column])


def _names_apart(pack: Pack, names: Iterable[str], facts: Facts, row: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in names:
        yield from _value_apart(name, facts.values[pack.slots[name]], row[name])


def _value_apart(name: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    alike = one is other if one is None or other is None or isinstance(one, bool) else _plain(one) == _plain(other)
    if not alike:
        yield name, one, other


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
