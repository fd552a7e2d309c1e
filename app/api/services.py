"""What the endpoints work with, made in one place when the application starts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from app.api.callers import CallerBook
from app.api.following.packs import FollowedPacks
from app.record import Ids, Record
from app.record.log.sealer import Sealer, SealerThread
from app.record.log.witnessing import WitnessThread, witness_thread
from app.record.packs.library import PackLibrary
from app.record.store.opening import record_of
from app.settings import Settings


def _clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """The packs, the record, who may call, ids, the clock, which is read once a request, and the witness of the log, where it has one."""

    packs: FollowedPacks
    record: Record
    callers: CallerBook = field(default_factory=CallerBook)
    ids: Ids = field(default_factory=Ids)
    clock: Callable[[], datetime.datetime] = _clock
    witness: WitnessThread | None = None


@contextlib.asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open the store, find the pack that decides, follow both it and who may call, seal what is recorded; let go of all at the end.

    Raises:
        PackError: the pack cannot be used.
        StoreUnavailable: the store cannot be opened.
        KeysProblem: the record's keys cannot be had.
    """
    record = await asyncio.to_thread(record_of, settings, _clock)
    ids, callers = Ids(), CallerBook(reachable=not settings.on_loopback)
    library = PackLibrary(record.database, pattern_engine=settings.pattern_engine, cache=settings.cache_folder)
    packs = FollowedPacks(settings.pack, library, record, development=lambda: callers.development, clock=_clock, ids=ids)
    sealing = SealerThread(Sealer(record.database, record.keys, _clock))
    witness = witness_thread(settings.witness_url, settings.witness_key, record.database, record.keys)
    threads: list[SealerThread | WitnessThread] = [sealing] if witness is None else [sealing, witness]
    followers: list[asyncio.Task[None]] = []
    try:
        await record.open()
        await callers.look(record.read)
        await packs.open()
        followers += [asyncio.create_task(packs.follow()), asyncio.create_task(callers.follow(record.read))]
        for thread in threads:
            thread.start()
        yield Services(packs, record, callers, ids, witness=witness)
    finally:
        await _end(followers)
        for thread in threads:
            await asyncio.to_thread(thread.stop)
        await record.close()


async def _end(followers: list[asyncio.Task[None]]) -> None:
    """Let followers end, however often they have to be told."""
    left = set(followers)
    while left:
        for follower in left:
            follower.cancel()
        _, left = await asyncio.wait(left, timeout=1)
