"""The matcher on durable_rules: a network for each plan, one call at a time."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable
from functools import cache
from importlib import import_module

from app.engine.patterns.model import History, Pattern
from app.engine.patterns.network import Network, PatternEngineError
from app.engine.patterns.plan import Plan, Plans, Rows


@cache
def durable_available() -> bool:
    """Does durable_rules load on this Python."""
    try:
        import_module("durable_rules_engine")
    except ImportError:
        return False
    return True


class DurableMatcher:
    """Matches patterns with durable_rules.

    Threads may share it: they take turns. The engine keeps nothing by thread and holds on to the interpreter's lock, so it needs no thread
    of its own; the way there and back would cost several times what a match does.

    Raises:
        ImportError: durable_rules does not load on this Python.
        PatternEngineError: from `match`, when the engine fails; the rule set at fault is made anew.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._plans = Plans(patterns)
        self._open()

    def _open(self) -> None:
        self._process, self._turn = os.getpid(), threading.Lock()
        self._networks = {number: Network(plan) for number, plan in enumerate(self._plans.all)}
        self._give_back = weakref.finalize(self, _close, self._networks)
        self._give_back.atexit = False

    def match(self, history: History, as_of: int) -> frozenset[str]:
        """See `Matcher.match`. Asks the engine only when every joined fact of some join has a row."""
        work = list(self._plans.relevant(history, as_of, set()))
        if not work:
            return frozenset()
        if self._process != os.getpid():
            self._open_after_fork()
        with self._turn:
            return self._run(work)

    def _open_after_fork(self) -> None:
        """Another thread may have been in the midst of a turn when the process was copied."""
        self._give_back.detach()
        self._open()

    def _run(self, work: list[tuple[int, Plan, Rows]]) -> frozenset[str]:
        found: set[str] = set()
        for number, plan, rows in work:
            if plan.pattern not in found and self._holds(number, plan, rows):
                found.add(plan.pattern)
        return frozenset(found)

    def _holds(self, number: int, plan: Plan, rows: Rows) -> bool:
        """A network that failed is not put back: it may still hold facts."""
        network = self._networks.pop(number, None)
        try:
            network = network or Network(plan)
            found = network.holds(rows)
        except Exception as error:
            raise PatternEngineError(f"durable_rules failed on pattern `{plan.pattern}`: {error}") from error
        self._networks[number] = network
        return found

    def close(self) -> None:
        """Delete the rule sets; the matcher may not be used afterwards."""
        self._give_back()


def _close(networks: dict[int, Network]) -> None:
    while networks:
        networks.popitem()[1].close()
