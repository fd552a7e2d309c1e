"""How much memory a program takes, with all the processes that it starts."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

_EVERY = 0.05
"""Seconds between two looks."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def watched(command: Sequence[str], folder: Path) -> tuple[str, float]:
    """Run a program to its end: what it printed, and the most memory that it and its children held at once, in GiB.

    Pages that several processes share count for each of them. Where there is no `/proc` it is the peak that the system tells at the end,
    which may be that of whoever started the program.

    Raises:
        CalledProcessError: it failed.
    """
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        ended, peaks = threading.Event(), [0]
        watching = threading.Thread(target=_watch, args=(process.pid, ended, peaks))
        watching.start()
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watching.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return printed, (max(peaks) or usage.ru_maxrss * 1024) / 2**30


def _watch(root: int, ended: threading.Event, peaks: list[int]) -> None:
    while not ended.wait(_EVERY):
        peaks[0] = max(peaks[0], sum(map(_held, _tree(root))))


def _tree(process: int) -> Iterator[int]:
    """A process and all below it; where there is no `/proc`, the process alone, of which the system says its peak at its end."""
    yield process
    for threads in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = threads.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _tree(int(child))


def _held(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
