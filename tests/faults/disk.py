"""A disk that loses power: SQLite's own file operations, watched, and what may stand on the disk when the current fails at any of them.

What was written since a file's last sync may be there, be missing, or be torn: each sector (512 bytes) has, by itself, the old or any newer
content. A sync makes the file's own earlier operations durable, its name with them, as SQLite syncs the folder of a file that it makes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
_SHARED = "-shm"
"""Memory that SQLite keeps in a file: rebuilt after a crash, never synced."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that were handed to the system."""

    file: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file was cut, or made longer."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """Everything before is on the disk."""

    file: str


@dataclass(frozen=True, slots=True)
class Delete:
    """A file was deleted; `durable` where its folder was synced at once."""

    file: str
    durable: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Something was told to somebody: it must not be lost from here on."""

    value: Any


Event = Write | Truncate | Sync | Delete | Mark
Files = dict[str, bytearray]


@dataclass
class Trace:
    """What was done to the files of one folder, in order."""

    events: list[Event] = field(default_factory=list)

    def watching(self, name: str) -> apsw.VFS:
        """A layer over the system's file layer that notes everything. Keep it as long as connections use it."""
        return _Watching(name, self.events.append)

    def mark(self, value: Any) -> None:
        """Note that something was told."""
        self.events.append(Mark(value))


class _Watching(apsw.VFS):
    def __init__(self, name: str, note: Callable[[Event], None]) -> None:
        self._note = note
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _WatchedFile(name, flags, self._note)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        super().xDelete(name, syncdir)
        self._note(Delete(Path(name).name, syncdir))


class _WatchedFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], note: Callable[[Event], None]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name, self._note = Path(path or "temporary").name, note
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._note(Write(self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._note(Truncate(self._name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        self._note(Sync(self._name))


class Disk:
    """The disk as the events go by: what is durable, and what is on its way there."""

    def __init__(self, found: Mapping[str, bytes], *, lying: bool = False) -> None:
        """
        Args:
            found: what it has from before.
            lying: syncs do nothing, as on a disk that says it has written what it has not.
        """
        self._lying = lying
        self._durable: Files = {name: bytearray(content) for name, content in found.items()}
        self._pending: list[Write | Truncate | Delete] = []

    def take(self, event: Event) -> None:
        """The next event."""
        if isinstance(event, Sync):
            if not self._lying:
                self._settle(event.file)
        elif isinstance(event, Delete) and event.durable and not self._lying:
            self._pending = [pending for pending in self._pending if pending.file != event.file]
            self._durable.pop(event.file, None)
        elif not isinstance(event, Mark) and not event.file.endswith(_SHARED):
            self._pending.append(event)

    def after_power_cut(self, dice: random.Random) -> Files:
        """What may be found when the current comes back: all, none, the first part or any sectors of what was on its way."""
        found = {name: bytearray(content) for name, content in self._durable.items()}
        kept = dice.choice((0.0, 0.0, 1.0, 0.5, 0.9, 0.1))
        pending = self._pending
        if dice.random() < 0.3:
            pending, kept = pending[: dice.randrange(len(pending) + 1)], 1.0
        for operation in pending:
            for part in _parts(operation):
                if dice.random() < kept:
                    _apply(found, part)
        return found

    def _settle(self, file: str) -> None:
        for operation in (pending for pending in self._pending if pending.file == file):
            _apply(self._durable, operation)
        self._pending = [pending for pending in self._pending if pending.file != file]


def power_cuts(
    found: Mapping[str, bytes], events: Sequence[Event], points: int, dice: random.Random, *, lying: bool = False
) -> Iterator[tuple[Sequence[Any], Files]]:
    """Power cuts, in the order of the events: what had been told by then, and what is on the disk when the current is back.

    Half of them in the middle of a sync, where most is at stake; the others anywhere.

    Args:
        found: what the disk had before.
        events: what was done then.
        points: how many power cuts.
        dice: says where, and what of the unsynced is left.
        lying: syncs do nothing.
    """
    syncs = [number for number, event in enumerate(events) if isinstance(event, Sync)]
    chosen = sorted(dice.choice(syncs) if dice.random() < 0.5 else dice.randrange(len(events) + 1) for _ in range(points))
    disk, at = Disk(found, lying=lying), 0
    told: list[Any] = []
    for point in chosen:
        for event in events[at:point]:
            disk.take(event)
            if isinstance(event, Mark):
                told.append(event.value)
        at = point
        yield told, disk.after_power_cut(dice)


def _parts(operation: Write | Truncate | Delete) -> Iterator[Write | Truncate | Delete]:
    """The sectors of a write, each of which reaches the disk or not; anything else happens as a whole."""
    if not isinstance(operation, Write):
        yield operation
        return
    start, end = operation.offset, operation.offset + len(operation.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Write(operation.file, start, operation.data[start - operation.offset : stop - operation.offset])
        start = stop


def _apply(files: Files, operation: Write | Truncate | Delete) -> None:
    if isinstance(operation, Delete):
        files.pop(operation.file, None)
        return
    content = files.setdefault(operation.file, bytearray())
    if isinstance(operation, Truncate):
        del content[operation.size :]
        content.extend(bytes(operation.size - len(content)))
        return
    content.extend(bytes(max(0, operation.offset - len(content))))
    content[operation.offset : operation.offset + len(operation.data)] = operation.data
