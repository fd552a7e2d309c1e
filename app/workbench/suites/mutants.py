"""Every small change of a pack that a good suite should notice: a threshold a step up or down, a clause, level, row or fallback gone.

Not changed are figures that no decision rests on alone: propensity and value, when a question is put, and texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app.engine.pack.checking import GATES, Parts
from app.engine.pack.reading import Found
from app.engine.pack.source import Path
from app.engine.patterns import Join, Pattern
from app.engine.problems import Place
from app.engine.tree import FALSE, TRUE, Call, Compare, Const, Node, Ref, Type, children, fold, rebuild, show, walk
from app.workbench.suites.bench import Bench
from app.workbench.suites.coverage import doubtful

Kind = Literal["parameter", "figure", "gate", "contact", "guardrail", "level", "row", "stage", "phase", "moment", "pattern", "fallback"]
KINDS: tuple[Kind, ...] = (
    "parameter",
    "figure",
    "gate",
    "contact",
    "guardrail",
    "level",
    "row",
    "stage",
    "phase",
    "moment",
    "pattern",
    "fallback",
)
Key = tuple[str, Path]
"""Where a tree stands: file and path."""
Change = Callable[[Node], Node]

SMALL = 10
"""Whole numbers up to here go up and down by one, larger ones and decimals by a tenth."""
HALF_AN_HOUR = 30
_longest_window = 36
_measured = ("money", "MB", "share")
"""Of these 0 is none at all, not a threshold that could be a step off."""
_windows: Mapping[str, int] = {"falling": 2, "rising": 2}
"""The fewest cycles that a function may look at, where that is not one."""


@dataclass(frozen=True)
class Mutant:
    """One change: of what kind, where, in words; `owners` are the parts whose conditions change, `jurisdiction` the one it is for."""

    number: int
    kind: Kind
    place: Place
    name: str
    change: str
    owners: frozenset[str]
    jurisdiction: str | None = None
    trees: Mapping[Key, Node] = field(default_factory=dict, repr=False)
    opened: Mapping[str, Node] = field(default_factory=dict, repr=False)
    joins: Mapping[str, Pattern] = field(default_factory=dict, repr=False)
    fallback: tuple[str, str] | None = None


def mutants(bench: Bench) -> list[Mutant]:
    """Every change of a pack, in the order of its files."""
    found = sorted(_Maker(bench).all(), key=lambda item: (item.place, item.name, item.change))
    return [replace(item, number=number) for number, item in enumerate(found)]


def owned(parts: Parts) -> Iterator[tuple[str, Found[Any], tuple[str | int, ...]]]:
    """Every condition that a decision rests on: the part that owns it (`signal:x`, `action:x`, `facts.x` …), and its path there."""
    for name, fact in parts.facts.items():
        yield from ((name, fact, path) for path in _fact_paths(fact))
    for name, signal in parts.signals.items():
        yield from ((f"signal:{name}", signal, ("levels", index, word)) for index, level in enumerate(signal.part.levels) for word in level)
    for name, pattern in parts.patterns.items():
        if pattern.part.when is not None:
            yield f"signal:{name}", pattern, ("when",)
    for key, kind in (("stages", "stage"), ("phases", "phase")):
        for row in parts.draft.each(key):
            yield from ((f"{kind}:{row.part.id}", row, ("any", name)) for name in row.part.any)
    for moment in parts.draft.each("moments"):
        if moment.part.revealed_by is not None:
            yield f"moment:{moment.part.id}", moment, ("revealed_by",)
    for name, action in parts.actions.items():
        yield from ((f"action:{name}", action, path) for path in _action_paths(action))
    for name, rule in parts.contact.items():
        yield from ((f"contact:{name}", rule, (key,)) for key in ("applies", "permits") if getattr(rule.part, key) is not None)


def guarded(parts: Parts, jurisdiction: str) -> Iterator[tuple[str, Found[Any], tuple[str | int, ...]]]:
    """The same, of a jurisdiction's profile."""
    profile = parts.profiles[jurisdiction]
    for name, rule in profile.clauses.items():
        yield from ((f"guardrail:{name}", rule, (key,)) for key in ("applies", "permits") if getattr(rule.part, key) is not None)
    for item in profile.hands_off:
        yield "phase:hands_off", item, ("when",)


def _fact_paths(fact: Found[Any]) -> Iterator[tuple[str | int, ...]]:
    if fact.part.expression is not None:
        yield ("is",)
    yield from _row_paths("first", fact.part.first, values=True)


