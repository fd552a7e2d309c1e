"""The gates of a pack as decision tables of zen-engine, and by our own generated code, on the same prepared inputs.

Inputs are what the clauses name: facts, signals, levels, the moment, and calls such as `days_until(contract.promo_end)`, each worked out
before, for both. A clause becomes rows of a table: its alternatives (`or`) a row each, its tests (`and`) cells of a row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.engine.case import Case
from app.engine.facts import Facts, read_facts
from app.engine.pack.model import Clause, Pack
from app.engine.signals import recognise
from app.engine.to_python import Program, Section
from app.engine.tree import And, Arithmetic, Call, Compare, Const, Member, Negative, Node, Not, Or, Ref, Type, children, show

LONG_ENOUGH = 6
"""Cycles that the longest window of the reference pack looks at."""
_turned = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_swapped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

Row = dict[str, list[str]]
"""One alternative: tests by the column they look at."""


@dataclass(frozen=True, slots=True)
class Input:
    """One subscriber, prepared for both engines."""

    values: list[Any]
    facts: Facts
    context: dict[str, Any]


class Gates:
    """The eligible, applicable and suitable clauses of every action of a pack, by action."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.clauses = [(action.id, clause) for action in pack.actions for clause in action.gates]
        self.leaves = {node: _word(node) for _, clause in self.clauses for node in _leaves(clause.tree)}
        if len(set(self.leaves.values())) < len(self.leaves):
            raise AssertionError("two inputs would have one name")
        self.slots = {node: pack.slots[node.name] if isinstance(node, Ref) else pack.terms[node] for node in self.leaves}
        self.section, self.size, self.found = self.compiled()

    def compiled(self) -> tuple[Section, int, list[int]]:
        """The gates alone, by the generator that compiles the pack; the slot of each clause."""
        program = Program()
        program.named, program.size = dict(self.pack.slots), self.pack.size
        for node, slot in self.slots.items():
            if isinstance(node, Call):
                program.trees[node], program.ready[slot] = slot, ""
        found = [program.add(clause.tree) for _, clause in self.clauses]
        return program.section(), program.size, found

    def prepared(self, cases: Iterable[Case]) -> list[Input]:
        """Facts and signals of each case. What is unknown in it is filled from others: zen has two values where we have three."""
        read = [facts for facts in (read_facts(self.pack, case) for case in cases) if _with_history(facts)]
        filling = {base.slot: _something(base.type) for base in self.pack.base}
        for facts in reversed(read):
            filling |= {base.slot: facts.values[base.slot] for base in self.pack.base if _whole(facts.values[base.slot])}
        inputs = [self.input(facts, filling) for facts in read]
        return [item for item in inputs if None not in item.context.values()]  # a quotient may still be unknown, by a divisor of zero

    def input(self, facts: Facts, filling: dict[int, Any]) -> Input:
        """One case with nothing unknown."""
        values = facts.values
        for base in self.pack.base:
            if not _whole(values[base.slot]):
                values[base.slot] = filling[base.slot]
        recognise(self.pack, facts)
        self.pack.gates(values, facts.around)
        context = {name: _plain(values[self.slots[node]]) for node, name in self.leaves.items()}
        return Input([*values, *[None] * (self.size - self.pack.size)], facts, context)

    def ours(self, item: Input) -> None:
        """Evaluate every clause by the generated section."""
        self.section(item.values, item.facts.around)

    def held(self, item: Input) -> list[bool]:
        """Which clauses held, after `ours`."""
        return [item.values[slot] is True for slot in self.found]

    def tables(self) -> str:
        """A table for each action, a column for each fact it looks at."""
        actions = [action for action in self.pack.actions if action.gates]
        return _graph([_table(action.id, [(_label(clause), _rows(clause.tree)) for clause in action.gates]) for action in actions])

    def one_table(self) -> str:
        """All clauses in one table."""
        return _graph([_table("gates", [(f"{action}.{_label(clause)}", _rows(clause.tree)) for action, clause in self.clauses])])

    def expressions(self) -> str:
        """All clauses in one table with one column of whole expressions: the least work for zen, though no longer a table to read."""
        rows = [(f"{action}.{_label(clause)}", _expression(clause.tree)) for action, clause in self.clauses]
        return _graph([_content("gates", [([text], name) for name, text in rows], [""])])

    def held_in_tables(self, result: dict[str, list[dict[str, str]]]) -> list[bool]:
        """Which clauses held, from the answer of `tables`."""
        named = {(action, row["clause"]) for action, rows in result.items() for row in rows}
        return [(action, _label(clause)) in named for action, clause in self.clauses]

    def held_in_one(self, result: dict[str, list[dict[str, str]]]) -> list[bool]:
        """Which clauses held, from the answer of `one_table` or `expressions`."""
        named = {row["clause"] for row in result["gates"]}
        return [f"{action}.{_label(clause)}" in named for action, clause in self.clauses]


def _with_history(facts: Facts) -> bool:
    return facts.around.events is not None and facts.around.contacts is not None


def _whole(value: Any) -> bool:
    """Is the value known, and a series long enough for every window?"""
    return value is not None and not (isinstance(value, tuple) and (None in value or len(value) < LONG_ENOUGH))


