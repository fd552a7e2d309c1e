"""What the store says of packs in force, read again when a step was taken."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import structlog

from app.api.following.folder import printable
from app.api.following.seeding import Recording
from app.record.packs.history import History, Step
from app.record.packs.library import steps_mark
from app.record.packs.standing import read_history
from app.record.store.database import stamp

_NEVER = (-1, "")
_log = structlog.get_logger("wanliu.pack")


class Ledger:
    """The steps that were taken with packs, as they are on the record."""

    def __init__(self, record: Recording) -> None:
        self._record = record
        self._mark = _NEVER
        self.history = History()
        self.unfounded: tuple[str, ...] = ()
        """What is said of rows of the store that stand for nothing on the record, and are not obeyed."""

    async def look(self) -> None:
        """Read the steps where another one was taken.

        Raises:
            StoreError: they cannot be read.
        """
        mark = await self._record.read(steps_mark)
        if mark != self._mark:
            await self.read()
            self._mark = mark

    async def read(self) -> None:
        """Read the steps anew. What was known to stand stands, whatever became of its row; rows that stand for nothing are told once.

        Raises:
            StoreError: they cannot be read.
        """
        self.history, self._mark = (await self._record.read(read_history)).after(self.history), _NEVER
        told = printable(item.told for item in self.history.unfounded)
        if told and told != self.unfounded:
            _log.error("pack_steps_not_on_record", steps=list(told))
        self.unfounded = told

    def line(self, now: datetime.datetime) -> Sequence[Step]:
        """The activations that a rollback would go back along, oldest first; the last one is in force now."""
        return self.history.line(stamp(now))
