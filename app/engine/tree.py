"""Typed expression trees: what the rule language means, before it is Python or columns.

Nodes are frozen and compare by meaning, so that equal expressions written twice are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

type_kinds = ("number", "text", "boolean", "date", "time", "enum", "set", "series", "events")

INPUT_LIMIT = 10.0**12
"""No input, and no quotient, is larger than this in size."""
EXACT_LIMIT = 2.0**53
"""Integers up to here are exact as floats: no intermediate may pass it."""
MIRRORED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
"""The operator that says the same of both sides changed over."""
NEGATED: Mapping[str, str] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
"""The operator that holds of known values where another does not."""


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is. `most` bounds its size (series: each element), `values` are an enumeration's words."""

    kind: str
    unit: str = ""
    integral: bool = False
    most: float = INPUT_LIMIT
    values: tuple[str, ...] = ()
    model: str = ""

    def __str__(self) -> str:
        said = {"boolean": "a condition", "enum": "an enumeration", "events": "a list of events", "time": "a time of day"}
        return f"a set of {self.model or 'text'}" if self.kind == "set" else said.get(self.kind, f"a {self.kind}")


BOOLEAN = Type("boolean")
TEXT = Type("text")
DATE = Type("date")
TIME = Type("time")
SET = Type("set")
NUMBER = Type("number")
COUNT = Type("number", unit="count", integral=True, most=10.0**6)
DAYS = Type("number", unit="days", integral=True, most=10.0**7)


@dataclass(frozen=True, slots=True)
class Const:
    """A literal, or a parameter of the pack (`name` says which)."""

    value: object
    type: Type
    name: str = ""


@dataclass(frozen=True, slots=True)
class Ref:
    """A named value: a base fact, a derived fact, `signal:x`, `level:x:high`, `stage`, an event's attribute in a pattern."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Not:
    """Negation; unknown stays unknown."""

    operand: Node
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class And:
    """Kleene's and: false if one is false, else unknown if one is unknown."""

    operands: tuple[Node, ...]
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Or:
    """Kleene's or: true if one is true, else unknown if one is unknown."""

    operands: tuple[Node, ...]
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison; a chain is an `And` of them."""

    operator: str
    left: Node
    right: Node
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Member:
    """Is the item in the collection (a set, or a literal list)."""

    item: Node
    collection: Node
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - * /` of two numbers. A division by zero, and a quotient beyond 10¹², is unknown."""

    operator: str
    left: Node
    right: Node
    type: Type = NUMBER


