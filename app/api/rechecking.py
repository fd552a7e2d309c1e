"""Just before sending: may what was decided still go out?"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.answers import PackRef, reference
from app.api.bodies import json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.declaring import REFERENCES, declared
from app.api.parameters import EntryId
from app.api.recorded import concerns
from app.engine.intake import parse_body
from app.engine.intake.renewing import FreshContext
from app.engine.vocabulary.model import Model
from app.engine.vocabulary.types import Code, Instant
from app.record.rechecks import Rechecked, Wanted, recheck_all, recheck_entry

MOST = 100
"""Actions of one call."""

router = APIRouter()


class RecheckItem(Model):
    """An action that is about to go out."""

    decision_id: Annotated[EntryId, Field(description="The decision that has it on its list.")]
    action: Annotated[Code, Field(description="The action.")]
    contact_at: Annotated[Instant | None, Field(description="When the person will be contacted; left out, now.")] = None
    subscriber: Annotated[
        FreshContext | None,
        Field(description="What is known of the person by now: sections that take the place of those the decision was made with."),
    ] = None


class RecheckRequest(Model):
    """Actions that are about to go out."""

    items: Annotated[list[RecheckItem], Field(min_length=1, max_length=MOST)]
    locale: Annotated[Literal["zh-CN", "en"], Field(description="Language of the words.")] = "zh-CN"


@dataclass(frozen=True, slots=True)
class RecheckedAction:
    """Whether an action may go out now. If not: one cause, the clause of the pack, words, and until when, where it ends."""

    decision_id: str
    action: str
    may_send: bool
    cause: str | None
    clause: str | None
    words: str | None
    until: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class RecheckAnswer:
    """The answers, in the order of the items, by the pack that is in force."""

    checked_at: datetime.datetime
    pack: PackRef
    items: Sequence[RecheckedAction]


@router.post(
    "/v1/decisions/recheck",
    operation_id="recheck",
    summary="May decided actions still go out?",
    response_description="An answer for each item. Each is on the record before this is sent.",
    **declared(RecheckAnswer, "damaged", takes={"$ref": REFERENCES.format(model=RecheckRequest.__name__)}),
)
async def recheck(call: Admitted) -> Response:
    """Consent, own choices, cases, status, port-out, caps, hours: decided anew as of now. Being outranked is no prohibition."""
    asked, now, pack = parse_body(await read_json(call.request), RecheckRequest), call.now(), call.services.packs.current
    wanted = [Wanted(item.decision_id, item.action, item.subscriber, item.contact_at) for item in asked.items]

    def look(connection: Connection) -> list[Rechecked]:
        return recheck_all(connection, call.record.keys, pack, wanted, now, asked.locale, theirs)

    def theirs(body: Mapping[str, Any], subject: str | None) -> bool:
        return concerns(call, body, subject, None)

    found = await call.read(look)
    await _note(call, wanted, found, now, pack.digest)
    items = [_answered(item, became) for item, became in zip(wanted, found, strict=True)]
    return json_answer(RecheckAnswer(now, reference(pack), items))


async def _note(call: Call, wanted: Sequence[Wanted], found: Sequence[Rechecked], now: datetime.datetime, pack: str) -> None:
    """Put on the record what was answered about each person.

    Raises:
        StoreError: it is not on the record, so nothing is answered.
    """
    pairs = zip(wanted, found, strict=True)
    entries = [recheck_entry(call.new_id(now), now, item, became, pack, call.caller) for item, became in pairs]
    await asyncio.gather(*(call.record.write(entry) for entry in entries if entry is not None))


def _answered(item: Wanted, found: Rechecked) -> RecheckedAction:
    return RecheckedAction(item.decision_id, item.action, found.cause is None, found.cause, found.clause, found.words, found.until)
