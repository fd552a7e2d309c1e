"""Trees to Polars expressions over columns: the second compilation of the language, for many cases at once.

True, false and unknown are true, false and null: `&` and `|` of Polars follow Kleene's tables as they are. Numbers are floats, in which
every number that the language allows is exact; dates are ordinals, 0 for never. Sums run left to right, and whatever is divided is divided
by a column: Polars divides by a scalar through its reciprocal, which is not the same to the bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import add, and_, or_
from typing import Any, Literal

import polars as pl

from app.engine.runtime import FAR, NEVER, Plan
from app.engine.to_python import Definition
from app.engine.tree import (
    COUNT,
    INPUT_LIMIT,
    MIRRORED,
    NUMBER,
    TEXT,
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    Member,
    Negative,
    Node,
    Not,
    Or,
    Ref,
    children,
    walk,
)

ZERO = "0"
"""A column of zeros, written out: what makes a column of a constant, and of a column that is the same for all one that divides exactly."""
HISTORIES = frozenset({"count", "since", "contacted", "refused"})
"""Functions over events and contacts, which are counted in frames of their own."""
_compare: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "<": pl.Expr.lt,
    "<=": pl.Expr.le,
    ">": pl.Expr.gt,
    ">=": pl.Expr.ge,
    "==": pl.Expr.eq,
    "!=": pl.Expr.ne,
}
_unknown = pl.lit(None)


@dataclass(frozen=True, slots=True)
class Worked:
    """A column that is worked out of others."""

    name: str
    expression: pl.Expr


@dataclass(frozen=True, slots=True)
class Counted:
    """A column that is counted in a history: `count`, `since`, `contacted` or `refused`.

    `filters` are attributes with what they have to be: a constant's value, or the column that has it.
    """

    name: str
    function: str
    kind: str | None
    days: int | None
    same: str | None
    clock: Literal["as_of", "contact_at"]
    filters: tuple[tuple[str, pl.Expr], ...]


@dataclass(frozen=True, slots=True)
class Hashed:
    """A column of `bucket`: 0 to 99 by the subscriber's id."""

    name: str
    word: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The columns that say whose events a pattern joins; they want the conditions of all patterns first."""

    names: tuple[str, ...]


Column = Worked | Counted | Hashed | Joined


class Columns:
    """Lays out the columns that trees need, in steps of which each reads only what the ones before it filled.

    A tree that is wanted more than once has a column of its own, as does every call; the rest is written out where it is read.
    """

    def __init__(self, definitions: Mapping[str, Definition], plans: Mapping[str, Plan], joined: Mapping[str, str | None]) -> None:
        """Begin with nothing.

        Args:
            definitions: what names stand for that are worked out.
            plans: the published plans by id.
            joined: the columns that patterns fill, `joined:x`, each with the name of its pattern's condition, if any.
        """
        self.definitions, self.plans, self.joined = definitions, plans, joined
        self.steps: list[list[Column]] = []
        self.inputs: dict[str, str] = {}
        self._depths: dict[str, int] = {}
        self._columns: dict[Node, str] = {}
        self._names: set[str] = set()
        self._uses: Counter[Node] = Counter()
        self._reading: list[int] = [0]

    def expect(self, trees: Iterable[Node]) -> None:
        """Take note of trees that are going to be wanted, so that what they have in common is worked out once."""
        for tree in trees:
            self._uses.update(node for node in walk(tree) if not isinstance(node, Const | Ref))

    def add(self, node: Node) -> str:
        """The column in which the tree's value stands."""
        if isinstance(node, Ref):
            return self.named(node.name, node.type.kind)
        found = self._columns.get(node)
        if found is None:
            found = self._columns[node] = f"#{len(self._columns)}"
            self._fill(found, lambda: self._written(found, node))
        return found

    def named(self, name: str, kind: str = "") -> str:
        """The column of a name: it is worked out where the pack defines it, filled by patterns, or a fact that is there from the start."""
        if name in self._names:
            return name
        if name in self.joined:
            self._join()
        elif name in self.definitions:
            self._names.add(name)
            definition = self.definitions[name]
            self._fill(name, lambda: Worked(name, self.table(definition) if isinstance(definition, tuple) else self.expression(definition)))
        else:
            self._names.add(name)
            self.inputs[name] = kind
            self._depths[name] = 0
        return name

    def define(self, name: str, expression: Callable[[], pl.Expr]) -> str:
        """A column by a name of the caller's own; the expression is written when the columns that it reads can be told."""
        self._fill(name, lambda: Worked(name, expression()))
        return name

    def read(self, name: str) -> pl.Expr:
        """A column, for the one that is being written."""
        self._reading[-1] = max(self._reading[-1], self._depths[name])
        return pl.col(name)

    def value(self, node: Node) -> pl.Expr:
        """The tree's value, for the column that is being written."""
        return self.expression(node)

    def _fill(self, name: str, write: Callable[[], Column]) -> None:
        """Write a column and put it in the first step after all that it reads."""
        self._reading.append(0)
        column = write()
        depth = self._reading.pop() + 1
        self._depths[name] = depth
        while len(self.steps) < depth:
            self.steps.append([])
        self.steps[depth - 1].append(column)

    def _join(self) -> None:
        """One pass of the patterns, after all their conditions."""
        self._names.update(self.joined)
        self._reading.append(0)
        for condition in self.joined.values():
            if condition is not None:
                self.read(self.named(condition, "boolean"))
        depth = self._reading.pop() + 1
        self._depths |= dict.fromkeys(self.joined, depth)
        while len(self.steps) < depth:
            self.steps.append([])
        self.steps[depth - 1].append(Joined(tuple(self.joined)))

    def _written(self, name: str, node: Node) -> Column:
        if isinstance(node, Call) and node.function in HISTORIES:
            return self._counted(name, node)
        if isinstance(node, Call) and node.function == "bucket":
            return Hashed(name, str(_constant(node.arguments[0])))
        return Worked(name, self._emit(node))

    def _counted(self, name: str, node: Call) -> Counted:
        options = dict(node.options)
        days, same = options.pop("days", None), options.pop("same", None)
        kind = str(_constant(node.arguments[1])) if node.function in ("count", "since") else None
        filters = tuple(
            (key, pl.lit(_plain(value)) if isinstance(value, Const) else self.read(self.add(value))) for key, value in options.items()
        )
        clock: Literal["as_of", "contact_at"] = "contact_at" if node.clock == "contact_at" else "as_of"
        return Counted(
            name, node.function, kind, None if days is None else _constant(days), None if same is None else _constant(same), clock, filters
        )

    def expression(self, node: Node) -> pl.Expr:
        """The tree's value: written out, or read where it stands."""
        match node:
            case Const():
                return self._emit(node)
            case Ref():
                return self.read(self.named(node.name, node.type.kind))
            case Call() if node.function != "known":
                return self.read(self.add(node))
        if node in self._columns or self._uses[node] > 1:
            return self.read(self.add(node))
        return self._emit(node)

    def table(self, rows: Sequence[Any]) -> pl.Expr:
        """A first-match table: the value of the first row whose condition is true; unknown rows are skipped."""
        found: pl.Expr = _unknown
        for row in reversed(rows):
            value = self.expression(row.value)
            found = value if row.condition is None else pl.when(self.expression(row.condition)).then(value).otherwise(found)
        return found

    def _emit(self, node: Node) -> pl.Expr:
        match node:
            case Const():
                return pl.lit(_plain(node))
            case Not(operand=operand):
                return ~self.expression(operand)
            case And(operands=operands):
                return reduce(and_, map(self.expression, operands))
            case Or(operands=operands):
                return reduce(or_, map(self.expression, operands))
            case Compare():
                return self._compared(node)
            case Member():
                return self._member(node)
            case Arithmetic(operator="/", left=left, right=right):
                return _quotient(self._dated(left), self._dated(right))
            case Arithmetic(operator=operator, left=left, right=right):
                one, other = self._dated(left), self._dated(right)
                return one + other if operator == "+" else one - other if operator == "-" else one * other
            case Negative(operand=operand):
                return -self._dated(operand)
            case Call():
                return getattr(self, f"_{node.function}")(node)  # type: ignore[no-any-return]
        raise TypeError(node)

    def _compared(self, node: Compare) -> pl.Expr:
        """A comparison with what is constant to the right: from the left Polars cannot compare it with a column of one value."""
        one, other = self._dated(node.left), self._dated(node.right)
        constant = all(isinstance(part, Const) or children(part) for part in walk(node.left))
        return _compare[MIRRORED[node.operator]](other, one) if constant else _compare[node.operator](one, other)

    def _dated(self, node: Node) -> pl.Expr:
        """The value to be compared or counted with: a date that is never is neither before nor after any other."""
        value = self.expression(node)
        return pl.when(value != NEVER).then(value) if isinstance(node, Ref) and node.type.kind == "date" else value

    def _member(self, node: Member) -> pl.Expr:
        item, collection = self._dated(node.item), node.collection
        if isinstance(collection, Const):
            words = _list(collection)
            return item.is_in(words) if words else pl.when(item.is_not_null()).then(False)
        return pl.when(item.is_not_null()).then(self.expression(collection).list.contains(item))

    def _known(self, node: Call) -> pl.Expr:
        (target,) = node.arguments
        if target.type.kind == "events" and isinstance(target, Ref):
            return self.read(self.named(f"{target.name}.known", "boolean"))
        return self.expression(target).is_not_null()

    def _window(self, node: Node, cycles: int) -> tuple[list[pl.Expr], pl.Expr]:
        """The last n values of a series, oldest first, and whether all are known."""
        values = [self.expression(Call("last", (node, Const(place, COUNT)))) for place in range(cycles, 0, -1)]
        return values, reduce(and_, [value.is_not_null() for value in values])

    def _last(self, node: Call) -> pl.Expr:
        """The last value, or the one so many places before the end."""
        series, *place = node.arguments
        return self.expression(series).list.get(-_whole(place[0]) if place else -1, null_on_oob=True)

    def _total(self, node: Call) -> pl.Expr:
        return _sum(self._window(node.arguments[0], _whole(node.arguments[1]))[0])

    def _mean(self, node: Call) -> pl.Expr:
        cycles = _whole(node.arguments[1])
        return _sum(self._window(node.arguments[0], cycles)[0]) / _column(cycles)

    def _peak(self, node: Call) -> pl.Expr:
        values, known = self._window(node.arguments[0], _whole(node.arguments[1]))
        return pl.when(known).then(pl.max_horizontal(values))

    def _median(self, node: Call) -> pl.Expr:
        cycles = _whole(node.arguments[1])
        _, known = self._window(node.arguments[0], cycles)
        ordered = self.expression(node.arguments[0]).list.tail(cycles).list.sort()
        middle = ordered.list.get(cycles // 2, null_on_oob=True)
        if cycles % 2 == 0:
            middle = _quotient(ordered.list.get(cycles // 2 - 1, null_on_oob=True) + middle, pl.lit(2.0))
        return pl.when(known).then(middle)

    def _change(self, node: Call) -> pl.Expr:
        cycles = _whole(node.arguments[1])
        values, _ = self._window(node.arguments[0], cycles + 1)
        before = _sum(values[:-1])
        return _quotient(values[-1] * float(cycles) - before, before)

    def _falling(self, node: Call) -> pl.Expr:
        values, known = self._window(node.arguments[0], _whole(node.arguments[1]))
        return pl.when(known).then(reduce(and_, [one > other for one, other in pairwise(values)]))

    def _rising(self, node: Call) -> pl.Expr:
        values, known = self._window(node.arguments[0], _whole(node.arguments[1]))
        return pl.when(known).then(reduce(and_, [one < other for one, other in pairwise(values)]))

    def _share_over(self, node: Call) -> pl.Expr:
        cycles = _whole(node.arguments[2])
        values, known = self._window(node.arguments[0], cycles)
        limit = self.expression(node.arguments[1])
        over = _sum([(value > limit).cast(pl.Float64) for value in values])
        return pl.when(known & limit.is_not_null()).then(over / _column(cycles))

    def _min(self, node: Call) -> pl.Expr:
        return self._of_all(node, pl.min_horizontal)

    def _max(self, node: Call) -> pl.Expr:
        return self._of_all(node, pl.max_horizontal)

    def _of_all(self, node: Call, choose: Callable[[list[pl.Expr]], pl.Expr]) -> pl.Expr:
        """The smallest or largest of numbers that are all known."""
        values = [self.expression(item) for item in node.arguments]
        return pl.when(reduce(and_, [value.is_not_null() for value in values])).then(choose(values))

    def _abs(self, node: Call) -> pl.Expr:
        return self.expression(node.arguments[0]).abs()

    def _first_known(self, node: Call) -> pl.Expr:
        return pl.coalesce([self.expression(item) for item in node.arguments])

    def _days_since(self, node: Call) -> pl.Expr:
        date, today = (self.expression(item) for item in node.arguments)
        return pl.when(date == NEVER).then(float(FAR)).otherwise(today - date)

    def _days_until(self, node: Call) -> pl.Expr:
        date, today = (self.expression(item) for item in node.arguments)
        return pl.when(date == NEVER).then(float(FAR)).otherwise(date - today)

    def _at_least(self, node: Call) -> pl.Expr:
        needed, *conditions = node.arguments
        seen = [self.expression(item) for item in conditions]
        held = _sum([value.fill_null(False).cast(pl.Float64) for value in seen])
        possible = _sum([value.fill_null(True).cast(pl.Float64) for value in seen])
        wanted = float(_whole(needed))
        return pl.when(held >= wanted).then(True).when(possible < wanted).then(False)

    def _overlap(self, node: Call) -> pl.Expr:
        one, other = node.arguments
        if isinstance(one, Const) and isinstance(other, Const):
            return pl.lit(not set(_list(one)).isdisjoint(_list(other)))
        if isinstance(one, Const) or isinstance(other, Const):
            words, held = (_list(one), other) if isinstance(one, Const) else (_list(other), one)
            found = [self.expression(held).list.contains(word) for word in words]
            return reduce(or_, found) if found else pl.when(self.expression(held).is_not_null()).then(False)
        both = [self.expression(item) for item in node.arguments]
        return pl.when(both[0].is_not_null() & both[1].is_not_null()).then(both[0].list.set_intersection(both[1]).list.len() > 0)

    def _fee_on(self, node: Call) -> pl.Expr:
        """The cost on a plan by its id, or by a fact that has the id."""
        plan, cycles = node.arguments[0], _whole(node.arguments[1])
        minutes, megabytes = (self._window(item, cycles) for item in node.arguments[2:4])
        known = minutes[1] & megabytes[1]

        def cost(plan: Plan) -> pl.Expr:
            return _mean_cost(plan, minutes[0], megabytes[0])

        if isinstance(plan, Const):
            return pl.when(known).then(cost(self.plans[str(plan.value)])) if plan.value in self.plans else _number(None)
        given = self.expression(plan)
        found = _number(None)
        for name, item in self.plans.items():
            found = pl.when(given == name).then(cost(item)).otherwise(found)
        return pl.when(known).then(found)

    def _best_fee(self, node: Call) -> pl.Expr:
        costs = [self.expression(cost) for _, cost in self._open_costs(node)]
        return pl.min_horizontal(costs) if costs else _number(None)

    def _best_plan(self, node: Call) -> pl.Expr:
        """The id of the cheapest open plan; of equally cheap ones the first by id."""
        least = self.expression(replace(node, function="best_fee", type=NUMBER))
        found: pl.Expr = pl.lit(None, pl.String)
        for name, cost in sorted(self._open_costs(node), reverse=True):
            found = pl.when(self.expression(cost) == least).then(pl.lit(name)).otherwise(found)
        return found

    def _open_costs(self, node: Call) -> list[tuple[str, Call]]:
        """What each plan would cost, where it is open."""
        cycles, voice, data, *opened = node.arguments
        use = (cycles, voice, data)
        return [(name, Call("open_cost", (Const(name, TEXT), *use, is_open))) for name, is_open in zip(self.plans, opened, strict=True)]

    def _open_cost(self, node: Call) -> pl.Expr:
        *use, is_open = node.arguments
        return pl.when(self.expression(is_open)).then(self.expression(Call("fee_on", tuple(use))))


def _mean_cost(plan: Plan, minutes: Sequence[pl.Expr], megabytes: Sequence[pl.Expr]) -> pl.Expr:
    """See `runtime.fee_on`: the fee, and what is over the allowance at the plan's rates, up to the cap where there is one."""
    costs, bearable = [], []
    for said, used in zip(minutes, megabytes, strict=True):
        over = pl.when(used > plan.data_mb).then((used - float(plan.data_mb)) * float(plan.data_rate) * (1 / 1024)).otherwise(0.0)
        bearable.append(over <= INPUT_LIMIT)
        over = pl.when(said > plan.voice_minutes).then(over + (said - float(plan.voice_minutes)) * float(plan.voice_rate)).otherwise(over)
        if plan.overage_cap:
            over = pl.when(over > plan.overage_cap).then(float(plan.overage_cap)).otherwise(over)
        costs.append(over + float(plan.fee))
    return pl.when(reduce(and_, bearable)).then(_quotient(_sum(costs), pl.lit(float(len(costs)))))


def _sum(values: Sequence[pl.Expr]) -> pl.Expr:
    return reduce(add, values)


def _column(value: float) -> pl.Expr:
    """A constant as a column."""
    return pl.col(ZERO) + float(value)


def _quotient(over: pl.Expr, under: pl.Expr) -> pl.Expr:
    """`over / under`; unknown for a zero divisor, which gives infinity or none, and beyond 10¹². NaN counts as larger than any number."""
    ratio = over / (under + pl.col(ZERO))
    return pl.when(ratio.abs() <= INPUT_LIMIT).then(ratio)


def _number(value: float | None) -> pl.Expr:
    return pl.lit(value, pl.Float64)


def _constant(node: Node) -> Any:
    if not isinstance(node, Const):
        raise TypeError(node)
    return node.value


def _whole(node: Node) -> int:
    return int(_constant(node))


def _plain(node: Const) -> Any:
    """A constant as columns have it: every number is a float."""
    value = node.value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _list(node: Node) -> list[Any]:
    words: frozenset[Any] = _constant(node)
    return sorted(float(word) if isinstance(word, int) else word for word in words)
