"""Files read in stretches of rows: a part of a file at a time, with the cells as columns."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from app.campaign.input.files import InputFile
from app.campaign.input.natives import plain
from app.campaign.problems import TableError
from app.campaign.rows import CsvTable, Lines, Row, open_table

if TYPE_CHECKING:
    from app.campaign.mapping import ColumnMapping

_READ_AT_ONCE = 100_000
"""Rows of Parquet that are read together: fewer take longer, since pages are read again, and more take more memory."""
_LONGEST_PLAIN = 100_000
_SINGLE_BYTE = ("utf-8", "latin-1")
"""Encodings in which no byte of a delimiter is a part of another character; the others have one such, for `|`."""


@dataclass(frozen=True)
class Stretch:
    """Some rows of a file.

    Attributes:
        file: which.
        frame: the cells of the rows that could be read.
        numbers: of those rows in the file, from 1.
        lines: on which they begin; none in a file without lines.
        unread: rows that could not be read, by number.
        read: rows of the file up to the end of the stretch.
        consumed: bytes of the file up to there.
    """

    file: InputFile
    frame: pl.DataFrame
    numbers: pl.Series
    lines: pl.Series | None
    unread: tuple[Row, ...]
    read: int
    consumed: int


def header_of(file: InputFile, mapping: ColumnMapping | None = None, *, kind: str = "csv") -> list[str]:
    """The names of a file's columns.

    Raises:
        TableError: it cannot be read.
    """
    if kind == "parquet":
        return list(_schema(file))
    with closing(open_table(file.path)) as opened:
        return _table(file, Lines(opened), mapping).header


def parquet_stretches(file: InputFile, columns: Sequence[str], zone: ZoneInfo, size: int) -> Iterator[Stretch]:
    """A Parquet file, so many rows at a time.

    Args:
        file: which.
        columns: the columns to read.
        zone: of times that say none.
        size: rows in a stretch.

    Raises:
        TableError: it cannot be read.
    """
    try:
        scan = pl.scan_parquet(file.path)
        total = scan.select(pl.len()).collect().item()
        at_once = max(_READ_AT_ONCE // size, 1) * size
        for start in range(0, total, at_once):
            part = plain(scan.select(columns).slice(start, at_once).collect(), zone)
            for offset in range(0, part.height, size):
                frame = part.slice(offset, size)
                read = start + offset + frame.height
                numbers = pl.int_range(read - frame.height + 1, read + 1, dtype=pl.Int64, eager=True)
                yield Stretch(file, frame, numbers, None, (), read, file.size * read // total)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(file, error) from None


def _schema(file: InputFile) -> pl.Schema:
    try:
        return pl.read_parquet_schema(file.path)  # type: ignore[return-value]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: InputFile, error: Exception) -> TableError:
    return TableError(f"`{file.path}` cannot be read as Parquet: {str(error).partition(chr(10))[0].lower()}")


def csv_stretches(file: InputFile, columns: Sequence[str], mapping: ColumnMapping, size: int) -> Iterator[Stretch]:
    """A file of comma-separated values, so many rows at a time. Lines without quotes are cut all at once, the others as `CsvTable` does.

    Args:
        file: which.
        columns: the columns to read.
        mapping: says encoding and delimiter.
        size: rows in a stretch.

    Raises:
        TableError: it cannot be read as a table.
    """
    with closing(open_table(file.path)) as opened:
        lines = Lines(opened)
        cut = _Cut(_table(file, lines, mapping), lines, columns, mapping)
        while (stretch := cut.next(file, size)) is not None:
            yield stretch


def _table(file: InputFile, lines: Lines, mapping: ColumnMapping | None) -> CsvTable:
    if mapping is None:
        return CsvTable(file.path, lines)
    return CsvTable(file.path, lines, encoding=mapping.document.encoding, delimiter=mapping.delimiter)


class _Cut:
    """A table that is cut into stretches; it goes on where the last one ended."""

    def __init__(self, table: CsvTable, lines: Lines, columns: Sequence[str], mapping: ColumnMapping) -> None:
        self._table, self._lines, self._columns = table, lines, list(columns)
        self._encoding, self._delimiter = mapping.document.encoding, mapping.delimiter
        self._places = [table.header.index(column) for column in columns]
        self._number = 0

    def next(self, file: InputFile, size: int) -> Stretch | None:
        """The next rows; none at the end."""
        plain_lines, careful = self._taken(size)
        if not plain_lines and not careful:
            return None
        frame = self._at_once(plain_lines)
        if frame is None:
            careful += [self._table.row(number, line, content) for number, line, content in plain_lines]
            plain_lines, frame = [], self._at_once([])
        good = [row for row in careful if row.wrong is None]
        places = [(number, line) for number, line, _ in plain_lines] + [(row.number, row.line) for row in good]
        cells = [[row.cells[place] for place in self._places] for row in good]
        more = pl.DataFrame(cells, schema=dict.fromkeys(self._columns, pl.String()), orient="row")
        whole = pl.concat([frame if frame is not None else more.clear(), more])
        where = pl.DataFrame(places, schema={"number": pl.Int64, "line": pl.Int64}, orient="row")
        if good:
            order = where["number"].arg_sort()
            whole, where = whole[order], where[order]
        unread = tuple(sorted((row for row in careful if row.wrong is not None), key=lambda row: row.number))
        return Stretch(file, whole, where["number"], where["line"], unread, self._number, self._lines.consumed)

    def _taken(self, size: int) -> tuple[list[tuple[int, int, bytes]], list[Row]]:
        """So many rows: those that are plain as their lines, with number and line, and the others."""
        plain_lines, careful = list[tuple[int, int, bytes]](), list[Row]()
        start, delimiter, expected = self._number, self._delimiter.encode(), len(self._table.header) - 1
        safe = self._encoding in _SINGLE_BYTE or delimiter != b"|"
        while self._number - start < size and (taken := self._lines.take()) is not None:
            line, content = taken
            if not content.strip():
                continue
            self._number += 1
            plain_line = safe and b'"' not in content and b"\r" not in content and len(content) < _LONGEST_PLAIN
            if plain_line and content.count(delimiter) == expected:
                plain_lines.append((self._number, line, content))
            else:
                careful.append(self._table.row(self._number, line, content))
        return plain_lines, careful

    def _at_once(self, lines: Sequence[tuple[int, int, bytes]]) -> pl.DataFrame | None:
        """The cells of plain lines; none where one of them is not of the encoding."""
        schema = dict.fromkeys(self._columns, pl.String())
        if not lines:
            return pl.DataFrame(schema=schema)
        try:
            text = b"\n".join(content for _, _, content in lines).decode(self._encoding).encode()
        except UnicodeDecodeError:
            return None
        distinct = sorted(set(self._places))
        frame = pl.read_csv(
            io.BytesIO(text),
            has_header=False,
            columns=distinct,
            separator=self._delimiter,
            quote_char=None,
            infer_schema=False,
            empty_string_is_null=False,
        )
        by_place = dict(zip(distinct, frame.columns, strict=True))
        return frame.select(pl.col(by_place[place]).alias(name) for place, name in zip(self._places, self._columns, strict=True))
