"""Trees to one straight-line Python program over numbered slots.

A program has sections that run in order, each `run(v, c)`: `v` the slots, `c` the case's surroundings. Equal subexpressions share a slot.
True, false and unknown are `True`, `False` and `None`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from app.engine import runtime
from app.engine.tree import TEXT, And, Arithmetic, Call, Compare, Const, Member, Negative, Node, Not, Or, Ref, children

Copier = Callable[[list[Any], Mapping[str, Any]], list[str]]
Section = Callable[[list[Any], runtime.Surroundings], None]
Gates = Callable[[list[Any], runtime.Surroundings], list[Any]]
Screen = Callable[[list[Any], runtime.Surroundings], tuple[list[Any], list[int]]]

_names = {"min": "smallest", "max": "largest", "abs": "size"}
_environment = {name: getattr(runtime, name) for name in dir(runtime) if not name.startswith("_")}
ALWAYS_KNOWN = frozenset({"today", "contact_day", "clock.time", "clock.weekday", "clock.holiday", "stage", "phase", "moment"})

FEW = 3
"""Branches of a section that each work out for themselves what no more of them want: most of the time none gets there."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a first-match table: its condition (none: always) and its value."""

    condition: Node | None
    value: Node


Definition = Node | tuple[Row, ...]
"""What a name stands for: a tree, or a first-match table."""


