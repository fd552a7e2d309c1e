"""What changes too often to be noted each time is looked at once a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.api.admission.door import Turnstile
from app.api.logs import say_mode
from app.api.services import Services

EVERY = 1.0
"""Seconds between two looks."""


@contextlib.asynccontextmanager
async def sampled(services: Services, turnstile: Turnstile, *, every: float = EVERY) -> AsyncIterator[None]:
    """Meanwhile look at what is under way, waits and was refused, and whether the service is still in development mode."""
    looking = asyncio.create_task(_look(services, turnstile, every))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        sample(services, turnstile)


def sample(services: Services, turnstile: Turnstile) -> None:
    """Look once."""
    metrics, figures = services.watch.metrics, turnstile.figures
    metrics.sample(queue=services.record.queued, spool=services.record.spooled_bytes)
    metrics.admission({lane: found["waiting"] for lane, found in figures["lanes"].items()}, figures["refused"])
    say_mode(development=services.callers.development)


async def _look(services: Services, turnstile: Turnstile, every: float) -> None:
    while True:
        sample(services, turnstile)
        await asyncio.sleep(every)
