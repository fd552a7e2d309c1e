"""Does one condition hold whenever another does? Enough of an answer to find rows that an earlier row hides."""

from __future__ import annotations

from typing import Any

from app.engine.tree import FALSE, TRUE, And, Compare, Const, Member, Node, Or, Ref

_turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def implies(one: Node, other: Node) -> bool:
    """Is `other` true in every case in which `one` is true? False where that is not plain to see."""
    if one in (other, FALSE) or other == TRUE:
        return True
    if isinstance(one, Or):
        return all(implies(item, other) for item in one.operands)
    if isinstance(other, And):
        return all(implies(one, item) for item in other.operands)
    if isinstance(one, And) and any(implies(item, other) for item in one.operands):
        return True
    if isinstance(other, Or):
        return any(implies(one, item) for item in other.operands)
    return _level_of(one, other) or _narrower(one, other)


def _level_of(one: Node, other: Node) -> bool:
    """A level of a signal, and the signal."""
    return isinstance(one, Ref) and isinstance(other, Ref) and one.name.startswith(other.name.replace("signal:", "level:") + ":")


def _narrower(one: Node, other: Node) -> bool:
    """Two tests of the same value against constants."""
    first, second = _test(one), _test(other)
    if first is None or second is None or first[0] != second[0]:
        return False
    (_, sign, bound), (_, wider, limit) = first, second
    if sign == "in":
        return all(_passes(value, wider, limit) for value in bound)
    if sign == "!=" or wider in ("==", "in", "!=") or sign[0] != wider[0]:
        return sign == wider and bool(bound == limit)
    inside = bound > limit if sign[0] == ">" else bound < limit
    return bool(inside or (bound == limit and (sign == wider or wider.endswith("="))))


def _test(node: Node) -> tuple[Node, str, Any] | None:
    """A condition as what is tested, sign and bound; equality is membership in one value."""
    match node:
        case Compare(operator="==", left=left, right=Const(value=value)):
            return left, "in", frozenset({value})
        case Compare(operator=sign, left=left, right=Const(value=value)):
            return left, sign, value
        case Compare(operator=sign, left=Const(value=value), right=right):
            return _test(Compare(_turned[sign], right, Const(value, right.type)))
        case Member(item=item, collection=Const(value=frozenset() as values)):
            return item, "in", values
    return None


def _passes(value: Any, sign: str, limit: Any) -> bool:
    if sign == "in":
        return value in limit
    if sign == "!=":
        return bool(value != limit)
    return bool({"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[sign])
