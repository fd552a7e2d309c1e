"""What can be wrong with a file of subscribers: with the whole of it, or with one row."""

from __future__ import annotations

from dataclasses import dataclass


class TableError(Exception):
    """The file cannot be read as a table at all. The message is one line, lower case, and names the file."""


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong with a row: the column and the fact it was meant for, where there is one.

    `kind` says what sort of mistake it is without the cell's own words, so that equal ones can be counted.
    """

    message: str
    column: str | None = None
    field: str | None = None
    kind: str = ""

    def __str__(self) -> str:
        where = f"column `{self.column}`: " if self.column else f"`{self.field}`: " if self.field else ""
        return f"{where}{self.message}"


class RowRefused(Exception):
    """A row cannot be decided. `problems` holds everything found wrong with it."""

    def __init__(self, *problems: CellProblem) -> None:
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))
