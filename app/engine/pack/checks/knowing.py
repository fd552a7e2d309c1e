"""What is surely known when a condition holds: the other half of three-valued logic.

A condition that is true has looked at something. `known(x)` has seen x, `a > b` both sides, `A and B` what either has seen, `A or B` only
what both have. What is worked out from facts, signals and tables is taken apart down to what they themselves rest on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from app.engine.pack.checking import Parts
from app.engine.pack.documents import DerivedFact, Row
from app.engine.pack.names import BEST, BEST_PLAN
from app.engine.pack.ordering import graph_name
from app.engine.pack.reading import Found
from app.engine.tree import And, Arithmetic, Call, Compare, Const, Member, Node, Not, Or, Ref, children, reads

Known = Mapping[object, None] | None
"""Names and windows that are surely known, the nearest first; none where the condition cannot come about, so that nothing is missing."""

NOTHING: Mapping[object, None] = {}
MOST = 300
"""Names that are kept of one condition: more hang together in no pack that people read."""
_windows = {"last", "mean", "total", "peak", "median", "change", "falling", "rising", "share_over"}
_always = {"stage", "phase", "moment", "today", "contact_day", "request.channel"}
_plans = {"fee_on", "best_fee"}
_best = "best_fee"
DEEPEST, LONGEST = 30, 2_000
"""How far the surely known is followed: a chain of facts, and steps in all; beyond it nothing is sure."""


def these(*names: object) -> Known:
    """Just these names."""
    return dict.fromkeys(names)


def union(found: Iterable[Known]) -> Known:
    """All of them come about together."""
    result: dict[object, None] = {}
    for known in found:
        if known is None:
            return None
        result.update(known)
    return result if len(result) <= MOST else dict.fromkeys(islice(result, MOST))


def common(found: Iterable[Known]) -> Known:
    """One of them comes about."""
    result: Known = None
    for known in found:
        if known is not None:
            result = known if result is None else {name: None for name in result if name in known}
    return result


def _window(node: Call) -> Known:
    """The last values of a series that a call has looked at, each as `series#n`."""
    series = node.arguments[0]
    if not isinstance(series, Ref):
        return these(node)
    reached = _cycles(node) + (node.function == "change")
    return these(node, series.name, *(f"{series.name}#{n}" for n in range(1, reached + 1)))


def _cycles(node: Call) -> int:
    """The window of a call: the last whole number among its arguments, 1 where there is none."""
    found = [item.value for item in node.arguments[1:] if isinstance(item, Const)] if node.function not in _plans else []
    found = found or [item.value for item in node.arguments if isinstance(item, Const)]
    return next((value for value in reversed(found) if isinstance(value, int) and not isinstance(value, bool)), 1)


def _use(cycles: int) -> Sequence[str]:
    """The use that the cost of a plan is worked out from."""
    return [f"{name}#{n}" for name in ("usage.voice_out_min", "usage.data_mb") for n in range(1, cycles + 1)]


class Knowing:
    """Answers for one pack. Names are worked out once."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.seen: dict[tuple[str, bool | None], Known] = {}
        self.filled: set[str] = set()
        self.order = {name: index for index, name in enumerate(parts.order)}

    def when(self, node: Node, truth: bool = True) -> Known:
        """What is known when the condition has this truth."""
        self._prepare(reads(node))
        return self._holds(node, truth)

    def sure(self, name: str, known: Known) -> bool:
        """Is the name's value known wherever this is?"""
        if known is None:
            return True
        self._prepare([name])
        return _Certainty(self, known).named(name)

    def _prepare(self, names: Iterable[str]) -> None:
        """Work out, in the order of the pack, what the names rest on: so no chain of facts is too long."""
        graph, waiting, needed = self.parts.graph, [graph_name(name) for name in names], set[str]()
        while waiting:
            name = waiting.pop()
            if name in graph and name not in needed and name not in self.filled:
                needed.add(name)
                waiting += graph[name]
        if not needed:
            return
        self.filled |= needed
        for name in sorted(needed, key=self.order.__getitem__):
            for truth in (True, False, None) if _conditional(self.parts, name) else (None,):
                self._name(name, truth)

    def _holds(self, node: Node, truth: bool) -> Known:
        match node:
            case Const(value=value):
                return NOTHING if value is truth else None
            case Not(operand=operand):
                return self._holds(operand, not truth)
            case And(operands=operands):
                return (union if truth else common)([self._holds(item, truth) for item in operands])
            case Or(operands=operands):
                return (common if truth else union)([self._holds(item, truth) for item in operands])
            case Ref(name=name):
                return self._name(name, truth)
            case Call(function="known", arguments=(inner,)):
                return self._value(inner) if truth else NOTHING
            case Call(function="at_least", arguments=(Const(value=int() as needed), *conditions)):
                return self._counted(conditions, truth, needed if truth else len(conditions) - needed + 1)
            case Compare(operator="==" | "!=" as sign, left=Ref(name=name), right=Const(value=value)):
                return union([self._value(node.left), self._rows(name, [value], truth == (sign == "=="))])
            case Member(item=Ref(name=name), collection=Const(value=frozenset() as values)):
                return union([self._value(node.item), self._rows(name, values, truth)])
        return self._value(node)

    def _counted(self, conditions: Sequence[Node], truth: bool, needed: int) -> Known:
        """So many of the conditions have the truth: what would be known without any so many less one of them."""
        found = [known for known in (self._holds(item, truth) for item in conditions) if known is not None]
        if len(found) < needed:
            return None
        return these(*(name for known in found for name in known if sum(name not in other for other in found) < needed))

    def _value(self, node: Node) -> Known:
        """What is known when the node has a value, whichever it is."""
        match node:
            case Const() | Call(function="known"):
                return NOTHING
            case Ref(name=name):
                return self._name(name, None)
            case Call(function="first_known", arguments=arguments):
                return common([self._value(item) for item in arguments])
            case Call(function="best_fee"):
                return these(node, f"{_best}#{_cycles(node)}", *_use(_cycles(node)))
            case Call(function="fee_on", arguments=(plan, *_)):
                return union([these(node, *_use(_cycles(node))), self._value(plan)])
            case Call(arguments=(_, *rest)) if node.function in _windows:
                return union([_window(node), *(self._value(item) for item in rest)])
            case And() | Or() | Not():
                return common([self._holds(node, True), self._holds(node, False)])
            case Call(function="at_least"):
                return common([self._holds(node, True), self._holds(node, False)])
            case Call():
                return union([these(node), *(self._value(item) for item in children(node))])
        return union([self._value(item) for item in children(node)])

    def _name(self, name: str, truth: bool | None) -> Known:
        """What is known when a named value has the truth; none: when it has any value."""
        key = (name, truth)
        if key not in self.seen:
            self.seen[key] = NOTHING  # a name never rests on itself
            self.seen[key] = self._define(name, truth)
        return self.seen[key]

    def _define(self, name: str, truth: bool | None) -> Known:
        if name in BEST:
            return these(name, f"{_best}#3", *_use(3))
        if name in self.parts.facts:
            return union([these(name), self._fact(name, truth)])
        kind, _, rest = name.partition(":")
        if kind not in ("signal", "level", "open"):
            return these(name)
        if truth is None:
            return common([self._name(name, True), self._name(name, False)])
        if kind == "open":
            return self._holds(self.parts.opened[rest], truth)
        if kind == "level":
            signal, _, level = rest.rpartition(":")
            return self._level(signal, level, truth)
        return (common if truth else union)([self._level(rest, level, truth) for level in self.parts.scopes.signals[rest]])

    def _level(self, name: str, level: str, truth: bool) -> Known:
        """A level of a signal; a pattern's joined events show nothing that a text could name."""
        found = self.parts.signals.get(name)
        if found is None:
            pattern = self.parts.patterns[name]
            return self._holds(self.parts.draft.tree(pattern, "when"), True) if truth and pattern.part.when is not None else NOTHING
        index = next(index for index, words in enumerate(found.part.levels) if level in words)
        return self._holds(self.parts.draft.tree(found, "levels", index, level), truth)

    def _fact(self, name: str, truth: bool | None) -> Known:
        found = self.parts.facts[name]
        if found.part.expression is not None:
            tree = self.parts.draft.tree(found, "is")
            return self._value(tree) if truth is None else self._holds(tree, truth)
        return self._rows(name, None if truth is None else [truth], True)

    def _rows(self, name: str, values: Iterable[object] | None, among: bool) -> Known:
        """What is known when a table gives one of the values, or none of them; without values, when it gives any."""
        found = self.parts.facts.get(name)
        if found is None or not found.part.first:
            return NOTHING
        draft, wanted, ways = self.parts.draft, None if values is None else list(values), []
        for index, row in enumerate(found.part.first):
            given = draft.tree(found, "first", index, "is")
            if wanted is not None and isinstance(given, Const) and (given.value in wanted) != among:
                continue
            condition = self._holds(draft.tree(found, "first", index, "if"), True) if row.condition is not None else NOTHING
            ways.append(union([condition, self._value(given)]))
        return common(ways)


