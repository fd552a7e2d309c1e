"""Conversations that nobody had: what would be decided next, if what was decided were refused, accepted or answered."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping

from app.engine.case import Case, Settled
from app.engine.conversation import conceded, in_conversation, went_on
from app.engine.decision import Decision
from app.engine.intake import next_request, take
from app.engine.pack import Pack
from app.engine.vocabulary import LooseValue

STEP = datetime.timedelta(minutes=1)
"""How long a step of a made-up conversation takes."""


def going_on(
    pack: Pack,
    case: Case,
    decision: Decision,
    *,
    refused: Collection[str] = (),
    accepted: Collection[str] = (),
    answers: Mapping[str, LooseValue] | None = None,
    role: str | None = None,
) -> Case:
    """The next case of a conversation, a minute later, as the service would make it.

    Args:
        pack: that decides.
        case: the one before.
        decision: what was decided on it.
        refused: actions on its list that are refused.
        accepted: actions on its list that are accepted.
        answers: what is answered, by fact.
        role: who asks next; left out, who asked before.

    Raises:
        CaseError: an answer is not to a question of the pack, or not of its type.
    """
    now = case.times.as_of + STEP
    settled = [Settled(name, pack.by_id[name].kind, refused=True) for name in refused]
    settled += [Settled(name, pack.by_id[name].kind, refused=False) for name in accepted]
    before = () if case.conversation is None else case.conversation.decisions
    talk = went_on(case, f"step-{len(before) + 1}", case.times.as_of, settled)
    taken = take(pack, next_request(pack, case, now, answers=answers), now=now, role=role or case.asker.role)
    return in_conversation(taken, talk, conceded(decision.ranked))
