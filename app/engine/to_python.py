"""Trees to one straight-line Python program over numbered slots.

A program has sections that run in order, each `run(v, c)`: `v` the slots, `c` the case's surroundings. Equal subexpressions share a slot.
True, false and unknown are `True`, `False` and `None`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.engine import runtime
from app.engine.tree import TEXT, And, Arithmetic, Call, Compare, Const, Member, Negative, Node, Not, Or, Ref, children

Copier = Callable[[list[Any], Mapping[str, Any]], None]
Section = Callable[[list[Any], runtime.Surroundings], None]

_names = {"min": "smallest", "max": "largest", "abs": "size"}
_environment = {name: getattr(runtime, name) for name in dir(runtime) if not name.startswith("_")}
ALWAYS_KNOWN = frozenset({"today", "contact_day", "clock.time", "clock.weekday", "clock.holiday", "stage", "phase", "moment"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a first-match table: the slot of its condition (none: always) and its value."""

    condition: int | None
    value: Node


class Program:
    """Builds sections; `inputs` are the slots that a reader must fill before the first runs.

    Sections of the trunk run in order. One written while `branch` names a branch runs after them or not at all, whatever other branches do:
    `ready` says in which branch (`""`: the trunk) a tree's slot was filled last.
    """

    def __init__(self) -> None:
        self.size = 0
        self.inputs: dict[str, int] = {}
        self.named: dict[str, int] = {}
        self.trees: dict[Node, int] = {}
        self.lines: list[str] = []
        self.ready: dict[int, str] = {}
        self.branch = ""
        self.temporaries = 0

    @classmethod
    def over(cls, named: Mapping[str, int], trees: Mapping[Node, int]) -> Program:
        """A program over slots that another one fills."""
        program = cls()
        program.named, program.trees = dict(named), dict(trees)
        program.ready = dict.fromkeys(trees.values(), "")
        return program

    def function(self, node: Node) -> Callable[[Sequence[Any]], Any]:
        """What a tree comes to, of the slots alone; everything that it calls has a slot already."""
        expression = self.emit(node)
        if self.lines:
            raise AssertionError("a part of the tree has no slot")
        namespace: dict[str, Any] = dict(_environment)
        exec(compile(f"def run(v):\n    return {expression}\n", "<pack>", "exec"), namespace)  # noqa: S102 - as in `section`
        function: Callable[[Sequence[Any]], Any] = namespace["run"]
        return function

    def input(self, name: str) -> int:
        """The slot of a base fact."""
        if name not in self.inputs:
            self.inputs[name] = self.named[name] = self.new()
        return self.inputs[name]

    def new(self) -> int:
        """A fresh slot."""
        self.size += 1
        return self.size - 1

    def add(self, node: Node) -> int:
        """Compute the tree in the current section, unless an equal one was, here or in the trunk; its slot."""
        if isinstance(node, Ref):
            return self.slot_of(node.name)
        slot = self.trees.get(node)
        if slot is None or self.ready[slot] not in ("", self.branch):
            expression = self.emit(node)
            slot = self.trees[node] = self.new() if slot is None else slot
            self.ready[slot] = self.branch
            self.lines.append(f"v[{slot}] = {expression}")
        return slot

    def define(self, name: str, node: Node) -> int:
        """The same, and known by a name from here on."""
        slot = self.add(node)
        self.named[name] = slot
        return slot

    def choose(self, name: str, rows: Sequence[Row]) -> int:
        """A first-match table: the value of the first row whose condition is true; unknown rows are skipped."""
        values = [self.value(row.value) for row in rows]
        expression = "None"
        for row, value in reversed(list(zip(rows, values, strict=True))):
            expression = value if row.condition is None else f"{value} if v[{row.condition}] is True else {expression}"
        slot = self.named[name] = self.new()
        self.lines.append(f"v[{slot}] = {expression}")
        return slot

    def reserve(self, name: str) -> int:
        """A slot that the pipeline itself fills between sections."""
        self.named[name] = self.new()
        return self.named[name]

    def slot_of(self, name: str) -> int:
        """The slot of a name: of what was defined, else of a base fact."""
        return self.named[name] if name in self.named else self.input(name)

    def section(self) -> Section:
        """Close the section that was being written and compile it."""
        body = "".join(f"    {line}\n" for line in self.lines) or "    pass\n"
        self.lines = []
        namespace: dict[str, Any] = dict(_environment)
        exec(compile(f"def run(v, c):\n{body}", "<pack>", "exec"), namespace)  # noqa: S102 - our own emitted code: literals by repr, names by number
        section: Section = namespace["run"]
        return section

    def emit(self, node: Node) -> str:
        """A Python expression for the tree, which may come out as unknown."""
        match node:
            case Const():
                return _literal(node.value)
            case Ref(name=name):
                return f"v[{self.slot_of(name)}]"
            case Not(operand=operand):
                inner = self.condition(operand)
                if inner.startswith("v["):
                    return f"(None if {inner} is None else not {inner})"
                name = self.temporary()
                return f"(None if ({name} := {inner}) is None else not {name})"
            case And(operands=operands):
                return self.junction(operands, "False", "True")
            case Or(operands=operands):
                return self.junction(operands, "True", "False")
            case Compare(operator=operator, left=left, right=right):
                return self.guarded((left, right), f"{self.arithmetic(left)} {operator} {self.arithmetic(right)}")
            case Member(item=item, collection=collection):
                return self.guarded((item, collection), f"{self.arithmetic(item)} in {self.arithmetic(collection)}")
            case Arithmetic(operator="/", left=left, right=right):
                return self.guarded((left, right), f"quotient({self.arithmetic(left)}, {self.arithmetic(right)})")
            case Arithmetic() | Negative():
                return self.guarded((node,), self.arithmetic(node))
            case Call():
                return self.call(node)

    def temporary(self) -> str:
        """A fresh local name."""
        self.temporaries += 1
        return f"t{self.temporaries}"

    def condition(self, node: Node) -> str:
        """A condition as an expression; named values and calls through their slots."""
        return f"v[{self.add(node)}]" if isinstance(node, Call | Ref) else self.emit(node)

    def junction(self, operands: tuple[Node, ...], absorbing: str, neutral: str) -> str:
        """`and` (absorbing False) or `or` (absorbing True) with three values."""
        tests, unknowns = [], []
        for operand in operands:
            text = self.condition(operand)
            if text.startswith("v[") and text.endswith("]"):
                name = text
                tests.append(f"{text} is {absorbing}")
            else:
                name = self.temporary()
                tests.append(f"({name} := {text}) is {absorbing}")
            unknowns.append(f"{name} is None")
        return f"({absorbing} if {' or '.join(tests)} else None if {' or '.join(unknowns)} else {neutral})"

    def guarded(self, operands: tuple[Node, ...], expression: str) -> str:
        """The expression, or unknown when something in it is."""
        tests = dict.fromkeys(test for operand in operands for test in self.unknown_tests(operand))
        return f"(None if {' or '.join(tests)} else {expression})" if tests else f"({expression})"

    def unknown_tests(self, node: Node) -> list[str]:
        """Tests that are true when something in the tree is unknown."""
        match node:
            case Const():
                return []
            case Ref(name=name, type=kind):
                if name in ALWAYS_KNOWN:
                    return []
                slot = self.slot_of(name)
                return [f"not v[{slot}]" if kind.kind == "date" else f"v[{slot}] is None"]
            case Call():
                return [f"v[{self.add(node)}] is None"]
            case Arithmetic(operator="/"):
                return [f"v[{self.add(node)}] is None"]
            case Arithmetic(left=left, right=right):
                return self.unknown_tests(left) + self.unknown_tests(right)
            case Negative(operand=operand):
                return self.unknown_tests(operand)
        return [f"v[{self.add(node)}] is None"]

    def arithmetic(self, node: Node) -> str:
        """The expression where everything in it is known."""
        match node:
            case Const(value=value):
                return _literal(value)
            case Ref(name=name):
                return f"v[{self.slot_of(name)}]"
            case Arithmetic(operator="/"):
                return f"v[{self.add(node)}]"
            case Arithmetic(operator=operator, left=left, right=right):
                return f"({self.arithmetic(left)} {operator} {self.arithmetic(right)})"
            case Negative(operand=operand):
                return f"(-{self.arithmetic(operand)})"
        return f"v[{self.add(node)}]"

    def value(self, node: Node) -> str:
        """An expression for the value or unknown."""
        return self.emit(node) if isinstance(node, Const) else f"v[{self.add(node)}]"

    def call(self, node: Call) -> str:
        """A call of the runtime."""
        given = [self.value(item) for item in node.arguments if item.type.kind != "events"]
        options = {name: self.value(item) for name, item in node.options}
        now = f"c.{node.clock}"
        filters = "".join(f"({name!r}, {value}), " for name, value in options.items() if name not in ("days", "same"))
        match node.function:
            case "known":
                target = node.arguments[0]
                if target.type.kind == "events" and isinstance(target, Ref):
                    return f"(c.{target.name} is not None)"
                return f"({given[0]} is not None)"
            case "count":
                call = f"count(c.events, {given[0]}, {now}, {options.get('days')}, {options.get('same')}, ({filters}))"
                fixed = all(isinstance(value, Const) for _, value in node.options)
                return f"(None if c.events is None else {call} if {given[0]} in c.events else 0)" if fixed else call
            case "since":
                return f"since(c.events, {given[0]}, {now}, ({filters}))"
            case "contacted" | "refused":
                return f"{node.function}(c.contacts, {now}, {options['days']}, c.categories, ({filters}))"
            case "best_fee" | "best_plan":
                found = f"v[{self.add(replace(node, function='best', type=TEXT))}]"
                return f"({found} and {found}[{int(node.function == 'best_plan')}])"
            case "fee_on" | "best":
                return f"{node.function}(c.plans, {', '.join(given)})"
            case "bucket":
                return f"bucket(c.salt, {given[0]}, c.subscriber)"
        return f"{_names.get(node.function, node.function)}({', '.join(given)})"