def _action_paths(action: Found[Any]) -> Iterator[tuple[str | int, ...]]:
    for gate in GATES:
        yield from ((gate, name) for name in getattr(action.part, gate))
    yield ("concession",)
    if isinstance(action.part.duty, list):
        yield from _row_paths("duty", action.part.duty, values=False)


def _row_paths(key: str, rows: Iterable[Any], *, values: bool) -> Iterator[tuple[str | int, ...]]:
    for index, row in enumerate(rows):
        if row.condition is not None:
            yield (key, index, "if")
        if values:
            yield (key, index, "is")


class _Maker:
    """Finds the changes of one pack."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.parts = bench, bench.home
        self.trees = self.parts.draft.trees
        self.spots = [(owner, found, path, None) for owner, found, path in owned(self.parts)]
        self.guards = [(owner, found, path, name) for name in bench.jurisdictions for owner, found, path in self.guarded(name)]
        self.uses: dict[str, list[tuple[str, Key]]] = {}
        for owner, found, path, _ in (*self.spots, *self.guards):
            key, tree = self.tree(found, path)
            for name in _named_in([tree]):
                self.uses.setdefault(name, []).append((owner, key))

    def all(self) -> Iterator[Mutant]:
        yield from self.parameters()
        for owner, found, path, jurisdiction in (*self.spots, *self.guards):
            yield from self.figures(owner, found, path, jurisdiction)
        yield from self.removals()
        yield from self.patterns()
        for entry, cause in self.parts.draft.merged("fallback"):
            for index, action in enumerate(entry.part):
                name, place = f"fallback.{cause} {action}", entry.place(index)
                yield Mutant(0, "fallback", place, name, _gone, frozenset({f"action:{action}"}), fallback=(cause, action))

    def guarded(self, jurisdiction: str) -> Iterator[tuple[str, Found[Any], tuple[str | int, ...]]]:
        """The conditions of a profile, without guardrails that what an action is settles for every action there is."""
        left = doubtful(self.bench.pack(jurisdiction))
        for owner, found, path in guarded(self.parts, jurisdiction):
            if owner == "phase:hands_off" or found.part.id in left:
                yield owner, found, path

    def tree(self, found: Found[Any], path: tuple[str | int, ...]) -> tuple[Key, Node]:
        """A condition and where it stands."""
        key = found.source.file, (*found.path, *path)
        return key, self.trees[key]

    def parameters(self) -> Iterator[Mutant]:
        """Thresholds with a name, a step up and down wherever they are used."""
        for found in self.parts.draft.each("parameters"):
            const = self.parts.scopes.parameters[found.part.id]
            for value in steps(const.value, const.type):
                yield from self.parameter(found, const, value)

    def parameter(self, found: Found[Any], const: Const, value: int | float) -> Iterator[Mutant]:
        """One parameter with another value; nothing where no condition uses it."""
        name, other = const.name, replace(const, value=value)

        def change(node: Node) -> Node:
            return other if isinstance(node, Const) and node.name == name else fold(rebuild(node, change))

        uses = self.uses.get(name, ())
        trees = {key: change(self.trees[key]) for _, key in uses}
        opened = {plan: change(tree) for plan, tree in self.parts.opened.items() if name in _named_in([tree])}
        joins = {key: _pattern(pattern, change) for key, pattern in self.parts.joins.items() if name in _named_in(_conditions(pattern))}
        owners = {owner for owner, _ in uses} | {f"signal:{key}" for key in joins} | {f"open:{plan}" for plan in opened}
        if owners:
            said = f"{_said(const.value, const.type)} → {_said(value, const.type)}"
            yield Mutant(0, "parameter", found.place("is"), name, said, frozenset(owners), None, trees, opened, joins)

    def figures(self, owner: str, found: Found[Any], path: tuple[str | int, ...], jurisdiction: str | None) -> Iterator[Mutant]:
        """Figures that stand in a condition itself, a step up and down."""
        key, tree = self.tree(found, path)
        if tree.type.kind != "boolean":
            return
        for changed, said in _stepped(tree):
            name = self.name(owner, found, path, jurisdiction)
            yield Mutant(0, "figure", found.place(*path), name, said, frozenset({owner}), jurisdiction, {key: changed})

    def removals(self) -> Iterator[Mutant]:
        """Clauses, levels and rows that are gone."""
        for owner, found, path, jurisdiction in (*self.spots, *self.guards):
            kind = _kind_of(owner, path)
            if kind is not None:
                key, tree = self.tree(found, path)
                put = TRUE if kind in ("gate", "contact", "guardrail") else FALSE
                if tree != put:
                    place = found.source.key_place(*found.path, *path) if kind in ("gate", "level", "stage", "phase") else found.place()
                    place = found.place(*path) if kind == "row" else place
                    name = self.name(owner, found, path, jurisdiction)
                    yield Mutant(0, kind, place, name, _gone, frozenset({owner}), jurisdiction, {key: put})

    def name(self, owner: str, found: Found[Any], path: tuple[str | int, ...], jurisdiction: str | None) -> str:
        """A condition as authors know it: `four_high.tariff severe`, `data_pack not_already`, `eu consent`."""
        if jurisdiction is not None:
            return f"{jurisdiction} {found.part.id}"
        left_out = ("levels", "any", "first", "permits", "applies", "when", "revealed_by", "is", "if", *GATES)
        words = [str(step) for step in path if isinstance(step, str) and step not in left_out]
        rows = [f"row {step + 1}" for step in path if isinstance(step, int) and path[0] != "levels"]
        return " ".join([owner.partition(":")[2] or owner, *rows, *words])

    def patterns(self) -> Iterator[Mutant]:
        """Patterns that are gone, or lack their condition, an alternative or an absence; figures of what they join."""
        for name, pattern in self.parts.joins.items():
            found = self.parts.patterns[name]
            owners = frozenset({f"signal:{name}"})
            changed = [(Pattern(name, ()), _gone)]
            changed += [
                (_without_join(pattern, index), f"alternative {index + 1} gone")
                for index in range(len(pattern.joins))
                if len(pattern.joins) > 1
            ]
            for index, join in enumerate(pattern.joins):
                changed += [(_with_join(pattern, index, other), said) for other, said in _joins(join)]
            for other, said in changed:
                yield Mutant(0, "pattern", found.place(), name, said, owners, joins={name: other})
            if found.part.when is not None:
                key, _ = self.tree(found, ("when",))
                yield Mutant(0, "pattern", found.place("when"), name, "`when` gone", owners, trees={key: TRUE})


_gone = "gone"


def _kind_of(owner: str, path: tuple[str | int, ...]) -> Kind | None:
    """What is gone when the condition there is; none where taking it out is no change of its own."""
    head = owner.partition(":")[0]
    if path[0] in GATES:
        return "gate"
    if path[-1] == "if":
        return "row"
    if head == "signal":
        return "level" if path[0] == "levels" else None
    kinds: Mapping[str, Kind] = {"contact": "contact", "guardrail": "guardrail", "stage": "stage", "phase": "phase", "moment": "moment"}
    return kinds.get(head) if path[-1] != "applies" else None


def _named_in(trees: Iterable[Node]) -> frozenset[str]:
    """The parameters that trees use."""
    return frozenset(node.name for tree in trees for node in walk(tree) if isinstance(node, Const) and node.name)


def _conditions(pattern: Pattern) -> Iterator[Node]:
    """The conditions of a pattern's joins."""
    for join in pattern.joins:
        yield from (where for where in (join.where, *(where for _, _, where in join.without)) if where is not None)


