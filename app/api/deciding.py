"""From a request to a decision and its entry: what every route that decides has in common."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import dataclass

from app.api.answers import answer_bytes
from app.api.asking import agent_of, check_subscriber
from app.api.calls import Call
from app.api.repeating import Made
from app.api.watching.watched import watched
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision
from app.engine.explain import Detail, explain
from app.engine.intake import take, with_history
from app.engine.pack import Pack
from app.engine.view import sees_evidence, sees_scores, view
from app.engine.vocabulary import DecisionRequest
from app.record.contacts import contacts_of
from app.record.decisions import Asked, decision_entry
from app.record.entries import Idempotency


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, what made it, and the answer as it is given."""

    pack: Pack
    case: Case
    decision: Decision
    answer: bytes


async def known(call: Call, asked: DecisionRequest, now: datetime.datetime) -> DecisionRequest:
    """The request with what the record knows of the subscriber: contacts where it wishes for them, and what they chose for good as far as
    it was met. Whether that is all, the store says when the decision is to be stored.

    Raises:
        StoreError: the record cannot be read.
    """
    choices = call.services.chosen.of(asked.subscriber.id)
    asked = asked.with_choices(choices) if choices else asked
    if asked.history == "caller":
        return asked
    recorded = await call.read(lambda connection: contacts_of(connection, call.record.keys, asked.subscriber.id))
    return with_history(asked, recorded, now)


def case_of(call: Call, asked: DecisionRequest, now: datetime.datetime) -> Case:
    """The case that a request of this caller makes with the pack in force.

    Raises:
        CaseError: naming every field that makes no case.
        Refused: a customer asks about somebody else.
    """
    check_subscriber(call.caller, asked.subscriber.id, call.request.headers)
    return take(call.services.packs.current, asked, now=now, role=call.caller.role, grade=call.caller.grade)


async def step() -> None:
    """A step of an answer begins: those who came together take it together. Code that runs several times in a row is still at hand in the
    processor, which takes a fifth less than each request from its beginning to its end."""
    await asyncio.sleep(0)


async def decided(
    call: Call, case: Case, detail: Detail, now: datetime.datetime, decision_id: str | None, parent: str | None = None
) -> Decided:
    """Decide with the pack in force, and word it as far as the caller's role may see.

    Args:
        call: who asks.
        case: what is asked.
        detail: `none`, `summary` or `full`.
        now: when.
        decision_id: none in what-if, which is not recorded.
        parent: the decision before in the same conversation.
    """
    pack, role = call.services.packs.current, call.caller.role
    seen = watched(call.request)
    with seen.stage("decide"):
        decision = decide(pack, case)
    await step()
    with seen.stage("word"):
        whole = explain(pack, case, decision, detail, evidence=sees_evidence(role), scores=sees_scores(role, call.caller.grade))
        explanation = view(whole, pack.restricted, role, call.caller.grade)
        answer = answer_bytes(explanation, pack, now, decision_id, parent)
    seen.decided(case.channel, "live" if decision_id else "what_if", decision.phase.id, decision.empty_because)
    return Decided(pack, case, decision, answer)


async def made(
    call: Call, case: Case, asked: DecisionRequest, now: datetime.datetime, key: Idempotency | None = None, parent: str | None = None
) -> Made:
    """Decide live: the answer, and the entry that has to be on the record before it is given.

    Args:
        call: who asks.
        case: what is asked.
        asked: the request that the case came from: how it was asked, for the record.
        now: when.
        key: the caller's name for the request, where it has one.
        parent: the decision before in the same conversation.
    """
    decision_id, caller = call.new_id(now), call.caller
    found = await decided(call, case, asked.explain, now, decision_id, parent)
    await step()
    agent = agent_of(caller, asked.agent)
    who = Asked(caller.name, caller.role, asked.explain, asked.history, agent=agent, grade=caller.grade, parent=parent)
    entry = decision_entry(decision_id, now, found.pack, case, found.decision, found.answer, who, key)
    return Made(found.answer, entry, about=case.subscriber.id)