class _Certainty:
    """Whether a value follows from what is known: every step is sure to give one."""

    def __init__(self, knowing: Knowing, known: Mapping[object, None]) -> None:
        self.knowing, self.parts = knowing, knowing.parts
        self.known, self.steps = known, 0

    def of(self, node: Node, deep: int = 0) -> bool:
        """Does the node have a value?"""
        self.steps += 1
        if node in self.known:
            return True
        if deep > DEEPEST or self.steps > LONGEST:
            return False
        match node:
            case Const() | Call(function="known" | "bucket"):
                return True
            case Ref(name=name):
                return self.named(name, deep)
            case Call(function="first_known", arguments=arguments):
                return any(self.of(item, deep) for item in arguments)
            case Call(function="best_fee"):
                return f"{_best}#{_cycles(node)}" in self.known
            case Call(function="last" | "mean" | "total" | "peak" | "median" | "falling" | "rising", arguments=(Ref(name=series), *_)):
                return f"{series}#{_cycles(node)}" in self.known
            case Call(function="change" | "fee_on" | "since" | "share_over"):
                return False
        return not self._may_fail(node) and all(self.of(item, deep) for item in children(node))

    def _may_fail(self, node: Node) -> bool:
        """A quotient by nothing, or a date that is never beside another."""
        if isinstance(node, Arithmetic):
            return node.operator == "/" and not (isinstance(node.right, Const) and bool(node.right.value))
        return isinstance(node, Compare) and "date" in (node.left.type.kind, node.right.type.kind)

    def named(self, name: str, deep: int = 0) -> bool:
        """Does the name have a value?"""
        if name in self.known or name in _always or name in self.parts.scopes.parameters:
            return True
        if name in BEST:
            return name == BEST_PLAN and f"{_best}#3" in self.known
        found = self.parts.facts.get(name)
        if found is None:
            return False
        rows = found.part.first
        if not rows:
            return self.of(self.parts.draft.tree(found, "is"), deep + 1)
        return rows[-1].condition is None and all(self._row(found, index, row, deep) for index, row in enumerate(rows))

    def _row(self, found: Found[DerivedFact], index: int, row: Row, deep: int) -> bool:
        """Does the row have a value where it is the one that counts?"""
        given, known = self.parts.draft.tree(found, "first", index, "is"), self.known
        if isinstance(given, Const):
            return True
        condition = self.knowing.when(self.parts.draft.tree(found, "first", index, "if")) if row.condition is not None else NOTHING
        if condition is None:
            return True
        self.known = {**known, **condition}
        sure = self.of(given, deep + 1)
        self.known = known
        return sure


def _conditional(parts: Parts, name: str) -> bool:
    """Does the name have a truth?"""
    return name not in BEST and (name not in parts.facts or parts.scopes.derived[name].type.kind == "boolean")
