"""One alternative of a join, ready to be matched: which rows each fact may be, and the tests that link them.

Tests of a single fact are done here, in generated Python, for both matchers. What is left for them is the join itself: rows of plain
values, and links between columns of two facts. Rows that a join cannot tell apart are one row; beyond `LARGEST_JOIN` the oldest are left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

from app.engine.patterns.comparison import Across, Alternative, Attribute, Own, alternatives, attributes
from app.engine.patterns.generated import row_reader
from app.engine.patterns.model import History, Join, Pattern

LONGEST_COLUMN = 64
"""Rows that one fact of a join may be."""
LARGEST_JOIN = 16_384
"""Choices of joined rows, times the absent rows to rule out for each. Beyond it the facts with the most rows lose their oldest: with as
many of each, two facts keep 64 rows, three 25, four 11."""

Row = tuple[Any, ...]
Rows = list[list[Row]]
"""For each fact of a plan, the rows it may be."""

EVENT = Attribute("", "#", "whole")
"""The column that tells two events of a kind apart: the event's place in the history."""


@dataclass(frozen=True, slots=True)
class Link:
    """A test between two facts: `left operator right + plus`, each side (fact, column); `left` is the later fact."""

    left: tuple[int, int]
    operator: str
    right: tuple[int, int]
    plus: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A fact of a plan: its `own` tests are part of `read`; of its `columns`, those in `required` are never `None`."""

    alias: str
    kind: str
    own: tuple[Own, ...]
    columns: tuple[Attribute, ...]
    required: frozenset[Attribute]
    read: Callable[[Sequence[tuple[int, Any]], int], dict[Row, int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """One alternative of a join: the first `joined` slots occur together, and none of the others occurs with them."""

    pattern: str
    slots: tuple[Slot, ...]
    joined: int
    links: tuple[Link, ...]

    def may_lack(self, place: tuple[int, int]) -> bool:
        """May a fact's column be `None`: an attribute that only `without` looks at."""
        slot = self.slots[place[0]]
        column = slot.columns[place[1]]
        return column != EVENT and column not in slot.required

    def rows(self, history: History, as_of: int) -> Rows | None:
        """The rows that each fact may be, in any order; none when a joined fact has no row."""
        found: list[dict[Row, int]] = []
        for index, slot in enumerate(self.slots):
            events = history.get(slot.kind)
            rows = slot.read(events, as_of) if events else {}
            if not rows and index < self.joined:
                return None
            found.append(rows)
        sizes = self.bounded([min(len(rows), LONGEST_COLUMN) for rows in found])
        return [_newest(rows, size, EVENT in slot.columns) for rows, size, slot in zip(found, sizes, self.slots, strict=True)]

    def bounded(self, sizes: list[int]) -> list[int]:
        """So many rows of each fact that the join stays within `LARGEST_JOIN`."""
        while prod(sizes[: self.joined]) * max(sum(sizes[self.joined :]), 1) > LARGEST_JOIN:
            sizes[sizes.index(max(sizes))] -= 1
        return sizes


def _newest(rows: dict[Row, int], size: int, numbered: bool) -> list[Row]:
    """So many of the newest; of one moment's, the first by what they hold. Ties are left only between rows that no fact tells apart."""
    if size == len(rows):
        return list(rows)
    oldest = sorted(rows.values(), reverse=True)[size - 1]
    found = [row for row, at in rows.items() if at >= oldest]
    return found if len(found) == size else sorted(found, key=lambda row: (-rows[row], repr(row[numbered:])))[:size]


