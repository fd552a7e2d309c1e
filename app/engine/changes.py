"""What would change the outcome of a clause: the nearest figure that turns it, what time alone brings, until when a suppression lasts."""

from __future__ import annotations

import bisect
import datetime
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from app.engine import runtime
from app.engine.case import Case
from app.engine.facts import Facts
from app.engine.interpret import interpret
from app.engine.pack.model import Clause, Pack
from app.engine.to_python import Program, Section
from app.engine.tree import And, Arithmetic, Call, Compare, Const, Negative, Node, Not, Or, Ref, reads, show, walk

_flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_negated = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_directions = {"<": "under", "<=": "at_most", ">": "over", ">=": "at_least", "==": "exactly", "!=": "other_than"}
_time = {"days_until": -1, "days_since": 1, "since": 1}
_CLOCK = frozenset({"clock.time", "clock.weekday", "clock.holiday"})
LONGEST_WAIT = 400
"""Days ahead within which an end is looked for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One term's new value: `bound` as said, `value` the first that turns the clause."""

    term: Ref | Call
    direction: str
    bound: float
    value: float


@dataclass(frozen=True, slots=True)
class Turns:
    """What turns a clause together: new values of terms, and days to wait."""

    values: tuple[Turn, ...]
    in_days: int | None


class _Hopeless(Exception):
    """No change of numbers or dates turns this."""


def turns(pack: Pack, values: list[Any], clause: Clause) -> Turns | None:
    """The changes that make a false clause true; none where it is not a matter of numbers and dates.

    Every change given was tried on the clause: with all of them in place it holds.
    """
    tree = expand(pack, clause.tree)
    finder = _Finder(pack, values)
    try:
        found = finder.turn(tree, wanted=True)
    except _Hopeless:
        return None
    days = max((round(item.value) for item in found if item.direction == "in_days"), default=None)
    steps = tuple(item for item in found if item.direction != "in_days")
    if len({item.term for item in steps}) < len(steps) or not (steps or days):
        return None
    result = Turns(steps, days)
    return result if interpret(tree, after(pack, values, result)) is True else None


def after(pack: Pack, values: list[Any], changed: Turns) -> Any:
    """A lookup of references and calls as they are after the changes."""
    new = {item.term: item.value for item in changed.values}

    def lookup(node: Ref | Call) -> Any:
        if node in new:
            return new[node]
        value = _value(pack, values, node)
        if isinstance(node, Call) and node.function in _time and changed.in_days and value is not None and value != runtime.FAR:
            return value + _time[node.function] * changed.in_days
        return value

    return lookup


def expand(pack: Pack, node: Node) -> Node:
    """The tree with signals, levels and derived facts written out, as far as they are single expressions."""
    if isinstance(node, Ref):
        definition = _definitions(pack).get(node.name)
        return node if definition is None else expand(pack, definition)
    match node:
        case Not(operand=operand):
            return replace(node, operand=expand(pack, operand))
        case And() | Or():
            return replace(node, operands=tuple(expand(pack, item) for item in node.operands))
        case Compare() | Arithmetic():
            return replace(node, left=expand(pack, node.left), right=expand(pack, node.right))
        case Negative(operand=operand):
            return replace(node, operand=expand(pack, operand))
    return node


@lru_cache(maxsize=8)
def _definitions(pack: Pack) -> Mapping[str, Node]:
    found: dict[str, Node] = {
        name: fact.tree for name, fact in pack.derived.items() if fact.tree is not None and fact.type.kind in ("boolean", "number")
    }
    for signal in pack.signals.values():
        levels = tuple(clause.tree for clause in signal.levels)
        found[f"signal:{signal.id}"] = levels[0] if len(levels) == 1 else Or(levels)
        found |= {f"level:{signal.id}:{clause.name}": clause.tree for clause in signal.levels}
    return found


