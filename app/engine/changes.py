"""What would change the outcome of a clause: the nearest figures that turn it, and how long time alone takes.

A change is said of a term as the pack writes it, `last(billing.total)` say, and stands for one thing the person's facts could be: the fact
itself, or the last closed cycle of its series. Whatever is said was tried: with it in place the pack's own rules make the clause hold.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any

from app.engine import runtime
from app.engine.facts import Facts
from app.engine.interpret import interpret
from app.engine.once import once_a_pack
from app.engine.pack.model import Clause, Pack
from app.engine.signals import recognise
from app.engine.tree import MIRRORED, NEGATED, And, Arithmetic, Call, Compare, Const, Negative, Node, Not, Or, Ref, walk
from app.engine.vocabulary import FACTS

_directions = {"<": "under", "<=": "at_most", ">": "over", ">=": "at_least", "==": "exactly", "!=": "other_than"}
_time = {"days_until": -1, "days_since": 1, "since": 1}
_windows = ("last", "mean", "total", "peak", "change")
_values: Mapping[str, Callable[..., Any]] = {
    "min": runtime.smallest,
    "max": runtime.largest,
    "abs": runtime.size,
    "first_known": runtime.first_known,
    "at_least": runtime.at_least,
}
"""Functions of values alone: what stands in them is written out like the rest."""
LONGEST_WAIT = 400
"""Days ahead within which an end is looked for."""
MOST_TRIALS = 8
ONLY_GROWS = frozenset({"account.tenure_months"})
"""Facts that nothing brings down again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One term's new value: `bound` as said, `value` the first that turns the clause, `distance` from the present one as a share."""

    term: Ref | Call
    direction: str
    bound: float
    value: float
    distance: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Turns:
    """What turns a clause together: new values of terms, and days to wait."""

    values: tuple[Turn, ...]
    in_days: int | None


class _Hopeless(Exception):
    """No change of numbers or dates turns this."""


def turns(pack: Pack, facts: Facts, clause: Clause) -> Turns | None:
    """The changes that make a false clause true; none where it is not a matter of numbers and dates.

    Args:
        pack: the pack that decided.
        facts: what the clause saw: for offers to somebody who refused personalisation the unprofiled ones.
        clause: false on these facts.
    """
    return Changes(pack, facts).turning(clause)


class Changes:
    """Looks for what would turn clauses on the same facts; what several of them rest on is looked at once."""

    def __init__(self, pack: Pack, facts: Facts) -> None:
        self.pack, self.facts = pack, facts
        self.finder = _Finder(pack, facts.values)
        self.tried: dict[tuple[Any, ...], tuple[list[Any], runtime.Surroundings]] = {}

    def turning(self, clause: Clause) -> Turns | None:
        """See `turns`."""
        try:
            found = self.finder.turn(self.finder.trees.expanded(clause.tree), wanted=True)
        except _Hopeless:
            return None
        days = max((round(item.value) for item in found if item.direction == "in_days"), default=None)
        for steps in _one_an_input([item for item in found if item.direction != "in_days"]):
            result = Turns(steps, days)
            if (steps or days) and self.holds(clause, result):
                return result
        return None

    def holds(self, clause: Clause, changed: Turns) -> bool:
        """Does the clause hold once the facts are so? The pack's own code says."""
        pack, facts = self.pack, self.facts
        settings = {pack.slots[input_of(item.term)]: setting(pack, facts.values, item) for item in changed.values}
        key = (changed.in_days, *settings.items())
        found = self.tried.get(key)
        if found is None:
            found = self.tried[key] = self.tried_out(settings, changed.in_days)
        values, around = found
        if clause.gate == "guardrail":
            values = list(values)
            for slot in (slot for action in pack.actions if facts.unprofiled and action.marketing for slot in action.own_slots):
                values[slot] = facts.values[slot]
            owner = next(action for action in pack.actions if any(item.slot == clause.slot for item in action.guardrails))
            owner.policy(values, around)
        return values[clause.slot] is True

    def tried_out(self, settings: Mapping[int, Any], days: int | None) -> tuple[list[Any], runtime.Surroundings]:
        """What everything up to the gates comes to with these settings of base facts, some days on."""
        pack, values, around = self.pack, list(self.facts.values), self.facts.around
        for slot, value in settings.items():
            values[slot] = value
        if days:
            around = _later(pack, values, around, days)
            recognise(pack, Facts(values, around, {}))
        else:
            pack.recognise(values, around)
            pack.conclude(values, around)
        pack.gates(values, around)
        return values, around


