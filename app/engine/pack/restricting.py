"""What of an answer tells of risk or of VIP reasoning: the signals that the pack marks, and every condition and text that rests on them.

A signal has the marks of its own `restricted:` and of the facts that its levels name (`churn.score`); conditions and derived facts have
those of all they rest on, however far. A pack that marks no signal restricts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.engine.pack.checking import Parts
from app.engine.pack.model import Action, Clause, Phase, Restrictions
from app.engine.pack.reading import Found
from app.engine.texts import Text
from app.engine.tree import reads
from app.engine.vocabulary import FACTS

_NONE: frozenset[str] = frozenset()


def restrictions(parts: Parts, phases: Iterable[Phase], actions: Iterable[Action]) -> Restrictions:
    """The marks of what answers tell, by code.

    Codes are a signal's id, a phase's clause as `phase.clause`, and of an action `action:gate.clause`, for its own reason `action:action`,
    and `action:clause` for a clause that stands as its reason.
    """
    signals: dict[str, Found[Any]] = {**parts.signals, **parts.patterns}
    if not any(found.part.restricted for found in signals.values()):
        return {}
    own = {name: frozenset(filter(None, (found.part.restricted,))) for name, found in signals.items()}
    marks = _spread(parts, own)
    told = dict(_of_signals(marks, own)) | dict(_of_phases(marks, phases))
    for action in actions:
        told |= _of_action(marks, action)
    return {code: found for code, found in told.items() if found}


def _spread(parts: Parts, own: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The marks of facts and signals by their keys, each after what it depends on."""
    marks = {name: frozenset({fact.restricted}) for name, fact in FACTS.items() if fact.restricted}
    for key in parts.order:
        names = parts.graph[key]
        if key.startswith("signal:"):
            names = frozenset(name for name in names if name in FACTS)
        marks[key] = own.get(key.removeprefix("signal:"), _NONE).union(*(marks.get(name, _NONE) for name in names))
    return marks


def _of_signals(marks: Mapping[str, frozenset[str]], own: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    return ((name, marks.get(f"signal:{name}", _NONE)) for name in own)


def _of_phases(marks: Mapping[str, frozenset[str]], phases: Iterable[Phase]) -> Iterator[tuple[str, frozenset[str]]]:
    return ((f"{phase.id}.{clause.name}", _of_clause(marks, clause)) for phase in phases for clause in phase.clauses)


def _of_action(marks: Mapping[str, frozenset[str]], action: Action) -> Iterator[tuple[str, frozenset[str]]]:
    yield f"{action.id}:{action.id}", _of_text(marks, action.reason)
    for clause in (*action.gates, *action.contact, *action.guardrails):
        found = _of_clause(marks, clause)
        yield f"{action.id}:{clause.gate}.{clause.name}", found
        yield f"{action.id}:{clause.name}", found


def _of_clause(marks: Mapping[str, frozenset[str]], clause: Clause) -> frozenset[str]:
    return _NONE.union(*(marks.get(_key(name), _NONE) for name in reads(clause.tree)))


def _of_text(marks: Mapping[str, frozenset[str]], text: Text | None) -> frozenset[str]:
    slots = () if text is None else (*text.en.slots, *text.zh.slots)
    return _NONE.union(*(marks.get(slot.name, _NONE) for slot in slots))


def _key(name: str) -> str:
    return f"signal:{name.split(':')[1]}" if name.startswith("level:") else name
