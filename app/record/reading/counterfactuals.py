"""What if: why the first came before the next, which smallest change would have changed the list, whether a protected fact had influence.

All of it is found by deciding again, with the pack that decided and a case that differs in one thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.engine.answer import Change, Explanation
from app.engine.arbitration import score
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.pack.model import BaseFact
from app.engine.vocabulary import FACTS, SECTIONS

MOST_TRIED = 40
"""Changes that are tried out, fewest first."""
_window = re.compile(r"(last|mean|total|peak|change)\(([a-z_.0-9]+)(?:, ?(\d+))?\)")


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


@dataclass(frozen=True, slots=True)
class MinimalChange:
    """A smallest change that was tried and changed the list, and what the list would have been."""

    action: str
    clause: str
    words: str
    changes: Sequence[Mapping[str, Any]]
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Influence:
    """What another value of a protected fact would have changed; `value` none is: not known.

    `changed`: `actions`, the list; `phase`; `tariffs` and `concession`, of actions on both lists. `concession`: all of the other list's.
    """

    fact: str
    value: Any
    changed: Sequence[str]
    actions: Sequence[str]
    phase: str
    concession: int


@dataclass(frozen=True, slots=True)
class ProtectedInfluence:
    """Whether protected facts had influence on one decision.

    Attributes:
        facts: the protected facts that were given, whose other values were tried.
        tried: how many cases were decided.
        influence: those that came out otherwise; empty where none did.
        allowed_by: where the pack may look at such a fact, and why: an action's legal basis or pilot, a tariff's published condition.
    """

    facts: Sequence[str]
    tried: int
    influence: Sequence[Influence]
    allowed_by: Sequence[Mapping[str, str]]


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


def minimal_changes(pack: Pack, case: Case, decision: Decision, most: int = 3) -> list[MinimalChange]:
    """The smallest changes of facts, or days to wait, that change what is on the list: tried, fewest facts first.

    Looked for among the clauses that alone keep an action out; where every action is kept out by several, there is none to name.
    """
    explanation = explain(pack, case, decision, "full")
    before = _actions(decision)
    found: list[MinimalChange] = []
    for item in _nearest(explanation)[:MOST_TRIED]:
        changed = applied(case, item.changes)
        after = None if changed is None else decide(pack, changed)
        if after is not None and _actions(after) != before:
            changes = [
                {"fact": step.fact, "direction": step.direction, "value": step.value, "in_days": step.in_days} for step in item.changes
            ]
            found.append(MinimalChange(item.action, item.clause or "", item.change or "", changes, _actions(after)))
        if len(found) == most:
            break
    return found


def protected_influence(pack: Pack, case: Case, decision: Decision, allowed_by: Sequence[Mapping[str, str]] = ()) -> ProtectedInfluence:
    """Decide again with each protected fact unknown, and with each other value it could have, one fact at a time, then all unknown.

    Args:
        pack: the pack that decided.
        case: what it decided about.
        decision: what came of it.
        allowed_by: what the pack states as reasons to look at such facts; reported as it is.
    """
    facts = [fact for fact in protected(pack) if _value(case, fact) is not None]
    tried, influence = 0, []
    for name, value, other in _others(case, facts):
        again = decide(pack, other)
        tried += 1
        changed = _differs(decision, again)
        if changed:
            concession = sum(item.concession for item in again.ranked)
            influence.append(Influence(name, value, changed, _actions(again), again.phase.id, concession))
    return ProtectedInfluence([fact.name for fact in facts], tried, influence, list(allowed_by) if influence else [])


def protected(pack: Pack) -> list[BaseFact]:
    """The protected base facts that the pack reads; operators' own protected facts are marked in the pack's files, not here."""
    return [fact for fact in pack.base if fact.name in FACTS and FACTS[fact.name].protected]


def applied(case: Case, changes: Iterable[Change]) -> Case | None:
    """The case with changes as an answer states them made to its facts; none where one of them is not a matter of facts.

    Of `last`, `mean`, `total`, `peak` and `change` the last closed cycle is set so that the term has the value.
    """
    for change in changes:
        if change.in_days is not None:
            return None
        made = _with_term(case, change)
        if made is None:
            return None
        case = made
    return case


def with_fact(case: Case, name: str, value: Any) -> Case:
    """The case with one base fact replaced; none makes it unknown."""
    section, _, field = name.partition(".")
    held = getattr(case.subscriber, section)
    part = SECTIONS[section](**{field: value}) if held is None else held.model_copy(update={field: value})
    answers = {fact: given for fact, given in (case.answers or {}).items() if fact != name}
    return replace(case, subscriber=case.subscriber.model_copy(update={section: part}), answers=answers)


def _told_apart(first: tuple[int, float, int, str], second: tuple[int, float, int, str]) -> str:
    return next(name for name, one, other in zip(("duty", "score", "priority", "id"), first, second, strict=True) if one != other)


def _nearest(explanation: Explanation) -> list[Any]:
    """Actions that one false clause keeps out and figures would let in, fewest changes first; then by how little they would change."""
    items = [item for item in explanation.not_offered or () if item.changes and not item.others]
    return sorted(items, key=lambda item: (len(item.changes), item.action))


def _actions(decision: Decision) -> list[str]:
    return [item.action for item in decision.ranked]


def _differs(one: Decision, other: Decision) -> list[str]:
    """What differs: the list, the phase; and of actions on both lists the tariff or what is conceded."""
    first, second = ({item.action: item for item in decision.ranked} for decision in (one, other))
    both = [(item, second[name]) for name, item in first.items() if name in second]
    told = {
        "actions": list(first) != list(second),
        "tariffs": any(before.tariff != after.tariff for before, after in both),
        "concession": any(before.concession != after.concession for before, after in both),
        "phase": one.phase.id != other.phase.id,
    }
    return [name for name, differs in told.items() if differs]


def _others(case: Case, facts: Sequence[BaseFact]) -> Iterator[tuple[str, Any, Case]]:
    for fact in facts:
        yield fact.name, None, with_fact(case, fact.name, None)
        present = _value(case, fact)
        for value in _alternatives(fact, present):
            yield fact.name, value, with_fact(case, fact.name, value)
    if len(facts) > 1:
        bare = case
        for fact in facts:
            bare = with_fact(bare, fact.name, None)
        yield "all", None, bare


def _alternatives(fact: BaseFact, present: Any) -> list[Any]:
    """Other values a protected fact could have: each of an enumeration, the other truth, a made-up code for what is free text."""
    told = FACTS[fact.name]
    if told.kind == "enum":
        return [value for value in told.values if value != present]
    if told.kind == "boolean":
        return [not present]
    if told.kind == "number":
        return [value for value in (0, 1, 2, 5) if value != present]
    return ["another"] if told.kind == "text" else []


def _value(case: Case, fact: BaseFact) -> Any:
    if fact.name in (case.answers or {}):
        return (case.answers or {})[fact.name]
    section = getattr(case.subscriber, fact.section, None)
    return None if section is None else getattr(section, fact.field, None)


def _with_term(case: Case, change: Change) -> Case | None:
    if change.value is None:
        return None
    found = _window.fullmatch(change.fact)
    if found is None:
        return with_fact(case, change.fact, _whole(change.value)) if change.fact in FACTS else None
    function, name, cycles = found[1], found[2], int(found[3] or 1)
    section, _, field = name.partition(".")
    series = getattr(getattr(case.subscriber, section, None), field, None)
    if not series or name not in FACTS:
        return None
    rounded = _of_window(function, series, cycles, change)
    return with_fact(case, name, (*series[:-1], rounded))


def _of_window(function: str, series: Sequence[Any], cycles: int, change: Change) -> int:
    """The last cycle's figure with which the term has its value."""
    value = float(change.value or 0)
    if function == "mean":
        value = value * cycles - sum(series[-cycles:-1])
    elif function == "total":
        value -= sum(series[-cycles:-1])
    elif function == "change":
        value = sum(series[-cycles - 1 : -1]) * (1 + value) / cycles
    up = change.direction in ("at_least", "over", "exactly", "other_than")
    return int(value) if value == int(value) else int(value // 1) + up


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value
