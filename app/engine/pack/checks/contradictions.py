"""Conditions that never hold or always do, and rows that those before them hide: levels, tables, stages, phases, moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.engine.pack.checking import GATES, Parts
from app.engine.pack.checks.definitions import any_of, hands_off, own_names
from app.engine.pack.checks.reasoning import Reasoning
from app.engine.pack.checks.witnesses import Demand
from app.engine.pack.documents import Row
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.tree import And, Const, Node, Not, Or, fold, joined, show, substitute


@dataclass(frozen=True)
class Written:
    """A condition of the pack: where it stands, and what it is called in a message."""

    place: Place
    what: str
    node: Node
    unknown_permits: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Line:
    """A row of something that is read from the top: its name, and when it holds."""

    place: Place
    name: str
    node: Node


def contradictions(parts: Parts, reasoning: Reasoning) -> Iterator[Problem]:
    """Warnings about conditions taken by themselves and in their tables."""
    for written in conditions_of(parts):
        reasoning.note(written.node)
        yield from _alone(written, reasoning)
    for code, what, lines in tables_of(parts):
        yield from _hidden(code, what, lines, reasoning)


def conditions_of(parts: Parts) -> Iterator[Written]:
    """Every condition of the pack, but for those of one action's contact policy and guardrails."""
    tree = parts.draft.tree
    for name, signal in parts.signals.items():
        for index, level in enumerate(signal.part.levels):
            for word in level:
                path = ("levels", index, word)
                yield Written(signal.place(*path), f"the level `{word}` of `{name}`", tree(signal, *path))
    for name, fact in parts.facts.items():
        if fact.part.expression is not None and tree(fact, "is").type.kind == "boolean":
            yield Written(fact.place("is"), f"`{name}`", tree(fact, "is"))
        yield from _of_rows(parts, fact, f"`{name}`", "first", fact.part.first)
    for key in ("stages", "phases"):
        for found in parts.draft.each(key):
            for name in found.part.any:
                yield Written(found.place("any", name), f"`{name}` of the {key[:-1]} `{found.part.id}`", tree(found, "any", name))
    for found in parts.draft.each("moments"):
        if found.part.revealed_by is not None:
            yield Written(found.place("revealed_by"), f"what reveals `{found.part.id}`", tree(found, "revealed_by"))
    for found in parts.draft.each("questions"):
        if found.part.when is not None:
            yield Written(found.place("when"), f"the `when:` of the question for `{found.part.fact}`", tree(found, "when"))
    for name, tariff in parts.tariffs.items():
        if tariff.part.open_if is not None:
            yield Written(tariff.place("open_if"), f"the `open_if:` of `{name}`", tree(tariff, "open_if"))
    yield from _of_patterns(parts)
    yield from _of_policies(parts)
    for found in parts.actions.values():
        yield from _of_action(parts, found)


def _of_rows(
    parts: Parts, found: Found[Any], owner: str, key: str, rows: list[Row], known: Mapping[str, Node] | None = None
) -> Iterator[Written]:
    for index, row in enumerate(rows):
        if row.condition is not None:
            node = substitute(parts.draft.tree(found, key, index, "if"), known or {})
            yield Written(found.place(key, index, "if"), f"row {index + 1} of {owner}", node)


def _of_patterns(parts: Parts) -> Iterator[Written]:
    for name, found in parts.patterns.items():
        if found.part.when is not None:
            yield Written(found.place("when"), f"the `when:` of `{name}`", parts.draft.tree(found, "when"))
        for index, join in enumerate(found.part.joins()):
            path: tuple[str | int, ...] = ("any", index) if found.part.any else ()
            if join.where is not None:
                yield Written(found.place(*path, "where"), f"the `where:` of `{name}`", parts.draft.tree(found, *path, "where"))
            for alias, event in join.without.items():
                if event.where is not None:
                    inner = (*path, "without", alias, "where")
                    yield Written(found.place(*inner), f"the `where:` of `{alias}` in `{name}`", parts.draft.tree(found, *inner))


def _of_policies(parts: Parts) -> Iterator[Written]:
    tree = parts.draft.tree
    for profile in parts.profiles.values():
        for found in profile.hands_off:
            yield Written(found.place("when"), f"the `when:` of `{found.part.id}`", tree(found, "when"))
    groups: list[Mapping[str, Found[Any]]] = [parts.contact, *(profile.clauses for profile in parts.profiles.values())]
    for rules in groups:
        for name, rule in rules.items():
            if rule.part.applies is not None:
                yield Written(rule.place("applies"), f"the `applies:` of `{name}`", tree(rule, "applies"))
            permits, allow = tree(rule, "permits"), rule.part.unknown == "allow"
            yield Written(rule.place("permits"), f"the `permits:` of `{name}`", permits, unknown_permits=allow)


def _of_action(parts: Parts, found: Found[Any]) -> Iterator[Written]:
    name, known = found.part.action, own_names(parts, found)
    for gate in GATES:
        for clause in getattr(found.part, gate):
            node = substitute(parts.draft.tree(found, gate, clause), known)
            yield Written(found.place(gate, clause), f"`{clause}` of `{name}`", node)
    for key, rows in (("duty", found.part.duty), ("propensity", found.part.propensity)):
        if isinstance(rows, list):
            yield from _of_rows(parts, found, f"`{key}:` of `{name}`", key, rows, known)


