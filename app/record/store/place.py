"""Is the store's file still where it was opened: an open file goes on taking rows after it was deleted or replaced, for nobody to find."""

from __future__ import annotations

from pathlib import Path

from app.record.store.problems import StoreUnavailable

LOST = "the store's file was deleted or replaced; put it back, or start the service again"


class Place:
    """Where a SQLite file was found when it was opened. A database that is no file is always in its place."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._opened: tuple[int, int] | None = None

    def remember(self) -> None:
        """The file that is there now is the one."""
        self._opened = self._found()

    def check(self) -> None:
        """Is it the file that is remembered.

        Raises:
            StoreUnavailable: it was deleted or replaced.
        """
        if self.is_lost:
            raise StoreUnavailable(LOST)

    @property
    def is_lost(self) -> bool:
        """It is another file than is remembered, or none."""
        return self._opened is not None and self._found() != self._opened

    def _found(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            state = self._file.stat()
        except OSError:
            return None
        return state.st_dev, state.st_ino
