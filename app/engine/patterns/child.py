"""The process that `check_in_child` starts: reads pickled patterns, compiles them, tries each network on made-up rows."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable

from app.engine.patterns.model import Pattern
from app.engine.patterns.network import Network
from app.engine.patterns.plan import Plan, Plans, Rows


def try_out(patterns: Iterable[Pattern]) -> None:
    """Compile, match and close, in this process."""
    networks = [(Network(plan), plan) for plan in Plans(patterns).all]
    for network, plan in networks:
        network.holds(_made_up(plan, alike=True))
        network.holds(_made_up(plan, alike=False))
        network.close()


def _made_up(plan: Plan, *, alike: bool) -> Rows:
    """A row for each fact: all alike, or each with values of its own."""
    return [[(0 if alike else number,) * len(slot.columns)] for number, slot in enumerate(plan.slots)]


if __name__ == "__main__":
    try_out(pickle.load(sys.stdin.buffer))  # noqa: S301 - written by the parent process a moment ago