def _value(pack: Pack, values: list[Any], node: Ref | Call) -> Any:
    if isinstance(node, Ref):
        return values[pack.slots[node.name]] if node.name in pack.slots else None
    slot = pack.terms.get(node)
    return values[slot] if slot is not None else None


class _Finder:
    """Looks for the fewest values to change."""

    def __init__(self, pack: Pack, values: list[Any]) -> None:
        self.pack, self.values = pack, values

    def now(self, node: Node) -> Any:
        return interpret(node, lambda item: _value(self.pack, self.values, item))

    def turn(self, node: Node, *, wanted: bool) -> tuple[Turn, ...]:
        if self.now(node) is wanted:
            return ()
        match node:
            case Not(operand=operand):
                return self.turn(operand, wanted=not wanted)
            case And(operands=operands):
                return self.all(operands, wanted=True) if wanted else self.any(operands, wanted=False)
            case Or(operands=operands):
                return self.any(operands, wanted=True) if wanted else self.all(operands, wanted=False)
            case Compare(operator=sign, left=left, right=right):
                return (self.compare(sign if wanted else _negated[sign], left, right),)
        raise _Hopeless

    def all(self, nodes: Iterable[Node], *, wanted: bool) -> tuple[Turn, ...]:
        found: dict[tuple[Any, str], Turn] = {}
        for node in nodes:
            for item in self.turn(node, wanted=wanted):
                found.setdefault((item.term, item.direction), item)
        return tuple(found.values())

    def any(self, nodes: Iterable[Node], *, wanted: bool) -> tuple[Turn, ...]:
        best: tuple[Turn, ...] | None = None
        for node in nodes:
            try:
                found = self.turn(node, wanted=wanted)
            except _Hopeless:
                continue
            if best is None or len(found) < len(best):
                best = found
        if best is None:
            raise _Hopeless
        return best

    def compare(self, sign: str, left: Node, right: Node) -> Turn:
        for node, bound, side in ((left, self.now(right), sign), (right, self.now(left), _flipped[sign])):
            if isinstance(bound, int | float) and not isinstance(bound, bool) and node.type.kind == "number":
                try:
                    return self.solve(node, side, bound)
                except _Hopeless:
                    continue
        raise _Hopeless

    def solve(self, node: Node, sign: str, bound: float) -> Turn:
        """The term of one side that, set to a new value, makes `node sign bound` hold."""
        match node:
            case Ref() | Call() if node.type.kind == "number":
                return self.step(node, sign, bound)
            case Negative(operand=operand):
                return self.solve(operand, _flipped[sign], -bound)
            case Arithmetic(operator=operator, left=left, right=right):
                return self.solve_arithmetic(operator, left, right, sign, bound)
        raise _Hopeless

    def solve_arithmetic(self, operator: str, left: Node, right: Node, sign: str, bound: float) -> Turn:
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
        current = _value(self.pack, self.values, term)
        if not isinstance(current, int | float) or isinstance(current, bool):
            raise _Hopeless
        value = _first_beyond(sign, bound, integral=term.type.integral)
        if isinstance(term, Call) and term.function in _time:
            wait = (value - current) * _time[term.function]
            if current == runtime.FAR or not 0 < wait <= LONGEST_WAIT:
                raise _Hopeless
            return Turn(term, "in_days", bound, wait)
        if isinstance(term, Call) and term.function in ("bucket", "fee_on", "best_fee", "count", "contacted", "refused"):
            raise _Hopeless
        if value < 0 <= current:
            raise _Hopeless
        return Turn(term, _directions[sign], bound, value)


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
        return (sign, bound + other) if is_left else (_flipped[sign], other - bound)
    if operator == "*" and other:
        return (sign if other > 0 else _flipped[sign]), bound / other
    if operator == "/" and is_left and other:
        return (sign if other > 0 else _flipped[sign]), bound * other
    return None