def _said(value: object, kind: Type) -> str:
    if kind.kind == "time" and isinstance(value, int):
        return f"'{value // 60:02}:{value % 60:02}'"
    return str(value)


def steps(value: object, kind: Type) -> list[int | float]:
    """The value a step down and a step up, by what kind of figure it is; nothing for what is no figure."""
    if isinstance(value, bool) or not isinstance(value, int | float) or kind.kind not in ("number", "time"):
        return []
    if kind.kind == "time":
        return [moved for moved in (value - HALF_AN_HOUR, value + HALF_AN_HOUR) if 0 <= moved < 24 * 60]
    if isinstance(value, int):
        step = 1 if abs(value) <= SMALL else max(1, round(abs(value) / 10))
        return [value - step, value + step]
    return [round(value * factor, 12) for factor in (0.9, 1.1)] if value else [-0.1, 0.1]


def _stepped(tree: Node) -> Iterator[tuple[Node, str]]:
    """The tree with one of its figures a step off, and what was changed, in words."""
    for place, (node, least, most) in enumerate(_constants(tree)):
        for value in steps(node.value, node.type):
            if least <= value <= most:
                other = replace(node, value=value)
                yield (
                    _Putting(place, other).into(tree),
                    f"{_said(node.value, node.type)} → {_said(value, node.type)} in `{_around(tree, node)}`",
                )


