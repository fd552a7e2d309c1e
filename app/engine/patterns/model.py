"""What a pattern is, and what any matcher of patterns can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.engine.tree import Node

History = Mapping[str, Sequence[tuple[int, Any]]]
"""Events by kind: microseconds since 1970 and an object with the kind's attributes, `None` where one is missing. In any order."""

MOST_FACTS = 4
"""Facts of one join, those of `without` included."""


@dataclass(frozen=True, slots=True)
class Join:
    """Events that occur together.

    `facts` are (alias, event kind); no two aliases of a kind are the same event. `where` is a condition over `Ref("alias.attribute")`;
    `alias.at` is in microseconds since 1970, `alias.days` the event's age at `as_of` in whole days. `without` are
    (alias, event kind, condition): no event of the kind, other than the joined ones, may satisfy the condition.
    """

    facts: tuple[tuple[str, str], ...]
    where: Node | None = None
    without: tuple[tuple[str, str, Node | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern holds when at least one of its joins does."""

    id: str
    joins: tuple[Join, ...]


class Matcher(Protocol):
    """Finds the patterns that hold in one subscriber's events."""

    def match(self, history: History, as_of: int) -> frozenset[str]:
        """Ids of the patterns that hold at `as_of` (microseconds since 1970).

        Events after `as_of` do not count, nor does the order of events. A comparison with a missing attribute is not true, whatever the
        operator, and neither is its negation. A join looks at a bounded number of combinations of events: see `LARGEST_JOIN`.
        """

    def close(self) -> None:
        """Give back what the matcher holds; it may not be used afterwards."""
