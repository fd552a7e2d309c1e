"""Figures of conditions: which numbers they can come to, and for which numbers of one thing a comparison holds."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable
from functools import reduce

from app.engine.pack.checks.values import Span, Values, first_where, number_at, place_of, values
from app.engine.runtime import FAR, quotient
from app.engine.tree import INPUT_LIMIT, Arithmetic, Call, Compare, Const, Member, Negative, Node, Not, Ref, Type, children
from app.engine.vocabulary import FACTS

Number = int | float
Step = Callable[[Number], "Number | None"]
Range = tuple[float, float]

FARTHEST = 3_652_059
"""Days between the first and the last date there is."""
SIGNS: dict[str, Callable[[Number, Number], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ARITHMETIC: dict[str, Callable[[Number, Number], Number | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": quotient,
}
_alike = ("last", "mean", "peak", "median")
_counted = ("count", "contacted", "refused", "since", "fee_on", "best_fee")


def key_of(node: Node) -> Hashable:
    """What a tree computes: equal for trees that differ in the names of their parameters and their types only."""
    match node:
        case Const(value=value):
            return type(value).__name__, value
        case Ref(name=name):
            return name
        case Call():
            options = tuple((name, key_of(item)) for name, item in node.options)
            return node.function, tuple(key_of(item) for item in node.arguments), options, node.clock
        case Arithmetic() | Compare():
            return node.operator, key_of(node.left), key_of(node.right)
        case Negative() | Not() | Member():
            return type(node).__name__, tuple(key_of(item) for item in children(node))
        case _:
            return type(node).__name__, tuple(key_of(item) for item in node.operands)


def range_of(node: Node) -> Range:
    """The smallest and the largest number that a tree can come to."""
    match node:
        case Const(value=bool()):
            return 0, 1
        case Const(value=int() | float() as value):
            return value, value
        case Ref(name="plan.best_public_saving"):
            return 0, node.type.most
        case Ref(name=name, type=kind):
            fact = FACTS.get(name)
            if fact is not None and fact.least is not None and fact.most is not None:
                return fact.least, fact.most
            return _clock(name) or (-kind.most, kind.most)
        case Negative(operand=operand):
            low, high = range_of(operand)
            return -high, -low
        case Arithmetic():
            return _within(_of_arithmetic(node.operator, range_of(node.left), range_of(node.right)), node.type)
        case Call():
            return _within(_of_call(node), node.type)
        case _:
            return -INPUT_LIMIT, INPUT_LIMIT


def _clock(name: str) -> Range | None:
    return {"clock.weekday": (1.0, 7.0), "clock.time": (0.0, 1439.0), "today": (1.0, float(FARTHEST))}.get(name)


def _within(found: Range, kind: Type) -> Range:
    return max(found[0], -kind.most), min(found[1], kind.most)


def _of_arithmetic(sign: str, left: Range, right: Range) -> Range:
    if sign == "+":
        return left[0] + right[0], left[1] + right[1]
    if sign == "-":
        return left[0] - right[1], left[1] - right[0]
    if sign == "/" and right[0] <= 0 <= right[1]:
        return -INPUT_LIMIT, INPUT_LIMIT
    found = [one * other if sign == "*" else one / other for one in left for other in right]
    return min(found), max(found)


def _of_call(call: Call) -> Range:
    given = [range_of(item) for item in call.arguments if item.type.kind in ("number", "series")]
    name = call.function
    if name in _counted:
        return 0, call.type.most
    if name in ("days_since", "days_until"):
        return -FARTHEST, FARTHEST
    if name == "bucket":
        return 0, 99
    if name == "share_over":
        return 0, 1
    if name == "change":
        return (-1 if given[0][0] >= 0 else -INPUT_LIMIT), INPUT_LIMIT
    if name == "total":
        return given[0][0] * given[1][0], given[0][1] * given[1][0]
    if name in _alike:
        return given[0]
    return _of_several(name, given)


def _of_several(name: str, given: list[Range]) -> Range:
    lows, highs = [low for low, _ in given], [high for _, high in given]
    if name == "min":
        return min(lows), min(highs)
    if name == "max":
        return max(lows), max(highs)
    if name == "abs":
        low, high = given[0]
        return (0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    return min(lows), max(highs)


def spans_of(found: Range, *, whole: bool) -> tuple[Span, ...]:
    """The places of all numbers in a range."""
    low, high = (math.ceil(found[0]), math.floor(found[1])) if whole else found
    return ((place_of(low, whole=whole), place_of(high, whole=whole)),)


def peeled(node: Node) -> tuple[Node, list[Step], bool]:
    """A figure as one thing and what is done to it, innermost first, and whether more of the thing is more of the figure."""
    steps: list[Step] = []
    rising = True
    while True:
        found = _peel(node)
        if found is None:
            return node, steps[::-1], rising
        node, step, keeps = found
        steps.append(step)
        rising = rising is keeps


def _peel(node: Node) -> tuple[Node, Step, bool] | None:
    match node:
        case Negative(operand=operand):
            return operand, operator.neg, True is False
        case Arithmetic(operator=sign, left=left, right=Const(value=int() | float() as by)):
            return _by(sign, left, by, right_is_constant=True)
        case Arithmetic(operator=sign, left=Const(value=int() | float() as by), right=right) if sign != "/":
            return _by(sign, right, by, right_is_constant=False)
        case Call(function="min" | "max" as name, arguments=(one, other)):
            inner, bound = (one, other) if isinstance(other, Const) else (other, one)
            if isinstance(bound, Const) and isinstance(bound.value, int | float) and not isinstance(inner, Const):
                return inner, _bounding(name, bound.value), True
    return None


def _bounding(name: str, bound: Number) -> Step:
    return (lambda number: min(number, bound)) if name == "min" else (lambda number: max(number, bound))


def _by(sign: str, inner: Node, by: Number, *, right_is_constant: bool) -> tuple[Node, Step, bool] | None:
    if (sign in "*/" and by == 0) or (sign == "/" and _too_far(range_of(inner), by)):
        return None
    apply = ARITHMETIC[sign]
    if right_is_constant:
        return inner, lambda number: apply(number, by), by > 0 if sign in "*/" else True
    return inner, lambda number: apply(by, number), by > 0 if sign == "*" else sign == "+"


def _too_far(found: Range, by: Number) -> bool:
    """May a quotient pass what the language knows?"""
    return max(abs(found[0]), abs(found[1])) / abs(by) > INPUT_LIMIT


def after(steps: list[Step], number: Number) -> Number:
    """The figure that a number comes to."""
    return reduce(lambda value, step: step(value) or 0, steps, number)


def where(spans: tuple[Span, ...], steps: list[Step], rising: bool, sign: str, bound: Number, *, whole: bool) -> tuple[Span, ...]:
    """The places whose number, once the steps are done, stands so to a bound."""
    ((low, high),) = spans

    def at_or_over(limit: str) -> tuple[int, int]:
        """The places from which on the figure is over, or at least at, the bound."""

        def reached(place: int) -> bool:
            figure = after(steps, number_at(place, whole=whole))
            return SIGNS[limit](figure, bound) is rising

        first = first_where(low, high, reached)
        return (first, high) if rising else (low, first - 1)

    over, least = at_or_over(">"), at_or_over(">=")
    if sign == ">":
        return (over,)
    if sign == ">=":
        return (least,)
    if sign == "<":
        return ((low, least[0] - 1), (least[1] + 1, high))
    if sign == "<=":
        return ((low, over[0] - 1), (over[1] + 1, high))
    inside = (least[0], over[0] - 1) if rising else (over[1] + 1, least[1])
    return (inside,) if sign == "==" else ((low, inside[0] - 1), (inside[1] + 1, high))


def days_where(steps: list[Step], rising: bool, sign: str, bound: Number, *, since: bool) -> Values:
    """The days from today to a date for which a figure of `days_since` or `days_until` stands so to a bound."""
    spans = where(((-FARTHEST, FARTHEST),), steps, rising, sign, bound, whole=True)
    turned = [(-high, -low) for low, high in spans] if since else list(spans)
    return values([span for span in turned if span[0] <= span[1]], never=SIGNS[sign](after(steps, FAR), bound))