class Program:
    """Builds sections; `inputs` are the slots that a reader must fill before the first runs, `constants` what others hold from the start,
    by type and value (1 and 1.0 are two). `definitions` has what each name stands for that is worked out.

    Sections of the trunk run in order. One written while `branch` names a branch runs after them or not at all, whatever other branches do:
    `ready` says in which branch (`""`: the trunk) a tree's slot was filled last. A section has `lines` that fill a slot each, and works on
    local variables: what it reads of others is `fetched` first, what it fills is kept as one where it is `used` again. Where a section is
    written in several branches, `wanted` has those that want a line; what more than a few want is the trunk's. `sure` are slots
    that are never unknown. `written` has how a slot was worked out and what of others that reads; `seen` what was read so far by the
    tree that is being written.
    """

    def __init__(self) -> None:
        self.size = 0
        self.inputs: dict[str, int] = {}
        self.constants: dict[tuple[type, Const], int] = {}
        self.named: dict[str, int] = {}
        self.definitions: dict[str, Definition] = {}
        self.trees: dict[Node, int] = {}
        self.lines: dict[int, str] = {}
        self.fetched: dict[int, None] = {}
        self.used: set[int] = set()
        self.wanted: dict[int, set[str]] = {}
        self.ready: dict[int, str] = {}
        self.sure: set[int] = set()
        self.branch = ""
        self.written: dict[int, tuple[str, tuple[int, ...]]] = {}
        self.seen: dict[int, None] = {}
        self.temporaries = 0

    def terms(self) -> dict[Node, int]:
        """Where trees stand that may be looked up: calls and figures, and conditions that are worked out for every case.

        Other conditions stand somewhere only where they were whole clauses of what was looked at.
        """
        conditions = And | Or | Not | Compare | Member
        return {node: slot for node, slot in self.trees.items() if not isinstance(node, conditions) or self.ready[slot] == ""}

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
        fetched, self.fetched = [f"x{slot} = v[{slot}]" for slot in self.fetched], {}
        function: Callable[[Sequence[Any]], Any] = compiled_function("v", [*fetched, f"return {expression}"])
        return function

    def input(self, name: str) -> int:
        """The slot of a base fact."""
        if name not in self.inputs:
            self.inputs[name] = self.named[name] = self.new_for(name)
        return self.inputs[name]

    def new(self) -> int:
        """A fresh slot."""
        self.size += 1
        return self.size - 1

    def new_for(self, _name: str) -> int:
        """A fresh slot for what has a name."""
        return self.new()

    def add(self, node: Node) -> int:
        """Compute the tree in the current section, unless an equal one was, here or in the trunk; its slot."""
        if isinstance(node, Ref):
            return self.slot_of(node.name)
        slot = self.trees.get(node)
        if slot is not None and slot in self.written:
            self.again(slot)
        elif slot is None or self.ready[slot] not in ("", self.branch):
            temporaries, self.temporaries = self.temporaries, 0
            seen, self.seen = self.seen, {}
            expression = self.emit(node)
            slot = self.trees[node] = self.new() if slot is None else slot
            self.write(slot, expression, sure=not self.may_be_unknown(node))
            self.temporaries, self.seen = temporaries, seen
        return slot

    def again(self, slot: int) -> None:
        """Compute in the current branch what was added in this one or another before; the expression is the same."""
        if slot in self.written and self.ready[slot] not in ("", self.branch):
            expression, seen = self.written[slot]
            for part in seen:
                self.again(part)
                self.read(part)
            self.fill(slot, expression)

    def write(self, slot: int, expression: str, *, sure: bool) -> None:
        """Give a slot the value of what was just written."""
        self.written[slot] = expression, tuple(self.seen)
        self.fill(slot, expression)
        if sure:
            self.sure.add(slot)

    def fill(self, slot: int, expression: str) -> None:
        """Give a slot its value in the current branch."""
        self.lines[slot] = expression
        self.wanted.setdefault(slot, set()).add(self.branch)
        self.ready[slot] = self.branch

    def read(self, slot: int) -> str:
        """The local variable with a slot's value."""
        if slot < 0:
            return f"v[{slot}]"
        self.seen[slot] = None
        if slot in self.lines:
            self.used.add(slot)
        else:
            self.fetched[slot] = None
        return f"x{slot}"

    def define(self, name: str, node: Node) -> int:
        """The same, and known by a name from here on."""
        return self.name(name, self.add(node), node)

    def name(self, name: str, slot: int, node: Node) -> int:
        """Know a tree, which has its slot already, by a name from here on."""
        self.named[name], self.definitions[name] = slot, node
        return slot

    def choose(self, name: str, rows: Sequence[Row]) -> int:
        """A first-match table: the value of the first row whose condition is true; unknown rows are skipped.

        It has a slot of its own, or that of a constant.
        """
        first, last = rows[0], rows[-1]
        if first.condition is None and isinstance(first.value, Const):
            slot = self.constant(first.value)
        else:
            seen, self.seen = self.seen, {}
            self.temporaries = 0
            expression = "None"
            for row in reversed(rows):
                rest = "" if row.condition is None else f" if {self.decides(row.condition, wanted=True)[0]} else {expression}"
                expression = f"{self.value(row.value)}{rest}"
            slot = self.new_for(name)
            self.write(slot, expression, sure=last.condition is None and not any(self.may_be_unknown(row.value) for row in rows))
            self.ready[slot] = ""  # worked out once: who reads it comes after
            self.seen = seen
        self.named[name], self.definitions[name] = slot, tuple(rows)
        return slot

    def constant(self, node: Const) -> int:
        """The slot in which a constant stands from the start: constants stand at the end, counted from there."""
        slot = self.constants.setdefault((type(node.value), node), -1 - len(self.constants))
        self.sure.add(slot)
        return slot

    def reserve(self, name: str) -> int:
        """A slot that the pipeline itself fills between sections."""
        self.named[name] = self.new_for(name)
        return self.named[name]

    def slot_of(self, name: str) -> int:
        """The slot of a name: of what was defined, else of a base fact."""
        return self.named[name] if name in self.named else self.input(name)

    def section(self, result: str = "") -> Any:
        """Close the section that was being written and compile it; `result` is what it returns."""
        body = [*self.fetches(), *map(self.line, self.lines), f"return {result}"]
        self.close()
        return self.compiled(body)

    def fetches(self) -> list[str]:
        """The lines that fetch what the section reads of others."""
        return [f"x{slot} = v[{slot}]" for slot in self.fetched]

    def line(self, slot: int) -> str:
        """The line that fills a slot."""
        return f"v[{slot}] = x{slot} = {self.lines[slot]}" if slot in self.used else f"v[{slot}] = {self.lines[slot]}"

    def of_trunk(self, slot: int) -> bool:
        """Is a line of the section the trunk's, rather than each branch's that wants it?"""
        return "" in self.wanted[slot] or len(self.wanted[slot]) > FEW

    def close(self) -> None:
        """End the section that was being written."""
        self.ready |= dict.fromkeys(filter(self.of_trunk, self.lines), "")
        self.fetched, self.used, self.lines, self.wanted = {}, set(), {}, {}

    def compiled(self, lines: Sequence[str]) -> Any:
        """A section of code."""
        return compiled_function("v, c", lines)

    def emit(self, node: Node) -> str:
        """A Python expression for the tree, which may come out as unknown."""
        match node:
            case Const():
                return _literal(node.value)
            case Ref(name=name):
                return self.read(self.slot_of(name))
            case Not(operand=Compare() | Member() as compared) if not self.stands(compared):
                return self.guarded(compared, f"not {self.test(compared)}")
            case Not(operand=operand):
                inner = self.condition(operand)
                if not self.may_be_unknown(operand):
                    return f"(not {inner})"
                if inner.isidentifier():
                    return f"(None if {inner} is None else not {inner})"
                name = self.temporary()
                return f"(None if ({name} := {inner}) is None else not {name})"
            case And(operands=operands):
                return self.junction(operands, wanted=False)
            case Or(operands=operands):
                return self.junction(operands, wanted=True)
            case Compare() | Member():
                return self.guarded(node, self.test(node))
            case Arithmetic(operator="/", left=left, right=right):
                unknown = dict.fromkeys(test for operand in (left, right) for test in self.unknown_tests(operand))
                return _guarded(unknown, f"quotient({self.arithmetic(left)}, {self.arithmetic(right)})")
            case Arithmetic() | Negative():
                return self.guarded(node, self.arithmetic(node))
            case Call():
                return self.call(node)

    def temporary(self) -> str:
        """A fresh local name."""
        self.temporaries += 1
        return f"t{self.temporaries}"

    def condition(self, node: Node) -> str:
        """A condition as an expression; named values and calls through their slots."""
        return self.read(self.add(node)) if isinstance(node, Call | Ref) or self.stands(node) else self.emit(node)

    def stands(self, node: Node) -> bool:
        """Is the tree worked out already where the current branch may read it?"""
        return node in self.trees and self.ready[self.trees[node]] in ("", self.branch)

    def test(self, node: Compare | Member) -> str:
        """A comparison where everything in it is known."""
        match node:
            case Compare(operator=operator, left=left, right=right):
                return f"{self.arithmetic(left)} {operator} {self.arithmetic(right)}"
            case Member(item=item, collection=Const(value=frozenset() as words)) if words:
                return f"{self.arithmetic(item)} in {_words(words, '{}')}"
            case Member(item=item, collection=collection):
                return f"{self.arithmetic(item)} in {self.arithmetic(collection)}"

    def junction(self, operands: tuple[Node, ...], *, wanted: bool) -> str:
        """`or` (true is wanted: one decides) or `and` (false is) with three values: what decides first, then what is unknown."""
        deciding: list[str] = []
        unknown: dict[str, None] = {}
        for operand in operands:
            test, others = self.decides(operand, wanted=wanted)
            deciding.append(test)
            unknown |= others
        rest = f"None if {' or '.join(unknown)} else {not wanted}" if unknown else f"{not wanted}"
        return f"({wanted} if {' or '.join(deciding)} else {rest})"

    def decides(self, node: Node, *, wanted: bool) -> tuple[str, dict[str, None]]:
        """A test for whether the condition is surely as wanted, and tests one of which is true when it is unknown."""
        if isinstance(node, Not):
            return self.decides(node.operand, wanted=not wanted)
        if isinstance(node, Compare | Member) and not self.stands(node):
            unknown, test = self.unknown_in(node), self.test(node)
            known = [_opposite(item) for item in unknown]
            return f"({' and '.join([*known, test if wanted else f'not {test}'])})", unknown
        inner, sure = self.condition(node), not self.may_be_unknown(node)
        if not inner.isidentifier():
            name = self.temporary()
            inner, seen = name, f"({name} := {inner})"
        else:
            seen = inner
        test = seen if wanted else f"not {seen}" if sure else f"{seen} is False"
        return test, {} if sure else {f"{inner} is None": None}

    def unknown_in(self, node: Compare | Member | Arithmetic | Negative) -> dict[str, None]:
        """Tests, each once, one of which is true when something in the tree is unknown."""
        match node:
            case Compare(left=left, right=right) | Member(item=left, collection=right):
                return dict.fromkeys([*self.unknown_tests(left), *self.unknown_tests(right)])
        return dict.fromkeys(self.unknown_tests(node))

    def guarded(self, node: Compare | Member | Arithmetic | Negative, expression: str) -> str:
        """The expression, or unknown when something in it is."""
        return _guarded(self.unknown_in(node), expression)

    def may_be_unknown(self, node: Node) -> bool:
        """Can the tree come out as unknown, whatever the facts? Asked once its parts have their slots."""
        match node:
            case Const():
                return False
            case Ref(name=name):
                return name not in ALWAYS_KNOWN and self.slot_of(name) not in self.sure
            case Not(operand=operand):
                return self.may_be_unknown(operand)
            case And(operands=operands) | Or(operands=operands):
                return any(map(self.may_be_unknown, operands))
            case Compare() | Member() | Negative() | Arithmetic(operator="+" | "-" | "*"):
                return bool(self.unknown_in(node))
            case Call(function="at_least", arguments=arguments):
                return any(map(self.may_be_unknown, arguments))
            case Call(function="known"):
                return False
        return True

    def unknown_tests(self, node: Node) -> list[str]:
        """Tests that are true when something in the tree is unknown."""
        match node:
            case Const():
                return []
            case Ref(name=name, type=kind):
                if name in ALWAYS_KNOWN:
                    return []
                slot = self.slot_of(name)
                if kind.kind == "date":
                    return [f"not {self.read(slot)}"]
                return [] if slot in self.sure else [f"{self.read(slot)} is None"]
            case Arithmetic(operator="+" | "-" | "*", left=left, right=right):
                return self.unknown_tests(left) + self.unknown_tests(right)
            case Negative(operand=operand):
                return self.unknown_tests(operand)
        slot = self.add(node)
        return [] if slot in self.sure else [f"{self.read(slot)} is None"]

    def arithmetic(self, node: Node) -> str:
        """The expression where everything in it is known."""
        match node:
            case Const(value=value):
                return _literal(value)
            case Ref(name=name):
                return self.read(self.slot_of(name))
            case Arithmetic(operator="+" | "-" | "*" as operator, left=left, right=right):
                return f"({self.arithmetic(left)} {operator} {self.arithmetic(right)})"
            case Negative(operand=operand):
                return f"(-{self.arithmetic(operand)})"
        return self.read(self.add(node))

    def value(self, node: Node) -> str:
        """An expression for the value or unknown."""
        return self.emit(node) if isinstance(node, Const) else self.read(self.add(node))

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
                call = f"{node.function}(c.contacts, {now}, {options['days']}, c.categories, ({filters}))"
                if not all(isinstance(value, Const) for _, value in node.options):
                    return call
                some = f"{options['action']} in c.offered" if "action" in options else "c.contacts"
                return f"({call} if {some} else None if c.contacts is None else 0)"
            case "best_fee" | "best_plan":
                found = self.read(self.add(replace(node, function="best", type=TEXT)))
                return f"({found} and {found}[{int(node.function == 'best_plan')}])"
            case "fee_on" | "best":
                return f"{node.function}(c.plans, {', '.join(given)})"
            case "bucket":
                return f"bucket(c.salt, {given[0]}, c.subscriber)"
            case "last" if given[0].isidentifier():
                return f"({given[0]}[-1] if {given[0]} else None)"
            case "days_since" | "days_until" if given[0].isidentifier():
                days = f"{given[1]} - {given[0]}" if node.function == "days_since" else f"{given[0]} - {given[1]}"
                return f"({days} if {given[0]} else None if {given[0]} is None else {runtime.FAR})"
            case "overlap" if given[0].isidentifier() and given[1].startswith("frozenset("):
                return f"(None if {given[0]} is None else not {given[0]}.isdisjoint({given[1].removeprefix('frozenset')}))"
        return f"{_names.get(node.function, node.function)}({', '.join(given)})"


