"""What the keeper notes: commits, where it writes for its workers, what waits, and how the workers stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.watching.metrics import Metrics
from app.record.store.record import Record


class KeeperWatch:
    """The figures of the keeper, for a record that it writes."""

    def __init__(self, record: Record) -> None:
        self._record, self._metrics = record, Metrics()
        record.watch(self._metrics.committed)

    def look(self, workers: Mapping[str, Any]) -> None:
        """Note what waits, and how the workers stand, as `Keeper.figures` has it."""
        self._metrics.sample(queue=self._record.queued, spool=self._record.spooled_bytes)
        self._metrics.workers(workers["answering"], workers["finishing"], workers["replaced"])
