"""Timing of single calls, and the machine it happened on."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """How long one call took, in milliseconds."""

    p50: float
    p99: float
    mean: float

    @property
    def per_second(self) -> float:
        """Calls a second, one after the other on one core."""
        return 1_000 / self.mean


def spread(nanoseconds: Iterable[int]) -> Spread:
    """Percentiles (nearest rank) and mean of many calls."""
    ordered = sorted(nanoseconds)
    last = len(ordered) - 1
    p50, p99 = (ordered[round(last * share)] / 1e6 for share in (0.5, 0.99))
    return Spread(p50, p99, sum(ordered) / len(ordered) / 1e6)


def timed(call: Callable[[Any], object], items: Sequence[Any]) -> Spread:
    """One call for each item, each timed by itself."""
    clock, taken = time.perf_counter_ns, []
    for item in items:
        start = clock()
        call(item)
        taken.append(clock() - start)
    return spread(taken)


def quietest(call: Callable[[Any], object], items: Sequence[Any], rounds: int) -> Spread:
    """The round with the lowest median: on a shared machine the others tell what else ran there."""
    return min((timed(call, items) for _ in range(rounds)), key=lambda found: found.p50)


def machine() -> dict[str, Any]:
    """What it was measured on, and how busy that was with other things."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def _cpu() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")
