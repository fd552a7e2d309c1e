"""A decision: what was concluded and what became of every action. Codes and figures only; words come from `explain`.

The small parts are named tuples: a decision makes dozens, and they cost a quarter of a frozen dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.engine.doors import Undecided
    from app.engine.facts import Facts

Cause = Literal["not_eligible", "not_applicable", "not_suitable", "unknown", "suppressed", "guardrail", "outranked"]
EmptyBecause = Literal[
    "port_out_in_progress", "account_closed", "let_go", "refused", "not_applicable", "suppressed", "guardrail", "unknown"
]
Closing = Literal["let_go", "refused"]
"""How a conversation ends: somebody who wants to leave is let go; or what we had to propose was refused."""
IN_CONVERSATION = ("refused", "accepted", "same_help", "let_go", "last_step")
"""Why an action has no place in a conversation any more: clauses that the engine adds to every action."""


class Failing(NamedTuple):
    """A clause that kept an action out: false, or unknown."""

    gate: str
    clause: str
    unknown: bool


class Outcome(NamedTuple):
    """What became of an action: offered (no cause), or why not.

    `failing` holds the clauses that kept it out, the one named as cause first: every one that is unknown where that is the cause, every
    contact clause or guardrail, but of the gates no more than the first that is false. `gates.in_full` has the others. Where it was
    outranked, `lost_to` is the action that took its place and `behind` by how much score.
    """

    action: str
    cause: Cause | None
    clause: str | None = None
    failing: tuple[Failing, ...] = ()
    lost_to: str | None = None
    behind: float | None = None


cause_of = itemgetter(Outcome._fields.index("cause"))
"""The cause of an outcome, for `map` over all of them."""


class Ranked(NamedTuple):
    """An action on the list, with the parts of its score. `value` and `concession` in fen; `value` is none where it was unknown."""

    rank: int
    action: str
    duty: str
    score: float
    propensity: float
    value: float | None
    relevance: float
    lever: float
    concession: int
    tariff: str | None
    fallback_for: str | None = None


class Passed(NamedTuple):
    """A stronger stage or phase that was not chosen, and its clauses: false, or unknown."""

    id: str
    failing: tuple[Failing, ...]


class Placed(NamedTuple):
    """A stage or phase, the clauses that hold for it, and the stronger ones that were passed over."""

    id: str
    because: tuple[str, ...]
    passed: tuple[Passed, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of `decide`. Equal for equal pack and case; `facts` is the working behind it and takes no part in equality, nor does
    `undecided`: the outcomes of actions that only what is unknown keeps out. `closing`: a conversation ends with it."""

    stage: Placed
    phase: Placed
    moment: str
    signals: tuple[tuple[str, str], ...]
    ranked: tuple[Ranked, ...]
    outcomes: tuple[Outcome, ...]
    empty_because: EmptyBecause | None
    personalised: bool
    facts: Facts = field(repr=False, compare=False)
    undecided: Sequence[Undecided] = field(repr=False, compare=False)
    closing: Closing | None = None

    def as_json(self) -> dict[str, Any]:
        """The decision as JSON values: codes and figures, no working and no words."""
        return {
            "stage": _placed(self.stage),
            "phase": _placed(self.phase),
            "moment": self.moment,
            "signals": dict(self.signals),
            "ranked": [item._asdict() for item in self.ranked],
            "outcomes": [{**item._asdict(), "failing": [step._asdict() for step in item.failing]} for item in self.outcomes],
            "empty_because": self.empty_because,
            "personalised": self.personalised,
            **({} if self.closing is None else {"closing": self.closing}),
        }


def _placed(placed: Placed) -> dict[str, Any]:
    passed = [{"id": item.id, "failing": [step._asdict() for step in item.failing]} for item in placed.passed]
    return {"id": placed.id, "because": list(placed.because), "passed": passed}
