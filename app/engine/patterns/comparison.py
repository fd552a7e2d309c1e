"""A pattern's condition as alternatives of plain comparisons: what both matchers compile.

`not` is pushed down to the comparisons, `or` multiplied out. That changes nothing under Kleene's tables, where a comparison with a missing
attribute is unknown and so is its negation: a join needs its conditions to be true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from app.engine.tree import MIRRORED, NEGATED, And, Arithmetic, Compare, Const, Member, Negative, Node, Not, Or, Ref, Type, show, walk

MOST_ALTERNATIVES = 16
"""Alternatives that a condition's `or` may multiply out to."""
MOST_LINKS = 12
"""Comparisons between two facts in one alternative; durable_rules holds 31 tests a fact."""
LARGEST_NUMBER = 2**53
"""A number beyond this in size counts as missing."""

Kind = Literal["text", "whole", "number", "truth", "date"]


class UnsupportedError(Exception):
    """A condition that patterns cannot hold: `message` says which part, `hint` what to write."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True, order=True)
class Attribute:
    """An attribute of one fact of a join."""

    alias: str
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Own:
    """A test of one fact by itself: a comparison, a membership, or a yes-or-no attribute; `holds` is false for one that must fail."""

    alias: str
    test: Compare | Member | Ref
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Across:
    """A test between two facts: `left operator right + plus`."""

    left: Attribute
    operator: str
    right: Attribute
    plus: int = 0

    def mirrored(self) -> Across:
        """The same test read from the other side."""
        return Across(self.right, MIRRORED[self.operator], self.left, -self.plus)


Comparison = Own | Across
Alternative = tuple[Comparison, ...]


def attribute(node: Ref) -> Attribute:
    """What a reference of a pattern's condition names."""
    alias, _, name = node.name.rpartition(".")
    return Attribute(alias, name, "whole" if name in ("at", "days") else _kind(node.name, node.type))


def _kind(name: str, kind: Type) -> Kind:
    if kind.kind == "number":
        return "whole" if kind.integral else "number"
    kinds: dict[str, Kind] = {"text": "text", "enum": "text", "boolean": "truth", "date": "date"}
    if kind.kind not in kinds:
        raise UnsupportedError(f"`{name}` is {kind}", "patterns compare text, numbers, dates and yes-or-no attributes of events")
    return kinds[kind.kind]


def attributes(comparison: Comparison) -> tuple[Attribute, ...]:
    """The attributes that a comparison reads; when one of them is missing it is not true."""
    if isinstance(comparison, Across):
        return (comparison.left, comparison.right)
    found = {attribute(node) for node in walk(comparison.test) if isinstance(node, Ref)}
    return tuple(sorted(replace(item, alias=comparison.alias) for item in found))


def alternatives(where: Node | None) -> tuple[Alternative, ...]:
    """The condition as `or` of `and`s; none at all when it can never hold.

    Raises:
        UnsupportedError: something in it is not for patterns.
    """
    if where is None:
        return ((),)
    found = tuple(dict.fromkeys(tuple(dict.fromkeys(item)) for item in _alternatives(where, True)))
    if any(sum(isinstance(item, Across) for item in items) > MOST_LINKS for items in found):
        raise UnsupportedError(f"more than {MOST_LINKS} comparisons between facts", "split it into several patterns")
    return found


def _alternatives(node: Node, holds: bool) -> list[Alternative]:
    match node:
        case Not(operand=operand):
            return _alternatives(operand, not holds)
        case Const(value=bool() as value):
            return [()] if value is holds else []
        case And(operands=operands) | Or(operands=operands):
            parts = [_alternatives(item, holds) for item in operands]
            found = _product(parts) if isinstance(node, And) is holds else [item for part in parts for item in part]
            if len(found) > MOST_ALTERNATIVES:
                raise _too_many()
            return found
        case Compare():
            return [(_comparison(node if holds else replace(node, operator=NEGATED[node.operator])),)]
        case Member():
            return [(_membership(node, holds),)]
        case Ref() if attribute(node).kind == "truth":
            return [(Own(attribute(node).alias, node, holds),)]
    raise UnsupportedError(f"`{show(node)}` is not for patterns", "compare attributes of events; other conditions belong in `when:`")


def _too_many() -> UnsupportedError:
    hint = "use `in` for one attribute with several values, or `any:` with a join each"
    return UnsupportedError(f"its `or`s multiply out to more than {MOST_ALTERNATIVES} alternatives", hint)


def _product(parts: list[list[Alternative]]) -> list[Alternative]:
    found: list[Alternative] = [()]
    for part in parts:
        found = [(*one, *other) for one in found for other in part]
        if len(found) > MOST_ALTERNATIVES:
            raise _too_many()
    return found