def _guarded(unknown: Iterable[str], expression: str) -> str:
    tests = " or ".join(unknown)
    return f"(None if {tests} else {expression})" if tests else f"({expression})"


def _opposite(test: str) -> str:
    """`x is None` or `not x`, turned round."""
    return test.removeprefix("not ") if test.startswith("not ") else test.replace(" is ", " is not ")


def _literal(value: object) -> str:
    if isinstance(value, frozenset):
        return f"frozenset({_words(value, '()')})"
    return repr(value)


def _words(words: frozenset[Any], brackets: str) -> str:
    """Words as a display. Python keeps `()`, and `{}` after `in`, as a constant; `frozenset(...)` it would make anew each time."""
    return brackets[0] + "".join(f"{word!r}, " for word in sorted(words, key=repr)) + brackets[1]


def picker(slots: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Picks the values of slots."""
    if len(slots) == 1:
        only = slots[0]
        return lambda values: (values[only],)
    return itemgetter(*slots) if slots else lambda _values: ()


def copier(sections: Mapping[str, Sequence[tuple[int, str, bool]]]) -> Copier:
    """Code that copies the fields of sections into their slots: a loop would take three times as long, and there are a hundred.

    Dates become ordinals; one that was given as null is never. It gives the names of the sections that say when they held.
    """
    lines = ["dated = []"]
    for name, fields in sections.items():
        lines += [f"section = given[{name!r}]", "if section is not None:", "    fields = section.__dict__"]
        for slot, field, is_date in fields:
            if is_date:
                never = f"({runtime.NEVER} if {field!r} in section.model_fields_set else None)"
                lines.append(f"    v[{slot}] = {never} if (day := fields[{field!r}]) is None else day.toordinal()")
            else:
                lines.append(f"    v[{slot}] = fields[{field!r}]")
        lines.append(f"    if fields['as_of'] is not None: dated.append({name!r})")
    run: Copier = compiled_function("v, given", [*lines, "return dated"])
    return run


def compiled_function(arguments: str, lines: Iterable[str], known: Mapping[str, Any] = _environment) -> Any:
    """A function of our own emitted code: literals by repr, names by number or of our own models; it may call what is known."""
    namespace: dict[str, Any] = dict(known)
    body = "".join(f"    {line}\n" for line in lines)
    exec(compile(f"def run({arguments}):\n{body}", "<pack>", "exec"), namespace)  # noqa: S102 - see above
    return namespace["run"]


def evaluate(node: Node, values: dict[str, Any], surroundings: runtime.Surroundings) -> Any:
    """Evaluate one tree by itself: what the interpreter is held against, not for the hot path."""
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
