"""The folder's pack on its way into the store: in development mode whenever it changes, else where no pack is in force."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from app.engine.pack import Pack
from app.engine.problems import PackError, Place, Problem
from app.record.entries import NewEntry, Written
from app.record.ids import Ids
from app.record.packs.history import DEVELOPMENT, SEED, shortened
from app.record.packs.library import PackLibrary, Shelf, read_shelf, stored_content
from app.record.packs.publishing import checked, read_content, sound
from app.record.packs.standing import read_history
from app.record.packs.steps import Checked, Desk, PackContent, WrongState
from app.record.store.problems import RowRefused

ATTEMPTS = 8
"""Steps that seeding may take: three, and some for processes that start at the same time."""
Made = TypeVar("Made")


class Recording(Protocol):
    """What of the record is needed here."""

    async def write(self, entry: NewEntry, /) -> Written:
        """Put an entry on the record."""

    async def read(self, work: Callable[[Connection], Made], /) -> Made:
        """Read in a transaction."""


class Seeding:
    """Takes the steps that no person takes."""

    def __init__(
        self,
        folder: Path,
        library: PackLibrary,
        record: Recording,
        *,
        clock: Callable[[], datetime.datetime],
        ids: Ids,
    ) -> None:
        """
        Args:
            folder: holds `rules/` and `policies/`.
            library: builds packs.
            record: where steps are read and written.
            clock: the time.
            ids: for entries.
        """
        self._folder, self._library, self._record, self._clock, self._ids = folder, library, record, clock, ids
        self._loaded: PackContent | None = None
        self.since = ""
        """From when on the pack that was adopted last decides."""

    def load(self, folder: Path) -> Pack:
        """Read, check and build the folder's pack.

        Raises:
            PackError: it cannot be used.
        """
        content = read_content(folder)
        pack = self._library.build(content)
        self._library.keep(pack)
        self._loaded = content
        return pack

    async def adopt(self, pack: Pack) -> None:
        """Have the pack that was loaded last in the store, and on record that it decides from now on, before it does.

        Raises:
            StoreError: it is not on the record.
        """
        content = self._loaded
        if content is None or content.digest != pack.digest:
            raise AssertionError("loaded before")
        history = await self._record.read(read_history)
        followed = history.followed()
        if followed is not None and followed.digest == pack.digest:
            self.since = followed.since
            return
        if await self._record.read(lambda connection: stored_content(connection, pack.digest)) is None:
            await self._publish(Desk(history, self._clock(), self._ids), Checked(sound(content), pack.name, pack.version))
        entry = Desk(await self._record.read(read_history), self._clock(), self._ids).develop(pack.digest, DEVELOPMENT)
        await self._record.write(entry)
        self.since = str(entry.body["effective_at"])

    async def _publish(self, desk: Desk, pack: Checked) -> None:
        entry = desk.publish(pack, DEVELOPMENT, None)
        if entry is None:
            return
        try:
            await self._record.write(entry)
        except RowRefused:  # another process did it meanwhile, or nobody can
            if await self._record.read(lambda connection: stored_content(connection, pack.content.digest)) is None:
                raise

    async def seed(self) -> None:
        """Publish, approve and activate the folder's pack.

        Raises:
            PackError: it cannot be used, its own tests fail, or somebody rejected it.
            StoreError: it is not on the record.
        """
        content = await asyncio.to_thread(read_content, self._folder)
        pack, trial = await checked(content, today=self._clock().date(), cache=self._library.cache)
        if trial.failures:
            raise PackError(Problem(Place("policies/tests"), "tests", told) for told in trial.failures)
        for attempt in range(ATTEMPTS):
            try:
                if await self._step(pack):
                    return
            except (RowRefused, WrongState):  # another process that starts at the same time was first
                if attempt == ATTEMPTS - 1:
                    raise

    async def _step(self, pack: Checked) -> bool:
        """Take the next step; true when none is left to take."""
        digest, now = pack.content.digest, self._clock()
        shelf, stored = await self._record.read(lambda connection: (read_shelf(connection), stored_content(connection, digest)))
        desk = Desk(shelf.history, now, self._ids)
        if desk.active is not None:
            return True
        entry = _next(desk, shelf, pack, stored)
        await self._record.write(entry)
        return False


def _next(desk: Desk, shelf: Shelf, pack: Checked, stored: PackContent | None) -> NewEntry:
    digest = pack.content.digest
    verdict = shelf.history.verdict(digest)
    if verdict is not None and verdict.step == "rejected":
        told = f"{shortened(digest)} was rejected by `{verdict.by}`; another pack has to be approved and activated"
        raise PackError([Problem(Place(), "rejected", told)])
    if verdict is not None:
        return desk.activate(digest, SEED)
    if stored is not None:
        return desk.approve(digest, SEED)
    published = desk.publish(pack, SEED, stored)
    if published is None:
        raise AssertionError("not stored")
    return published