def _one_an_input(steps: Iterable[Turn]) -> Iterator[tuple[Turn, ...]]:
    """Choices of one step for each fact: what is asked of `last(x)` and of `mean(x, 3)` is one new figure in the end."""
    groups: dict[str, list[Turn]] = {}
    for item in steps:
        groups.setdefault(input_of(item.term), []).append(item)
    return islice(product(*groups.values()), MOST_TRIALS)


def _later(pack: Pack, values: list[Any], around: runtime.Surroundings, days: int) -> runtime.Surroundings:
    """Some days on, with nothing else happening."""
    slots = pack.slots
    for name in ("today", "contact_day"):
        if name in slots:
            values[slots[name]] += days
    if "contact_day" in slots:
        day = values[slots["contact_day"]]
        for name, value in (("clock.weekday", datetime.date.fromordinal(day).isoweekday()), ("clock.holiday", day in pack.holidays)):
            if name in slots:
                values[slots[name]] = value
    return replace(around, as_of=around.as_of + days * runtime.DAY, contact_at=around.contact_at + days * runtime.DAY)


def input_of(term: Ref | Call) -> str:
    """The base fact that a change of the term is a change of."""
    argument = term if isinstance(term, Ref) else term.arguments[0]
    return argument.name if isinstance(argument, Ref) else ""


def setting(pack: Pack, values: Sequence[Any], turn: Turn) -> Any:
    """The base fact's value with which the turn's term has its new one: the figure, or the series with another last cycle.

    Raises:
        _Hopeless: there is none that the fact could have.
    """
    name = input_of(turn.term)
    if isinstance(turn.term, Ref):
        return _possible(name, turn.value, turn.direction)
    series = values[pack.slots[name]]
    cycles = next((item.value for item in turn.term.arguments[1:] if isinstance(item, Const) and isinstance(item.value, int)), 1)
    wanted, before = turn.value, sum(series[-cycles:-1]) if turn.term.function != "change" else sum(series[-cycles - 1 : -1])
    if turn.term.function in ("mean", "total"):
        wanted = wanted * (cycles if turn.term.function == "mean" else 1) - before
    elif turn.term.function == "change":
        wanted = before * (1 + wanted) / cycles
    return (*series[:-1], _possible(name, wanted, turn.direction))


def _possible(name: str, value: float, direction: str) -> float:
    """The value, rounded the way it points where the fact is whole."""
    fact = FACTS.get(name)
    if fact is None:
        return value
    if name in ONLY_GROWS and direction in ("under", "at_most"):
        raise _Hopeless
    if fact.integral and value != round(value):
        value = math.floor(value) if direction in ("under", "at_most") else math.ceil(value)
    if fact.port or (fact.least is not None and value < fact.least) or (fact.most is not None and value > fact.most):
        raise _Hopeless
    return round(value) if fact.integral else value


def expand(pack: Pack, node: Node) -> Node:
    """The tree with signals, levels and derived facts written out, as far as they are single expressions."""
    if isinstance(node, Ref):
        return _trees(pack).named(node)
    match node:
        case Not(operand=operand):
            return replace(node, operand=expand(pack, operand))
        case And() | Or():
            return replace(node, operands=tuple(expand(pack, item) for item in node.operands))
        case Compare() | Arithmetic():
            return replace(node, left=expand(pack, node.left), right=expand(pack, node.right))
        case Negative(operand=operand):
            return replace(node, operand=expand(pack, operand))
        case Call(function=function) if function in _values:
            return replace(node, arguments=tuple(expand(pack, item) for item in node.arguments))
    return node


@once_a_pack
def definitions(pack: Pack) -> Mapping[str, Node]:
    """Signals, levels and derived facts that are single expressions, by name; the weakest level of a signal first."""
    found: dict[str, Node] = {
        name: fact.tree for name, fact in pack.derived.items() if fact.tree is not None and fact.type.kind in ("boolean", "number")
    }
    for signal in pack.signals.values():
        levels = tuple(clause.tree for clause in reversed(signal.levels))
        found[f"signal:{signal.id}"] = levels[0] if len(levels) == 1 else Or(levels)
        found |= {f"level:{signal.id}:{clause.name}": clause.tree for clause in signal.levels}
    return found


@once_a_pack
def _bases(pack: Pack) -> frozenset[str]:
    return frozenset(base.name for base in pack.base)


def expanded(pack: Pack, tree: Node) -> Node:
    """A tree of the pack's own, written out once for all."""
    return _trees(pack).expanded(tree)


