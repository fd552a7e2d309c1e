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

from app.api.following.folder import FOLLOW_SECONDS, PackHolder
from app.api.following.ledger import Ledger
from app.api.following.seeding import Recording, Seeding
from app.api.following.trying import FOLDER, NoGood, Refusal, Trials
from app.engine.pack import Pack
from app.engine.problems import PackError, Place, Problem
from app.record.ids import Ids
from app.record.packs.history import Step
from app.record.packs.library import PackLibrary
from app.record.packs.steps import Desk
from app.record.store.problems import StoreError

ATTEMPTS = 5
"""Looks at a store that does not answer, before the service does not start."""

Follows = Literal["folder", "store"]
_log = structlog.get_logger("wanliu.pack")


@dataclass(frozen=True, slots=True)
class Running:
    """The pack that decides, from when on it was to, and what said so."""

    pack: Pack
    since: str
    follows: Follows


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
        self._record, self._development, self._clock, self._ids, self._every = record, development, clock, ids, every
        self._seeding = Seeding(folder, library, record, clock=clock, ids=ids)
        self._folder = folder
        self._holder: PackHolder | None = None
        self._running: Running | None = None
        self._ledger = Ledger(record)
        self._trials = Trials(library, clock)
        self._following = True
        self._refusing: tuple[str, ...] = ()
        self.wanted: str | None = None
        """The digest that should decide where another one does."""

    @property
    def current(self) -> Pack:
        """The pack that decides."""
        return self.running.pack

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps it from being what it should be, and rows of the store that are not obeyed."""
        return (*self._refusing, *self._ledger.unfounded)

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
        self._refusing, self.wanted = self._holder.problems, None

    async def _look_at_store(self) -> None:
        await self._ledger.look()
        self._holder = None
        line = self._ledger.line(self._clock())
        if not line and self._ledger.unfounded:
            self._stay()
        elif not line:
            await self._seed()
        else:
            await self._take_over(line)

    def _stay(self) -> None:
        """The store has steps, and none that stands puts a pack in force: that is no store to seed. What runs goes on.

        Raises:
            PackError: nothing runs.
        """
        if self._running is None:
            raise PackError(Problem(Place(), "in-force", problem) for problem in self._ledger.unfounded)

    async def _seed(self) -> None:
        """Put the folder's pack in force; where it is no good, what runs goes on."""
        refusal = self._trials.refusal(FOLDER) or await self._seeded()
        if refusal is not None:
            self._go_on(refusal)
            return
        await self._ledger.read()
        line = self._ledger.line(self._clock())
        await self._take_over(line)

    async def _seeded(self) -> Refusal | None:
        """Seed; or why that cannot be, while something runs.

        Raises:
            PackError: the folder's pack is no good, and nothing runs.
        """
        try:
            await self._seeding.seed()
        except PackError as error:
            if self._running is None:
                raise
            return self._refused(FOLDER, NoGood(map(str, error.problems), lasting=False))
        return None

    async def _take_over(self, line: Sequence[Step]) -> None:
        """Let the newest pack decide of those that were put in force and are good; where none is, what runs goes on."""
        refused: Refusal | None = None
        for step in reversed(line):
            found = await self._pass_on(step)
            refused = refused or found
            if found is None:
                break
        if refused is not None:
            self._go_on(refused)

    async def _pass_on(self, step: Step) -> Refusal | None:
        """Let the step's pack decide, unless it does already; or why it is no good."""
        running = self._running
        found = running.pack if running is not None and running.pack.digest == step.digest else await self._tried(step.digest)
        if isinstance(found, Refusal):
            await self._put_on_record(step, found)
            return found
        self._running, self._refusing, self.wanted = Running(found, step.since, "store"), (), None
        return None

    async def _tried(self, digest: str) -> Pack | Refusal:
        """The pack; or why it does not take over, now or a short while ago."""
        before = self._trials.refusal(digest)
        if before is not None:
            return before
        try:
            pack = await self._trials.good(digest)
        except NoGood as why:
            return self._refused(digest, why)
        _log.info("pack_running", name=pack.name, version=pack.version, digest=pack.digest)
        return pack

    def _refused(self, digest: str, why: NoGood) -> Refusal:
        refusal = self._trials.refuse(digest, why)
        running = self._running.pack.digest if self._running is not None else None
        _log.warning("pack_refused", running=running, wanted=refusal.wanted, problems=list(refusal.told[1:]))
        return refusal

    def _go_on(self, refusal: Refusal) -> None:
        """Leave what runs as it is, and say why."""
        self._refusing, self.wanted = refusal.told, refusal.wanted

    async def _put_on_record(self, activation: Step, refusal: Refusal) -> None:
        """Have it on record that the pack could not take over, where that will not change. While the store takes nothing, later."""
        if refusal.again is not None or self._ledger.history.is_refused(activation):
            return
        try:
            await self._record.write(Desk(self._ledger.history, self._clock(), self._ids).refuse(activation, refusal.told[1:]))
        except StoreError as error:
            _log.warning("refusal_not_recorded", pack=activation.digest, why=str(error))
