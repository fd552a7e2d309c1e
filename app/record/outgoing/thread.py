"""Delivering beside whatever else a process does."""

from __future__ import annotations

import asyncio
import threading

from app.record.outgoing.delivering import Deliverer


class DelivererThread:
    """Delivers in a thread of its own until it is stopped."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer
        self._thread = threading.Thread(target=self._run, name="deliverer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End when what is being sent was taken, or failed."""
        self._deliverer.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._deliverer.run())
