"""What is noted of actions and phases that were not chosen, remembered: most people meet most of them in the same few ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from app.engine.decision import Cause, Failing, Outcome, Passed
from app.engine.to_python import picker

if TYPE_CHECKING:
    from app.engine.pack.model import Action, Clause, Phase, Stage

MOST_REMEMBERED = 256
"""Outcomes of one action or place that are kept; few come up again and again."""
CAUSES: dict[str, Cause] = {
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
    """An action's gates, in its phases or others, on its channels or others: the outcome, none where all are open, by what they look at.

    They look at the concession, where that may be unknown, and at what each clause came to.
    """

    def __init__(self, action: Action, in_phase: bool, on_channel: bool) -> None:
        super().__init__()
        self.action = action
        self.first = ([] if in_phase else [_wrong_phase]) + ([] if on_channel else [_wrong_channel])
        self.shut = outcome(action, self.first[:1]) if self.first else None

    def __missing__(self, seen: tuple[Any, ...]) -> Outcome | None:
        failing = self.closed(seen)
        found = outcome(self.action, failing) if failing else None
        if len(self) < MOST_REMEMBERED:
            self[seen] = found
        return found

    def closed(self, seen: tuple[Any, ...]) -> list[Failing]:
        """Every gate that is not open."""
        unknown_cost = self.action.may_cost_unknown and seen[0] is None
        clauses = zip(self.action.gates, seen[1:] if self.action.may_cost_unknown else seen, strict=True)
        failing = self.first + [clause.undecided if value is None else clause.failed for clause, value in clauses if value is not True]
        return [*failing, _unknown_concession] if unknown_cost else failing


class Doors(NamedTuple):
    """The doors of all actions on a channel in a phase, in the order of actions; the outcomes of those that are shut whatever their clauses
    come to, and of each action by the clause that is its first false one."""

    each: tuple[Door, ...]
    shut: tuple[Outcome | None, ...]
    stopped: tuple[tuple[Outcome, ...], ...]


class Permit(dict[tuple[Any, ...], Outcome | None]):
    """What contact policy, then the guardrails say of an action: the outcome, none where all permit it, by what their clauses came to."""

    def __init__(self, action: Action) -> None:
        super().__init__()
        self.action = action
        self.see = picker([clause.slot for clause in (*action.contact, *action.guardrails)])

    def __missing__(self, seen: tuple[Any, ...]) -> Outcome | None:
        failing = self.forbidding(seen)
        found = outcome(self.action, failing) if failing else None
        if len(self) < MOST_REMEMBERED:
            self[seen] = found
        return found

    def forbidding(self, seen: tuple[Any, ...]) -> list[Failing]:
        """Contact clauses that do not permit the action; where all do, guardrails that do not."""
        contact = len(self.action.contact)
        return not_open(self.action.contact, seen[:contact]) or not_open(self.action.guardrails, seen[contact:])


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


def not_open(clauses: Iterable[Clause], seen: Iterable[Any]) -> list[Failing]:
    """The clauses that are false or unknown, in order; an unknown that the pack allows is neither."""
    return [
        clause.undecided if value is None else clause.failed
        for clause, value in zip(clauses, seen, strict=True)
        if value is not True and not (value is None and clause.allows_unknown)
    ]


class Undecided(Outcome):
    """The outcome of an action that only what is unknown keeps out, with the clauses of the pack for which it is."""

    doer: Action
    clauses: tuple[Clause, ...]

    @classmethod
    def of(cls, action: Action, failing: list[Failing]) -> Undecided:
        """For want of what the failing are unknown."""
        found = cls(action.id, "unknown", failing[0].clause, tuple(failing))
        noted = {clause.undecided: clause for clause in (*action.gates, *action.contact, *action.guardrails)}
        found.doer, found.clauses = action, tuple([noted[step] for step in failing if step in noted])
        return found


def outcome(action: Action, failing: list[Failing]) -> Outcome:
    """One cause for an action that was kept out: its first false clause, or the first unknown one where none is false."""
    first = next((step for step in failing if not step.unknown), None)
    if first is None:
        return Undecided.of(action, failing)
    if first is not failing[0]:
        failing = [first, *(item for item in failing if item is not first)]
    return Outcome(action.id, CAUSES[first.gate], first.clause, tuple(failing))
