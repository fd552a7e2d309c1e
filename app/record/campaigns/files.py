"""Files of campaigns: a folder for each, a Parquet file for each part, there as a whole or not at all.

A file is named for its number and its hash, so that nobody writes over one that the record names.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import polars as pl

from app.record.campaigns.model import PLAIN
from app.record.campaigns.problems import CampaignBusy
from app.record.damage import DamagedEntry

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SCHEMA = pl.Schema(
    {
        "row": pl.Int64(),
        "id": pl.String(),
        "subject": pl.String(),
        **PLAIN,
        "envelope": pl.Binary(),
        "private": pl.Binary(),
        "leaf": pl.Binary(),
    }
)
"""`row` and `id` of the decision, `subject` the token of whom it is about, what it is searched by, the envelope (canonical JSON, codes
only), what only the subject's key opens, and the hash of its leaf."""
HELD_SCHEMA = pl.Schema(
    {"row": pl.Int64(), "rank": pl.UInt8(), "action": pl.String(), "day": pl.UInt8(), "cause": pl.String(), "limit": pl.String()}
)
"""What limits over everybody made of each action on a list: the `day` of the run on which it goes out, from 1, or the `cause` and the
`limit` that hold it. By row and rank; nothing of a person."""
_GROUP = 2_048
"""Rows that are read together where one is wanted."""
_SLICE = 4 * _GROUP
_LEVEL = 1
_MOST_SEEN = 4_096
"""Files of which it is kept in mind that they are what was written."""
_LOCK = "lock"
_UNFINISHED = ".part"


def name_of(number: int, file: str) -> str:
    """The name of a part's file.

    Args:
        number: of the part.
        file: SHA-256 of the file, `sha256:` and 64 digits.
    """
    return f"{number:06}-{file.removeprefix('sha256:')[:16]}.parquet"


def held_name_of(file: str) -> str:
    """The name of the file with what limits made of a campaign.

    Args:
        file: its SHA-256, `sha256:` and 64 digits.
    """
    return f"held-{file.removeprefix('sha256:')[:16]}.parquet"


class CampaignFolder:
    """The folder of one campaign. Who writes to it holds its lock."""

    def __init__(self, root: Path, campaign: str) -> None:
        """
        Args:
            root: the folder of all campaigns.
            campaign: the campaign's id.
        """
        self.place = root / campaign
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folder, and hold it until `close`; the lock goes with the process, however that ends.

        Raises:
            CampaignBusy: another process does.
            OSError: it cannot be made.
        """
        self.place.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.place.parent, self.place.parent.parent):
            _sync(folder)
        lock = os.open(self.place / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise CampaignBusy("another process is at work on this campaign; wait for it, or end it") from None
        self._lock = lock

    def close(self) -> None:
        """Let go of the folder."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def clear(self, known: set[str]) -> None:
        """Remove files that were written and never put on the record.

        Args:
            known: names of those that were.
        """
        for path in self.place.iterdir():
            if path.suffix in (".parquet", _UNFINISHED) and path.name not in known:
                path.unlink()

    def write(self, number: int, frame: pl.DataFrame) -> str:
        """Write a part's file; it is on the disk when this returns its SHA-256.

        Raises:
            OSError: the disk does not take it.
        """
        return self._keep(frame, partial(name_of, number))

    def write_held(self, frame: pl.DataFrame) -> str:
        """As `write`, what limits made of the campaign: the columns of `HELD_SCHEMA`.

        Raises:
            OSError: the disk does not take it.
        """
        return self._keep(frame, held_name_of)

    def _keep(self, frame: pl.DataFrame, named: Callable[[str], str]) -> str:
        unfinished = (self.place / named("")).with_suffix(_UNFINISHED)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            file = _written(frame, opened)
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.rename(self.place / named(file))
        _sync(self.place)
        return file


