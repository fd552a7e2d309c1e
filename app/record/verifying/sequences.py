"""Every writer counts its entries from 1 without a gap: what was taken away before it was sealed leaves one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.record.verifying.verdict import Finding

_MOST_GAPS = 1_000


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a writer, `first` to `last`, that were not there when the entry at `leaf` came after the one at `after`."""

    writer: str
    first: int
    last: int
    after: int
    leaf: int | None

    @property
    def count(self) -> int:
        """How many numbers are missing."""
        return self.last - self.first + 1


class Sequences:
    """The numbers of all writers, in the order of the log, which is that of the numbers but for neighbours."""

    def __init__(self, *, from_start: bool) -> None:
        """
        Args:
            from_start: the log is read from its first leaf, so that every writer begins with 1.
        """
        self._from_start = from_start
        self._first: dict[str, int] = {}
        self._last: dict[str, tuple[int, int]] = {}
        self._gaps: dict[str, list[Gap]] = {}
        self._forgotten: set[str] = set()
        self._count = 0

    def __len__(self) -> int:
        return len(self._last)

    def see(self, writer: str, number: int, leaf: int | None) -> bool:
        """Note a number; false where the writer has used it before."""
        if writer not in self._last:
            begin = 1 if self._from_start else number
            self._first[writer], self._last[writer] = begin, (begin - 1, leaf or 0)
        last, after = self._last[writer]
        if number <= last:
            return number < self._first[writer] if not self._from_start else self._fill(writer, number)
        if number > last + 1:
            self._open(Gap(writer, last + 1, number - 1, after, leaf))
        self._last[writer] = number, after if leaf is None else leaf
        return True

    def last_of(self, writer: str) -> int | None:
        """The highest number of a writer; none where nothing of it was seen."""
        return self._last[writer][0] if writer in self._last else None

    def missing(self, explained: Callable[[Gap], bool]) -> Iterator[Finding]:
        """Each gap that nothing explains."""
        for gap in (gap for gaps in self._gaps.values() for gap in gaps if not explained(gap)):
            numbers = f"number {gap.first}" if gap.count == 1 else f"numbers {gap.first} to {gap.last}"
            told = f"{numbers} of the writer {gap.writer} are missing before this one: taken away before they were sealed"
            yield Finding("sequence", told if gap.count > 1 else told.replace("are", "is").replace("they were", "it was"), gap.leaf)

    def _open(self, gap: Gap) -> None:
        """Remember a gap; where too many are open already, that there are more."""
        if self._count < _MOST_GAPS:
            self._gaps.setdefault(gap.writer, []).append(gap)
            self._count += 1
        else:
            self._forgotten.add(gap.writer)

    def _fill(self, writer: str, number: int) -> bool:
        """Take a number out of the gap it is missing from; true also where that may be one that was not remembered."""
        for gap in self._gaps.get(writer, ()):
            if gap.first <= number <= gap.last:
                parts = (Gap(writer, gap.first, number - 1, gap.after, gap.leaf), Gap(writer, number + 1, gap.last, gap.after, gap.leaf))
                left = [part for part in parts if part.count]
                self._gaps[writer].remove(gap)
                self._gaps[writer].extend(left)
                self._count += len(left) - 1
                return True
        return writer in self._forgotten
