"""Typed trees to forms: when is a condition true, false, not true, not false, by Kleene's tables, with facts and signals written out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, Literal

from app.engine.pack.checks.figures import (
    ARITHMETIC,
    SIGNS,
    days_where,
    key_of,
    peeled,
    range_of,
    spans_of,
    where,
)
from app.engine.pack.checks.forms import ALWAYS, NEVER, Form, Leaf, Thing, every, some
from app.engine.pack.checks.values import TRUTH, UNKNOWN, Values, both, either, values, without
from app.engine.to_python import ALWAYS_KNOWN
from app.engine.tree import (
    BOOLEAN,
    MIRRORED,
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    Member,
    Negative,
    Node,
    Not,
    Or,
    Ref,
    children,
    fold,
    rebuild,
    walk,
)

Wanted = Literal["true", "false", "not_true", "not_false"]
"""What is wanted of a condition; `not_true` is false or unknown."""

_opposite: Mapping[Wanted, Wanted] = {"true": "false", "false": "true", "not_true": "not_false", "not_false": "not_true"}
_denied: Mapping[Wanted, Wanted] = {"true": "not_true", "not_true": "true", "false": "not_false", "not_false": "false"}
_loose = ("first_known", "known", "at_least")
"""Functions that may be known where an argument is not."""
CLOCKS = ("today", "contact_day")
MOST_ROWS = 24
"""Rows of a table whose value is looked into inside a comparison; a longer one counts as a fact of its own."""
MOST_WAYS = 300
"""Ways in which so many of several conditions can hold."""
MOST_NODES = 60
"""Size of a derived figure that is written out."""
MOST_LEVELS = 80
"""Conditions inside conditions that are looked into."""
MOST_FORMS = 400_000
"""Conditions of one pack that are looked into."""


@dataclass(frozen=True)
class Table:
    """A first-match table: conditions (none: always) and values."""

    rows: tuple[tuple[Node | None, Node], ...]


Definitions = Mapping[str, "Node | Table"]


class Conditions:
    """Reads trees over one pack's definitions. Forms are made once for each tree and what is wanted of it."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.things: dict[Hashable, Thing] = {}
        self.made: dict[tuple[int, Wanted], Form] = {}
        self.named: dict[tuple[str, Wanted], Form] = {}
        self.figures: dict[str, Node] = {}
        self.kept: list[Node] = []
        self.depth = 0
        self.level = 0
        for name, meaning in definitions.items():
            if not isinstance(meaning, Table):
                self._figure_of(Ref(name, meaning.type))

    def form(self, node: Node, wanted: Wanted = "true") -> Form:
        """When the condition comes to what is wanted."""
        found = self.made.get((id(node), wanted))
        if found is None:
            self.kept.append(node)
            deep = self.level > MOST_LEVELS or len(self.kept) > MOST_FORMS
            self.level += 1
            found = self.made[id(node), wanted] = self._opaque(node, wanted) if deep else self._make(node, wanted)
            self.level -= 1
        return found

    def _make(self, node: Node, wanted: Wanted) -> Form:
        match node:
            case Const(value=value):
                return ALWAYS if bool(value) is (wanted in ("true", "not_false")) else NEVER
            case Not(operand=operand):
                return self.form(operand, _opposite[wanted])
            case And(operands=operands):
                join = every if wanted in ("true", "not_false") else some
                return join(self.form(item, wanted) for item in operands)
            case Or(operands=operands):
                join = some if wanted in ("true", "not_false") else every
                return join(self.form(item, wanted) for item in operands)
            case Ref():
                return self._named(node, wanted)
            case Compare() | Member():
                return self._test(node, wanted)
            case Call(function="known"):
                return self._known(node.arguments[0], is_known=wanted in ("true", "not_false"))
            case Call(function="at_least"):
                return self._at_least(node, wanted)
            case Call(function="overlap"):
                return self._overlap(node, wanted)
        return self._opaque(node, wanted)

    def _named(self, node: Ref, wanted: Wanted) -> Form:
        """A condition by its name: written out where it has a definition."""
        found = self.named.get((node.name, wanted))
        if found is None:
            meaning = self.definitions.get(node.name)
            if isinstance(meaning, Table):
                found = self._rows(meaning, wanted, lambda value: value)
            else:
                found = self._opaque(node, wanted) if meaning is None else self.form(meaning, wanted)
            self.named[node.name, wanted] = found
        return found

    def _rows(self, table: Table, wanted: Wanted, test: Callable[[Node], Node]) -> Form:
        """A test of a table's value: of the row that is the first to hold, or of unknown where none does."""
        ways: list[Form] = []
        passed: list[Form] = []
        for condition, value in table.rows:
            holds = [] if condition is None else [self.form(condition)]
            ways.append(every([self.form(test(value), wanted), *holds, *passed]))
            if condition is None:
                return some(ways)
            passed.append(self.form(condition, "not_true"))
        return some([*ways, every(passed)] if wanted in ("not_true", "not_false") else ways)

    def _at_least(self, node: Call, wanted: Wanted) -> Form:
        needed, *conditions = node.arguments
        least = needed.value if isinstance(needed, Const) and isinstance(needed.value, int) else 1
        many = least if wanted in ("true", "not_false") else len(conditions) - least + 1
        if comb(len(conditions), max(many, 0)) > MOST_WAYS:
            return self._opaque(node, wanted)
        return some(every(way) for way in combinations([self.form(item, wanted) for item in conditions], many))

    def _overlap(self, node: Call, wanted: Wanted) -> Form:
        for one, other in (node.arguments, node.arguments[::-1]):
            if isinstance(one, Const) and isinstance(one.value, frozenset) and isinstance(other, Ref):
                words = [Member(Const(word, Const("", BOOLEAN).type), other) for word in sorted(one.value, key=repr)]
                return self.form(Or(tuple(words)), wanted) if words else self._known(other, is_known=False, fails=wanted)
        return self._opaque(node, wanted)

    def _known(self, node: Node, *, is_known: bool, fails: Wanted | None = None) -> Form:
        """Is a value known; `fails` is wanted of a test that is false wherever it is."""
        if fails is not None:
            return {"true": NEVER, "not_false": self._known(node, is_known=False), "not_true": ALWAYS}.get(
                fails, self._known(node, is_known=True)
            )
        meaning = self.definitions.get(node.name) if isinstance(node, Ref) else None
        if isinstance(meaning, Table):
            return self._known_row(meaning, is_known=is_known)
        if meaning is not None and meaning.type.kind == "boolean":
            pairs: tuple[Wanted, Wanted] = ("true", "false") if is_known else ("not_true", "not_false")
            return (some if is_known else every)(self.form(meaning, wanted) for wanted in pairs)
        if isinstance(node, Const):
            return ALWAYS if is_known else NEVER
        core = peeled(self.figure(node))[0]
        thing = self.thing(core)
        return _leaf(thing, without(thing.full, UNKNOWN) if is_known else both(thing.full, UNKNOWN))

    def _known_row(self, table: Table, *, is_known: bool) -> Form:
        ways: list[Form] = []
        passed: list[Form] = []
        for condition, value in table.rows:
            holds = [] if condition is None else [self.form(condition)]
            ways.append(every([self._known(value, is_known=is_known), *holds, *passed]))
            if condition is None:
                return some(ways)
            passed.append(self.form(condition, "not_true"))
        return some(ways if is_known else [*ways, every(passed)])

    def _test(self, node: Compare | Member, wanted: Wanted) -> Form:
        """A comparison, or a test of membership."""
        table = next((item for item in _read(node) if isinstance(self.definitions.get(item.name), Table)), None)
        if table is not None and self.depth < 3:
            meaning = self.definitions[table.name]
            if isinstance(meaning, Table) and len(meaning.rows) <= MOST_ROWS:
                self.depth += 1
                try:
                    return self._rows(meaning, wanted, lambda value: _replaced(node, table.name, value))
                finally:
                    self.depth -= 1
        found = self._member(node, wanted) if isinstance(node, Member) else self._compare(node, wanted)
        return self._opaque(node, wanted) if found is None else found

    def _compare(self, node: Compare, wanted: Wanted) -> Form | None:
        left, right, sign = self.figure(node.left), self.figure(node.right), node.operator
        if isinstance(left, Const):
            left, right, sign = right, left, MIRRORED[sign]
        if isinstance(left, Const) and isinstance(right, Const):
            holds = SIGNS[sign](left.value, right.value)  # type: ignore[arg-type]
            return self.form(Const(holds, BOOLEAN), wanted)
        if not isinstance(right, Const):
            return self._pair(sign, left, right, wanted)
        if isinstance(right.value, str | bool):
            if sign not in ("==", "!="):
                return None
            found = self._of_words(left, frozenset({right.value}))
            return _wanted(*found, wanted if sign == "==" else _opposite[wanted])
        if isinstance(right.value, int | float):
            return _wanted(*self._of_numbers(left, sign, right.value), wanted)
        return None

    def _of_words(self, node: Node, words: frozenset[Any]) -> tuple[Thing, Values, Values]:
        """The thing, and its values for which it is one of the words, and for which it is not."""
        thing = self.thing(node)
        inside = both(thing.full, values(words=words))
        return thing, inside, without(without(thing.full, UNKNOWN), inside)

    def _of_numbers(self, node: Node, sign: str, bound: float) -> tuple[Thing, Values, Values]:
        """The same for a comparison with a number or a date."""
        core, steps, rising = peeled(node)
        thing = self.thing(core)
        if thing.form == "days":
            inside = days_where(steps, rising, sign, bound, since=isinstance(core, Call) and core.function == "days_since")
            return thing, inside, without(without(thing.full, UNKNOWN), inside)
        inside = values(where(thing.full.spans, steps, rising, sign, bound, whole=thing.whole)) if thing.full.spans else values()
        return thing, inside, without(values(thing.full.spans), inside)

    def _member(self, node: Member, wanted: Wanted) -> Form | None:
        item, collection = self.figure(node.item), node.collection
        if isinstance(collection, Const) and isinstance(collection.value, frozenset):
            return self._listed(item, collection.value, wanted)
        if isinstance(collection, Ref) and isinstance(item, Const):
            thing = self._held(collection, item.value)
            return _wanted(thing, values(words=(True,)), values(words=(False,)), wanted)
        if isinstance(collection, Ref) and isinstance(item, Ref) and item.type.kind == "enum":
            return self._one_of_ours(item, collection, wanted)
        return None

    def _listed(self, item: Node, found: frozenset[Any], wanted: Wanted) -> Form | None:
        if isinstance(item, Const):
            return self.form(Const(item.value in found, BOOLEAN), wanted)
        if all(isinstance(word, str | bool) for word in found):
            return _wanted(*self._of_words(item, found), wanted)
        thing, inside = self.thing(peeled(item)[0]), values()
        for bound in found:
            inside = either(inside, self._of_numbers(item, "==", bound)[1])
        all_of_it = without(thing.full, UNKNOWN) if thing.form == "days" else values(thing.full.spans)
        return _wanted(thing, inside, without(all_of_it, inside), wanted)

    def _one_of_ours(self, item: Ref, collection: Ref, wanted: Wanted) -> Form:
        """Is an enumeration's word in a set: word by word."""
        ways = []
        for word in item.type.values:
            chosen = Leaf(self.thing(item), values(words=(word,)))
            ways.append(every([chosen, self.form(Member(Const(word, item.type), collection), wanted)]))
        if wanted in ("not_true", "not_false"):
            ways += [self._known(item, is_known=False), self._known(collection, is_known=False)]
        return some(ways)

    def figure(self, node: Node) -> Node:
        """A figure with derived facts written out and constants worked out."""
        if isinstance(node, Ref):
            return self._figure_of(node)
        if isinstance(node, Const) or node.type.kind == "boolean":
            return node
        return _worked_out(rebuild(node, self.figure))

    def _figure_of(self, node: Ref) -> Node:
        found = self.figures.get(node.name)
        if found is None:
            meaning, found = self.definitions.get(node.name), node
            if meaning is not None and not isinstance(meaning, Table) and meaning.type.kind != "boolean":
                written_out = self.figure(meaning)
                found = written_out if sum(1 for _ in walk(written_out)) <= MOST_NODES else node
            self.figures[node.name] = found
        return found

    def thing(self, node: Node) -> Thing:
        """What a condition looks at, made once."""
        if isinstance(node, Call) and node.function in ("days_since", "days_until") and isinstance(node.arguments[0], Ref):
            date, clock = node.arguments[0], node.arguments[1]
            return self._kept(("days", key_of(date), key_of(clock)), node, self._days)
        return self._kept(key_of(node), node, self._plain)

    def _kept(self, key: Hashable, node: Node, make: Callable[[Hashable, Node], Thing]) -> Thing:
        found = self.things.get(key)
        if found is None:
            found = self.things[key] = make(key, node)
        return found

    def _days(self, key: Hashable, node: Node) -> Thing:
        full = days_where([], True, "<=", float("inf"), since=False)
        base = key[1]  # type: ignore[index]
        return Thing(key, node, "days", either(either(full, UNKNOWN), values(never=True)), frozenset({str(base)}), True, whole=True)

    def _plain(self, key: Hashable, node: Node) -> Thing:
        bases = _bases(node)
        always = isinstance(node, Ref) and node.name in ALWAYS_KNOWN
        kind, whole = node.type.kind, node.type.integral or node.type.kind in ("date", "time")
        full = UNKNOWN
        if kind in ("number", "date", "time"):
            full = either(full, values(spans_of((1, 3_652_059) if kind == "date" else range_of(node), whole=whole), never=kind == "date"))
        elif kind == "boolean":
            full = TRUTH
        elif kind == "enum" and node.type.values:
            full = either(full, values(words=node.type.values))
        elif kind in ("text", "enum"):
            full = either(full, values(rest=True))
        else:
            full = either(full, values(words=(True,)))
        if always:
            full = without(full, values(unknown=True, never=True))
        single = len(set(_every_base(node))) <= 1 and not isinstance(node, Arithmetic | Compare | Member)
        return Thing(key, node, kind, full, frozenset() if always else bases, isinstance(node, Ref), single, whole)

    def _held(self, collection: Ref, word: Any) -> Thing:
        """Does a set hold a word."""
        node = Member(Const(word, BOOLEAN), collection)
        full = values(words=(False,), unknown=True) if collection.type.values and word not in collection.type.values else TRUTH
        return self._kept(
            ("held", collection.name, word), node, lambda key, node: Thing(key, node, "held", full, frozenset({collection.name}), True)
        )

    def _pair(self, sign: str, left: Node, right: Node, wanted: Wanted) -> Form | None:
        """Two figures that are compared with each other: less, equal or more, whatever they are."""
        one, other = key_of(left), key_of(right)
        if one == other:
            thing = self.thing(peeled(left)[0]) if left.type.kind == "number" else self.thing(left)
            known = without(thing.full, values(unknown=True, never=thing.form == "date"))
            return _wanted(thing, *((known, values()) if sign in ("==", "<=", ">=") else (values(), known)), wanted)
        if repr(other) < repr(one):
            left, right, sign, one, other = right, left, MIRRORED[sign], other, one
        cells = ("<", "=", ">") if left.type.kind in ("number", "date", "time") else ("<", "=")
        inside = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>"}[sign]
        bases = _bases(left) | _bases(right)
        thing = self._kept(
            ("pair", one, other),
            Compare("==", left, right),
            lambda key, node: Thing(key, node, "pair", values(words=cells, unknown=True), bases, False, single=False),
        )
        held = both(thing.full, values(words=tuple(inside)))
        return _wanted(thing, held, without(without(thing.full, UNKNOWN), held), wanted)

    def _opaque(self, node: Node, wanted: Wanted) -> Form:
        """A condition that is not looked into."""
        return _wanted(self.thing(node), values(words=(True,)), values(words=(False,)), wanted)