class _Hashed(io.RawIOBase):
    """A file that is being written, and the hash of what went into it."""

    def __init__(self, into: IO[bytes]) -> None:
        self._into, self.total = into, sha256()

    def write(self, content: ReadableBuffer) -> int:
        self.total.update(content)
        return self._into.write(content)


def held_digest(frame: pl.DataFrame) -> str:
    """SHA-256 that the file with what limits made of a campaign has, or would have."""
    return _written(frame, io.BytesIO())


_TRY = "import polars, sys; polars.read_parquet(sys.argv[1], glob=False)"


def digest_of_file(path: Path) -> str:
    """SHA-256 of a part's file.

    Raises:
        DamagedEntry: it cannot be read.
    """
    try:
        with path.open("rb") as opened:
            total = sha256()
            while part := opened.read(1 << 20):
                total.update(part)
    except OSError as error:
        raise DamagedEntry(f"{path.name}: the file of a part of a campaign cannot be read: {error.strerror}") from None
    return f"sha256:{total.hexdigest()}"


def is_readable(path: Path) -> bool:
    """Can a file that was changed be read at all? A child process tries: over some, what reads the format ends its process."""
    tried = subprocess.run([sys.executable, "-c", _TRY, str(path)], capture_output=True, check=False)
    return tried.returncode == 0


def read_columns(
    path: Path, file: str, columns: list[str], rows: list[int] | None = None, schema: Mapping[str, pl.DataType] = SCHEMA
) -> pl.DataFrame:
    """Columns of a part's file, in the order of its rows. A file that was changed is not looked into.

    Args:
        path: of the file.
        file: its SHA-256, as the part's entry says it.
        columns: names of the schema.
        rows: numbers of the rows; left out, all.
        schema: of the file, that of a part's left out.

    Raises:
        DamagedEntry: the file is missing, or is not what was written.
    """
    with _told(path):
        stat = path.stat()
        if _digest(path, stat.st_ino, stat.st_size, stat.st_mtime_ns) != file:
            raise DamagedEntry(f"{path.name}: the file of a part of a campaign is not the one that was recorded")
        return _read(path, columns, rows, schema)


@lru_cache(maxsize=_MOST_SEEN)
def _digest(path: Path, _inode: int, _size: int, _changed: int) -> str:
    """SHA-256 of a file as it was when it had this size and was changed then: it is read once."""
    return digest_of_file(path)


def slices(path: Path) -> Iterator[pl.DataFrame]:
    """All rows of a part's file, in their order, some thousands at a time, whatever became of it: for those who have checked it.

    Raises:
        DamagedEntry: the file is missing, or is malformed.
    """
    with _told(path):
        rows = _read(path, ["row"]).height
    for start in range(0, rows, _SLICE):
        with _told(path):
            yield pl.scan_parquet(path, glob=False).slice(start, _SLICE).collect()


def _read(path: Path, columns: list[str], rows: list[int] | None = None, schema: Mapping[str, pl.DataType] = SCHEMA) -> pl.DataFrame:
    found = pl.scan_parquet(path, glob=False)
    if found.collect_schema() != schema:
        raise DamagedEntry(f"{path.name}: the file of a part of a campaign has other columns than were written")
    if rows is not None:
        found = found.filter(pl.col("row").is_in(rows))
    return found.select(columns).collect()


def _written(frame: pl.DataFrame, into: IO[bytes]) -> str:
    """Write a frame; SHA-256 of what was written."""
    hashed = _Hashed(into)
    frame.write_parquet(cast("IO[bytes]", hashed), compression="zstd", compression_level=_LEVEL, row_group_size=_GROUP, statistics=True)
    return f"sha256:{hashed.total.hexdigest()}"


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong with a file, without what stands in it."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DamagedEntry(f"{path.name}: the file of a part of a campaign cannot be read: {type(error).__name__}") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what the reader of Parquet does with bytes that it never expected
            raise
        raise DamagedEntry(f"{path.name}: the file of a part of a campaign is malformed") from None


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
