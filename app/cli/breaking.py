"""Breaking lines of Chinese: no line begins with a full stop or a comma, no code and no figure is cut, none ends with an open bracket."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

_wide = "\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
_open = re.escape("（［｛「『《〈【〔“‘([{")
_close = re.escape("。、，．：；？！）］｝」』》〉】〕”’…％,.:;?!)]}%")
_has_wide = re.compile(f"[{_wide}]")
_unit = re.compile(
    rf"\s*[{_open}]*"
    rf"(?:(?:[^\s{_wide}{_open}][^\s{_wide}]*(?:(?<=[0-9])(?![{_open}{_close}])[{_wide}])?)|(?![{_open}{_close}])[{_wide}])?"
    rf"[{_close}]*\s*"
)
"""What stays on one line of Chinese: a character, a word, a code, or a figure with its unit, with the brackets and stops around it."""
_word = re.compile(r"\s*\S+\s*")
"""What stays on one line where there is no Chinese."""


class Page(Console):
    """A console that breaks Chinese where people would. Text without Chinese is broken as ever."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render; text with its lines broken to the width there is."""
        width = options or self.options
        if isinstance(renderable, str):
            renderable = self.render_str(renderable, highlight=width.highlight or False, markup=width.markup)
        if isinstance(renderable, Text) and not (width.no_wrap or renderable.no_wrap) and is_wide(renderable.plain):
            renderable = broken(renderable, width.max_width)
        yield from super().render(renderable, options)


def broken(text: Text, width: int) -> Text:
    """The text with its lines broken to a width in cells."""
    found = text.blank_copy()
    for number, line in enumerate(text.split(allow_blank=True)):
        for place, part in enumerate(line.divide(places(line.plain, width))):
            part.rstrip()
            if number or place:
                found.append("\n")
            found.append_text(part)
    return found


def places(line: str, width: int) -> list[int]:
    """Where to break a line."""
    found: list[int] = []
    room = width
    for start, unit in _units(line, width):
        if cell_len(unit.rstrip()) > room and start:
            found.append(start)
            room = width
        room -= cell_len(unit)
    return found


def is_wide(text: str) -> bool:
    """Is there Chinese in it?"""
    return _has_wide.search(text) is not None


def units(line: str) -> Iterator[str]:
    """What stays on one line of a text, if there is room for it."""
    return (match.group() for match in (_unit if is_wide(line) else _word).finditer(line))


def _units(line: str, width: int) -> Iterator[tuple[int, str]]:
    """The units of a line with their places; one that is wider than any line comes in pieces."""
    for match in _unit.finditer(line):
        start = match.start()
        for piece in chop_cells(match.group(), width) if cell_len(match.group().rstrip()) > width else [match.group()]:
            if piece:
                yield start, piece
            start += len(piece)
