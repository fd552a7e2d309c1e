"""The pack that every worker decides with: the one in force in the store or, in development mode, that of a folder.

What the store says is looked at again and again. A pack takes over when it has been checked, its own tests were run in a process beside
this one, and it was built; until then, and where any of that fails, the last good one goes on. Nothing is started again for that.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from app.api.packs import FOLLOW_SECONDS, PackHolder, printable
from app.api.seeding import Recording, Seeding
from app.engine.pack import Pack
from app.engine.problems import PackError, Place, Problem
from app.record.ids import Ids
from app.record.packs.history import History, Step, shortened
from app.record.packs.library import DamagedPack, PackLibrary, read_history, steps_mark
from app.record.packs.steps import UnknownPack
from app.record.store.database import stamp
from app.record.store.problems import StoreError
from app.workbench.trial import Exhibit, try_apart

ATTEMPTS = 5
"""Looks at a store that does not answer, before the service does not start."""
RETRY_SECONDS = 60.0
"""After which a pack is tried again that could not be read, or whose trial came to no end."""

Follows = Literal["folder", "store"]
_log = structlog.get_logger("wanliu.pack")


@dataclass(frozen=True, slots=True)
class Running:
    """The pack that decides, from when on it was to, and what said so."""

    pack: Pack
    since: str
    follows: Follows


class Refused(Exception):
    """A pack that does not take over: what is wrong with it, and whether that can change."""

    def __init__(self, problems: Sequence[str], *, lasting: bool) -> None:
        super().__init__(*problems)
        self.problems, self.lasting = tuple(problems), lasting


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is said of a pack that was refused, and when to try it again; none: never."""

    told: tuple[str, ...]
    again: datetime.datetime | None


