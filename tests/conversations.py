"""Conversations in tests: a case, what is refused or accepted of its decision, and the next one, as the service makes them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from app.engine.case import Case, Settled
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.pack import Pack
from app.workbench.conversing import going_on


@dataclass(frozen=True)
class Said:
    """A decision of a conversation, the case it was made from, and what was said to it."""

    case: Case
    decision: Decision
    settled: tuple[Settled, ...] = ()


def talked(pack: Pack, case: Case, dice: random.Random, longest: int = 8) -> list[Said]:
    """A conversation in which any of what is offered is refused, sometimes accepted, until nothing is left."""
    found: list[Said] = []
    for _ in range(longest):
        decision = decide(pack, case)
        offered = [item.action for item in decision.ranked]
        refused = dice.sample(offered, min(len(offered), dice.choice((0, 1, 1, 1, 2))))
        accepted = [name for name in offered if name not in refused and dice.random() < 0.15]
        settled = [Settled(name, pack.by_id[name].kind, name in refused) for name in (*refused, *accepted)]
        found.append(Said(case, decision, tuple(settled)))
        if not offered:
            break
        role = dice.choice((None, None, "agent", "development"))
        case = going_on(pack, case, decision, refused=refused, accepted=accepted, role=role)
    return found