def _alone(written: Written, reasoning: Reasoning) -> Iterator[Problem]:
    node = written.node
    if reasoning.impossible([(node, "true")]):
        yield never(written.place, written.what, _pieces(node), reasoning)
    elif reasoning.impossible([(node, "false" if written.unknown_permits else "not_true")]):
        yield Problem(written.place, "always-holds", f"{written.what} always holds", "leave it out, or say what it is to test", "warning")
    else:
        yield from _dead_pieces(written, reasoning)


def _pieces(node: Node) -> Sequence[Demand]:
    """What a condition asks for, piece by piece."""
    if isinstance(node, And):
        return [piece for item in node.operands for piece in _pieces(item)]
    if isinstance(node, Not) and isinstance(node.operand, Or):
        return [(item, "false") for item in node.operand.operands]
    return [(node, "true")]


def never(place: Place, what: str, demands: Sequence[Demand], reasoning: Reasoning, code: str = "never-holds") -> Problem:
    """A condition that nobody meets: the fewest pieces of it that exclude each other, and somebody at their edge."""
    core = reasoning.core(demands)
    if len(core) < 2:
        said = f": {_shown(core[0])} is never true" if len(demands) > 1 and core else ""
        return Problem(place, code, f"{what} never holds{said}", "no value is left for it" if not said else "", "warning")
    listed = " and ".join(map(_shown, core))
    return edged(place, code, f"{what} never holds: {listed} exclude each other", core, reasoning)


def edged(place: Place, code: str, message: str, core: Sequence[Demand], reasoning: Reasoning, last: str = "") -> Problem:
    """A finding about demands that exclude each other, with somebody who meets all but the last of them, and that one nearly."""
    witness = reasoning.at_the_edge(core[:-1], core[-1])
    hint = f"the nearest subscriber fails {last or _shown(core[-1])}" if witness else ""
    return Problem(place, code, message, hint, "warning", witness)


def _shown(demand: Demand) -> str:
    node, wanted = demand
    text = show(node if wanted == "true" else Not(node) if wanted == "false" else node)
    return f"`{text if len(text) <= 80 else text[:79] + '…'}`"


def _dead_pieces(written: Written, reasoning: Reasoning) -> Iterator[Problem]:
    """Alternatives of a condition that never hold."""
    pieces = written.node.operands if isinstance(written.node, Or) else ()
    for piece in pieces:
        if reasoning.impossible([(piece, "true")]):
            yield never(written.place, f"{_shown((piece, 'true'))} in {written.what}", _pieces(piece), reasoning)


def tables_of(parts: Parts) -> Iterator[tuple[str, str, list[Line]]]:
    """What is read from the top: the code of a finding, what a line is, the lines."""
    for name, signal in parts.signals.items():
        paths = [("levels", index, word) for index, level in enumerate(signal.part.levels) for word in level]
        yield "hidden-level", "level", [_line(parts, signal, f"`{path[-1]}` of `{name}`", *path) for path in paths]
    for name, fact in parts.facts.items():
        yield "hidden-row", "row", _lines(parts, fact, f"`{name}`", "first", fact.part.first)
    for action in parts.actions.values():
        for key, rows in (("duty", action.part.duty), ("propensity", action.part.propensity)):
            if isinstance(rows, list):
                yield "hidden-row", "row", _lines(parts, action, f"`{key}:`", key, rows)
    yield "hidden-row", "stage", _places(parts, "stages")
    yield "hidden-row", "phase", _places(parts, "phases")
    moments = [found for found in parts.draft.each("moments") if found.part.revealed_by is not None]
    yield "hidden-row", "moment", [_line(parts, found, f"`{found.part.id}`", "revealed_by") for found in moments]


def _line(parts: Parts, found: Found[Any], name: str, *path: str | int) -> Line:
    return Line(found.place(*path), name, parts.draft.tree(found, *path))


def _lines(parts: Parts, found: Found[Any], owner: str, key: str, rows: list[Row]) -> list[Line]:
    return [
        _line(parts, found, f"row {index + 1} of {owner}", key, index, "if") for index, row in enumerate(rows) if row.condition is not None
    ]


def _places(parts: Parts, key: str) -> list[Line]:
    found = list(parts.draft.each(key))
    lines = [Line(item.place("id"), f"`{item.part.id}`", any_of(parts, item)) for item in found if item.part.any]
    first = found[0].part.id if key == "phases" and found else ""
    return [Line(found[0].place("id"), "`hands_off`", hands_off(parts)), *lines] if first == "hands_off" else lines


def _hidden(code: str, what: str, lines: Sequence[Line], reasoning: Reasoning) -> Iterator[Problem]:
    for index, line in enumerate(lines):
        earlier: list[Demand] = [(other.node, "not_true") for other in lines[:index]]
        if index and reasoning.impossible([(line.node, "true"), *earlier]) and not reasoning.impossible([(line.node, "true")]):
            yield _hidden_by(code, what, line, lines[:index], earlier, reasoning)


def _hidden_by(code: str, what: str, line: Line, before: Sequence[Line], earlier: Sequence[Demand], reasoning: Reasoning) -> Problem:
    core = reasoning.core([*earlier, (line.node, "true")])
    hiding = [other for other, demand in zip(before, earlier, strict=True) if demand in core]
    names = " or ".join(other.name for other in hiding)
    both: Node = fold(joined(Or, [other.node for other in hiding])) if hiding else Const(True, line.node.type)
    found = reasoning.witness([(line.node, "true"), (both, "true")])
    message = f"this {what} is never reached: {names} holds whenever {line.name} does"
    return Problem(line.place, code, message, "the narrower condition comes first", "warning", found[1] if found else ())