def _something(kind: Type) -> Any:
    """A value of the type, for what nobody has."""
    word = next(iter(kind.values), "a")
    plain = {"boolean": False, "date": 738_000, "set": frozenset({word}), "series": (1,) * LONG_ENOUGH}
    return plain.get(kind.kind, word if kind.kind in ("enum", "text") else 1)


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _label(clause: Clause) -> str:
    return f"{clause.gate}.{clause.name}"


def _word(node: Node) -> str:
    return re.sub(r"[^a-z0-9]+", "_", show(node).lower()).strip("_")


def _leaves(node: Node) -> Iterator[Ref | Call]:
    """What is worked out before the gates are asked."""
    if isinstance(node, Call) and node.function == "known":
        yield from _leaves(node.arguments[0])
    elif isinstance(node, Ref | Call):
        yield node
    else:
        for child in children(node):
            yield from _leaves(child)


def _expression(node: Node) -> str:
    """A tree in zen's expression language, over prepared inputs."""
    match node:
        case Const(value=value):
            return _literal(value)
        case Not(operand=operand):
            return f"not ({_expression(operand)})"
        case And(operands=operands):
            return f"({' and '.join(map(_expression, operands))})"
        case Or(operands=operands):
            return f"({' or '.join(map(_expression, operands))})"
        case Compare(operator=sign, left=left, right=right) | Arithmetic(operator=sign, left=left, right=right):
            return f"({_expression(left)} {sign} {_expression(right)})"
        case Member(item=item, collection=collection):
            return f"({_expression(item)} in {_expression(collection)})"
        case Negative(operand=operand):
            return f"(-{_expression(operand)})"
        case Call(function="known", arguments=(argument,)):
            return f"({_expression(argument)} != null)"
    return _word(node)


def _literal(value: object) -> str:
    if isinstance(value, frozenset):
        return f"[{', '.join(_literal(item) for item in sorted(value, key=repr))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _rows(node: Node, wanted: bool = True) -> list[Row]:
    """The alternatives in which a tree is as wanted."""
    match node:
        case Not(operand=operand):
            return _rows(operand, not wanted)
        case And(operands=operands) | Or(operands=operands):
            parts = [_rows(item, wanted) for item in operands]
            return [row for rows in parts for row in rows] if isinstance(node, Or) is wanted else _together(parts)
        case Compare(operator=sign, left=left, right=right):
            if isinstance(left, Const):
                left, right, sign = right, left, _swapped.get(sign, sign)
            return [{_expression(left): [f"{sign if wanted else _turned[sign]} {_expression(right)}"]}]
        case Member(item=item, collection=collection) if not isinstance(item, Const):
            return [{_expression(item): [f"{'in' if wanted else 'not in'} {_expression(collection)}"]}]
        case Call(function="known", arguments=(argument,)):
            return [{_expression(argument): ["!= null" if wanted else "== null"]}]
    return [{_expression(node): [f"== {str(wanted).lower()}"]}]


def _together(parts: Sequence[list[Row]]) -> list[Row]:
    found: list[Row] = [{}]
    for rows in parts:
        found = [{column: one.get(column, []) + two.get(column, []) for column in one | two} for one in found for two in rows]
    return found


def _table(name: str, clauses: Sequence[tuple[str, list[Row]]]) -> dict[str, Any]:
    rows = [(label, row) for label, alternatives in clauses for row in alternatives]
    columns = list(dict.fromkeys(column for _, row in rows for column in row))
    return _content(name, [([_cell(row[column]) if column in row else "" for column in columns], label) for label, row in rows], columns)


def _cell(tests: list[str]) -> str:
    return tests[0] if len(tests) == 1 else " and ".join(f"$ {test}" for test in dict.fromkeys(tests))


def _content(name: str, rows: Sequence[tuple[list[str], str]], columns: Sequence[str]) -> dict[str, Any]:
    """A decision table node. A column without a field holds whole expressions; every row that holds gives its clause."""
    inputs = [{"id": f"i{at}", "name": column or "condition", **({"field": column} if column else {})} for at, column in enumerate(columns)]
    rules = [
        {"_id": f"{name}-{at}", **{f"i{column}": cell for column, cell in enumerate(cells)}, "o": repr(label)}
        for at, (cells, label) in enumerate(rows)
    ]
    content = {
        "hitPolicy": "collect",
        "inputs": inputs,
        "outputs": [{"id": "o", "name": "clause", "field": "clause"}],
        "rules": rules,
        "outputPath": name,
    }
    return _node(name, "decisionTableNode", content)


def _node(name: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}, "content": content}


def _graph(tables: Sequence[dict[str, Any]]) -> str:
    """A decision: every table beside the others, between the input and the answer."""
    nodes = [_node("in", "inputNode", {}), *tables, _node("out", "outputNode", {})]
    edges = [
        {"id": f"{source}-{target}", "sourceId": source, "targetId": target, "type": "edge"}
        for table in tables
        for source, target in (("in", table["id"]), (table["id"], "out"))
    ]
    return json.dumps({"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges})
