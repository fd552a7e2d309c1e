"""Rows that could not be decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.campaign.problems import CellProblem


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not decided, and why.

    Attributes:
        row: its number over all files of the input, from 1.
        file: name of the file it stands in.
        line: where it begins in that file, from 1; none in a file without lines.
        subscriber: the id, where the row said one that can be.
        problems: what is wrong.
    """

    row: int
    file: str
    line: int | None
    subscriber: str | None
    problems: tuple[CellProblem, ...]

    def as_json(self) -> dict[str, Any]:
        """The reject as a line for people and programs."""
        problems = [{"column": problem.column, "field": problem.field, "message": problem.message} for problem in self.problems]
        return {"row": self.row, "file": self.file, "line": self.line, "subscriber": self.subscriber, "problems": problems}


def twice(first: int) -> CellProblem:
    """The problem of a row about somebody who is decided already, in row `first`."""
    return CellProblem(f"the subscriber stands in row {first} already", kind="the subscriber stands in the file already")