class _Trees:
    """The conditions of one pack written out, each when it is first asked for; they are kept, so that their parts are known by identity.

    `slots` has the slot of each reference and call in them (none: it has none), and none for every other part.
    """

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.names: dict[str, Node] = {}
        self.whole: dict[int, tuple[Node, Node]] = {}
        self.slots: dict[int, int | None] = {}

    def expanded(self, tree: Node) -> Node:
        """A tree of the pack, written out."""
        if id(tree) not in self.whole:
            found = expand(self.pack, tree)
            self.whole[id(tree)] = tree, found
            for part in walk(found):
                if id(part) not in self.slots:
                    self.slots[id(part)] = slot_of(self.pack, part) if isinstance(part, Ref | Call) else None
        return self.whole[id(tree)][1]

    def named(self, node: Ref) -> Node:
        """What a reference stands for, written out; itself where it is no single expression."""
        definition = definitions(self.pack).get(node.name)
        if definition is None:
            return node
        if node.name not in self.names:
            self.names[node.name] = expand(self.pack, definition)
        return self.names[node.name]


@once_a_pack
def _trees(pack: Pack) -> _Trees:
    return _Trees(pack)


def slot_of(pack: Pack, node: Ref | Call) -> int | None:
    """Where the value of a reference or call stands."""
    return pack.slots.get(node.name) if isinstance(node, Ref) else pack.terms.get(node)


