"""The pack that runs: the last good one from a folder that may change under it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from pathlib import Path

import structlog

from app.engine.pack import FOLDERS, Pack
from app.engine.problems import PackError

FOLLOW_SECONDS = 1.0
MOST_PROBLEMS = 20

_log = structlog.get_logger("wanliu.pack")
_Stamp = frozenset[tuple[str, int, int, int]]


class PackHolder:
    """Holds the pack that decides, and follows its folder: a changed pack takes over once it has been checked, a broken one does not."""

    def __init__(
        self,
        folder: Path,
        load: Callable[[Path], Pack],
        *,
        every: float = FOLLOW_SECONDS,
        adopt: Callable[[Pack], Awaitable[None]] | None = None,
    ) -> None:
        """Load the pack.

        Args:
            folder: holds `rules/` and `policies/`.
            load: reads, checks and compiles it.
            every: seconds between two looks at the folder.
            adopt: is awaited with a changed pack before it takes over; where it fails, the next look tries again.

        Raises:
            PackError: it cannot be used, and there is no other.
        """
        self._folder, self._load, self._every, self._adopt = folder, load, every, adopt
        self._seen = _stamp(folder)
        self.current = load(folder)
        self.problems: tuple[str, ...] = ()
        """What is wrong with the folder, while `current` goes on as it was; empty when the folder is what runs."""

    async def follow(self) -> None:
        """Look at the folder again and again, for ever: what fails once does not end it."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the folder may be mended
                _log.error("pack_not_looked_at", exc_info=error)

    async def look(self) -> None:
        """Load the folder's pack if a file changed, and let it take over if it is good."""
        stamp = await asyncio.to_thread(_stamp, self._folder)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            pack = await asyncio.to_thread(self._load, self._folder)
        except PackError as error:
            self._refuse(tuple(map(str, error.problems)))
        except Exception as error:  # noqa: BLE001 - whatever a pack does to its reader, the running one goes on
            _log.error("pack_failed", exc_info=error)
            self._refuse((f"the pack could not be read: {type(error).__name__}",))
        else:
            await self._adopted(pack)
            self._take_over(pack)

    async def _adopted(self, pack: Pack) -> None:
        if self._adopt is None:
            return
        seen, self._seen = self._seen, frozenset()
        await self._adopt(pack)
        self._seen = seen

    def _refuse(self, problems: tuple[str, ...]) -> None:
        self.problems = printable(problems)
        _log.warning("pack_refused", running=self.current.digest, problems=list(self.problems), more=len(problems) - len(self.problems))

    def _take_over(self, pack: Pack) -> None:
        self.current, self.problems = pack, ()
        _log.info("pack_running", name=pack.name, version=pack.version, digest=pack.digest)


def printable(problems: Iterable[str]) -> tuple[str, ...]:
    """The first problems, with `\\udcff` for each byte of a file's name that is no text: JSON and logs take text only."""
    return tuple(problem.encode(errors="backslashreplace").decode() for problem in islice(problems, MOST_PROBLEMS))


def _stamp(folder: Path) -> _Stamp:
    """What changes when a file of the pack does, or whether it may be read."""
    found: set[tuple[str, int, int, int]] = set()
    for path in (path for name in FOLDERS for path in (folder / name).rglob("*.[yY]*[mM][lL]")):
        try:
            state = path.stat()
        except OSError:  # gone between listing and looking: the next look tells
            continue
        found.add((str(path), state.st_mtime_ns, state.st_ctime_ns, state.st_size))
    return frozenset(found)