class FollowedPacks:
    """Follows what is in force. `current` is what decides; `problems` what keeps it from being what it should be."""

    def __init__(
        self,
        folder: Path,
        library: PackLibrary,
        record: Recording,
        *,
        development: Callable[[], bool],
        clock: Callable[[], datetime.datetime],
        ids: Ids,
        every: float = FOLLOW_SECONDS,
    ) -> None:
        """
        Args:
            folder: the pack of development mode, and of a store that has none in force.
            library: loads packs from the store.
            record: where steps are read and written.
            development: is this development mode, at this time?
            clock: the time.
            ids: for entries.
            every: seconds between two looks.
        """
        self.library = library
        self.checking = asyncio.Semaphore(1)
        """Checking a pack that is published takes a processor for a while: one at a time."""
        self._record, self._development, self._clock, self._every = record, development, clock, every
        self._seeding = Seeding(folder, library, record, clock=clock, ids=ids)
        self._folder = folder
        self._holder: PackHolder | None = None
        self._running: Running | None = None
        self._history, self._mark = History(), (-1, "")
        self._refused: dict[str, Refusal] = {}
        self._following = True
        self.problems: tuple[str, ...] = ()
        self.wanted: str | None = None
        """The digest that should decide where another one does."""

    @property
    def current(self) -> Pack:
        """The pack that decides."""
        return self.running.pack

    @property
    def running(self) -> Running:
        """The pack that decides, since when and why."""
        if self._running is None:
            raise AssertionError("opened before")
        return self._running

    async def open(self) -> None:
        """Find a pack to decide with.

        Raises:
            PackError: there is none that can be used.
            StoreError: the store cannot be read.
        """
        for attempt in range(ATTEMPTS):
            try:
                await self.look()
                break
            except StoreError:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(self._every)
        if self._running is None:
            raise PackError(Problem(Place(), "in-force", problem) for problem in self.problems)

    async def follow(self) -> None:
        """Look again and again, for ever: what fails once does not end it."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
                self._following = True
            except StoreError as error:
                if self._following:
                    _log.warning("packs_not_followed", why=str(error))
                self._following = False
            except Exception as error:  # noqa: BLE001 - the next look may go well
                _log.error("packs_not_looked_at", exc_info=error)

    async def look(self) -> None:
        """See what should decide at this time, and let it take over if it is another one and good."""
        if self._development():
            await self._look_at_folder()
        else:
            await self._look_at_store()

    async def _look_at_folder(self) -> None:
        if self._holder is None:
            holder = await asyncio.to_thread(PackHolder, self._folder, self._seeding.load, adopt=self._seeding.adopt)
            await self._seeding.adopt(holder.current)
            self._holder = holder
        await self._holder.look()
        self._running = Running(self._holder.current, self._seeding.since, "folder")
        self.problems, self.wanted = self._holder.problems, None

    async def _look_at_store(self) -> None:
        mark = await self._record.read(steps_mark)
        if mark != self._mark:
            self._history, self._mark = await self._record.read(read_history), mark
        self._holder = None
        line = self._history.line(stamp(self._clock()))
        if not line:
            await self._seed()
        elif self._running is None:
            await self._begin(line)
        else:
            await self._pass_on(line[-1])

    async def _seed(self) -> None:
        """Put the folder's pack in force; where it is no good, what runs goes on."""
        if self._waits(""):
            return
        try:
            await self._seeding.seed()
        except PackError as error:
            if self._running is None:
                raise
            self._refuse("", Refused(tuple(map(str, error.problems)), lasting=False))
            return
        self._history, self._mark = await self._record.read(read_history), (-1, "")
        line = self._history.line(stamp(self._clock()))
        if line:
            await self._pass_on(line[-1])

    async def _begin(self, line: Sequence[Step]) -> None:
        """With nothing to go on: the newest pack of those that were in force and are still good."""
        told: tuple[str, ...] = ()
        for step in reversed(line):
            await self._pass_on(step)
            told = told or self.problems
            if self._running is not None:
                break
        if self._running is not None and self._running.pack.digest != line[-1].digest:
            self.problems, self.wanted = told, line[-1].digest

    async def _pass_on(self, step: Step) -> None:
        """Let the step's pack decide, unless it does already or is no good."""
        running, pack = self._running, None
        if running is not None and running.pack.digest == step.digest:
            pack = running.pack
        elif not self._waits(step.digest):
            pack = await self._tried(step.digest)
        if pack is not None:
            self._running, self.problems, self.wanted = Running(pack, step.since, "store"), (), None

    async def _tried(self, digest: str) -> Pack | None:
        """The pack, when nothing speaks against it; else it is refused."""
        try:
            pack = await self._good(digest)
        except Refused as refused:
            self._refuse(digest, refused)
            return None
        self._refused.pop(digest, None)
        _log.info("pack_running", name=pack.name, version=pack.version, digest=pack.digest)
        return pack

    async def _good(self, digest: str) -> Pack:
        """The pack, checked and built.

        Raises:
            Refused: it is not good.
        """
        try:
            content = await asyncio.to_thread(self.library.content, digest)
            trial = await try_apart(Exhibit(content.files, content.suites), self.library.cache)
            if trial.told:
                raise Refused(trial.told, lasting=not trial.crash)
            return await asyncio.to_thread(self.library.get, digest)
        except (UnknownPack, DamagedPack) as error:
            raise Refused([str(error)], lasting=False) from None
        except PackError as error:
            raise Refused(tuple(map(str, error.problems)), lasting=True) from None

    def _refuse(self, digest: str, refused: Refused) -> None:
        again = None if refused.lasting else self._clock() + datetime.timedelta(seconds=RETRY_SECONDS)
        first = f"{shortened(digest)} is in force and not taken over:" if digest else "no pack is in force, and the folder's is no good:"
        told = printable((first, *refused.problems))
        self._refused[digest] = Refusal(told, again)
        self.problems, self.wanted = told, digest or None
        running = self._running.pack.digest if self._running is not None else None
        _log.warning("pack_refused", running=running, wanted=digest or None, problems=list(told[1:]))

    def _waits(self, digest: str) -> bool:
        """Was the pack refused, and is not to be tried again yet? Then that is what is said."""
        refusal = self._refused.get(digest)
        if refusal is None or (refusal.again is not None and self._clock() >= refusal.again):
            return False
        self.problems, self.wanted = refusal.told, digest or None
        return True
