"""Whether a protected fact had influence: decided again with each other value it could have had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.pack import Pack
from app.engine.pack.model import BaseFact
from app.engine.vocabulary import FACTS
from app.record.reading.altering import actions_of, fact_of, with_fact


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


def protected_influence(pack: Pack, case: Case, decision: Decision, allowed_by: Sequence[Mapping[str, str]] = ()) -> ProtectedInfluence:
    """Decide again with each protected fact unknown, and with each other value it could have, one fact at a time, then all unknown.

    Args:
        pack: the pack that decided.
        case: what it decided about.
        decision: what came of it.
        allowed_by: what the pack states as reasons to look at such facts; reported as it is.
    """
    facts = [fact for fact in protected(pack) if fact_of(case, fact.name) is not None]
    tried, influence = 0, []
    for name, value, other in _others(case, facts):
        again = decide(pack, other)
        tried += 1
        changed = _differs(decision, again)
        if changed:
            concession = sum(item.concession for item in again.ranked)
            influence.append(Influence(name, value, changed, actions_of(again), again.phase.id, concession))
    return ProtectedInfluence([fact.name for fact in facts], tried, influence, list(allowed_by) if influence else [])


def protected(pack: Pack) -> list[BaseFact]:
    """The protected base facts that the pack reads; operators' own protected facts are marked in the pack's files, not here."""
    return [fact for fact in pack.base if fact.name in FACTS and FACTS[fact.name].protected]


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
        present = fact_of(case, fact.name)
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
