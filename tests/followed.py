"""Workers that follow what is in force in a store, as tests of several kinds need them."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from app.api.following import trying
from app.api.following.packs import FollowedPacks
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.packs.history import History
from app.record.packs.library import PackLibrary
from app.record.packs.standing import read_history
from app.record.packs.steps import Checked, Desk, PackContent
from app.record.store.database import Database
from app.record.store.record import Record
from app.workbench.trial import Exhibit, Trial, try_out
from tests.packs_in_force import now, version, write


@dataclass
class Store:
    """A store, what is done with packs in it, and workers that follow it."""

    url: str
    keys: Keys
    folder: Path
    ahead: datetime.timedelta = datetime.timedelta()
    development: bool = False
    ids: Ids = field(default_factory=Ids)

    def clock(self) -> datetime.datetime:
        return now() + self.ahead

    @contextlib.asynccontextmanager
    async def worker(self, *, opened: bool = True, cache: Path | None = None) -> AsyncIterator[FollowedPacks]:
        """A worker with a connection of its own; the test looks when it wants to."""
        record = Record(Database(self.url), self.keys, clock=self.clock, deadline=30)
        library = PackLibrary(record.database, pattern_engine="builtin", cache=cache)
        await record.open()
        packs = FollowedPacks(
            self.folder, library, record, development=lambda: self.development, clock=self.clock, ids=self.ids, every=0.01
        )
        try:
            if opened:
                await packs.open()
            yield packs
        finally:
            await record.close()

    def desk(self, record: Record) -> Desk:
        return Desk(record.read_now(read_history), self.clock(), self.ids)

    def take(self, *steps: Callable[[Desk], Any]) -> None:
        """Take steps as a command does, beside the workers."""
        with contextlib.closing(_Closing(Record(Database(self.url), self.keys, clock=self.clock))) as opened:
            for step in steps:
                entry = step(self.desk(opened.record))
                assert entry is not None
                opened.record.write_now(entry)

    def force(self, pack: PackContent, digest: str | None = None) -> str:
        """Publish, approve and activate, whatever the pack is."""
        named = digest or pack.digest
        self.take(
            lambda desk: desk.publish(Checked(pack, "small", "x"), "ann", None),
            lambda desk: desk.approve(named, "bob"),
            lambda desk: desk.activate(named, "bob"),
        )
        return named

    @property
    def history(self) -> History:
        with contextlib.closing(_Closing(Record(Database(self.url), self.keys, clock=self.clock))) as opened:
            return opened.record.read_now(read_history)


@dataclass
class _Closing:
    record: Record

    def close(self) -> None:
        self.record.close_now()


@pytest.fixture
def store(database_url: str, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store on either database, with a good pack in the folder; trials run in this process."""

    async def try_here(exhibit: Exhibit, cache: Path | None = None) -> Trial:
        return try_out(exhibit, cache)

    monkeypatch.setattr(trying, "try_apart", try_here)
    monkeypatch.setattr("app.record.packs.publishing.try_apart", try_here)
    return Store(database_url, keys, write(tmp_path / "pack", version("1.0.0")))


@contextlib.contextmanager
def store_connection(store: Store) -> Iterator[Connection]:
    """A way past the record into its tables."""
    database = Database(store.url)
    try:
        with database.writing() as connection:
            yield connection
    finally:
        database.dispose()
