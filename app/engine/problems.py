"""Mistakes in a pack: where, what is wrong, and the nearest right thing; gathered, never one at a time."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a pack: file relative to the pack's folder, line and column from 1."""

    file: str = ""
    line: int = 1
    column: int = 1

    def shifted(self, columns: int) -> Place:
        """The place so many columns further on the same line."""
        return Place(self.file, self.line, self.column + columns)

    def __str__(self) -> str:
        return f"{self.file or 'pack'}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `code` is stable, `message` is lower case without a final stop and quotes the pack in backticks.

    `witness` is a made-up subscriber who shows it: what is looked at, and its value; whatever is not named is unknown.
    """

    place: Place
    code: str
    message: str
    hint: str = ""
    severity: str = "error"
    witness: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        shows = ", ".join(f"`{name}` = {value}" for name, value in self.witness)
        return f"{self.place}: {self.severity}[{self.code}]: {self.message}{hint}{f'; e.g. {shows}' if shows else ''}"


class PackError(Exception):
    """The pack cannot be used. `problems` holds every mistake found, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """`did you mean …` for a misspelt word, or nothing when no known word is near: `likeness` is how alike they are, from 0 to 1."""
    choices = sorted(known)
    found = difflib.get_close_matches(word, choices, n=1, cutoff=likeness)
    if not found:
        tail = {name.rsplit(".", 1)[-1]: name for name in reversed(choices)}
        found = [tail[match] for match in difflib.get_close_matches(word.rsplit(".", 1)[-1], tail, n=1, cutoff=max(likeness, 0.75))]
    return f"did you mean `{found[0]}`?" if found else ""


def shown(text: object, limit: int = 80) -> str:
    """A pack's own words as they may stand in a message: in backticks, printable, at most `limit` characters."""
    plain = "".join(char if char.isprintable() else "\ufffd" for char in str(text))
    return f"`{plain[:limit]}{'…' if len(plain) > limit else ''}`"
