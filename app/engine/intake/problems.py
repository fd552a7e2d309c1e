"""What is wrong with a request, by field and without repeating what was sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_PROBLEMS = 50
"""More are not listed: who sent them has enough to start with."""


@dataclass(frozen=True, slots=True, order=True)
class FieldProblem:
    """One mistake: the dotted field (`subscriber.events.3.at`; `body` for the whole) and what is wrong with it, in lower case."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class RequestError(Exception):
    """The request cannot be taken. `problems` holds every mistake found, in the order of the request."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))[:MOST_PROBLEMS]
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def field(self) -> str:
        """The field of the first problem."""
        return self.problems[0].field

    @property
    def message(self) -> str:
        """What is wrong there."""
        return self.problems[0].message


class CaseError(RequestError):
    """A well-formed request that makes no case with this pack, at this time."""
