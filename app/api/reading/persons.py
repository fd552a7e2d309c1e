"""What concerns one person, for the privacy officer: access and erasure."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from app.api.bodies import JSON, json_answer
from app.api.calls import Admitted
from app.api.declaring import declared
from app.api.parameters import SUBSCRIBER_ID, Locale
from app.engine.intake import FieldProblem, RequestError
from app.engine.vocabulary.model import Model
from app.record.erasing.persons import erase
from app.record.erasing.reasons import LONGEST_REASON
from app.record.export.sharing import give_access

_IN_HEADER = "-"
Subscriber = Annotated[
    str, Path(pattern=f"^(-|{SUBSCRIBER_ID})$", description="The operator's id; or `-`, with the id in the header `X-Subscriber-Id`.")
]
SubscriberHeader = Annotated[
    str | None, Header(pattern=f"^{SUBSCRIBER_ID}$", description="The id, so that it stands in no log of URLs; then the path has `-`.")
]

router = APIRouter()


class ErasedAnswer(Model):
    """What was deleted, by table. `record` is the entry that says so; `scrubbed`: the freed bytes were overwritten too."""

    record: str
    rows: dict[str, int]
    scrubbed: bool


@router.delete(
    "/v1/subscribers/{subscriber}",
    operation_id="eraseSubscriber",
    summary="Erase a person",
    response_description="Their key and what points at them are gone; every proof goes on working.",
    **declared(ErasedAnswer, "not-found", "held", "wrong-state"),
)
async def erase_subscriber(
    call: Admitted,
    subscriber: Subscriber,
    basis: Annotated[
        str, Query(min_length=1, max_length=LONGEST_REASON, description="On what it rests. It stays on the record: nothing personal in it.")
    ],
    x_subscriber_id: SubscriberHeader = None,
) -> Response:
    """Refused under a legal hold, with its reason."""
    wanted = _subscriber(subscriber, x_subscriber_id)
    try:
        erased = await asyncio.to_thread(erase, call.record, wanted, basis=basis, by=call.caller.name)
    except ValueError as error:
        raise RequestError([FieldProblem("basis", str(error).removeprefix("basis: "))]) from None
    return json_answer(ErasedAnswer(record=erased.entry_id, rows=dict(erased.rows), scrubbed=erased.scrubbed).model_dump())


@router.get(
    "/v1/subscribers/{subscriber}/record",
    operation_id="readSubscriber",
    summary="Everything that is held about a person",
    response_description="Every decision in plain words with what was known, contacts, what they refused since when, who looked.",
    **declared({200: {"content": {JSON: {"schema": {"type": "object"}}}}}, "not-found", "damaged"),
)
async def read_subscriber(
    call: Admitted, subscriber: Subscriber, locale: Locale = "zh-CN", x_subscriber_id: SubscriberHeader = None
) -> Response:
    """For a request for access. Who looks is on the record first."""
    wanted, who, library = _subscriber(subscriber, x_subscriber_id), call.caller, call.services.packs.library
    return json_answer(await asyncio.to_thread(give_access, call.record, library, wanted, caller=who.name, role=who.role, locale=locale))


def _subscriber(in_path: str, in_header: str | None) -> str:
    """The id, from the path or the header.

    Raises:
        RequestError: the path says that it is in the header, and there is none.
    """
    if in_path != _IN_HEADER:
        return in_path
    if not in_header:
        raise RequestError([FieldProblem("X-Subscriber-Id", "is required where the path has `-`")])
    return in_header
