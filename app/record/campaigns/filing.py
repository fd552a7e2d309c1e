"""A part of a campaign on its way to the record: its rows sealed, and written as a file that no entry names yet."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.engine.vocabulary.choices import Choice
from app.record.campaigns.files import CampaignFolder
from app.record.campaigns.model import ChunkRows
from app.record.campaigns.sealing import Sealed, sealed_rows
from app.record.campaigns.subjects import Known
from app.record.log.merkle import root_of


@dataclass(frozen=True, slots=True)
class Filed:
    """A part whose file is on the disk; the record does not have it before its entry does.

    Attributes:
        number: of the part, from 1.
        first_row: of the input.
        last_row: of the input.
        rows: numbers of those that were decided, lowest first.
        choices: as in `ChunkRows`.
        counts: as in `ChunkRows`.
        root: the root over the leaves of its decisions, in hexadecimal digits.
        file: SHA-256 of the file.
    """

    number: int
    first_row: int
    last_row: int
    rows: Sequence[int]
    choices: Mapping[int, tuple[Choice, ...]]
    counts: Sequence[tuple[str, str, int]]
    root: str
    file: str


@dataclass(frozen=True, slots=True)
class Filing:
    """Where the files of a campaign go, and what all of their rows say. What it does may be done in another process than the campaign's.

    Attributes:
        root: the folder of all campaigns.
        campaign: the campaign's id.
        at: when it was opened, as the store writes times.
    """

    root: Path
    campaign: str
    at: str

    def seal(self, given: ChunkRows, subjects: Sequence[Known]) -> Sealed:
        """The rows of a part as they are kept.

        Args:
            given: what was decided.
            subjects: whom each of its rows is about.

        Raises:
            NotCanonical: there is no canonical JSON of a case.
        """
        with without_collecting():
            return sealed_rows(self.campaign, self.at, given, subjects)

    def write(self, number: int, given: ChunkRows, sealed: Sealed) -> Filed:
        """Write the file of a part, which is on the disk when this returns.

        Args:
            number: of the part.
            given: what was decided.
            sealed: its rows.

        Raises:
            OSError: the disk does not take it.
        """
        file = CampaignFolder(self.root, self.campaign).write(number, sealed.frame)
        rows, root = list(given.rows), root_of(sealed.leaves).hex()
        return Filed(number, given.first_row, given.last_row, rows, given.choices, given.counts, root, file)


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """Without Python's look for cycles, which among a part's hundred thousands of values costs a fifth of the time and finds none."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