@dataclass(frozen=True, slots=True)
class Negative:
    """The number with its sign turned."""

    operand: Node
    type: Type = NUMBER


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language. `options` are its named arguments; `clock` says whether windows end at `as_of` or `contact_at`."""

    function: str
    arguments: tuple[Node, ...]
    options: tuple[tuple[str, Node], ...] = ()
    type: Type = NUMBER
    clock: str = "as_of"
    text: str = field(default="", compare=False)


Node = Const | Ref | Not | And | Or | Compare | Member | Arithmetic | Negative | Call


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    match node:
        case Const() | Ref():
            return ()
        case Not() | Negative():
            return (node.operand,)
        case And() | Or():
            return node.operands
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case Member():
            return (node.item, node.collection)
        case Call():
            return (*node.arguments, *(value for _, value in node.options))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def reads(node: Node) -> frozenset[str]:
    """Names the node depends on directly; a function over events reads `events.<kind>`, one over contacts reads `contacts`."""
    return frozenset(item.name for item in walk(node) if isinstance(item, Ref))


def rebuild(node: Node, change: Callable[[Node], Node]) -> Node:
    """The same node with `change` applied to each node directly below."""
    match node:
        case Const() | Ref():
            return node
        case Not() | Negative():
            return replace(node, operand=change(node.operand))
        case And() | Or():
            return replace(node, operands=tuple(change(item) for item in node.operands))
        case Compare() | Arithmetic():
            return replace(node, left=change(node.left), right=change(node.right))
        case Member():
            return replace(node, item=change(node.item), collection=change(node.collection))
        case Call():
            return replace(
                node,
                arguments=tuple(change(item) for item in node.arguments),
                options=tuple((name, change(item)) for name, item in node.options),
            )


def joined(kind: type[And] | type[Or], operands: Iterable[Node]) -> Node:
    """`and` or `or` of the operands; those that are of the same kind are taken apart, one alone stays as it is."""
    flat = tuple(inner for item in operands for inner in (item.operands if isinstance(item, And | Or) and type(item) is kind else (item,)))
    return flat[0] if len(flat) == 1 else kind(flat)


def substitute(node: Node, values: Mapping[str, Node]) -> Node:
    """The tree with named values put in place of references, and what becomes constant folded away."""
    if isinstance(node, Ref):
        return values.get(node.name, node)
    return fold(rebuild(node, lambda child: substitute(child, values)))


TRUE, FALSE = Const(True, BOOLEAN), Const(False, BOOLEAN)


def fold(node: Node) -> Node:
    """One step of simplification, for nodes whose children are already simple."""
    match node:
        case Not(operand=Const(value=bool() as value)):
            return FALSE if value else TRUE
        case And(operands=operands):
            return _fold_junction(node, operands, absorbing=FALSE, neutral=TRUE)
        case Or(operands=operands):
            return _fold_junction(node, operands, absorbing=TRUE, neutral=FALSE)
        case Compare(operator=operator, left=Const() as left, right=Const() as right):
            return TRUE if _compare(operator, left.value, right.value) else FALSE
        case Member(item=Const() as item, collection=Const() as collection):
            return TRUE if item.value in collection.value else FALSE  # type: ignore[operator]
        case Call(function="known", arguments=(Const(),)):
            return TRUE
    return node


def _fold_junction(node: And | Or, operands: tuple[Node, ...], absorbing: Const, neutral: Const) -> Node:
    if absorbing in operands:
        return absorbing
    kept = [item for item in operands if item != neutral]
    return joined(type(node), kept) if kept else neutral


def _compare(operator: str, left: object, right: object) -> bool:
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError("only numbers, dates and times are ordered")
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def show(node: Node) -> str:
    """The node as it is written in a pack."""
    return _Shown().of(node)


class _Shown:
    """Writes a tree back as text, with parentheses only where Python's grammar needs them."""

    strength: ClassVar[Mapping[type, int]] = {Or: 1, And: 2, Not: 3, Compare: 4, Member: 4}

    def of(self, node: Node) -> str:
        match node:
            case Const(name=name) if name:
                return name
            case Const(value=frozenset() as words):
                shown = [_const(Const(word, Type(node.type.model))) for word in sorted(words, key=repr)]
                return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"
            case Const():
                return _const(node)
            case Ref():
                return _reference(node.name)
            case Not(operand=Member(item=item, collection=collection)):
                return f"{self.of(item)} not in {self.of(collection)}"
            case Not(operand=operand):
                return f"not {self.inner(operand, 3)}"
            case And(operands=operands):
                return " and ".join(self.inner(item, 2) for item in operands)
            case Or(operands=operands):
                return " or ".join(self.inner(item, 1) for item in operands)
            case Compare(operator=operator, left=left, right=right):
                return f"{self.of(left)} {operator} {self.of(right)}"
            case Member(item=item, collection=collection):
                return f"{self.of(item)} in {self.of(collection)}"
            case Arithmetic():
                return self.arithmetic(node)
            case Negative(operand=operand):
                return f"-{self.arithmetic_inner(operand, 3)}"
            case Call():
                return node.text or self.call(node)

    def inner(self, node: Node, strength: int) -> str:
        text = self.of(node)
        return f"({text})" if self.strength.get(type(node), 9) < strength else text

    def arithmetic(self, node: Arithmetic) -> str:
        strength = 1 if node.operator in "+-" else 2
        return f"{self.arithmetic_inner(node.left, strength)} {node.operator} {self.arithmetic_inner(node.right, strength + 1)}"

    def arithmetic_inner(self, node: Node, strength: int) -> str:
        text = self.of(node)
        own = {"+": 1, "-": 1, "*": 2, "/": 2}[node.operator] if isinstance(node, Arithmetic) else 9
        return f"({text})" if own < strength else text

    def call(self, node: Call) -> str:
        given = [self.of(item) for item in node.arguments] + [f"{name}={self.of(item)}" for name, item in node.options]
        return f"{node.function}({', '.join(given)})"


def _const(node: Const) -> str:
    if node.type.kind == "date" and isinstance(node.value, int):
        import datetime

        return repr(datetime.date.fromordinal(node.value).isoformat()) if node.value else "never"
    if node.type.kind == "time" and isinstance(node.value, int):
        return f"'{node.value // 60:02}:{node.value % 60:02}'"
    return repr(node.value)


def _reference(name: str) -> str:
    kind, _, rest = name.partition(":")
    if kind == "signal":
        return f"signal('{rest}')"
    if kind == "level":
        signal, _, level = rest.rpartition(":")
        return f"level('{signal}') == '{level}'"
    return name
