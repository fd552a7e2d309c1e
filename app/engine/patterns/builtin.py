"""Our own matcher: nested loops over the rows of each plan, as generated Python."""

from __future__ import annotations

from collections.abc import Iterable

from app.engine.patterns.generated import joiner
from app.engine.patterns.model import History, Pattern
from app.engine.patterns.plan import Plan, Plans


class BuiltinMatcher:
    """Matches patterns without another engine: for campaigns, and where durable_rules does not load. Threads may share it."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._plans = Plans(patterns)
        self._joiners = [joiner(plan) for plan in self._plans.all]

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The alternatives of all joins."""
        return self._plans.all

    def match(self, history: History, as_of: int) -> frozenset[str]:
        """See `Matcher.match`."""
        found: set[str] = set()
        for number, plan, rows in self._plans.relevant(history, as_of, found):
            if self._joiners[number](rows):
                found.add(plan.pattern)
        return frozenset(found)

    def close(self) -> None:
        """Nothing to give back."""
