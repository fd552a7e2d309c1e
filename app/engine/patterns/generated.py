"""Python written for one plan: reading a fact's rows from a history, and joining rows. Names of a pack appear in it as literals only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from app.engine.patterns.comparison import LARGEST_NUMBER, Attribute, Own, attributes
from app.engine.runtime import DAY
from app.engine.tree import Arithmetic, Compare, Const, Member, Negative, Node, Ref

if TYPE_CHECKING:
    from app.engine.patterns.plan import Plan, Rows

RowReader = Callable[[Sequence[tuple[int, Any]], int], dict[tuple[Any, ...], int]]

_is_of_kind = {
    "text": "isinstance({0}, str)",
    "whole": f"type({{0}}) is int and -{LARGEST_NUMBER} <= {{0}} <= {LARGEST_NUMBER}",
    "number": f"type({{0}}) in (int, float) and -{LARGEST_NUMBER} <= {{0}} <= {LARGEST_NUMBER}",
    "truth": "type({0}) is bool",
    "date": f"type({{0}}) is int and 0 < {{0}} <= {LARGEST_NUMBER}",
}


def row_reader(own: Iterable[Own], columns: Sequence[Attribute], required: frozenset[Attribute], numbered: bool) -> RowReader:
    """A function of a kind's events and `as_of`: the distinct rows that pass the fact's own tests, with the newest time of each.

    A value of another type than the attribute's is missing, as is a date that is never. Dates come as ordinals.
    """
    own = tuple(own)
    read = dict.fromkeys([*sorted(required), *(item for test in own for item in attributes(test)), *columns[numbered:]])
    names = {item.name: f"v{index}" for index, item in enumerate(read)}
    lines = ["def read(events, now):", " found = {}", " for number, (at, event) in enumerate(events):", "  if at > now: continue"]
    for item in read:
        lines += _reading(names[item.name], item, item in required)
    lines += [f"  if not ({_own_test(test, names)}): continue" for test in own]
    row = "".join(f"{value}, " for value in [*["number"][: int(numbered)], *(names[item.name] for item in columns[numbered:])])
    lines += [f"  row = ({row})", "  if found.get(row, at) <= at: found[row] = at", " return found"]
    reader: RowReader = _compiled(lines, "read")
    return reader


def _reading(variable: str, item: Attribute, required: bool) -> list[str]:
    if item.name == "at":
        return [f"  {variable} = at"]
    if item.name == "days":
        return [f"  {variable} = (now - at) // {DAY}"]
    lines = [f"  {variable} = getattr(event, {item.name!r})"]
    if item.kind == "date":
        lines.append(f"  if isinstance({variable}, date): {variable} = {variable}.toordinal()")
    return [*lines, f"  if not ({_is_of_kind[item.kind].format(variable)}): {'continue' if required else f'{variable} = None'}"]


def _own_test(own: Own, names: Mapping[str, str]) -> str:
    match own.test:
        case Compare(operator=operator, left=left, right=right):
            return f"{_operand(left, names)} {operator} {_operand(right, names)}"
        case Member(item=item, collection=Const(value=frozenset() as values)):
            words = "".join(f"{value!r}, " for value in sorted(values))
            return f"{_operand(item, names)} {'in' if own.holds else 'not in'} ({words})"
    return f"{_operand(own.test, names)} is {own.holds}"


def _operand(node: Node, names: Mapping[str, str]) -> str:
    match node:
        case Const(value=value):
            return repr(value)
        case Ref(name=name):
            return names[name.rpartition(".")[2]]
        case Negative(operand=operand):
            return f"(-{_operand(operand, names)})"
        case Arithmetic(operator=operator, left=left, right=right):
            return f"({_operand(left, names)} {operator} {_operand(right, names)})"
    raise TypeError(node)


def joiner(plan: Plan) -> Callable[[Rows], bool]:
    """A function of a plan's rows: nested loops, each link tested as soon as both its facts are chosen."""
    lines, indent = ["def holds(rows):"], " "
    for index in range(plan.joined):
        lines.append(f"{indent}for r{index} in rows[{index}]:")
        indent += " "
        lines += [f"{indent}if not ({test}): continue" for test in _tests(plan, index)]
    for index in range(plan.joined, len(plan.slots)):
        lines.append(f"{indent}for r{index} in rows[{index}]:")
        lines.append(f"{indent} if {' and '.join(_tests(plan, index)) or 'True'}: break")
        lines.append(f"{indent}else:")
        indent += " "
    function: Callable[[Rows], bool] = _compiled([*lines, f"{indent}return True", " return False"], "holds")
    return function


def _tests(plan: Plan, index: int) -> list[str]:
    """The links of a fact to earlier ones; a value that an earlier fact may lack makes its test fail."""
    found = []
    for link in plan.links:
        if link.left[0] == index:
            left, right = (f"r{slot}[{column}]" for slot, column in (link.left, link.right))
            known = f"{right} is not None and " if plan.may_lack(link.right) else ""
            found.append(f"{known}{left} {link.operator} {right}{f' + {link.plus}' if link.plus else ''}")
    return found


def _compiled(lines: Sequence[str], name: str) -> Any:
    namespace: dict[str, Any] = {"date": date}
    exec(compile("\n".join(lines), "<pattern>", "exec"), namespace)  # noqa: S102 - written above from a checked tree
    return namespace[name]