def _membership(node: Member, holds: bool) -> Own:
    item, collection = node.item, node.collection
    if not isinstance(item, Ref) or not isinstance(collection, Const) or not isinstance(collection.value, frozenset):
        raise UnsupportedError(f"`{show(node)}` is not for patterns", "as in `alias.attribute in ('a', 'b')`")
    own = attribute(item)
    if own.kind == "truth" or any((own.kind == "text") is not isinstance(value, str) for value in collection.value):
        raise UnsupportedError(f"`{show(node)}` compares values of different types")
    return Own(own.alias, node, holds)


def _comparison(node: Compare) -> Comparison:
    read = sorted({attribute(item) for item in walk(node) if isinstance(item, Ref)})
    aliases = sorted({item.alias for item in read})
    if not read:
        raise UnsupportedError(f"`{show(node)}` names no attribute")
    _demand_comparable(node)
    if len(aliases) == 1:
        return Own(aliases[0], node)
    if len(aliases) > 2:
        raise UnsupportedError(f"`{show(node)}` compares more than two facts", "compare two at a time")
    if isinstance(node.left, Ref) and isinstance(node.right, Ref) and read[0].kind == "text":
        return Across(attribute(node.left), node.operator, attribute(node.right))
    return _linear_comparison(node)


def _demand_comparable(node: Compare) -> None:
    kinds = {_operand(node.left), _operand(node.right)}
    if len(kinds) > 1 or "truth" in kinds:
        raise UnsupportedError(f"`{show(node)}` compares {' with '.join(sorted(kinds))}")
    if kinds == {"text"} and node.operator not in ("==", "!="):
        raise UnsupportedError(f"`{show(node)}` orders text", "compare with `==`, `!=` or `in`")


def _operand(node: Node) -> str:
    match node:
        case Ref():
            kind = attribute(node).kind
            return kind if kind in ("text", "truth") else "number"
        case Const(value=str()):
            return "text"
        case Const(value=int() | float() as value) if not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER:
            return "number"
        case Negative(operand=operand) if _operand(operand) == "number":
            return "number"
        case Arithmetic(operator="+" | "-" | "*", left=left, right=right) if _operand(left) == _operand(right) == "number":
            return "number"
    hint = "multiply the other side" if isinstance(node, Arithmetic) and node.operator == "/" else "compare attributes, numbers and text"
    raise UnsupportedError(f"`{show(node)}` is not for patterns", hint)


def _linear_comparison(node: Compare) -> Across:
    """`left operator right` of two facts, brought to `attribute operator attribute + whole number`."""
    left, right = _sum(node.left), _sum(node.right)
    factors = {item: left[0].get(item, 0) - right[0].get(item, 0) for item in left[0] | right[0]}
    plus = right[1] - left[1]
    whole = all(item.kind != "number" for item in factors) and plus == int(plus) and abs(plus) <= LARGEST_NUMBER
    if sorted(factors.values()) != [-1, 1] or not whole:
        hint = "an attribute of one fact is compared with one of another, plus or minus a whole number"
        raise UnsupportedError(f"`{show(node)}` is not for patterns", hint)
    (one,) = (item for item, factor in factors.items() if factor == 1)
    (other,) = (item for item, factor in factors.items() if factor == -1)
    return Across(one, node.operator, other, int(plus))


Sum = tuple[dict[Attribute, int | float], int | float]


def _sum(node: Node) -> Sum:
    """Attributes with their factors, and what is added."""
    match node:
        case Ref():
            return {attribute(node): 1}, 0
        case Const(value=int() | float() as value):
            return {}, value
        case Negative(operand=operand):
            return _scaled(_sum(operand), -1)
        case Arithmetic(operator=operator, left=left, right=right):
            one, other = _sum(left), _sum(right)
            if operator == "*":
                return _multiplied(node, one, other)
            return _added(one, _scaled(other, -1 if operator == "-" else 1))
    raise UnsupportedError(f"`{show(node)}` is not for patterns")


def _scaled(summed: Sum, factor: int | float) -> Sum:
    return {item: value * factor for item, value in summed[0].items()}, summed[1] * factor


def _added(one: Sum, other: Sum) -> Sum:
    return {item: one[0].get(item, 0) + other[0].get(item, 0) for item in one[0] | other[0]}, one[1] + other[1]


def _multiplied(node: Node, one: Sum, other: Sum) -> Sum:
    if one[0] and other[0]:
        raise UnsupportedError(f"`{show(node)}` multiplies attributes", "a comparison between facts adds and subtracts only")
    return _scaled(one, other[1]) if one[0] else _scaled(other, one[1])


def aliases_of(comparison: Comparison) -> frozenset[str]:
    """The facts that a comparison is about."""
    return frozenset(item.alias for item in attributes(comparison))


def all_aliases(where: Node | None) -> Iterator[str]:
    """Every alias that a condition names, once each."""
    if where is not None:
        yield from dict.fromkeys(node.name.rpartition(".")[0] for node in walk(where) if isinstance(node, Ref))
