"""What the endpoints work with, made in one place when the application starts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.api.choosing import Chosen
from app.api.following.packs import FollowedPacks
from app.api.identity.book import CallerBook
from app.api.identity.trusting import take_tokens
from app.api.logs import say_mode
from app.api.serving.background import Background
from app.api.serving.news import KeeperNews
from app.api.watching.spans import spans_of
from app.api.watching.watched import Watch
from app.record.ids import Ids
from app.record.log.witnessing import WitnessState
from app.record.packs.library import PackLibrary
from app.record.store.opening import record_of
from app.record.store.record import Record
from app.settings import Settings


def _clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Witnessed(Protocol):
    """Knows how the log stands with its witness."""

    @property
    def state(self) -> WitnessState:
        """The standing, as last heard."""


@dataclass(frozen=True, slots=True)
class Services:
    """The packs, the record, who may call, ids, the clock, which is read once a request, and the witness of the log, where it has one."""

    packs: FollowedPacks
    record: Record
    callers: CallerBook = field(default_factory=CallerBook)
    ids: Ids = field(default_factory=Ids)
    clock: Callable[[], datetime.datetime] = _clock
    witness: Witnessed | None = None
    watch: Watch = field(default_factory=Watch)
    """What operations sees of this process."""
    callbacks_private: bool = False
    """May events be sent into private networks."""
    campaigns: Path = Path("wanliu.campaigns")
    """Folder with the files of campaigns that callers commission."""
    chosen: Chosen = field(default_factory=Chosen)
    """What people were seen to have chosen for good."""
    batch_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a line of a batch is decided: one at a time, however many batches there are."""


@contextlib.asynccontextmanager
async def open_services(settings: Settings, keeper: KeeperNews | None = None) -> AsyncIterator[Services]:
    """Open the store, find the pack that decides, follow both it and who may call; let go of all at the end.

    Args:
        settings: how it runs.
        keeper: writes and seals what is recorded, tells the witness and other systems; left out, this process does.

    Raises:
        PackError: the pack cannot be used.
        StoreUnavailable: the store cannot be opened.
        KeysProblem: the record's keys cannot be had.
        BadKeys: the file of keys for tokens cannot be used.
    """
    record = await asyncio.to_thread(record_of, settings, _clock, relay=keeper.relay if keeper else None)
    ids, callers = Ids(), CallerBook(reachable=not settings.on_loopback)
    library = PackLibrary(record.database, pattern_engine=settings.pattern_engine, cache=settings.cache_folder)
    packs = FollowedPacks(settings.pack, library, record, development=lambda: callers.development, clock=_clock, ids=ids)
    background = Background(settings, record) if keeper is None else None
    witness = (background.witness if background else keeper) if settings.witness_url else None
    watch = Watch(spans=spans_of(os.environ), late_after=settings.seal_lag_seconds)
    record.watch(watch.metrics.committed)
    followers: list[asyncio.Task[None]] = []
    try:
        await record.open()
        await callers.look(record.read)
        followers += await take_tokens(settings, callers)
        say_mode(development=callers.development)
        await packs.open()
        followers += [asyncio.create_task(packs.follow()), asyncio.create_task(callers.follow(record.read))]
        if background:
            background.start()
        folder = settings.campaign_folder
        yield Services(
            packs, record, callers, ids, witness=witness, watch=watch, callbacks_private=settings.callbacks_private, campaigns=folder
        )
    finally:
        await _end(followers)
        if background:
            await asyncio.to_thread(background.stop)
        await record.close()
        if watch.spans is not None:
            await asyncio.to_thread(watch.spans.close)


async def _end(followers: list[asyncio.Task[None]]) -> None:
    """Let followers end, however often they have to be told."""
    left = set(followers)
    while left:
        for follower in left:
            follower.cancel()
        _, left = await asyncio.wait(left, timeout=1)
