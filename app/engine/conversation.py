"""A conversation: what was refused in it does not come again, the next step is another kind of help, and at its end the person is let go.

How often somebody refused says when to stop, and nothing else: it reaches no gate, score, price or concession.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import get_args

from app.engine.case import Case, Conversation, Settled
from app.engine.decision import IN_CONVERSATION, Closing, Failing, Outcome, Ranked
from app.engine.facts import Facts
from app.engine.pack.model import Action, Pack

CLOSINGS: tuple[str, ...] = get_args(Closing)
_ended: Mapping[Closing, str] = {"let_go": "let_go", "refused": "last_step"}
_noted = {clause: (Failing("applicable", clause, unknown=False),) for clause in IN_CONVERSATION}


def duty_of(action: Action, facts: Facts) -> str:
    """An action's duty to this subscriber; what its table leaves open is care."""
    return action.duty if action.duty_slot is None else facts.seen_by(action)[action.duty_slot] or "care"


def closing_of(pack: Pack, case: Case, facts: Facts) -> Closing | None:
    """How the conversation ends now, if it does: at once for somebody who wants to leave and refused, else after the pack's last step.

    While hands are off nothing is proposed that would have to end.
    """
    talk = case.conversation
    if talk is None or not talk.refused or facts.values[pack.slots["phase"]] == "hands_off":
        return None
    leaving = pack.choosing.leaving
    if leaving is not None and facts.values[leaving] is True:
        return "let_go"
    return "refused" if len(talk.refused) >= pack.choosing.steps else None


def against(case: Case, action: Action, duty: str, closing: Closing | None = None) -> str | None:
    """Why an action has no place in the conversation any more; none where it has. What is owed stays, unless it was settled itself."""
    talk = case.conversation
    if talk is None:
        return None
    if action.id in talk.refused:
        return "refused"
    if action.id in talk.accepted:
        return "accepted"
    if duty == "owed":
        return None
    if closing is not None:
        return _ended[closing]
    return "same_help" if action.kind in talk.refused_kinds else None


def go_on(pack: Pack, case: Case, facts: Facts, closing: Closing | None, outcomes: list[Outcome | None], standing: list[int]) -> list[int]:
    """Note of the actions that what went before keeps out that it does, and give the places of the others."""
    left = []
    for place in standing:
        action = pack.actions[place]
        clause = against(case, action, duty_of(action, facts), closing)
        if clause is None:
            left.append(place)
        else:
            outcomes[place] = Outcome(action.id, "not_applicable", clause, _noted[clause])
    return left


def conceded(ranked: Iterable[Ranked]) -> int:
    """The largest single concession on a list: what a refusal of it leaves to concede, in the currency's smallest unit."""
    return max((item.concession for item in ranked), default=0)


def went_on(parent: Case, decision_id: str, since: datetime.datetime, settled: Iterable[Settled]) -> Conversation:
    """The conversation after one more decision. What was refused once stays refused.

    Args:
        parent: the case of the decision before.
        decision_id: its id.
        since: when it was made; it counts where the conversation began with it.
        settled: what was refused or accepted of any of the conversation's decisions, oldest first.
    """
    before = parent.conversation or Conversation(since, ())
    found = {item.action: item for item in before.settled}
    for item in settled:
        if item.action not in found or not found[item.action].refused:
            found[item.action] = item
    return Conversation(before.since, (*before.decisions, decision_id), tuple(found.values()))


def in_conversation(case: Case, conversation: Conversation, most: int) -> Case:
    """A case as the next one of a conversation: who has refused is conceded no more than before, by whoever asks.

    Args:
        case: as it would be decided by itself.
        conversation: what went before.
        most: the largest concession on the list before.
    """
    limit = case.asker.concession_limit
    asker = replace(case.asker, concession_limit=min(limit, most)) if conversation.refused else case.asker
    return replace(case, conversation=conversation, asker=asker)
