"""Figures of several processes in one folder: the keeper makes it, each process has files there, and those of the dead are added up."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of the environment that names the folder; the library reads it too."""
_ADDED_UP = ("counter", "histogram")
_PREFIX = "wanliu-metrics-"
_HELD = "held"
"""A file that is locked as long as its keeper lives."""
_DEAD = "0"
"""Stands for a process id in the names of the files that hold the sums of the dead."""


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for this process and those that it starts meanwhile, which nobody else may read; taken away at the end.

    Folders that others left who were killed are taken away first.
    """
    _clear_left()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder, (Path(folder) / _HELD).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        os.environ[FOLDER] = folder
        try:
            yield Path(folder)
        finally:
            os.environ.pop(FOLDER, None)


def _clear_left() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _HELD).open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


def bury(pid: int) -> None:
    """Add up what a process that has ended counted, so that no sum goes back and no file is left of it; what it measured is gone."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    with _alone(Path(folder)):
        mark_process_dead(pid, folder)
        for kind in _ADDED_UP:
            _add_up(Path(folder), kind, pid)


def register_all(registry: CollectorRegistry) -> None:
    """Have a registry tell the figures of all processes."""
    registry.register(_Together(Path(os.environ[FOLDER])))  # type: ignore[arg-type]


class _Together:
    """Collects while nobody adds up, so that nothing is counted twice or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._collector = MultiProcessCollector(None, str(folder))

    def collect(self) -> list[object]:
        with _alone(self._folder):
            return list(self._collector.collect())


def _add_up(folder: Path, kind: str, pid: int) -> None:
    sums, theirs = folder / f"{kind}_{_DEAD}.db", folder / f"{kind}_{pid}.db"
    if not theirs.exists():
        return
    kept = MmapedDict(str(sums))
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(theirs)):
            kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
    finally:
        kept.close()
    theirs.unlink()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