def until(pack: Pack, case: Case, facts: Facts, clause: Clause) -> datetime.datetime | None:
    """When a clause of contact policy begins to hold if nothing else happens; none when it does not within a year or so.

    Caps end when their contacts leave the window, hours at the next boundary, waits at a local midnight: the clause is tried at each.
    """
    run, slot, size, inputs = _compiled(clause.tree)
    zone = datetime.timezone(datetime.timedelta(minutes=case.times.offset))

    def holds(moment: datetime.datetime) -> bool:
        local = moment.astimezone(zone)
        values: list[Any] = [None] * size
        for name, at in inputs.items():
            values[at] = _clock(pack, name, local, facts)
        shift = (moment - case.times.contact_at) // datetime.timedelta(microseconds=1)
        run(values, replace(facts.around, contact_at=facts.around.contact_at + shift))
        return values[slot] is True or (values[slot] is None and clause.allows_unknown)

    moments = _moments(case, facts, clause.tree, zone)
    if not _CLOCK & reads(clause.tree) and not any(isinstance(node, Call) and node.function in _time for node in walk(clause.tree)):
        # A cap only empties as time goes by: a history of thousands of contacts takes a dozen trials, not thousands.
        at = bisect.bisect_left(moments, True, key=holds)
        return moments[at].astimezone(zone) if at < len(moments) else None
    return next((moment.astimezone(zone) for moment in moments if holds(moment)), None)


def _clock(pack: Pack, name: str, local: datetime.datetime, facts: Facts) -> Any:
    if name == "contact_day":
        return local.date().toordinal()
    if name == "clock.time":
        return local.hour * 60 + local.minute
    if name == "clock.weekday":
        return local.isoweekday()
    if name == "clock.holiday":
        return local.date().toordinal() in pack.holidays
    return facts.values[pack.slots[name]] if name in pack.slots else None


@lru_cache(maxsize=4096)
def _compiled(tree: Node) -> tuple[Section, int, int, Mapping[str, int]]:
    """A clause as a program of its own: compiled the first time it is asked about, not for each request."""
    program = Program()
    slot = program.add(tree)
    return program.section(), slot, program.size, dict(program.inputs)


def _moments(case: Case, facts: Facts, tree: Node, zone: datetime.timezone) -> list[datetime.datetime]:
    """Times at which the clause may turn, soonest first."""
    start = case.times.contact_at
    nodes = list(walk(tree))
    names = {node.name for node in nodes if isinstance(node, Ref)}
    found: set[datetime.datetime] = set()
    for node in nodes:
        if isinstance(node, Call) and node.function in ("contacted", "refused", "count"):
            found |= _expiries(facts, node)
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if names & _CLOCK:
        times = {0} | {node.value for node in nodes if isinstance(node, Const) and node.type.kind == "time" and isinstance(node.value, int)}
        found |= {midnight + datetime.timedelta(days=day, minutes=minute) for day in range(32) for minute in times}
        found |= {
            item.astimezone(zone).replace(second=0, microsecond=0) + datetime.timedelta(days=day) for item in list(found) for day in (0, 1)
        }
    if any(isinstance(node, Call) and node.function in _time for node in nodes):
        found |= {midnight + datetime.timedelta(days=day) for day in range(1, LONGEST_WAIT + 1)}
    return sorted(moment for moment in found if moment > start)


def _expiries(facts: Facts, node: Call) -> set[datetime.datetime]:
    """When each contact or event leaves the window of a count."""
    days = next((item.value for name, item in node.options if name == "days" and isinstance(item, Const)), None)
    if not isinstance(days, int):
        return set()
    if node.function == "count":
        kind = next((item.value for item in node.arguments if isinstance(item, Const)), "")
        rows = (facts.around.events or {}).get(str(kind), ())
    else:
        rows = facts.around.contacts or ()
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return {epoch + datetime.timedelta(microseconds=at) + datetime.timedelta(days=days) for at, _ in rows}


def written(term: Ref | Call) -> str:
    """A term as the pack writes it."""
    return show(term)
