"""What a pack makes of a case, worked out again: every action considered, the order, stronger places passed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app import __version__
from app.engine.case import Case
from app.engine.decision import Decision
from app.engine.gates import in_full
from app.engine.pack import Pack
from app.engine.texts import Language
from app.record.reading.ranking import Compared, compared
from app.record.reading.recorded import Recorded
from app.record.reading.replaying import answered_again, codes_again, codes_told


@dataclass(frozen=True, slots=True)
class Considered:
    """An action that was considered: its place and the parts of its score, or why not. `failing`: every clause that kept it out."""

    action: str
    title: str
    rank: int | None
    duty: str | None
    tariff: str | None
    concession: int | None
    cause: str | None
    clause: str | None
    gate: str | None
    failing: Sequence[str]
    lost_to: str | None
    behind: float | None


@dataclass(frozen=True, slots=True)
class Passed:
    """A stronger stage or phase that was not chosen, with the clauses that failed, and those that were unknown."""

    id: str
    failed: Sequence[str]
    unknown: Sequence[str]


@dataclass(frozen=True, slots=True)
class Working:
    """What the pack on record makes of the case on record, worked out again by this engine.

    `faithful` is whether this gives the answer on record to the byte; where it does not, a replay tells what differs.
    """

    engine: str
    faithful: bool
    phase_because: Sequence[str]
    phases_passed: Sequence[Passed]
    stage_because: Sequence[str]
    considered: Sequence[Considered]
    order: Sequence[Compared]


def working(pack: Pack, recorded: Recorded, case: Case, decision: Decision, language: Language) -> Working:
    """Work a decision on record out again."""
    return Working(
        __version__,
        _is_faithful(pack, recorded, case, decision),
        decision.phase.because,
        _passed(decision.phase.passed),
        decision.stage.because,
        _considered(pack, in_full(pack, decision), language),
        compared(pack, decision),
    )


def _is_faithful(pack: Pack, recorded: Recorded, case: Case, decision: Decision) -> bool:
    if recorded.answer is not None:
        return answered_again(pack, case, recorded.body, recorded.answer) == recorded.answer.encode()
    codes = codes_again(pack, case, decision)
    return codes_told(recorded, codes) == codes


def _passed(places: Sequence[Any]) -> list[Passed]:
    return [
        Passed(item.id, [step.clause for step in item.failing if not step.unknown], [step.clause for step in item.failing if step.unknown])
        for item in places
    ]


def _considered(pack: Pack, decision: Decision, language: Language) -> list[Considered]:
    ranked = {item.action: item for item in decision.ranked}
    found = []
    for outcome in decision.outcomes:
        item, title = ranked.get(outcome.action), pack.by_id[outcome.action].title.say(language)
        gate = outcome.failing[0].gate if outcome.failing else None
        found.append(
            Considered(
                outcome.action,
                title,
                item.rank if item else None,
                item.duty if item else None,
                item.tariff if item else None,
                item.concession if item else None,
                outcome.cause,
                outcome.clause,
                gate,
                [f"{step.gate}.{step.clause}" for step in outcome.failing],
                outcome.lost_to,
                outcome.behind,
            )
        )
    return sorted(found, key=lambda item: (item.rank is None, item.rank or 0, item.action))