def _literal(value: object) -> str:
    if isinstance(value, frozenset):
        return "frozenset({" + ", ".join(repr(item) for item in sorted(value, key=repr)) + "})" if value else "frozenset()"
    return repr(value)


def copier(sections: Mapping[str, Sequence[tuple[int, str]]]) -> Copier:
    """Code that copies the fields of sections into their slots: a loop would take three times as long, and there are a hundred."""
    lines = []
    for name, fields in sections.items():
        lines += [f"    section = given[{name!r}]", "    if section is not None:", "        fields = section.__dict__"]
        lines += [f"        v[{slot}] = fields[{field!r}]" for slot, field in fields]
    namespace: dict[str, Any] = {}
    exec(compile("\n".join(["def run(v, given):", *lines, "    return"]), "<pack>", "exec"), namespace)  # noqa: S102 - names of our own models
    run: Copier = namespace["run"]
    return run


def evaluate(node: Node, values: dict[str, Any], surroundings: runtime.Surroundings) -> Any:
    """Evaluate one tree by itself; for tests and for trying a change, not for the hot path."""
    program = Program()
    slot = program.add(node)
    section = program.section()
    v: list[Any] = [None] * program.size
    for name, at in program.inputs.items():
        v[at] = values.get(name)
    section(v, surroundings)
    return v[slot]


def terms(node: Node) -> tuple[Node, ...]:
    """What a condition looks at: the named values, parameters and calls that are compared, in reading order, each once."""
    found: dict[Node, None] = {}

    def collect(item: Node) -> None:
        if isinstance(item, Ref) or (isinstance(item, Const) and item.name) or (isinstance(item, Call) and item.function != "at_least"):
            found.setdefault(item)
        else:
            for child in children(item):
                collect(child)

    collect(node)
    return tuple(found)
