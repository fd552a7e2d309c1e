"""What is noted of actions and phases that were not chosen, remembered: most people meet most of them in the same few ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.engine.decision import Cause, Failing, Outcome, Passed

if TYPE_CHECKING:
    from app.engine.pack.model import Action, Phase, Stage

MOST_REMEMBERED = 256
"""Outcomes of one action or place that are kept; few come up again and again."""
_causes: dict[str, Cause] = {
    "eligible": "not_eligible",
    "applicable": "not_applicable",
    "suitable": "not_suitable",
    "contact": "suppressed",
    "guardrail": "guardrail",
}
_wrong_phase = Failing("applicable", "phase", unknown=False)
_wrong_channel = Failing("applicable", "channel", unknown=False)
_unknown_concession = Failing("suitable", "concession", unknown=True)


class Door(dict[tuple[Any, ...], Outcome | None]):
    """An action's gates on its channels, or on the others: the outcome, none where all are open, by what they look at.

    They look at the phase, the concession and what each clause came to.
    """

    def __init__(self, action: Action, *, on_channel: bool) -> None:
        super().__init__()
        self.action = action
        self.on_channel = on_channel

    def __missing__(self, seen: tuple[Any, ...]) -> Outcome | None:
        failing = self.closed(seen)
        found = outcome(self.action, failing) if failing else None
        if len(self) < MOST_REMEMBERED:
            self[seen] = found
        return found

    def closed(self, seen: tuple[Any, ...]) -> list[Failing]:
        """Every gate that is not open."""
        phase, concession, *came_to = seen
        failing = [] if phase in self.action.phases else [_wrong_phase]
        if not self.on_channel:
            failing.append(_wrong_channel)
        clauses = zip(self.action.gates, came_to, strict=True)
        failing += [clause.undecided if value is None else clause.failed for clause, value in clauses if value is not True]
        if concession is None:
            failing.append(_unknown_concession)
        return failing


class Overtaken(dict[tuple[Any, ...], Passed]):
    """What is noted of a stage or phase that was passed over, by what its clauses came to."""

    def __init__(self, place: Stage | Phase) -> None:
        super().__init__()
        self.place = place

    def __missing__(self, seen: tuple[Any, ...]) -> Passed:
        clauses = zip(self.place.clauses, seen, strict=True)
        found = Passed(self.place.id, tuple([clause.undecided if value is None else clause.failed for clause, value in clauses]))
        if len(self) < MOST_REMEMBERED:
            self[seen] = found
        return found


def outcome(action: Action, failing: list[Failing]) -> Outcome:
    """One cause for an action that was kept out: its first false clause, or the first unknown one where none is false."""
    for first in failing:
        if not first.unknown:
            break
    else:
        first = failing[0]
    if first is not failing[0]:
        failing = [first, *(item for item in failing if item is not first)]
    return Outcome(action.id, "unknown" if first.unknown else _causes[first.gate], first.clause, tuple(failing))
