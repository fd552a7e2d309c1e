"""What was spooled goes into the store, in the order in which it came, each entry once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from app.record.entries import NewEntry
from app.record.spool.waiting import Left, Spool
from app.record.store.committer import Committer
from app.record.store.problems import KeyUnknown, PersonErased, RowRefused, StoreUnavailable
from app.record.store.tables import OutcomeRow

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
        """Store what the store has not; the ids of what it refused. It refuses too what it has: a commit whose end the caller did not wait
        for, of this process or of one that was killed, may have happened after all."""
        outcomes = list(zip(entries, self._committer.commit(entries), strict=True))
        for _, outcome in outcomes:
            if isinstance(outcome, KeyUnknown):  # it waits on, for a process that knows the key
                raise StoreUnavailable(*outcome.args)
        self._committer.commit([_unlinked(entry) for entry, outcome in outcomes if isinstance(outcome, PersonErased)])
        refused = [entry.id for entry, outcome in outcomes if isinstance(outcome, RowRefused)]
        present = self._committer.present(refused) if refused else set()
        return [entry_id for entry_id in refused if entry_id not in present]


def _unlinked(entry: NewEntry) -> NewEntry:
    """What erasing would have left of an entry: its codes, and its outcome without whom it was about and the reference."""
    forgotten = {"subject": None, "reference": None}
    rows = tuple(replace(row, values={**row.values, **forgotten}) for row in entry.rows if row.table == OutcomeRow.__tablename__)
    return replace(entry, private=None, rows=rows)
