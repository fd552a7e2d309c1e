"""One plan as a rule set of durable_rules, spoken to in the one way that is safe.

What reaches it are whole numbers under names of our own, so nothing of a pack or a subscriber can be misread: to it `1`, `"1"` and `true`
are equal, and names whose hashes collide are one. Texts become numbers that mean something within one call only.

Absent facts are asserted first, for a `not` sees only what is there already, and the plan's first fact last, so that a match is complete
with it and the rest need not be looked at. Then the state is deleted with all that it holds. Facts are never retracted: retracting two that
an action saw together writes past the end of their frame, completed or not. Deleting is safe because the sentinel rule has acted in the
state's memory before, which is used again for the next state.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from app.engine.patterns.plan import Link, Plan, Rows

_operators = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_SENTINEL = '{"id":"s","fact":-1}'
_HANDLED = 0
_TRUE = {"one": {"f0": "one"}}
"""Stands last in every list of tests: when the last one fails, durable_rules looks for the list's end beyond it, in any memory."""


class PatternEngineError(RuntimeError):
    """durable_rules failed, or answered something that it never should."""


class Network:
    """A rule set with one state, kept for the life of the pack."""

    def __init__(self, plan: Plan) -> None:
        self._engine = import_module("durable_rules_engine")
        self._formats = [_format(plan, slot) for slot in range(len(plan.slots))]
        self._order = [*range(plan.joined, len(plan.slots)), *range(plan.joined - 1, -1, -1)]
        self._handle: int = self._engine.create_ruleset("pattern", json.dumps(definition(plan)))
        self._let_the_sentinel_act()

    def _let_the_sentinel_act(self) -> None:
        """Once an action has started, deleting the state is safe; before, it frees memory that nobody wrote."""
        if not self._completes(_SENTINEL, last=True):
            raise PatternEngineError("the sentinel rule did not act")
        self._engine.delete_state(self._handle, None)

    def holds(self, rows: Rows) -> bool:
        """Does the plan hold for these rows. Leaves no fact behind, unless it raises: then the network may not be used again."""
        found = any(self._completes(fact, last) for fact, last in self._facts(rows))
        self._engine.delete_state(self._handle, None)
        return found

    def _facts(self, rows: Rows) -> Iterator[tuple[str, bool]]:
        """The facts in order, each with whether a match may be complete with it."""
        codes: dict[str, int] = {}
        number = itertools.count()
        for slot in self._order:
            for row in rows[slot]:
                yield f'{{"id":"{next(number)}"{self._formats[slot] % _numbers(row, codes)}', slot == 0

    def _completes(self, fact: str, last: bool) -> bool:
        state = self._assert(fact)
        return last and self._engine.start_action_for_state(self._handle, state) is not None

    def _assert(self, fact: str) -> int:
        result, state = self._engine.assert_fact(self._handle, fact)
        if result != _HANDLED:
            raise PatternEngineError(f"durable_rules answered {result} to a fact")
        return int(state)

    def close(self) -> None:
        """Give the memory back; no state is left, which deleting the rule set would forget."""
        self._engine.delete_ruleset(self._handle)


def _numbers(row: tuple[Any, ...], codes: dict[str, int]) -> tuple[int, ...]:
    """Values as whole numbers, each followed by whether it is known."""
    found: list[int] = []
    for value in row:
        number = codes.setdefault(value, len(codes)) if isinstance(value, str) else 0 if value is None else value
        found += (number, value is not None)
    return tuple(found)


def _format(plan: Plan, slot: int) -> str:
    columns = "".join(f',"c{column}":%d,"k{column}":%d' for column in range(len(plan.slots[slot].columns)))
    return f',"fact":{slot},"one":1{columns}}}'


def definition(plan: Plan) -> dict[str, Any]:
    """The rule set: the plan's join, and a rule for the sentinel."""
    facts = [{f"f{slot}{'$not' if slot >= plan.joined else ''}": _tests(plan, slot)} for slot in range(len(plan.slots))]
    return {"join": {"all": facts}, "sentinel": {"all": [{"m": {"fact": -1}}]}}


def _tests(plan: Plan, slot: int) -> dict[str, Any]:
    links = [link for link in plan.links if link.left[0] == slot]
    if not links:
        return {"fact": slot}
    known = dict.fromkeys(link.right for link in links if plan.may_lack(link.right))
    tests = [{"one": {f"f{earlier}": f"k{column}"}} for earlier, column in known]
    return {"$and": [{"fact": slot}, *tests, *map(_linked, links), _TRUE]}


def _linked(link: Link) -> dict[str, Any]:
    right: dict[str, Any] = {f"f{link.right[0]}": f"c{link.right[1]}"}
    if link.plus:
        right = {"$add": {"$l": right, "$r": link.plus}}
    test = {f"c{link.left[1]}": right}
    return test if link.operator == "==" else {_operators[link.operator]: test}
