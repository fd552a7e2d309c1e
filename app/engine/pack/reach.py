"""Parts of a pack that nothing can reach: clauses that never hold, phases without actions, categories that no action has."""

from __future__ import annotations

from collections.abc import Iterator

from app.engine.pack.checking import Parts
from app.engine.pack.model import Action, Pack
from app.engine.problems import Problem
from app.engine.tree import Const


def unreachable(pack: Pack, parts: Parts) -> Iterator[Problem]:
    """Warnings about what can never come into play. The pack decides without harm all the same."""
    for action in pack.actions:
        yield from _dead_clauses(action, parts)
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
