"""What the endpoints work with, made in one place when the application starts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

from app.api.packs import PackHolder
from app.engine.pack import load_pack
from app.record import Ids, Store
from app.settings import Settings


def _clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """The pack, the store, ids and the clock, which is read once a request."""

    packs: PackHolder
    store: Store
    ids: Ids = field(default_factory=Ids)
    clock: Callable[[], datetime.datetime] = _clock


@contextlib.asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Load the pack, open the store, follow the pack's folder; let go of all at the end.

    Raises:
        PackError: the pack cannot be used.
        StoreUnavailable: the store cannot be opened.
    """
    load = partial(load_pack, pattern_engine=settings.pattern_engine, cache=settings.cache_folder)
    packs = await asyncio.to_thread(PackHolder, settings.pack, load)
    store = Store(settings.database_file, deadline=settings.store_deadline_ms / 1000)
    follower = asyncio.create_task(packs.follow())
    try:
        await store.open()
        yield Services(packs, store)
    finally:
        follower.cancel()
        await store.close()
