"""Which smallest change would have changed the list: figures, dates and days that were tried; and of what it cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from app.engine.answer import NotOffered
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.pack.model import Clause
from app.engine.texts import language_of
from app.record.reading.altering import actions_of, applied
from app.record.reading.days import Moved, change, moved

MOST = 5
"""Changes that are told."""
MOST_OF_A_CLAUSE = 24
"""Cases that are decided for one action."""
MOST_TRIED = 400
"""Cases that are decided in all."""


@dataclass(frozen=True, slots=True)
class MinimalChange:
    """A smallest change that was tried and changed the list, and what the list would have been.

    Attributes:
        action: what would no longer have been kept out.
        clause: what kept it out.
        words: the change.
        changes: the same as figures: `fact`, or `time` for waiting; `direction`; then a `value`, or days: `in_days` to wait, `by_days` that
            a date or the newest event of a kind is earlier or later; `at` is the day or moment this comes to.
        actions: the list.
    """

    action: str
    clause: str
    words: str
    changes: Sequence[Mapping[str, Any]]
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Untold:
    """An action that one clause alone kept out, of which no change can be told.

    `because`: `nothing_to_move`, the clause rests on no known figure, date or window; `no_effect`, whatever was tried left
    the clause or the list as it was; `not_tried`, others had taken up the trials.
    """

    action: str
    clause: str
    because: Literal["nothing_to_move", "no_effect", "not_tried"]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The smallest changes that were found, and the actions of which none can be told."""

    changes: Sequence[MinimalChange]
    untold: Sequence[Untold]


def minimal_changes(pack: Pack, case: Case, decision: Decision, most: int = MOST) -> WhatIf:
    """The smallest changes of figures, dates and days to wait that change what is on the list: each tried, fewest first.

    Looked for among the clauses that alone keep an action out and are known to be false.
    """
    explanation = explain(pack, case, decision, "full")
    search = _Search(pack, case, decision)
    found: list[MinimalChange] = []
    untold: list[Untold] = []
    for item in explanation.not_offered or ():
        clause = _alone(pack, item)
        if clause is not None:
            told = search.of(item, clause)
            if isinstance(told, MinimalChange):
                found.append(told)
            else:
                untold.append(told)
    found.sort(key=lambda item: (len(item.changes), _days(item), item.action))
    return WhatIf(found[:most], untold)


def _alone(pack: Pack, item: NotOffered) -> Clause | None:
    """The clause that alone keeps an action out; none where several do, it was unknown, or the phase or channel is another."""
    gate, _, name = (item.clause or "").partition(".")
    return None if item.others or item.cause == "unknown" else pack.clauses[item.action].get((gate, name))


def _days(item: MinimalChange) -> int:
    return max((int(step["by_days"] or step["in_days"] or 0) for step in item.changes), default=0)


class _Search:
    """Tries changes on one case, action by action."""

    def __init__(self, pack: Pack, case: Case, decision: Decision) -> None:
        self.pack, self.case, self.decision = pack, case, decision
        self.before = actions_of(decision)
        self.left = MOST_TRIED

    def of(self, item: NotOffered, clause: Clause) -> MinimalChange | Untold:
        """The first change that lets the action through this clause and changes the list."""
        tried = 0
        for words, steps, case in islice(self.candidates(item, clause), min(MOST_OF_A_CLAUSE, self.left)):
            tried, self.left = tried + 1, self.left - 1
            after = decide(self.pack, case)
            if actions_of(after) != self.before and not _kept_out(after, item.action, clause):
                return MinimalChange(item.action, item.clause or "", words, steps, actions_of(after))
        because: Literal["nothing_to_move", "no_effect", "not_tried"] = "no_effect" if tried else "nothing_to_move"
        return Untold(item.action, item.clause or "", because if self.left else "not_tried")

    def candidates(self, item: NotOffered, clause: Clause) -> Iterator[tuple[str, Sequence[Mapping[str, Any]], Case]]:
        """What the answer says would turn the clause, then days that may."""
        stated = applied(self.case, item.changes) if item.changes else None
        if stated is not None:
            steps = [change(step.fact, step.direction, value=step.value, in_days=step.in_days) for step in item.changes]
            yield item.change or "", steps, stated
        for other in self.moved(item, clause):
            yield other.words, [other.change], other.case

    def moved(self, item: NotOffered, clause: Clause) -> list[Moved]:
        """Days that may turn the clause, in the language of the case."""
        return moved(self.pack, self.case, self.decision, clause, item.until, language_of(self.case.locale))


def _kept_out(decision: Decision, action: str, clause: Clause) -> bool:
    """Is the action still kept out by this clause?"""
    outcome = next(item for item in decision.outcomes if item.action == action)
    return any((step.gate, step.clause) == (clause.gate, clause.name) for step in outcome.failing)
