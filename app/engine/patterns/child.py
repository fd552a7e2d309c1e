"""The process that `check_in_child` starts: reads pickled patterns, compiles them, tries each network on made-up rows."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable

from app.engine.patterns.model import Pattern
from app.engine.patterns.network import Network
from app.engine.patterns.plan import Plan, Plans


def try_out(patterns: Iterable[Pattern]) -> None:
    """Compile, match and close, in this process."""
    networks = [(Network(plan), plan) for plan in Plans(patterns).all]
    for network, plan in networks:
        for held in (0, 2):
            network.holds([_made_up(plan, slot, held) for slot in range(len(plan.slots))])
        network.close()


def _made_up(plan: Plan, slot: int, absent: int) -> list[tuple[int, ...]]:
    count = 2 if slot < plan.joined else absent
    return [(number,) * len(plan.slots[slot].columns) for number in range(count)]


if __name__ == "__main__":
    try_out(pickle.load(sys.stdin.buffer))  # noqa: S301 - written by the parent process a moment ago
