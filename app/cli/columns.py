"""Tables for a terminal of any width: lines break between words only, and where even that is too wide, columns come below each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.cli.breaking import is_wide, units

_GAP = 2
_INDENT = 2
TITLE = 16
"""Cells of a title that is not broken: eight characters of Chinese."""
_Row = tuple[tuple[RenderableType, ...], str | None]


class Places(NamedTuple):
    """Which columns stand on the right, stay on one line, and give way."""

    right: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()
    loose: frozenset[int] = frozenset()

    def folded(self) -> Places:
        """The same once the second column is below the first."""
        return Places(*(frozenset(place - 1 for place in places if place > 1) for places in self))


@dataclass
class Columns:
    """Rows in columns, each as wide as its widest word at least; `show_header` is whether their names stand above them."""

    title: str
    heads: Sequence[str]
    places: Places
    styles: Sequence[str] = ()
    show_header: bool = True
    rows: list[_Row] = field(default_factory=list)

    def add_row(self, *cells: RenderableType, style: str | None = None) -> None:
        """Another row; what is written as a string stays as it is."""
        self.rows.append((tuple(Text(cell) if isinstance(cell, str) else cell for cell in cells), style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The title, then the rows as the width allows."""
        if self.title:
            yield Text(self.title, style="bold")
        laid = _Laid(console, options, self.places, (tuple(map(Text, self.heads)) if self.show_header else ()), self.rows)
        while not laid.fits and (laid.whole_heads or laid.count > 1):
            laid = laid.narrower()
        yield laid.table(self.styles)


def table(
    title: str,
    *heads: str,
    right: Iterable[int] = (),
    whole: Iterable[int] = (),
    loose: Iterable[int] = (),
    styles: Sequence[str] = (),
) -> Columns:
    """An empty table in our style.

    Args:
        title: stands above it; empty for none.
        heads: names of the columns.
        right: places of columns of figures, which stand on the right and on one line.
        whole: places of other columns that stay on one line, such as times.
        loose: places of columns of people's own names, which are broken before columns come below each other.
        styles: of the first columns.
    """
    return Columns(title, heads, Places(frozenset(right), frozenset((*right, *whole)), frozenset(loose)), styles)


class _Span(NamedTuple):
    """How wide the widest word and the widest line are, and all lines one after the other."""

    least: int
    most: int
    total: int


@dataclass(frozen=True)
class _Laid:
    """Rows laid out for a width."""

    console: Console
    options: ConsoleOptions
    places: Places
    heads: tuple[RenderableType, ...]
    rows: Sequence[_Row]
    whole_heads: bool = True

    @property
    def count(self) -> int:
        """How many columns there are."""
        return max((len(cells) for cells in (self.heads, *(cells for cells, _ in self.rows))), default=0)

    @property
    def fits(self) -> bool:
        """Is there room for the widest word of every column?"""
        return sum(span.least for span in self._spans()) <= self._room

    @property
    def _room(self) -> int:
        return self.options.max_width - _GAP * (self.count - 1)

    def narrower(self) -> _Laid:
        """The same with heads that are broken between words; where they are already, with the second column below the first."""
        if self.whole_heads:
            return replace(self, whole_heads=False)
        rows = [(_below(cells), style) for cells, style in self.rows]
        return _Laid(self.console, self.options, self.places.folded(), _below(self.heads), rows)

    def table(self, styles: Sequence[str]) -> Table:
        """As Rich prints it."""
        made = Table(show_header=bool(self.heads), header_style="dim", box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
        for place, width in enumerate(self._widths()):
            style = styles[place] if place < len(styles) else None
            head = self.heads[place] if self.heads else ""
            made.add_column(head, justify="right" if place in self.places.right else "left", style=style, width=width, overflow="fold")
        for cells, style in self.rows:
            made.add_row(*cells, style=style)
        return made

    def _widths(self) -> list[int]:
        """Every column has what its words need; what is left goes where it saves most lines."""
        spans = self._spans()
        widths = [min(span.least, self.options.max_width) for span in spans]
        left = self._room - sum(widths)
        while left > 0 and (growing := [place for place, span in enumerate(spans) if widths[place] < span.most]):
            widths[max(growing, key=lambda place: spans[place].total / widths[place] ** 2)] += 1
            left -= 1
        return widths

    def _spans(self) -> list[_Span]:
        spans = [_together([self._span(cell, whole=whole) for cell, whole in self._column(place)]) for place in range(self.count)]
        return [span._replace(least=min(span.least, TITLE)) if place in self.places.loose else span for place, span in enumerate(spans)]

    def _column(self, place: int) -> Iterator[tuple[RenderableType, bool]]:
        """The head and the cells of a column, and whether each has to stay on its line."""
        if place < len(self.heads):
            yield self.heads[place], self.whole_heads
        for cells, _ in self.rows:
            if place < len(cells):
                yield cells[place], place in self.places.whole

    def _span(self, cell: RenderableType, *, whole: bool) -> _Span:
        if isinstance(cell, Group):
            return _together([self._span(part, whole=whole) for part in cell.renderables])
        if isinstance(cell, Padding):
            span = self._span(cell.renderable, whole=whole)
            return _Span(span.least + cell.left, span.most + cell.left, span.total)
        if not isinstance(cell, Text):
            measured = Measurement.get(self.console, self.options, cell)
            return _Span(measured.minimum, measured.maximum, measured.maximum)
        lines = [cell_len(line) for line in cell.plain.splitlines()]
        most = max(lines, default=0)
        return _Span(most if whole else widest_unit(cell.plain), most, sum(lines))


def _together(spans: Sequence[_Span]) -> _Span:
    """Of several things below each other."""
    least, most = max((span.least for span in spans), default=0), max((span.most for span in spans), default=0)
    return _Span(least, most, sum(span.total for span in spans))


def widest_unit(text: str) -> int:
    """The width of the widest thing in a text that stays on one line: a word, a code, a title of Chinese if it is not a long one."""
    return max((_least(line) for line in text.splitlines()), default=0)


def _least(line: str) -> int:
    widest = max((cell_len(unit.rstrip()) for unit in units(line)), default=0)
    return max(widest, min(cell_len(line), TITLE)) if is_wide(line) else widest


def _below(cells: tuple[RenderableType, ...]) -> tuple[RenderableType, ...]:
    """Cells with the second below the first; an empty one takes no line."""
    if len(cells) < 2:
        return cells
    first, second, *others = cells
    empty = isinstance(second, Text) and not second.plain
    return (first if empty else Group(first, Padding(second, (0, 0, 0, _INDENT))), *others)
