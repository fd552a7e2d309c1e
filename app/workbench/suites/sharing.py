"""Work shared by several processes, each with the same thing at hand."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import InvalidStateError, ProcessPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def shared(
    work: Callable[[Any, Item], Made], items: Iterable[Item], tool: object, again: Callable[[], object], jobs: int, chunk: int
) -> Iterator[Made]:
    """Do work in several processes; what it gives comes in the order of the items.

    Args:
        work: a function of a module: takes the tool and an item.
        items: what the work is done on.
        tool: what the work needs; processes that can be forked have it at once.
        again: makes the tool where they cannot; it can be pickled.
        jobs: how many processes.
        chunk: items handed out at a time.
    """
    forked = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
    _Held.tool = tool if forked else None
    context = multiprocessing.get_context("fork" if forked else "spawn")
    try:
        with _ended_quietly(), ProcessPoolExecutor(jobs, context, _Held.begin, (None if forked else again,)) as pool:
            yield from pool.map(_Doing(work), items, chunksize=chunk)
    finally:
        _Held.tool = None


@contextlib.contextmanager
def _ended_quietly() -> Iterator[None]:
    """An interrupted pool's thread may trip over work that was called off (Python 3.11): that is no news to anybody."""
    told = threading.excepthook

    def tell(given: threading.ExceptHookArgs) -> None:
        if not isinstance(given.exc_value, InvalidStateError):
            told(given)

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = told


class _Held:
    """What a child process keeps between two items."""

    tool: object = None

    @classmethod
    def begin(cls, again: Callable[[], object] | None) -> None:
        """Begin a child process: it ends at once when it is interrupted, and makes the tool anew where it was not forked."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if again is not None:
            cls.tool = again()


class _Doing:
    """The work with what the process holds."""

    def __init__(self, work: Callable[[Any, Any], Any]) -> None:
        self.work = work

    def __call__(self, item: Any) -> Any:
        return self.work(_Held.tool, item)
