"""Files read row by row: CSV and NDJSON. A row that cannot be read is refused by itself, and the next one is read."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.campaign.problems import CellProblem, TableError

LONGEST_LINE = 1024 * 1024
MOST_LINES_IN_A_ROW = 50
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its number among the rows and the line it begins on, both from 1.

    `cells` are those of a table, `body` the bytes of a line of NDJSON; with `wrong` the row could not be read and has neither.
    """

    number: int
    line: int
    cells: Sequence[str] = ()
    body: bytes = b""
    wrong: CellProblem | None = None


class Lines:
    """The lines of a file with their numbers; lines can be put back. `consumed` counts bytes, for a progress bar."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._back: deque[tuple[int, bytes]] = deque()
        self._number = 0
        self.consumed = 0

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while (line := self.take()) is not None:
            yield line

    def take(self) -> tuple[int, bytes] | None:
        """The next line without its end, or none. A line that is too long is cut: whoever decodes it sees that by its length."""
        if self._back:
            return self._back.popleft()
        line = self._file.readline(LONGEST_LINE + 2)
        if not line:
            return None
        self._number += 1
        self.consumed += len(line)
        rest = line
        while len(rest) == LONGEST_LINE + 2 and not rest.endswith(b"\n"):
            rest = self._file.readline(LONGEST_LINE + 2)
            self.consumed += len(rest)
        return self._number, line.rstrip(b"\r\n")

    def put_back(self, lines: Sequence[tuple[int, bytes]]) -> None:
        """Lines to be taken again, in this order."""
        self._back.extendleft(reversed(lines))


class _Unreadable(Exception):
    """Why a line cannot be read; `kind` says so without figures."""

    def __init__(self, message: str, kind: str = "") -> None:
        self.kind = kind or message
        super().__init__(message)


def open_table(path: Path) -> BinaryIO:
    """The file, opened.

    Raises:
        TableError: it is not there, not a file, empty, or of an encoding that a table cannot have.
    """
    try:
        file = path.open("rb")
    except IsADirectoryError:
        raise TableError(f"`{path}` is a folder, not a file") from None
    except OSError as error:
        raise TableError(f"cannot read `{path}`: {(error.strerror or 'unknown error').lower()}") from None
    start = file.read(4)
    file.seek(0)
    if not start:
        file.close()
        raise TableError(f"`{path}` is empty")
    for mark, name in _MARKS:
        if start.startswith(mark):
            file.close()
            raise TableError(f"`{path}` is {name}; save it as UTF-8")
    return file


class CsvTable:
    """A table of comma-separated values: its header, and its rows read as they are asked for."""

    def __init__(self, path: Path, lines: Lines, *, encoding: str = "utf-8", delimiter: str = ",") -> None:
        """Read the header.

        Raises:
            TableError: there is none, or it cannot be used.
        """
        self._lines, self._encoding, self._delimiter = lines, encoding, delimiter
        first = lines.take()
        content = first[1] if first else b""
        if b"\r" in content:
            raise TableError(f"`{path}`: its lines end with a carriage return alone; save it with line feeds")
        try:
            self.header = [name.strip() for name in self._cut(self._text(content).removeprefix("\ufeff"))]
        except _Unreadable as error:
            why = "opens a quote that is not closed" if content.count(b'"') % 2 else error
            raise TableError(f"`{path}`: line 1 {why}") from None
        twice = sorted({name for name in self.header if name and self.header.count(name) > 1})
        if not any(self.header):
            raise TableError(f"`{path}`: line 1 should name the columns and is blank")
        if twice:
            raise TableError(f"`{path}`: the column `{twice[0]}` stands twice in line 1")

    def __iter__(self) -> Iterator[Row]:
        number = 0
        for line, content in self._lines:
            if content.strip():
                number += 1
                yield self.row(number, line, content)

    def row(self, number: int, line: int, content: bytes) -> Row:
        """The row that begins with a line taken from the file; what of it stands on further lines is taken too.

        Args:
            number: among the rows, from 1.
            line: the line's number.
            content: the line without its end.
        """
        try:
            return Row(number, line, self._cells(line, content))
        except _Unreadable as error:
            return Row(number, line, wrong=CellProblem(f"the row {error}", kind=f"the row {error.kind}"))

    def _cells(self, line: int, content: bytes) -> list[str]:
        text = self._text(content)
        try:
            cells = self._cut(text)
        except _Unreadable:
            if text.count('"') % 2 == 0:
                raise
            return self._cells_of_several((line, content), text)
        if len(cells) != len(self.header):
            raise _Unreadable(
                f"has {len(cells)} cells where the first line names {len(self.header)} columns", "has too few or too many cells"
            )
        return cells

    def _cells_of_several(self, first: tuple[int, bytes], text: str) -> list[str]:
        """The cells of a row that goes on over lines inside quotes. Where that makes no row, only the first line is lost."""
        taken: list[tuple[int, bytes]] = []
        try:
            while len(taken) < MOST_LINES_IN_A_ROW and (more := self._lines.take()) is not None:
                taken.append(more)
                text += f"\n{self._text(more[1])}"
                if text.count('"') % 2 == 0:
                    cells = self._cut(text)
                    if len(cells) == len(self.header):
                        return cells
                    break
        except _Unreadable:
            pass
        self._lines.put_back(taken)
        raise _Unreadable("opens a quote that is not closed")

    def _text(self, content: bytes) -> str:
        if len(content) > LONGEST_LINE:
            raise _Unreadable(f"is longer than {LONGEST_LINE:,} bytes")
        try:
            return content.decode(self._encoding)
        except UnicodeDecodeError as error:
            hint = "; for a file in a Chinese encoding write `encoding: gb18030` in the mapping" if self._encoding == "utf-8" else ""
            raise _Unreadable(
                f"is not {self._encoding.upper()} at byte {error.start + 1}{hint}", f"is not {self._encoding.upper()}"
            ) from None

    def _cut(self, text: str) -> list[str]:
        """The cells of exactly one row."""
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise _Unreadable(f"is not comma-separated: {error}") from None
        if len(rows) > 1:
            raise _Unreadable("is more than one row")
        return rows[0] if rows else []


def ndjson_rows(lines: Lines) -> Iterator[Row]:
    """Each line that is not blank as the body of a request."""
    number = 0
    for line, content in lines:
        body = content.removeprefix(codecs.BOM_UTF8) if line == 1 else content
        if body.strip():
            number += 1
            long = f"the row is longer than {LONGEST_LINE:,} bytes"
            wrong = CellProblem(long, kind=long) if len(body) > LONGEST_LINE else None
            yield Row(number, line, body=b"" if wrong else body, wrong=wrong)
