"""The worker processes of a service, as the system knows them."""

from __future__ import annotations

import time
from pathlib import Path


def children_of(pid: int) -> set[int]:
    """The processes that a process started and that still run."""
    try:
        found = {int(text) for thread in Path(f"/proc/{pid}/task").iterdir() for text in (thread / "children").read_text().split()}
    except OSError:
        return set()
    return {child for child in found if "app.api.serving\0worker" in _command(child)}


def runs(pid: int) -> bool:
    """Is there such a worker process."""
    return "app.api.serving\0worker" in _command(pid)


def ended(pids: set[int]) -> None:
    """Wait until none of these worker processes runs."""
    while any(map(runs, pids)):
        time.sleep(0.01)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