def _constants(node: Node, least: float = float("-inf"), most: float = float("inf")) -> Iterator[tuple[Const, float, float]]:
    """The figures that stand in a tree, each with the bounds that the language sets it."""
    if isinstance(node, Const):
        if not node.name:
            yield node, least, most
        return
    for child, bounds in zip(children(node), _bounds(node), strict=True):
        yield from _constants(child, *bounds)


def _bounds(node: Node) -> list[tuple[float, float]]:
    free, none = (float("-inf"), float("inf")), (1.0, 0.0)
    below = children(node)
    if isinstance(node, Compare):
        return [none if _nothing(one) and other.type.unit in _measured else free for one, other in (below, below[::-1])]
    if not isinstance(node, Call):
        return [free] * len(below)
    if node.function in ("best_fee", "best_plan", "bucket"):
        return [none] * len(below)
    if node.function == "at_least":
        return [(1.0, float(len(below) - 1)), *([free] * (len(below) - 1))]
    window: tuple[float, float] = float(_windows.get(node.function, 1)), float(_longest_window - (node.function == "change"))
    series = bool(node.arguments) and node.arguments[0].type.kind == "series"
    bounds = [window if series and isinstance(item, Const) and item.type.integral else free for item in node.arguments]
    if series and node.function == "share_over":
        bounds[1] = none if _nothing(node.arguments[1]) else free
    return [*bounds, *((1.0, 3_660.0) for _ in node.options)]


def _nothing(node: Node) -> bool:
    return isinstance(node, Const) and node.value == 0 and not isinstance(node.value, bool)


class _Putting:
    """Puts another figure in the place of the one with that number."""

    def __init__(self, place: int, other: Const) -> None:
        self.place, self.other, self.seen = place, other, -1

    def into(self, node: Node) -> Node:
        if isinstance(node, Const):
            self.seen += not node.name
            return self.other if self.seen == self.place and not node.name else node
        return rebuild(node, self.into)


def _around(tree: Node, figure: Const) -> str:
    """The smallest condition or function that holds the figure, as it is written."""
    smallest = tree
    for node in walk(tree):
        if (node.type.kind == "boolean" or isinstance(node, Call)) and any(item is figure for item in walk(node)):
            smallest = node
    return show(smallest)


def _pattern(pattern: Pattern, change: Change) -> Pattern:
    return replace(pattern, joins=tuple(_join(join, change) for join in pattern.joins))


def _join(join: Join, change: Change) -> Join:
    without = tuple((alias, kind, None if where is None else change(where)) for alias, kind, where in join.without)
    return replace(join, where=None if join.where is None else change(join.where), without=without)


def _without_join(pattern: Pattern, index: int) -> Pattern:
    return replace(pattern, joins=(*pattern.joins[:index], *pattern.joins[index + 1 :]))


def _with_join(pattern: Pattern, index: int, join: Join) -> Pattern:
    return replace(pattern, joins=(*pattern.joins[:index], join, *pattern.joins[index + 1 :]))


def _joins(join: Join) -> Iterator[tuple[Join, str]]:
    """A join with a figure a step off, or without one of its absences."""
    for other, said in _stepped(join.where) if join.where is not None else ():
        yield replace(join, where=other), said
    for index, (alias, kind, where) in enumerate(join.without):
        rest = (*join.without[:index], *join.without[index + 1 :])
        yield replace(join, without=rest), f"`without` {alias} gone"
        for other, said in _stepped(where) if where is not None else ():
            yield replace(join, without=(*join.without[:index], (alias, kind, other), *join.without[index + 1 :])), said


def readers(parts: Parts, jurisdictions: Iterable[str]) -> dict[str, frozenset[str]]:
    """For each fact, signal and tariff the parts whose conditions rest on it, through other facts and signals too."""
    direct: dict[str, set[str]] = {}
    spots = [*owned(parts), *(spot for name in jurisdictions for spot in guarded(parts, name))]
    for owner, found, path in spots:
        for node in walk(parts.draft.trees[found.source.file, (*found.path, *path)]):
            if isinstance(node, Ref):
                name = node.name.rpartition(":")[0].replace("level:", "signal:") if node.name.startswith("level:") else node.name
                direct.setdefault(name, set()).add(owner)
    return {name: _closure(direct, name) for name in direct}


def _closure(direct: Mapping[str, set[str]], name: str) -> frozenset[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for owner in direct.get(waiting.pop(), ()):
            if owner not in found:
                found.add(owner)
                waiting.append(owner)
    return frozenset(found)
