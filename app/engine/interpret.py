"""Walks a tree with three values: a second, slower reading of the language.

It tries a change on one clause, and tests hold the compiled one to account with it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from app.engine.runtime import NEVER, quotient
from app.engine.tree import And, Arithmetic, Call, Compare, Const, Member, Negative, Node, Not, Or, Ref

Lookup = Callable[[Ref | Call], Any]
Part = Callable[[Node], Any]

_compare: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_arithmetic: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": quotient}


def interpret(node: Node, lookup: Lookup, part: Part | None = None) -> Any:
    """The value of a tree, or none for unknown; `lookup` gives the value of each reference and call.

    `part` gives that of a part of the tree, for who keeps them.
    """
    of = part or (lambda item: interpret(item, lookup))
    match node:
        case Const(value=value):
            return value
        case Ref() | Call():
            return lookup(node)
        case Not(operand=operand):
            value = of(operand)
            return None if value is None else not value
        case And(operands=operands):
            return _junction([of(item) for item in operands], absorbing=False)
        case Or(operands=operands):
            return _junction([of(item) for item in operands], absorbing=True)
        case Negative(operand=operand):
            value = of(operand)
            return None if value is None else -value
        case Compare(operator=sign, left=left, right=right):
            return _both(_compare[sign], _dated(left, of), _dated(right, of))
        case Arithmetic(operator=sign, left=left, right=right):
            return _both(_arithmetic[sign], of(left), of(right))
        case Member(item=item, collection=collection):
            return _both(lambda word, words: word in words, _dated(item, of), of(collection))


def _junction(values: list[bool | None], *, absorbing: bool) -> bool | None:
    if absorbing in values:
        return absorbing
    return None if None in values else not absorbing


def _both(apply: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    return None if left is None or right is None else apply(left, right)


def _dated(node: Node, of: Part) -> Any:
    """A value to be compared: a date that is never is on no side of any other."""
    value = of(node)
    return None if node.type.kind == "date" and value == NEVER else value
