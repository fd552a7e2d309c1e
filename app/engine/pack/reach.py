"""Parts of a pack that nothing can reach: clauses that never hold, rows that an earlier row hides, phases without actions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.engine.pack.checking import Parts
from app.engine.pack.documents import Row
from app.engine.pack.implication import implies
from app.engine.pack.model import Action, Pack
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.tree import FALSE, Const, Node, Or, fold, joined, substitute


def unreachable(pack: Pack, parts: Parts) -> Iterator[Problem]:
    """Warnings about what can never come into play. The pack decides without harm all the same."""
    yield from _hidden_rows(parts)
    for action in pack.actions:
        yield from _dead_clauses(action, parts)
    if not parts.contact:
        yield Problem(Place(), "missing", "the pack has no `contact:`", "guardrails alone say when people may be reached", "warning")
    reached = {phase for action in pack.actions for phase in action.phases}
    for found in parts.draft.each("phases"):
        if found.part.id not in reached:
            yield Problem(found.place("id"), "unreachable", f"no action belongs to the phase `{found.part.id}`", "", "warning")
    categories = set(pack.categories.values())
    for found in parts.draft.each("moments"):
        for category in found.part.relevance:
            if category not in categories:
                message = f"no action has the category `{category}`, so its relevance in `{found.part.id}` does nothing"
                yield Problem(found.place("relevance", category), "unreachable", message, "", "warning")


def _hidden_rows(parts: Parts) -> Iterator[Problem]:
    for what, rows in _tables(parts):
        for index, (place, condition) in enumerate(rows):
            if condition == FALSE:
                yield Problem(place, "unreachable", f"this {what} never holds", "", "warning")
            elif any(implies(condition, earlier) for _, earlier in rows[:index]):
                message = f"this {what} is never reached: one before it holds whenever it does"
                yield Problem(place, "unreachable", message, "the narrower condition comes first", "warning")


def _tables(parts: Parts) -> Iterator[tuple[str, list[tuple[Place, Node]]]]:
    """Tables whose order matters: the condition of each row."""
    for signal in parts.signals.values():
        paths = [("levels", index, word) for index, level in enumerate(signal.part.levels) for word in level]
        yield "level", [_row(parts, signal, *path) for path in paths]
    for fact in parts.facts.values():
        yield "row", _rows(parts, fact, "first", fact.part.first)
    for action in parts.actions.values():
        for key, rows in (("duty", action.part.duty), ("propensity", action.part.propensity)):
            if isinstance(rows, list):
                yield "row", _rows(parts, action, key, rows)
    for key in ("stages", "phases"):
        found = [item for item in parts.draft.each(key) if item.part.any]
        yield key.removesuffix("s"), [(item.place(), _any(parts, item)) for item in found]


def _rows(parts: Parts, found: Found[Any], key: str, rows: list[Row]) -> list[tuple[Place, Node]]:
    return [_row(parts, found, key, index, "if") for index, row in enumerate(rows) if row.condition is not None]


def _any(parts: Parts, found: Found[Any]) -> Node:
    return fold(joined(Or, [_row(parts, found, "any", name)[1] for name in found.part.any]))


def _row(parts: Parts, found: Found[Any], *path: str | int) -> tuple[Place, Node]:
    return found.place(*path), substitute(parts.draft.tree(found, *path), {})


def _dead_clauses(action: Action, parts: Parts) -> Iterator[Problem]:
    found = parts.actions[action.id]
    for clause in (*action.gates, *action.contact, *action.guardrails):
        if isinstance(clause.tree, Const):
            if clause.tree.value is False:
                message = f"`{clause.name}` never holds for `{action.id}`, which can therefore never be offered"
                yield Problem(found.place(clause.gate, clause.name), "unreachable", message, "", "warning")
            elif clause.gate not in ("contact", "guardrail"):
                message = f"`{clause.name}` of `{action.id}` always holds"
                yield Problem(found.place(clause.gate, clause.name), "unreachable", message, "leave it out", "warning")
