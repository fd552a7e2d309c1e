"""What protected facts may not decide: the phase, what is conceded, and the gates and scores of offers (DESIGN 4; PIPL article 24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.engine.pack.checking import GATES, Parts
from app.engine.pack.documents import ActionDocument, TariffPart
from app.engine.pack.ordering import graph_name
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.tree import Node, reads
from app.engine.vocabulary import FACTS

PROTECTED = frozenset(name for name, fact in FACTS.items() if fact.protected)


def protected_problems(parts: Parts) -> Iterator[Problem]:
    """A problem for each place where a protected fact reaches what it may not, with the path it takes."""
    graph, protected = _reads(parts), protected_facts(parts)
    for place, what, node in (*_guarded(parts), *_relevance(parts)):
        path = _path(node, graph, protected)
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
    yield from _dearer(parts, graph, protected)
    for found in parts.draft.each("questions"):
        if found.part.fact in protected - PROTECTED:
            message = f"`{found.part.fact}` is protected and may not be asked for"
            yield Problem(found.place("fact"), "question", message, "take the question out")


def protected_facts(parts: Parts) -> frozenset[str]:
    """The protected facts of the vocabulary and those that the operator marks."""
    return PROTECTED | {found.part.id for found in parts.draft.each("custom") if found.part.protected}


def _reads(parts: Parts) -> dict[str, frozenset[str]]:
    """What each derived name reads. Whether a tariff is open is left out: regions and published conditions may decide that."""
    graph: dict[str, set[str]] = {}
    named: dict[str, Found[Any]] = {**parts.facts, **{f"signal:{name}": found for name, found in parts.recognised.items()}}
    owners = {(found.source.file, found.path): name for name, found in named.items()}
    places = {"stages": "stage", "moments": "moment"}
    for (file, path), node in parts.draft.trees.items():
        name = owners.get((file, path[:2])) or places.get(str(path[0]))
        if name is not None:
            graph.setdefault(name, set()).update(reads(node))
    return {name: frozenset(found) for name, found in graph.items()}


def _guarded(parts: Parts) -> Iterator[tuple[Place, str, Node]]:
    """Conditions that decide the phase, and what decides about an offer or a concession."""
    phases = {(found.source.file, found.path): found for found in parts.draft.each("phases")}
    hands_off = {(found.source.file, found.path): found for profile in parts.profiles.values() for found in profile.hands_off}
    bound = {found.source.file: found for found in parts.actions.values() if _bound(found.part)}
    for (file, path), node in parts.draft.trees.items():
        if (file, path[:2]) in phases:
            phase = phases[file, path[:2]]
            yield phase.source.place(*path), f"phase `{phase.part.id}`", node
        elif (file, path[:3]) in hands_off:
            yield hands_off[file, path[:3]].source.place(*path), "phase `hands_off`", node
        elif file in bound and path[0] in (*GATES, "propensity", "value", "concession"):
            found = bound[file]
            what = "the offer" if found.part.kind == "offer" else "the concession"
            yield found.place(*path), f"`{path[0]}` of {what} `{found.part.action}`", node


def _relevance(parts: Parts) -> Iterator[tuple[Place, str, Node]]:
    """What reveals a moment, where that moment or one that it hides weighs offers: their score follows from it."""
    sold = {found.part.category for found in parts.actions.values() if found.part.kind == "offer" and _bound(found.part)}
    moments = list(parts.draft.each("moments"))
    for index, found in enumerate(moments):
        weighed = sorted(sold & {category for later in moments[index:] for category in later.part.relevance})
        if found.part.revealed_by is not None and weighed:
            yield found.place("revealed_by"), f"the relevance of offers of `{weighed[0]}`", parts.draft.tree(found, "revealed_by")


def _dearer(parts: Parts, graph: Mapping[str, frozenset[str]], protected: frozenset[str]) -> Iterator[Problem]:
    """A published condition may rest on a protected fact where it is good for them: no plan for everybody beats theirs."""
    special = {
        name
        for name, found in parts.tariffs.items()
        if found.part.open_if is not None and _path(parts.draft.tree(found, "open_if"), graph, protected)
    }
    plans = {name: found.part for name, found in parts.tariffs.items() if found.part.kind == "plan"}
    for name in sorted(special & plans.keys()):
        better = next((other for other in sorted(plans.keys() - special) if _beats(plans[other], plans[name])), None)
        if better is not None:
            message = f"`{name}` is for people of a protected group and no better than `{better}`, which is for everybody"
            hint = "such a condition is lawful where it is cheaper for them: lower the fee, or take `open_if:` out"
            yield Problem(parts.tariffs[name].place("open_if"), "protected-dearer", message, hint, "warning")


def _beats(one: TariffPart, other: TariffPart) -> bool:
    """Does a plan give at least as much for no more?"""
    dear = one.fee > other.fee or one.fee_after > other.fee_after or one.voice_rate > other.voice_rate or one.data_rate > other.data_rate
    return not dear and one.open_to_existing and one.voice_minutes >= other.voice_minutes and one.data_mb >= other.data_mb


def _path(node: Node, graph: Mapping[str, frozenset[str]], protected: frozenset[str]) -> list[str]:
    """The shortest way from what a tree reads to a protected fact."""
    queue = [[name] for name in sorted(reads(node))]
    seen: set[str] = set()
    for path in queue:
        name = path[-1]
        if name in protected:
            return path
        path[-1] = name = graph_name(name)
        if name not in seen:
            seen.add(name)
            queue += [[*path, child] for child in sorted(graph.get(name, ()))]
    return []


def _bound(part: ActionDocument) -> bool:
    """Is the action an offer, or does it concede something, without an exception of its own."""
    return (part.kind == "offer" or part.concedes) and part.legal_basis is None and part.pilot is None
