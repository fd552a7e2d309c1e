"""What `wanliu decide` has for a file, wherever it was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.cli.showing import Sheet


class Unusable(Exception):
    """A file cannot be decided; each line says something that is wrong with it."""

    def __init__(self, *lines: object) -> None:
        self.lines = lines
        super().__init__(*lines)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as the API tells it, and as people read it; where there is no `sheet` they are told the JSON."""

    content: bytes
    sheet: Sheet | None
