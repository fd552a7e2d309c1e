"""What the keeper does besides keeping workers: it seals what they record, tells the witness and other systems, and has campaigns run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from app.api.outgoing import wordings
from app.api.serving.campaigns import CampaignThread
from app.record.log.sealer import PAUSE, Sealer, SealerThread
from app.record.log.witnessing import WitnessState, WitnessThread, witness_thread
from app.record.outgoing.delivering import Deliverer
from app.record.outgoing.thread import DelivererThread
from app.record.store.record import Record
from app.settings import Settings


class Working(Protocol):
    """Something that works in a thread until it is stopped."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, waiting for what is under way."""


class Background:
    """Work on a record that one process does for all. `start` begins it, `stop` ends it after a last round."""

    def __init__(self, settings: Settings, record: Record) -> None:
        """
        Raises:
            KeysProblem: the witness's key is left out, or is not one.
        """
        sealing = SealerThread(Sealer(record.database, record.keys, record.clock, pause=PAUSE))
        self.witness: WitnessThread | None = witness_thread(settings.witness_url, settings.witness_key, record.database, record.keys)
        telling = DelivererThread(Deliverer(record, wordings(settings.public_url), private=settings.callbacks_private))
        self._threads: list[Working] = [sealing, *([self.witness] if self.witness else []), telling]
        if settings.campaign_worker:
            self._threads.insert(0, CampaignThread(settings, record))

    @property
    def witness_state(self) -> WitnessState | None:
        """How the log stands with its witness; none where it has none."""
        return self.witness.state if self.witness else None

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, waiting for what is under way."""
        for thread in self._threads:
            thread.stop()


@contextlib.asynccontextmanager
async def working(settings: Settings, record: Record) -> AsyncIterator[Background]:
    """Open the record, and work on it until the end.

    Raises:
        KeysProblem: the witness's key is left out, or is not one.
        StoreUnavailable: the store cannot be opened.
    """
    background = Background(settings, record)
    try:
        await record.open()
        background.start()
        yield background
    finally:
        await asyncio.to_thread(background.stop)
        await record.close()
