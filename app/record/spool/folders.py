"""Folders of the spool: each process has one of its own, whose lock it holds while it runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from app.record.spool.segments import REFUSED, SUFFIX

_LOCK = "lock"


def left_in(root: Path) -> list[Path]:
    """Files that hold entries, of every process that shares the spool: those that wait, and those that were refused."""
    return sorted(path for path in root.glob("*/*") if path.suffix in (SUFFIX, REFUSED))


class Folders:
    """The folder that this process writes to, and those that it has taken over from processes that have ended."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._locks: dict[Path, int] = {}
        self.own = root

    def open(self) -> Iterator[Path]:
        """Make a folder; files that were left in others, the oldest of each first.

        Raises:
            OSError: it cannot be made.
        """
        while self.own not in self._locks:
            self.own = self._root / secrets.token_hex(8)
            self.own.mkdir(parents=True, mode=0o700)
            self._lock(self.own)  # unless another process that starts takes it for one that was left
        for left in sorted(self._root.iterdir()):
            if left != self.own and left.is_dir() and self._lock(left):
                yield from sorted(left.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)

    def close(self) -> None:
        """Let go of the folders, and remove those in which nothing is left."""
        for folder, lock in self._locks.items():
            if not any(folder.glob(f"*{SUFFIX}")):
                with contextlib.suppress(OSError):
                    (folder / _LOCK).unlink()
                    folder.rmdir()
            os.close(lock)
        self._locks.clear()

    def _lock(self, folder: Path) -> bool:
        """Hold a folder's lock; false where another process does."""
        opened = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(opened)
            return False
        self._locks[folder] = opened
        return True
