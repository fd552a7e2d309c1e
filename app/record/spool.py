"""The spool: while the store is down, entries wait in a folder, encrypted and synced, and the caller is answered.

A process has a folder of its own in there and holds its lock. What a process left behind, the next one that starts takes over.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.record.entries import Idempotency, NewEntry, Written
from app.record.keys import Keys, KeysProblem
from app.record.privacy import Unreadable
from app.record.problems import KeyReused, RowRefused, StoreBusy, StoreError, StoreUnavailable
from app.record.segments import SUFFIX, Segment, entries_in, sync_folder
from app.record.spooled import bytes_of, entry_of

_LONGEST_QUEUE = 4_096
_LARGEST_FILE = 8_000_000
_LOCK = "lock"
_REFUSED = ".refused"
_log = structlog.get_logger("wanliu.record")


@dataclass(frozen=True, slots=True)
class Left:
    """A file of the spool and its entries; `damaged` is how many more it had that cannot be read."""

    path: Path
    entries: list[NewEntry]
    damaged: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An entry on its way to the disk, and who waits for it."""

    entry: NewEntry
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
        self._own = folder / secrets.token_hex(8)
        self._locks: dict[Path, int] = {}
        self._segment: Segment | None = None
        self._closed: deque[Path] = deque()
        self._sizes: dict[Path, int] = {}
        self._keys_used: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._queue: deque[_Waiting] = deque()
        self._alone = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "record-spool")

    def open(self) -> None:
        """Make the folder, and take over what was left there.

        Raises:
            StoreUnavailable: it cannot be made.
        """
        try:
            self._own.mkdir(parents=True, mode=0o700)
            self._locked(self._own)
            for left in sorted(self._folder.iterdir()):
                if left != self._own and left.is_dir() and self._locked(left):
                    self._take_over(left)
        except OSError as error:
            raise StoreUnavailable(f"the spool `{self._folder}` cannot be used: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the folder; what waits there is taken over by whoever opens it next."""
        self._thread.shutdown()
        with self._alone:
            self._end_segment()
        for folder, lock in self._locks.items():
            if not any(folder.glob(f"*{SUFFIX}*")):
                with contextlib.suppress(OSError):
                    (folder / _LOCK).unlink()
                    folder.rmdir()
            os.close(lock)
        self._locks.clear()

    @property
    def holds_any(self) -> bool:
        """Do entries wait here."""
        return bool(self._sizes)

    @property
    def has_room(self) -> bool:
        """Would it take an entry."""
        return sum(self._sizes.values()) < self._most

    async def keep(self, entry: NewEntry, deadline: float) -> Written:
        """Keep an entry; it is on the disk when this returns.

        Raises:
            StoreBusy: too many are on their way to the disk.
            StoreUnavailable: the spool is full, or its disk fails.
            RowRefused, KeyReused: as the store would.
        """
        try:
            content = bytes_of(entry)
        except (ValueError, TypeError) as error:
            raise RowRefused(f"the store does not take it: {type(error).__name__}") from None
        if len(self._queue) >= _LONGEST_QUEUE:
            raise StoreBusy("too many entries wait for the spool")
        waiting = _Waiting(entry, content, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._thread.submit(self._flush)
        try:
            await asyncio.wait([waiting.kept], timeout=deadline)
            if waiting.kept.done():
                return waiting.kept.result()
        finally:
            waiting.kept.cancel()
        raise StoreUnavailable("the entry was not spooled in time")

    def outcome(self, asked: Idempotency | None) -> Written | KeyReused | None:
        """What becomes of a request whose key an entry that waits here has; none where the key is new."""
        holder = None if asked is None else self._keys_used.get((asked.caller, asked.key))
        if asked is None or holder is None:
            return None
        if holder[0] != asked.body_hash:
            return KeyReused("the idempotency key was used before, for another request; use a new key for a new request")
        return Written(holder[1], repeated=True)

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
            kept = path.with_suffix(_REFUSED)
            _log.error("spooled_entries_not_stored", refused=list(refused), damaged=left.damaged, file=str(kept))
            path.rename(kept)
        else:
            path.unlink()
        sync_folder(path.parent)
        with self._alone:
            self._closed.popleft()
            self._sizes.pop(path, None)
            self._forget(left.entries)

    def _flush(self) -> None:
        """Bring what waits to the disk, with one sync."""
        batch = [self._queue.popleft() for _ in range(len(self._queue))]
        with self._alone:
            outcomes = self._kept([waiting for waiting in batch if not waiting.kept.done()])
        for waiting, outcome in outcomes:
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
                waiting.kept.get_loop().call_soon_threadsafe(_resolve, waiting.kept, outcome)

    def _kept(self, batch: Sequence[_Waiting]) -> list[tuple[_Waiting, Written | StoreError]]:
        outcomes: list[tuple[_Waiting, Written | StoreError]] = []
        taken: list[_Waiting] = []
        room = self._most - sum(self._sizes.values())
        for waiting in batch:
            asked = waiting.entry.idempotency
            known: Written | StoreError | None = self.outcome(asked)
            if known is None and len(waiting.content) > room:
                known = StoreUnavailable("the spool is full")
            if known is not None:
                outcomes.append((waiting, known))
                continue
            room -= len(waiting.content)
            taken.append(waiting)
            self._note(waiting.entry)
        return outcomes + self._written(taken)

    def _written(self, batch: Sequence[_Waiting]) -> list[tuple[_Waiting, Written | StoreError]]:
        if not batch:
            return []
        try:
            segment = self._segment = self._segment or Segment(self._own, self._keys)
            segment.append([waiting.content for waiting in batch])
            self._sizes[segment.path] = segment.size
            if segment.size > _LARGEST_FILE:
                self._end_segment()
        except OSError as error:
            self._forget([waiting.entry for waiting in batch])
            self._end_segment()
            failed = StoreUnavailable(f"the spool cannot be written: {error.strerror or error}")
            return [(waiting, failed) for waiting in batch]
        return [(waiting, Written(waiting.entry.id)) for waiting in batch]

    def _end_segment(self) -> None:
        if self._segment is not None:
            self._segment.close()
            if self._segment.path in self._sizes:
                self._closed.append(self._segment.path)
            self._segment = None

    def _note(self, entry: NewEntry) -> None:
        if entry.idempotency is not None:
            self._keys_used[entry.idempotency.caller, entry.idempotency.key] = entry.idempotency.body_hash, entry.id

    def _forget(self, entries: Sequence[NewEntry]) -> None:
        for entry in entries:
            if entry.idempotency is not None:
                self._keys_used.pop((entry.idempotency.caller, entry.idempotency.key), None)

    def _locked(self, folder: Path) -> bool:
        """Hold a folder's lock; false where another process does."""
        opened = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(opened)
            return False
        self._locks[folder] = opened
        return True

    def _take_over(self, folder: Path) -> None:
        for path in sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime_ns):
            self._closed.append(path)
            self._sizes[path] = path.stat().st_size
            for entry in self._read(path).entries:
                self._note(entry)

    def _read(self, path: Path) -> Left:
        try:
            found = list(entries_in(path, self._keys))
            entries = [entry_of(content) for content in found if content is not None]
            return Left(path, entries, len(found) - len(entries))
        except (KeysProblem, Unreadable, ValueError, KeyError) as error:
            raise StoreUnavailable(f"the spool file {path} cannot be read: {error}") from error


def _resolve(kept: asyncio.Future[Written], outcome: Written | StoreError) -> None:
    if kept.done():
        return
    if isinstance(outcome, StoreError):
        kept.set_exception(outcome)
    else:
        kept.set_result(outcome)
