"""What limits over everybody made of an action on a campaign's list, as it is told beside the decision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WithinLimits:
    """What limits over everybody made of an action on a campaign's list.

    Attributes:
        rank: of the action.
        action: which.
        day: of the run on which it goes out, from 1; none where it is held.
        cause: why it is held: `brake`, `control`, `household`, `budget` or `capacity`.
        limit: which limit holds it.
    """

    rank: int
    action: str
    day: int | None
    cause: str | None
    limit: str | None