def _wanted(thing: Thing, inside: Values, outside: Values, wanted: Wanted) -> Form:
    """The values of a thing for which a test of it comes to what is wanted."""
    if wanted == "true":
        return _leaf(thing, inside)
    if wanted == "false":
        return _leaf(thing, outside)
    return _leaf(thing, without(thing.full, inside if wanted == "not_true" else outside))


def _leaf(thing: Thing, found: Values) -> Form:
    found = both(thing.full, found)
    return NEVER if found.empty else ALWAYS if found is thing.full else Leaf(thing, found)


def denied(wanted: Wanted) -> Wanted:
    """What is wanted where the other is not to be."""
    return _denied[wanted]


def _replaced(node: Node, name: str, value: Node) -> Node:
    if isinstance(node, Ref):
        return value if node.name == name else node
    return fold(rebuild(node, lambda item: _replaced(item, name, value)))


def _read(node: Compare | Member) -> Iterable[Ref]:
    """What the two sides name, through arithmetic but not through functions."""
    rest: list[Node] = [node.left, node.right] if isinstance(node, Compare) else [node.item, node.collection]
    while rest:
        item = rest.pop(0)
        if isinstance(item, Ref):
            yield item
        elif isinstance(item, Arithmetic):
            rest += [item.left, item.right]
        elif isinstance(item, Negative):
            rest.append(item.operand)


def _worked_out(node: Node) -> Node:
    """A figure of constants as a constant."""
    if isinstance(node, Arithmetic) and isinstance(node.left, Const) and isinstance(node.right, Const):
        found = ARITHMETIC[node.operator](node.left.value, node.right.value)  # type: ignore[arg-type]
        return node if found is None else Const(found, node.type)
    if isinstance(node, Negative) and isinstance(node.operand, Const):
        return Const(-node.operand.value, node.type)  # type: ignore[operator]
    return node


def _bases(node: Node) -> frozenset[str]:
    """What has to be known for a figure to be known."""
    if isinstance(node, Ref):
        return frozenset() if node.name in ALWAYS_KNOWN else frozenset({node.name})
    if isinstance(node, Call) and node.function in _loose:
        return frozenset()
    if isinstance(node, And | Or):
        return frozenset()
    if isinstance(node, Call) and node.function == "best_fee":
        return frozenset().union(*(_bases(item) for item in node.arguments[:3]))
    return frozenset().union(*(_bases(item) for item in children(node)))


def _every_base(node: Node) -> Iterable[str]:
    return (item.name for item in walk(node) if isinstance(item, Ref) and item.name not in CLOCKS)
