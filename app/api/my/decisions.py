"""The decisions about the customer who asks, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from app.api.bodies import json_answer
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.my.answers import MyDecisions
from app.api.my.myself import WhoInDevelopment, myself
from app.api.parameters import DecisionId, EntryId, Locale, Whole, Worded
from app.api.recorded import no_decision
from app.engine.texts import Language, language_of
from app.record.export.plain import Plain, all_plainly
from app.record.reading.many import page_about, read_decisions
from app.record.reading.recorded import token_of

PAGE = 10
LARGEST_PAGE = 50

router = APIRouter()

Cursor = Annotated[EntryId, Worded("the `next` of the page before; leave it out to begin with the newest")]


@router.get(
    "/v1/my/decisions",
    operation_id="readMyDecisions",
    summary="What was decided about me",
    response_description="In plain words, newest first.",
    **declared(MyDecisions, "damaged"),
)
async def read_my_decisions(
    call: Admitted,
    locale: Locale = "zh-CN",
    limit: Annotated[int, Whole(1, LARGEST_PAGE)] = PAGE,
    cursor: Annotated[Cursor | None, Query(description="`next` of the page before.")] = None,
    x_subscriber_id: WhoInDevelopment = None,
) -> Response:
    """Whoever asked for them, on whatever channel. Of somebody who is not on record the list is empty."""
    who, language = myself(call, x_subscriber_id), language_of(locale)

    def look(connection: Connection) -> tuple[str | None, MyDecisions]:
        token = token_of(connection, call.record.keys, who)
        if token is None:
            return None, MyDecisions([], None)
        page = page_about(connection, token, before=cursor, most=limit)
        return token, MyDecisions(_told(connection, call, token, page.ids, language), page.next)

    token, answer = await call.read(look)
    if token is not None:
        await call.note("list", token=token, found=len(answer.decisions))
    return json_answer(answer)


@router.get(
    "/v1/my/decisions/{decision_id}",
    operation_id="readMyDecision",
    summary="One decision about me",
    response_description="In plain words.",
    **declared(Plain, "not-found", "damaged"),
)
async def read_my_decision(
    call: Admitted, decision_id: DecisionId, locale: Locale = "zh-CN", x_subscriber_id: WhoInDevelopment = None
) -> Response:
    """A decision about somebody else is not there."""
    who, language = myself(call, x_subscriber_id), language_of(locale)

    def look(connection: Connection) -> tuple[str | None, Sequence[Plain]]:
        token = token_of(connection, call.record.keys, who)
        return token, [] if token is None else _told(connection, call, token, [decision_id], language)

    token, told = await call.read(look)
    if not told:
        raise no_decision()
    await call.note("explanation", of=decision_id, token=token)
    return json_answer(told[0])


def _told(connection: Connection, call: Call, token: str, ids: Sequence[str], language: Language) -> list[Plain]:
    """Those of these decisions that are about the person, in their order."""
    found = read_decisions(connection, call.record.keys, ids, lambda _, subject: subject == token)
    own = [found[name] for name in ids if name in found]
    return all_plainly(connection, own, call.services.packs.library, language)