class _Finder:
    """Looks for the fewest values to change. What parts of the pack's conditions come to, and what turns them, is found once."""

    def __init__(self, pack: Pack, values: list[Any]) -> None:
        self.pack, self.values = pack, values
        self.trees = _trees(pack)
        self.known: dict[int, Any] = {}
        self.turned: dict[tuple[int, bool], tuple[Turn, ...] | None] = {}

    def now(self, node: Node) -> Any:
        if isinstance(node, Const):
            return node.value
        key = id(node)
        if key in self.known:
            return self.known[key]
        found = interpret(node, self.value, self.now)
        if key in self.trees.slots:
            self.known[key] = found
        return found

    def value(self, node: Ref | Call) -> Any:
        """The present value of a reference or call."""
        slot = self.trees.slots[id(node)] if id(node) in self.trees.slots else slot_of(self.pack, node)
        if slot is not None:
            return self.values[slot]
        if isinstance(node, Call) and node.function in _values:
            return _values[node.function](*map(self.now, node.arguments))
        return None

    def turn(self, node: Node, *, wanted: bool) -> tuple[Turn, ...]:
        if id(node) not in self.trees.slots:
            return self.turn_anew(node, wanted=wanted)
        key = (id(node), wanted)
        if key not in self.turned:
            try:
                self.turned[key] = self.turn_anew(node, wanted=wanted)
            except _Hopeless:
                self.turned[key] = None
        found = self.turned[key]
        if found is None:
            raise _Hopeless
        return found

    def turn_anew(self, node: Node, *, wanted: bool) -> tuple[Turn, ...]:
        """The same, not looked up."""
        if self.now(node) is wanted:
            return ()
        match node:
            case Not(operand=operand):
                return self.turn(operand, wanted=not wanted)
            case And(operands=operands):
                return self.all(operands, wanted=True) if wanted else self.fewest(operands, 1, wanted=False)
            case Or(operands=operands):
                return self.fewest(operands, 1, wanted=True) if wanted else self.all(operands, wanted=False)
            case Call(function="at_least", arguments=(Const(value=int() as needed), *operands)):
                still = needed if wanted else len(operands) - needed + 1
                return self.fewest(operands, still, wanted=wanted)
            case Compare(operator=sign, left=left, right=right):
                return self.compare(sign if wanted else NEGATED[sign], left, right)
        raise _Hopeless

    def all(self, nodes: Iterable[Node], *, wanted: bool) -> tuple[Turn, ...]:
        return tuple(dict.fromkeys(item for node in nodes for item in self.turn(node, wanted=wanted)))

    def fewest(self, nodes: Iterable[Node], needed: int, *, wanted: bool) -> tuple[Turn, ...]:
        """The fewest and nearest changes with which that many of the conditions are as wanted."""
        found: list[tuple[Turn, ...]] = []
        for node in nodes:
            try:
                found.append(self.turn(node, wanted=wanted))
            except _Hopeless:
                continue
        if len(found) < needed:
            raise _Hopeless
        return tuple(dict.fromkeys(item for steps in sorted(found, key=_effort)[:needed] for item in steps))

    def compare(self, sign: str, left: Node, right: Node) -> tuple[Turn, ...]:
        for node, bound, side in ((left, self.now(right), sign), (right, self.now(left), MIRRORED[sign])):
            if isinstance(bound, int | float) and not isinstance(bound, bool) and node.type.kind == "number":
                try:
                    return self.solve(node, side, bound)
                except _Hopeless:
                    continue
        raise _Hopeless

    def solve(self, node: Node, sign: str, bound: float) -> tuple[Turn, ...]:
        """What to set, on one side, so that `node sign bound` holds."""
        match node:
            case Call(function="first_known", arguments=arguments):
                return self.solve(next((item for item in arguments if self.now(item) is not None), node.arguments[0]), sign, bound)
            case Call(function="max" | "min" as function, arguments=arguments):
                return self.solve_extreme(arguments, sign, bound, all_of_them=(function == "max") == (sign in ("<", "<=")))
            case Call(function="abs", arguments=(operand,)):
                return self.solve_size(operand, sign, bound)
            case Ref() | Call():
                return (self.step(node, sign, bound),)
            case Negative(operand=operand):
                return self.solve(operand, MIRRORED[sign], -bound)
            case Arithmetic(operator=operator, left=left, right=right):
                return self.solve_arithmetic(operator, left, right, sign, bound)
        raise _Hopeless

    def solve_extreme(self, nodes: Sequence[Node], sign: str, bound: float, *, all_of_them: bool) -> tuple[Turn, ...]:
        conditions = [Compare(sign, node, Const(bound, node.type)) for node in nodes]
        if sign in ("==", "!="):
            raise _Hopeless
        return self.all(conditions, wanted=True) if all_of_them else self.fewest(conditions, 1, wanted=True)

    def solve_size(self, node: Node, sign: str, bound: float) -> tuple[Turn, ...]:
        current = self.now(node)
        if sign in ("==", "!=") or current is None:
            raise _Hopeless
        return self.solve(node, sign, bound) if current >= 0 else self.solve(node, MIRRORED[sign], -bound)

    def solve_arithmetic(self, operator: str, left: Node, right: Node, sign: str, bound: float) -> tuple[Turn, ...]:
        for node, other, is_left in ((left, self.now(right), True), (right, self.now(left), False)):
            if isinstance(node, Const) or not isinstance(other, int | float):
                continue
            moved = _invert(operator, other, is_left=is_left, sign=sign, bound=bound)
            if moved is not None:
                try:
                    return self.solve(node, *moved)
                except _Hopeless:
                    continue
        raise _Hopeless

    def step(self, term: Ref | Call, sign: str, bound: float) -> Turn:
        """A new value for one term, where a person's facts could give it."""
        current = self.value(term)
        if not isinstance(current, int | float) or isinstance(current, bool):
            raise _Hopeless
        value = _first_beyond(sign, bound, integral=term.type.integral)
        if isinstance(term, Call) and term.function in _time:
            wait = (value - current) * _time[term.function]
            if current == runtime.FAR or not 0 < wait <= LONGEST_WAIT:
                raise _Hopeless
            return Turn(term, "in_days", bound, wait)
        if (
            (isinstance(term, Call) and term.function not in _windows)
            or input_of(term) not in _bases(self.pack)
            or value < 0 <= current
            or value == current
        ):
            raise _Hopeless
        turn = Turn(term, _directions[sign], bound, value, abs(value - current) / (abs(value) + abs(current)))
        setting(self.pack, self.values, turn)
        return turn


def _effort(steps: Sequence[Turn]) -> tuple[int, float]:
    return len(steps), sum(item.distance for item in steps)


def _first_beyond(sign: str, bound: float, *, integral: bool) -> float:
    """The value nearest to the bound for which `value sign bound` holds."""
    if sign in ("==", "!="):
        return bound if sign == "==" else bound + 1
    if integral:
        return {">=": math.ceil(bound), ">": math.floor(bound) + 1, "<=": math.floor(bound), "<": math.ceil(bound) - 1}[sign]
    return {">=": bound, "<=": bound, ">": math.nextafter(bound, math.inf), "<": math.nextafter(bound, -math.inf)}[sign]


def _invert(operator: str, other: float, *, is_left: bool, sign: str, bound: float) -> tuple[str, float] | None:
    """`x op other sign bound` (or `other op x …`) as `x sign' bound'`."""
    if operator == "+":
        return sign, bound - other
    if operator == "-":
        return (sign, bound + other) if is_left else (MIRRORED[sign], other - bound)
    if operator == "*" and other:
        return (sign if other > 0 else MIRRORED[sign]), bound / other
    if operator == "/" and is_left and other:
        return (sign if other > 0 else MIRRORED[sign]), bound * other
    return None
