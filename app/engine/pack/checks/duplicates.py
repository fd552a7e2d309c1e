"""Clauses that say nothing new: the same twice, or implied by another; and signals that are one under two names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

from app.engine.pack.checking import GATES, Parts
from app.engine.pack.checks.definitions import own_names
from app.engine.pack.checks.figures import key_of
from app.engine.pack.checks.reasoning import Reasoning
from app.engine.pack.checks.witnesses import Demand
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.tree import Node, Not, Or, fold, substitute

MOST_PAIRS = 2_000
"""Pairs of signals over the same things that are compared."""


@dataclass(frozen=True)
class Clause:
    """A clause beside others: where it stands, its name, and when it lets pass."""

    place: Place
    name: str
    node: Node
    permits: Node
    unknown_permits: bool = False

    @property
    def passes(self) -> Demand:
        """Somebody whom it lets pass."""
        return self.node, "not_false" if self.unknown_permits else "true"

    @property
    def stops(self) -> Demand:
        """Somebody whom it does not."""
        return self.node, "false" if self.unknown_permits else "not_true"


def duplicates(parts: Parts, reasoning: Reasoning) -> Iterator[Problem]:
    """Warnings about clauses and signals that another one makes idle."""
    for found in parts.actions.values():
        yield from _beside(_gates(parts, found), f"`{found.part.action}`", reasoning)
    for key in ("stages", "phases"):
        for found in parts.draft.each(key):
            yield from _alternatives(parts, found, key.removesuffix("s"), reasoning)
    yield from _beside(_rules(parts, parts.contact), "the contact policy", reasoning)
    for name, profile in parts.profiles.items():
        yield from _beside(_rules(parts, profile.clauses), f"the guardrails of `{name}`", reasoning)
    yield from _signals(parts, reasoning)


def _gates(parts: Parts, found: Found[Any]) -> list[Clause]:
    known = own_names(parts, found)
    clauses = [(gate, name) for gate in GATES for name in getattr(found.part, gate)]
    nodes = [substitute(parts.draft.tree(found, gate, name), known) for gate, name in clauses]
    return [Clause(found.place(gate, name), name, node, node) for (gate, name), node in zip(clauses, nodes, strict=True)]


def _rules(parts: Parts, rules: Mapping[str, Found[Any]]) -> list[Clause]:
    clauses = []
    for name, found in rules.items():
        permits = parts.draft.tree(found, "permits")
        applies = parts.draft.tree(found, "applies") if found.part.applies is not None else None
        node = permits if applies is None else fold(Or((Not(applies), permits)))
        clauses.append(Clause(found.place(), name, node, permits, found.part.unknown == "allow"))
    return clauses


def _beside(clauses: Sequence[Clause], where: str, reasoning: Reasoning) -> Iterator[Problem]:
    """Clauses that must all let pass: one that stops nobody whom another one does not stop too does nothing."""
    idle: set[str] = set()
    for one, other in combinations(clauses, 2):
        if reasoning.exhausted:
            return
        if one.name in idle or other.name in idle or not reasoning.share(one.permits, other.permits) or _dead(one, other, reasoning):
            continue
        forth, back = _follows(one, other, reasoning), _follows(other, one, reasoning)
        if forth and back:
            idle.add(other.name)
            message = f"`{other.name}` says the same as `{one.name}` of {where}"
            yield Problem(other.place, "duplicate-clause", message, "leave one of them out", "warning")
        elif forth or back:
            wide, narrow = (other, one) if forth else (one, other)
            idle.add(wide.name)
            yield _subsumed(wide, narrow, where, reasoning)


def _follows(one: Clause, other: Clause, reasoning: Reasoning) -> bool:
    """Does the other change nothing: it lets everybody pass whom the one does, and is not false where that one is unknown?"""
    return reasoning.impossible([one.passes, other.stops]) and reasoning.impossible([*_unknown(one.node), (other.node, "false")])


def _unknown(node: Node) -> list[Demand]:
    return [(node, "not_true"), (node, "not_false")]


def _dead(one: Clause, other: Clause, reasoning: Reasoning) -> bool:
    """Is one of them said to be dead already?"""
    return any(reasoning.impossible([demand]) for clause in (one, other) for demand in (clause.passes, clause.stops))


def _subsumed(wide: Clause, narrow: Clause, where: str, reasoning: Reasoning) -> Problem:
    found = reasoning.witness([narrow.passes, wide.passes])
    message = f"`{wide.name}` does nothing beside `{narrow.name}` of {where}: it lets everybody pass whom that one does"
    hint = f"there is nobody for whom `{narrow.name}` alone passes; leave `{wide.name}` out, or make it stricter"
    return Problem(wide.place, "subsumed-clause", message, hint, "warning", found[1] if found else ())


def _alternatives(parts: Parts, found: Found[Any], what: str, reasoning: Reasoning) -> Iterator[Problem]:
    """Conditions of which one is enough: one that holds only where another does adds nothing."""
    clauses = [(name, parts.draft.tree(found, "any", name)) for name in found.part.any]
    idle: set[str] = set()
    for (one, first), (other, second) in combinations(clauses, 2):
        never = any(reasoning.impossible([(item, "true")]) for item in (first, second))
        if idle & {one, other} or never or not reasoning.share(first, second):
            continue
        forth, back = _adds_nothing(first, second, reasoning), _adds_nothing(second, first, reasoning)
        if not (forth or back):
            continue
        narrow, wide, node = (one, other, first) if forth and not back else (other, one, second)
        idle.add(narrow)
        witness = reasoning.witness([(first, "true"), (second, "true")])
        code = "duplicate-clause" if forth and back else "subsumed-clause"
        same = "says the same as" if forth and back else "adds nothing to"
        message = f"`{narrow}` {same} `{wide}` of the {what} `{found.part.id}`"
        reasoning.note(node)
        hint = "leave one of them out" if forth and back else f"there is nobody for whom `{narrow}` holds and `{wide}` does not"
        yield Problem(found.place("any", narrow), code, message, hint, "warning", witness[1] if witness else ())


def _adds_nothing(narrow: Node, wide: Node, reasoning: Reasoning) -> bool:
    """Is one of two alternatives true only where the other is, and unknown only where that one is not false?"""
    return reasoning.implied(narrow, wide) and reasoning.impossible([*_unknown(narrow), (wide, "false")])


def _signals(parts: Parts, reasoning: Reasoning) -> Iterator[Problem]:
    """Signals whose levels hold for the same people."""
    kinds: dict[object, list[str]] = {}
    for name, found in parts.signals.items():
        nodes = _levels(parts, found)
        kinds.setdefault(tuple((word, reasoning.things(node)) for word, node in nodes), []).append(name)
    yield from _patterns(parts)
    for names in kinds.values():
        for one, other in islice(combinations(names, 2), MOST_PAIRS):
            levels = list(zip(_levels(parts, parts.signals[one]), _levels(parts, parts.signals[other]), strict=True))
            if all(reasoning.implied(a, b) and reasoning.implied(b, a) for (_, a), (_, b) in levels):
                yield _one_signal(parts, one, other, reasoning)


def _patterns(parts: Parts) -> Iterator[Problem]:
    """Patterns that join the same events under the same condition."""
    seen: dict[object, str] = {}
    for name, found in parts.patterns.items():
        when = key_of(parts.draft.tree(found, "when")) if found.part.when is not None else None
        first = seen.setdefault((found.part.level, when, parts.joins[name].joins), name)
        if first != name:
            message = f"`{name}` holds for the same people as `{first}`"
            yield Problem(found.place("id"), "duplicate-signal", message, "keep one of them", "warning")


def _levels(parts: Parts, found: Found[Any]) -> list[tuple[str, Node]]:
    return [(word, parts.draft.tree(found, "levels", index, word)) for index, level in enumerate(found.part.levels) for word in level]


def _one_signal(parts: Parts, one: str, other: str, reasoning: Reasoning) -> Problem:
    found = reasoning.witness([(node, "true") for node in (_levels(parts, parts.signals[name])[0][1] for name in (one, other))])
    message = f"`{other}` holds for the same people as `{one}`, level by level"
    return Problem(parts.signals[other].place("id"), "duplicate-signal", message, "keep one of them", "warning", found[1] if found else ())
