"""The first rows of an input, to see what its columns are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from app.campaign.input.files import Input, InputFile
from app.campaign.input.natives import plain
from app.campaign.problems import TableError
from app.campaign.rows import CsvTable, Lines, open_table

_ROWS = 1_000
_ENCODINGS = ("utf-8", "gb18030", "latin-1")
_START = 256 * 1024
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Sampled:
    """A column: its name, and the cells of the first rows as they are read."""

    name: str
    cells: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """The columns of an input, and how its text is written."""

    columns: tuple[Sampled, ...]
    encoding: str = "utf-8"
    delimiter: str = ","


def samples(source: Input, zone: str = "Asia/Shanghai") -> Sample:
    """The columns of the first file of an input.

    Args:
        source: a table.
        zone: of times, where there are any.

    Raises:
        TableError: it cannot be read, or is no table.
    """
    file = source.files[0]
    if source.kind == "ndjson":
        raise TableError(f"`{file.path}`: its lines are requests and need no mapping")
    return _of_parquet(file, ZoneInfo(zone)) if source.kind == "parquet" else _of_csv(file)


def _of_parquet(file: InputFile, zone: ZoneInfo) -> Sample:
    try:
        frame = pl.scan_parquet(file.path).head(_ROWS).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise TableError(f"`{file.path}` cannot be read as Parquet: {str(error).partition(chr(10))[0].lower()}") from None
    return Sample(tuple(_columns(frame, zone)))


def _columns(frame: pl.DataFrame, zone: ZoneInfo) -> Iterator[Sampled]:
    for name in frame.columns:
        try:
            yield Sampled(name, tuple(plain(frame.select(name), zone)[name].to_list()))
        except TableError:  # of a type that no cell can be: there is nothing to show of it
            yield Sampled(name, ())


def _of_csv(file: InputFile) -> Sample:
    with closing(open_table(file.path)) as opened:
        start = opened.read(_START)
    whole = start.rpartition(b"\n")[0] or start
    encoding = next(name for name in _ENCODINGS if _is_of(whole, name))
    delimiter = max(_DELIMITERS, key=whole.partition(b"\n")[0].decode(encoding).count)
    with closing(open_table(file.path)) as opened:
        table = CsvTable(file.path, Lines(opened), encoding=encoding, delimiter=delimiter)
        rows = [row.cells for row in islice(table, _ROWS) if row.wrong is None]
    return Sample(tuple(Sampled(name, _cells(rows, place)) for place, name in enumerate(table.header)), encoding, delimiter)


def _is_of(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _cells(rows: Sequence[Sequence[str]], place: int) -> tuple[str, ...]:
    return tuple(row[place] for row in rows)
