"""What was spooled goes into the store, in the order in which it came, each entry once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from app.record.entries import NewEntry, Written
from app.record.spool.waiting import Left, Spool
from app.record.store.batch import Outcome
from app.record.store.committer import Committer
from app.record.store.problems import KeyReused, RowRefused

_SOME = 512
_log = structlog.get_logger("wanliu.record")


class Drain:
    """Empties the spool into the store, some entries at a time."""

    def __init__(self, spool: Spool, committer: Committer) -> None:
        self._spool, self._committer = spool, committer
        self._left: Left | None = None
        self._done = 0
        self._refused: list[str] = []

    def step(self) -> bool:
        """Store some of what waits; true while there is more.

        Raises:
            StoreUnavailable: the store does not take it, or a file of the spool cannot be read; nothing is lost.
        """
        left = self._left = self._left or self._spool.oldest()
        if left is None:
            return False
        part = left.entries[self._done : self._done + _SOME]
        self._refused += self._store(part)
        self._done += len(part)
        if self._done == len(left.entries):
            self._spool.stored(left, refused=self._refused)
            _log.info("spool_drained", entries=len(left.entries))
            self._left, self._done, self._refused = None, 0, []
        return self._spool.holds_any

    def _store(self, entries: Sequence[NewEntry]) -> list[str]:
        """Store what the store has not; the ids of what it refused. Who was answered from the spool is on record, whoever has the key."""
        present = self._committer.present([entry.id for entry in entries])
        missing = [entry for entry in entries if entry.id not in present]
        outcomes = list(zip(missing, self._committer.commit(missing), strict=True))
        without_key = [replace(entry, idempotency=None) for entry, outcome in outcomes if _lost_its_key(outcome)]
        outcomes += zip(without_key, self._committer.commit(without_key), strict=True)
        return [entry.id for entry, outcome in outcomes if isinstance(outcome, RowRefused)]


def _lost_its_key(outcome: Outcome) -> bool:
    return isinstance(outcome, KeyReused) or (isinstance(outcome, Written) and outcome.repeated)
