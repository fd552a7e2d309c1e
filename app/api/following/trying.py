"""Trying a pack before it decides, and remembering which were no good."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.api.following.folder import printable
from app.engine.pack import Pack
from app.engine.problems import PackError
from app.record.packs.history import shortened
from app.record.packs.library import DamagedPack, PackLibrary
from app.record.packs.steps import UnknownPack
from app.workbench.trial import Exhibit, try_apart

RETRY_SECONDS = 60.0
"""After which a pack is tried again that could not be read, or whose trial came to no end."""
FOLDER = ""
"""Stands for the folder's pack, which has no digest before it is read."""


class NoGood(Exception):
    """A pack that does not take over: what is wrong with it, and whether that can change."""

    def __init__(self, problems: Iterable[str], *, lasting: bool) -> None:
        self.problems, self.lasting = tuple(problems), lasting
        super().__init__(*self.problems)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A pack that was refused: what is said of it, and when to try it again; none: never."""

    digest: str
    told: tuple[str, ...]
    again: datetime.datetime | None

    @property
    def wanted(self) -> str | None:
        """The digest that should decide; none for the folder's."""
        return self.digest or None


class Trials:
    """Tries packs of the store. What was refused for good is not tried again, the rest after a minute."""

    def __init__(self, library: PackLibrary, clock: Callable[[], datetime.datetime]) -> None:
        """
        Args:
            library: loads packs from the store.
            clock: the time.
        """
        self._library, self._clock = library, clock
        self._refused: dict[str, Refusal] = {}

    def refusal(self, digest: str) -> Refusal | None:
        """Why a pack was refused that is not to be tried again yet; none where it may be tried."""
        found = self._refused.get(digest)
        return found if found is not None and (found.again is None or self._clock() < found.again) else None

    def refuse(self, digest: str, why: NoGood) -> Refusal:
        """Remember that a pack is no good."""
        again = None if why.lasting else self._clock() + datetime.timedelta(seconds=RETRY_SECONDS)
        first = "no pack is in force, and the folder's is no good:"
        if digest != FOLDER:
            first = f"{shortened(digest)} is in force and not taken over:"
        self._refused[digest] = Refusal(digest, printable((first, *why.problems)), again)
        return self._refused[digest]

    async def good(self, digest: str) -> Pack:
        """The pack, checked, its own tests run in a process beside this one, and built.

        Raises:
            NoGood: something speaks against it.
            StoreError: the store cannot be read.
        """
        try:
            pack = await self._tried(digest)
        except (UnknownPack, DamagedPack) as error:
            raise NoGood([str(error)], lasting=False) from None
        except PackError as error:
            raise NoGood(map(str, error.problems), lasting=True) from None
        self._refused.pop(digest, None)
        return pack

    async def _tried(self, digest: str) -> Pack:
        content = await asyncio.to_thread(self._library.content, digest)
        trial = await try_apart(Exhibit(content.files, content.suites), self._library.cache)
        if trial.told:
            raise NoGood(trial.told, lasting=not trial.crash)
        return await asyncio.to_thread(self._library.get, digest)
