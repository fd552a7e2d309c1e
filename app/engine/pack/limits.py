"""What protected facts may not decide: the phase, and the gates, propensity, value and concession of offers (DESIGN 4; PIPL article 24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.engine.pack.checking import GATES, Parts
from app.engine.pack.documents import ActionDocument
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.tree import Node, reads
from app.engine.vocabulary import FACTS

PROTECTED = frozenset(name for name, fact in FACTS.items() if fact.protected)


def protected_problems(parts: Parts) -> Iterator[Problem]:
    """A problem for each place where a protected fact reaches what it may not, with the path it takes."""
    graph = _reads(parts)
    for place, what, node in _guarded(parts):
        path = _path(node, graph)
        if path:
            message = f"{what} rests on the protected fact `{path[-1]}`" + (
                " through " + " → ".join(f"`{step}`" for step in path[:-1]) if len(path) > 1 else ""
            )
            yield Problem(
                place,
                "protected",
                message,
                "price and treatment never depend on it; a published condition belongs into the tariff's `open_if:`",
            )


def _reads(parts: Parts) -> dict[str, frozenset[str]]:
    """What each derived name reads. Whether a tariff is open is left out: regions and published conditions may decide that."""
    graph: dict[str, set[str]] = {}
    signals: dict[str, Found[Any]] = {**parts.signals, **parts.patterns}
    named: dict[str, Found[Any]] = {**parts.facts, **{f"signal:{name}": found for name, found in signals.items()}}
    owners = {(found.source.file, found.path): name for name, found in named.items()}
    places = {"stages": "stage", "moments": "moment"}
    for (file, path), node in parts.draft.trees.items():
        name = owners.get((file, path[:2])) or places.get(str(path[0]))
        if name is not None:
            graph.setdefault(name, set()).update(reads(node))
    return {name: frozenset(found) for name, found in graph.items()}


def _guarded(parts: Parts) -> Iterator[tuple[Place, str, Node]]:
    phases = {(found.source.file, found.path): found for found in parts.draft.each("phases")}
    offers = {found.source.file: found for found in parts.actions.values() if _bound(found.part)}
    for (file, path), node in parts.draft.trees.items():
        if (file, path[:2]) in phases:
            phase = phases[file, path[:2]]
            yield phase.source.place(*path), f"phase `{phase.part.id}`", node
        elif file in offers and path[0] in (*GATES, "propensity", "value", "concession"):
            yield offers[file].place(*path), f"`{path[0]}` of the offer `{offers[file].part.action}`", node


def _path(node: Node, graph: Mapping[str, frozenset[str]]) -> list[str]:
    """The shortest way from what a tree reads to a protected fact."""
    queue = [[name] for name in sorted(reads(node))]
    seen: set[str] = set()
    for path in queue:
        name = path[-1]
        if name in PROTECTED:
            return path
        if name.startswith("level:"):
            path[-1] = name = f"signal:{name.split(':')[1]}"
        if name not in seen:
            seen.add(name)
            queue += [[*path, child] for child in sorted(graph.get(name, ()))]
    return []


def _bound(part: ActionDocument) -> bool:
    """Is the action an offer without an exception of its own."""
    return part.kind == "offer" and part.legal_basis is None and part.pilot is None
