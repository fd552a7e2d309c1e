"""The spool: while the store is down, entries wait in a folder, encrypted and synced, and the caller is answered.

None of them has an idempotency key: whether a request is a repeated one, the store alone can tell.

A process has a folder of its own in there and holds its lock. What a process left behind, the next one that starts takes over.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.record.entries import NewEntry, Written
from app.record.keys import Keys, KeysProblem
from app.record.privacy import Unreadable
from app.record.spool.folders import Folders
from app.record.spool.segments import REFUSED, Segment, entries_in, sync_folder
from app.record.spool.spooled import bytes_of, entry_of
from app.record.store.problems import RowRefused, StoreBusy, StoreError, StoreUnavailable

_LONGEST_QUEUE = 4_096
_LARGEST_FILE = 8_000_000
_log = structlog.get_logger("wanliu.record")


@dataclass(frozen=True, slots=True)
class Left:
    """A file of the spool and its entries; `damaged` is how many more it had that cannot be read."""

    path: Path
    entries: list[NewEntry]
    damaged: int


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """An entry on its way to the disk, and who waits for it."""

    entry_id: str
    content: bytes
    kept: asyncio.Future[Written]


class Spool:
    """A bounded folder of entries that wait for the store."""

    def __init__(self, folder: Path, keys: Keys, *, most_bytes: int) -> None:
        """
        Args:
            folder: made when it is not there; several processes may share it.
            keys: of this log.
            most_bytes: what this process may keep there.
        """
        self._folder, self._keys, self._most = folder, keys, most_bytes
        self._folders = Folders(folder)
        self._segment: Segment | None = None
        self._closed: deque[Path] = deque()
        self._sizes: dict[Path, int] = {}
        self._queue: deque[_Waiting] = deque()
        self._alone = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "record-spool")

    def open(self) -> None:
        """Make the folder, and take over what was left there.

        Raises:
            StoreUnavailable: it cannot be made, or what is in it not read.
        """
        try:
            for path in self._folders.open():
                self._take_over(path)
        except OSError as error:
            raise StoreUnavailable(f"the spool `{self._folder}` cannot be used: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the folder; what waits there is taken over by whoever opens it next."""
        self._thread.shutdown()
        with self._alone:
            self._end_segment()
        self._folders.close()

    @property
    def holds_any(self) -> bool:
        """Do entries wait here."""
        return bool(self._sizes)

    @property
    def bytes(self) -> int:
        """How much of the folder it fills."""
        return sum(list(self._sizes.values()))

    @property
    def has_room(self) -> bool:
        """Would it take an entry."""
        return self.bytes < self._most

    async def keep(self, entry: NewEntry, deadline: float) -> Written:
        """Keep an entry that has no idempotency key; it is on the disk when this returns.

        Raises:
            StoreBusy: too many are on their way to the disk.
            StoreUnavailable: the spool is full, or its disk fails.
            RowRefused: the store would refuse it.
        """
        try:
            content = bytes_of(entry)
        except (ValueError, TypeError) as error:
            raise RowRefused(f"the store does not take it: {type(error).__name__}") from None
        if len(self._queue) >= _LONGEST_QUEUE:
            raise StoreBusy("too many entries wait for the spool")
        waiting = _Waiting(entry.id, content, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        try:
            self._thread.submit(self._flush)
        except RuntimeError:
            raise StoreUnavailable("the store is not open") from None
        try:
            await asyncio.wait([waiting.kept], timeout=deadline)
            if waiting.kept.done():
                return waiting.kept.result()
        finally:
            waiting.kept.cancel()
        raise StoreUnavailable("the entry was not spooled in time")

    def oldest(self) -> Left | None:
        """What has waited longest; none when nothing waits. Nothing is added to that file from now on."""
        with self._alone:
            if not self._closed:
                self._end_segment()
            path = self._closed[0] if self._closed else None
        return None if path is None else self._read(path)

    def stored(self, left: Left, *, refused: Sequence[str]) -> None:
        """Forget a file whose entries are in the store. With some refused or damaged, it is renamed, for a person to see."""
        path = left.path
        if refused or left.damaged:
            kept = path.with_suffix(REFUSED)
            _log.error("spooled_entries_not_stored", refused=list(refused), damaged=left.damaged, file=str(kept))
            path.rename(kept)
        else:
            path.unlink()
        sync_folder(path.parent)
        with self._alone:
            self._closed.popleft()
            self._sizes.pop(path, None)

    def _flush(self) -> None:
        """Bring what waits to the disk, with one sync."""
        batch = [self._queue.popleft() for _ in range(len(self._queue))]
        with self._alone:
            outcomes = self._kept([waiting for waiting in batch if not waiting.kept.done()])
        for waiting, outcome in outcomes:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
                waiting.kept.get_loop().call_soon_threadsafe(_resolve, waiting.kept, outcome)

    def _kept(self, batch: Sequence[_Waiting]) -> list[tuple[_Waiting, Written | StoreError]]:
        """Write what fits."""
        room = self._most - sum(self._sizes.values())
        fitting: list[_Waiting] = []
        outcomes: list[tuple[_Waiting, Written | StoreError]] = []
        for waiting in batch:
            if len(waiting.content) > room:
                outcomes.append((waiting, StoreUnavailable("the spool is full")))
            else:
                room -= len(waiting.content)
                fitting.append(waiting)
        failed = self._written(fitting)
        return outcomes + [(waiting, failed or Written(waiting.entry_id)) for waiting in fitting]

    def _written(self, batch: Sequence[_Waiting]) -> StoreUnavailable | None:
        """Why the batch is not on the disk; none when it is."""
        if not batch:
            return None
        try:
            segment = self._segment = self._segment or Segment(self._folders.own, self._keys)
            segment.append([waiting.content for waiting in batch])
        except OSError as error:
            self._end_segment()
            return StoreUnavailable(f"the spool cannot be written: {error.strerror or error}")
        self._sizes[segment.path] = segment.size
        if segment.size > _LARGEST_FILE:
            self._end_segment()
        return None

    def _end_segment(self) -> None:
        if self._segment is not None:
            self._segment.close()
            if self._segment.path in self._sizes:
                self._closed.append(self._segment.path)
            self._segment = None

    def _take_over(self, path: Path) -> None:
        self._read(path)  # or the service does not start
        self._closed.append(path)
        self._sizes[path] = path.stat().st_size

    def _read(self, path: Path) -> Left:
        try:
            found = list(entries_in(path, self._keys))
            entries = [entry_of(content) for content in found if content is not None]
        except KeysProblem as error:
            raise StoreUnavailable(f"the spool file {path} cannot be read: {error}") from error
        except (Unreadable, ValueError, KeyError):
            return Left(path, [], 1)
        return Left(path, entries, len(found) - len(entries))


def _resolve(kept: asyncio.Future[Written], outcome: Written | StoreError) -> None:
    if kept.done():
        return
    if isinstance(outcome, StoreError):
        kept.set_exception(outcome)
    else:
        kept.set_result(outcome)
