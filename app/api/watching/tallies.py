"""Figures that are counted in plain numbers, and handed over now and then: the library writes each to a file, which takes longer."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from prometheus_client import Counter, Histogram

Labels = tuple[str, ...]


class TalliedCounter(Counter):
    """A counter with labels. What was counted since `put` is told by nobody; who counts puts, too, and no other thread does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._tallies: dict[Labels, int] = {}
        super().__init__(*arguments, **options)

    def add(self, *labels: str) -> None:
        """Count one."""
        self._tallies[labels] = self._tallies.get(labels, 0) + 1

    def put(self) -> None:
        """Hand over what was counted since the last time."""
        for labels, count in self._tallies.items():
            self.labels(*labels).inc(count)
        self._tallies.clear()


class TalliedHistogram(Histogram):
    """A histogram with labels, of the same kind."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._tallies: dict[Labels, list[float]] = {}
        """Of each bucket how many, and at last the sum."""
        super().__init__(*arguments, **options)

    def add(self, amount: float, *labels: str) -> None:
        """Observe an amount."""
        tally = self._tallies.get(labels)
        if tally is None:
            tally = self._tallies[labels] = [0.0] * (len(self._upper_bounds) + 1)
        tally[bisect_left(self._upper_bounds, amount)] += 1
        tally[-1] += amount

    def put(self) -> None:
        """Hand over what was observed since the last time."""
        for labels, (*counts, added) in self._tallies.items():
            child = self.labels(*labels)
            child._sum.inc(added)
            for bucket, count in zip(child._buckets, counts, strict=True):
                if count:
                    bucket.inc(count)
        self._tallies.clear()
