"""Patterns: rules that join several events of a subscriber.

`problems` says what a pattern may not hold, `checked` compiles patterns where a crash does no harm, `make_matcher` gives what finds them.
There are two matchers, held equal by tests: durable_rules where it loads, and our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from app.engine.patterns.builtin import BuiltinMatcher
from app.engine.patterns.durable import DurableMatcher, durable_available
from app.engine.patterns.model import MOST_FACTS, History, Join, Matcher, Pattern
from app.engine.patterns.network import PatternEngineError
from app.engine.patterns.plan import LARGEST_JOIN, LONGEST_COLUMN
from app.engine.patterns.problems import collisions, problems
from app.engine.patterns.trial import check_in_child, checked

__all__ = [
    "LARGEST_JOIN",
    "LONGEST_COLUMN",
    "MOST_FACTS",
    "BuiltinMatcher",
    "DurableMatcher",
    "History",
    "Join",
    "Matcher",
    "Pattern",
    "PatternEngineError",
    "check_in_child",
    "checked",
    "collisions",
    "durable_available",
    "make_matcher",
    "problems",
]


def make_matcher(patterns: Sequence[Pattern], engine: Literal["durable", "builtin"] | None = None) -> Matcher:
    """A matcher for patterns that `problems` has nothing against, on durable_rules where it loads unless `engine` says otherwise.

    Raises:
        ImportError: `durable` was asked for and does not load on this Python.
    """
    if engine == "builtin" or (engine is None and not durable_available()):
        return _builtin(tuple(patterns))
    return DurableMatcher(patterns)


@lru_cache(maxsize=4)
def _builtin(patterns: tuple[Pattern, ...]) -> BuiltinMatcher:
    """Our own matcher keeps nothing between two histories, so equal patterns share one."""
    return BuiltinMatcher(patterns)
