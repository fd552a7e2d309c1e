"""The next decision of a conversation: after a refusal another kind of help, after answers the same question with more known."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from app.api.calls import Call
from app.api.deciding import case_of, known, made
from app.api.repeating import Made
from app.engine.case import Case, Conversation, Settled
from app.engine.conversation import in_conversation, went_on
from app.engine.intake import CaseError, next_request
from app.engine.vocabulary import DecisionRequest, LooseValue
from app.record.entries import Idempotency
from app.record.reading.conversations import LONGEST, Step

LASTS = datetime.timedelta(hours=24)
"""A conversation ends so long after its first decision."""
MESSAGES = frozenset({"sms_marketing", "sms_service", "email"})
"""Channels on which nobody is there to go on with: what is refused there rests."""

NextBecause = Literal["message", "ended", "too_late", "pack_changed"]
"""Why there is no next decision: the channel sends messages, the person was let go, the conversation is over, or the pack that is in force
now cannot decide the case."""


@dataclass(frozen=True, slots=True)
class Going:
    """A conversation that goes on.

    Attributes:
        step: the decision that was answered.
        now: when.
        settled: what was refused or accepted with this answer.
        answers: what was answered to questions.
        agent: code of who is in front of the screen.
    """

    step: Step
    now: datetime.datetime
    settled: tuple[Settled, ...] = ()
    answers: Mapping[str, LooseValue] | None = None
    agent: str | None = None

    @property
    def case(self) -> Case:
        """The case that the conversation goes on from.

        Raises:
            ValueError: the person was erased.
        """
        case = self.step.decision.case
        if case is None:
            raise ValueError("the person was erased")
        return case

    @property
    def conversation(self) -> Conversation:
        """What will have gone before the next decision."""
        decision = self.step.decision
        made_at = datetime.datetime.fromisoformat(decision.envelope["at"])
        return went_on(self.case, decision.id, made_at, (*self.step.settled, *self.settled))


def over(going: Going) -> NextBecause | None:
    """Why the conversation does not go on; none where it does."""
    body, talk = going.step.decision.body, going.conversation
    if going.answers is None and body["channel"] in MESSAGES:
        return "message"
    if going.now - talk.since >= LASTS:
        return "too_late"
    return "ended" if ("closing" in body and going.answers is None) or len(talk.decisions) >= LONGEST else None


async def next_decision(call: Call, going: Going, key: Idempotency | None = None) -> Made:
    """Decide again with the pack in force, knowing what was answered.

    Args:
        call: who asks.
        going: the conversation, which is not over.
        key: the caller's name for the request, where the decision alone is what it makes.

    Raises:
        CaseError: the pack in force has something against an answer, or the case.
        StoreError: the record cannot be read.
    """
    body, case, talk = going.step.decision.body, going.case, going.conversation
    asked = next_request(
        call.services.packs.current,
        case,
        going.now,
        answers=going.answers,
        history=body.get("history", "caller"),
        explain=body.get("explain", "summary"),
        agent=going.agent or body.get("agent"),
    )
    told = without_itself(await known(call, asked, going.now), talk)
    following = in_conversation(case_of(call, told, going.now), talk, going.step.conceded)
    found = await made(call, following, asked, going.now, key, going.step.decision.id)
    return replace(found, entry=replace(found.entry, subscriber=None, token=going.step.decision.subject))  # never of a person made anew


async def next_if_any(call: Call, going: Going) -> Made | NextBecause:
    """The next decision after a refusal, or why there is none.

    Raises:
        StoreError: the record cannot be read.
    """
    because = over(going)
    if because is not None:
        return because
    try:
        return await next_decision(call, going)
    except CaseError:
        return "pack_changed"


def without_itself(asked: DecisionRequest, conversation: Conversation) -> DecisionRequest:
    """The request without the conversation's own contacts: they say nothing of how the person was treated before it."""
    contacts = asked.subscriber.contacts
    if contacts is None:
        return asked
    others = tuple(item for item in contacts if item.message not in conversation.decisions)
    return asked.model_copy(update={"subscriber": asked.subscriber.model_copy(update={"contacts": others})})