class Plans:
    """The plans of all patterns, found by the kinds of event that they need."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.all = tuple(plan for pattern in patterns for join in pattern.joins for plan in plans(pattern.id, join))
        self._by_kind: dict[str, list[tuple[int, Plan]]] = {}
        for number, plan in enumerate(self.all):
            self._by_kind.setdefault(plan.slots[0].kind, []).append((number, plan))

    def relevant(self, history: History, as_of: int, found: set[str]) -> Iterator[tuple[int, Plan, Rows]]:
        """Plans that may hold, with their number and rows; those of patterns in `found`, as it grows, are skipped."""
        for kind in history.keys() & self._by_kind.keys():
            for number, plan in self._by_kind[kind]:
                if plan.pattern not in found and (rows := plan.rows(history, as_of)) is not None:
                    yield number, plan, rows


def plans(pattern: str, join: Join) -> Iterator[Plan]:
    """The plans of a join: it holds when one of them does.

    Raises:
        UnsupportedError: a condition is not for patterns; `problems` says it better.
    """
    absent = [(alias, kind, item) for alias, kind, where in join.without for item in alternatives(where)]
    for where in alternatives(join.where):
        yield _Planner(pattern, join, where, absent).plan()


class _Planner:
    """Lays out one alternative: columns first, links by their positions after."""

    def __init__(self, pattern: str, join: Join, where: Alternative, absent: list[tuple[str, str, Alternative]]) -> None:
        self.pattern, self.joined = pattern, len(join.facts)
        # Absent facts are renamed by position, because one alias stands for several when its condition has an `or`.
        names = [alias for alias, _ in join.facts] + [f"{number}!{alias}" for number, (alias, _, _) in enumerate(absent)]
        self.kinds = dict(zip(names, [kind for _, kind in join.facts] + [kind for _, kind, _ in absent], strict=True))
        self.names = names
        self.where = where
        self.absent = {name: _renamed(items, alias, name) for name, (alias, _, items) in zip(names[self.joined :], absent, strict=True)}

    def plan(self) -> Plan:
        columns = {name: self.columns(name) for name in self.names}
        slots = tuple(self.slot(name, columns[name]) for name in self.names)
        links = [self.link(item, columns) for items in (self.where, *self.absent.values()) for item in items if isinstance(item, Across)]
        return Plan(self.pattern, slots, self.joined, tuple(dict.fromkeys([*self.distinct(columns), *links])))

    def own(self, name: str) -> tuple[Own, ...]:
        items = self.absent.get(name, self.where)
        return tuple(item for item in items if isinstance(item, Own) and item.alias == name)

    def required(self, name: str) -> frozenset[Attribute]:
        """Attributes without which no row is of use; a joined fact may lack what only `without` looks at."""
        items = self.absent.get(name, self.where)
        return frozenset(found for item in items for found in attributes(item) if found.alias == name)

    def columns(self, name: str) -> tuple[Attribute, ...]:
        """What links look at; with a second fact of the kind, all that is read of either, so that ties are true ties."""
        alike = [other for other in self.names if self.kinds[other] == self.kinds[name]]
        comparisons = [item for items in (self.where, *self.absent.values()) for item in items]
        if not self.has_twin(name):
            return _sorted(found for item in comparisons if isinstance(item, Across) for found in attributes(item) if found.alias == name)
        read = (found for item in comparisons for found in attributes(item) if found.alias in alike)
        return (EVENT, *_sorted(replace(found, alias=name) for found in read))

    def has_twin(self, name: str) -> bool:
        """Does another fact of the same kind have to be another event."""
        return any(self.kinds[other] == self.kinds[name] for other in self.names if other != name and self.meet(name, other))

    def meet(self, one: str, other: str) -> bool:
        return not (one in self.absent and other in self.absent)

    def slot(self, name: str, columns: tuple[Attribute, ...]) -> Slot:
        own, required = self.own(name), self.required(name)
        read = row_reader(own, columns, required, numbered=EVENT in columns)
        return Slot(name, self.kinds[name], own, columns, required, read)

    def distinct(self, columns: Mapping[str, tuple[Attribute, ...]]) -> Iterator[Link]:
        for later, earlier in product(range(len(self.names)), repeat=2):
            one, other = self.names[later], self.names[earlier]
            if earlier < later and self.kinds[one] == self.kinds[other] and self.meet(one, other):
                yield Link((later, columns[one].index(EVENT)), "!=", (earlier, columns[other].index(EVENT)), 0)

    def link(self, item: Across, columns: Mapping[str, tuple[Attribute, ...]]) -> Link:
        if self.names.index(item.left.alias) < self.names.index(item.right.alias):
            item = item.mirrored()
        left, right = ((self.names.index(side.alias), columns[side.alias].index(side)) for side in (item.left, item.right))
        return Link(left, item.operator, right, item.plus)


def _sorted(found: Iterable[Attribute]) -> tuple[Attribute, ...]:
    return tuple(sorted(set(found)))


def _renamed(items: Alternative, alias: str, name: str) -> Alternative:
    def side(found: Attribute) -> Attribute:
        return replace(found, alias=name) if found.alias == alias else found

    return tuple(
        replace(item, left=side(item.left), right=side(item.right)) if isinstance(item, Across) else replace(item, alias=name)
        for item in items
    )
