"""What changes too often to be noted each time is looked at once a second."""

from __future__ import annotations

import asyncio

from app.api.identity.book import CallerBook
from app.api.logs import say_mode
from app.api.watching.metrics import Metrics
from app.record import Record

EVERY = 1.0
"""Seconds between two looks."""


async def sample_for_ever(metrics: Metrics, record: Record, callers: CallerBook, *, every: float = EVERY) -> None:
    """Note how much is under way and waits, and whether the service is still in development mode."""
    while True:
        metrics.sample(queue=record.queued, spool=record.spooled_bytes)
        say_mode(development=callers.development)
        await asyncio.sleep(every)
