"""Conversations in tests: a case, what is refused, accepted or answered of its decision, and the next one, as the service makes them."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.case import Case, Settled
from app.engine.conversation import conceded, in_conversation, went_on
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.intake import next_request, take
from app.engine.pack import Pack

MINUTE = datetime.timedelta(minutes=1)


@dataclass(frozen=True)
class Said:
    """A decision of a conversation, the case it was made from, and what was said to it."""

    case: Case
    decision: Decision
    settled: tuple[Settled, ...] = ()
    answers: Mapping[str, Any] | None = None


def after(pack: Pack, said: Said, number: int = 1, role: str | None = None) -> Case:
    """The case after what was said, a minute later; asked by the same role, or another."""
    now = said.case.times.as_of + MINUTE
    asked = next_request(pack, said.case, now, answers=said.answers)
    talk = went_on(said.case, f"d{number}", said.case.times.as_of, said.settled)
    taken = take(pack, asked, now=now, role=role or said.case.asker.role)
    return in_conversation(taken, talk, conceded(said.decision.ranked))


def refusing(pack: Pack, case: Case, *actions: str, accepted: tuple[str, ...] = (), answers: Mapping[str, Any] | None = None) -> Said:
    """A case decided, and these of its actions refused or accepted."""
    settled = [(name, True) for name in actions] + [(name, False) for name in accepted]
    found = tuple(Settled(name, pack.by_id[name].kind, refused) for name, refused in settled)
    return Said(case, decide(pack, case), found, answers)


def talked(pack: Pack, case: Case, dice: random.Random, longest: int = 8) -> list[Said]:
    """A conversation in which any of what is offered is refused, sometimes accepted, until nothing is left."""
    found: list[Said] = []
    for number in range(longest):
        decision = decide(pack, case)
        offered = [item.action for item in decision.ranked]
        refused = dice.sample(offered, min(len(offered), dice.choice((0, 1, 1, 1, 2))))
        accepted = [name for name in offered if name not in refused and dice.random() < 0.15]
        settled = [Settled(name, pack.by_id[name].kind, name in refused) for name in (*refused, *accepted)]
        found.append(Said(case, decision, tuple(settled)))
        if not offered:
            break
        case = after(pack, found[-1], number, dice.choice((None, None, "agent", "development")))
    return found
