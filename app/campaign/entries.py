"""Actions as columns: where each of an action's clauses, and what its score is made of, stands in a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engine.pack.model import Action, Clause


@dataclass(frozen=True, slots=True)
class Gate:
    """A clause and the column that says what it comes to."""

    clause: Clause
    column: str


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An action as columns: its gates, what contact policy and guardrails ask, and where duty, concession and worth stand.

    `duty` is the column of a duty that a table settles, none for one that is the same for all; `tariff` that of a tariff that is found for
    each subscriber.
    """

    action: Action
    gates: tuple[Gate, ...]
    contact: tuple[Gate, ...]
    guardrails: tuple[Gate, ...]
    duty: str | None
    concession: str
    propensity: str
    value: str
    tariff: str | None
