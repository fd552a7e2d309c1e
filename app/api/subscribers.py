"""What concerns one person, for the privacy officer: access, erasure; and handing out records, with the bundle that proves them."""

from __future__ import annotations

import asyncio
import datetime
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, TypeVar

import orjson
from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi import Path as InPath
from pydantic import AwareDatetime, Field
from starlette.responses import Response, StreamingResponse

from app.api.bodies import JSON, read_json
from app.api.callers import caller_of
from app.api.pack_answers import body_of
from app.api.problems import documented, problem
from app.api.responses import DECISION_ID
from app.api.services import Services
from app.engine.intake import FieldProblem, RequestError, parse_body
from app.engine.vocabulary.model import Model
from app.record.erasing.persons import LONGEST_REASON, Erased, Held, NobodyKnown, NotErased, erase
from app.record.export.exporting import NothingSealed
from app.record.export.sharing import Asked, TooMuch, give_access, share
from app.record.store.database import stamp

MOST_LEAVES = 100_000
"""Of one bundle over HTTP; the command line has no bound."""
ZIP = "application/zip"
_ALWAYS = ("invalid-request", "internal", "store-busy", "store-unavailable")
_PART = 1 << 18
_IN_HEADER = "-"
_exporting = asyncio.Semaphore(1)
"""A bundle takes a processor and a disk for a while: one at a time."""

_ID = "[0-9A-Za-z][0-9A-Za-z_.:@+-]{0,63}"
Subscriber = Annotated[
    str, InPath(pattern=f"^(-|{_ID})$", description="The operator's id; or `-`, with the id in the header `X-Subscriber-Id`.")
]
SubscriberHeader = Annotated[
    str | None, Header(pattern=f"^{_ID}$", description="The id, so that it stands in no log of URLs; then the path has `-`.")
]
T = TypeVar("T")

router = APIRouter()


class ExportRequest(Model):
    """What to export: everything from one time to before another, or decisions with their outcomes."""

    since: Annotated[AwareDatetime | None, Field(alias="from", description="From this time on.")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to", description="Before this time.")] = None
    decisions: Annotated[
        list[Annotated[str, Field(pattern=DECISION_ID)]] | None, Field(min_length=1, max_length=100, description="Ids of decisions.")
    ] = None
    open: Annotated[
        list[Annotated[str, Field(pattern=f"^{_ID}$")]] | None,
        Field(max_length=20, description="Subscribers whose private payloads are opened in the bundle."),
    ] = None
    parquet: Annotated[bool, Field(description="Also tables for analysis, without anything of a person.")] = False


class ErasedAnswer(Model):
    """What was deleted, by table. `record` is the entry that says so; `scrubbed`: the freed bytes were overwritten too."""

    record: str
    rows: dict[str, int]
    scrubbed: bool


def handle_errors(app: FastAPI) -> None:
    """Answer what hinders access, erasure and export with a problem."""
    app.add_exception_handler(NotErased, _not_erased)
    app.add_exception_handler(NothingSealed, _nothing)
    app.add_exception_handler(TooMuch, _too_much)


async def _not_erased(_: Request, error: Exception) -> Response:
    return problem(
        "not-found" if isinstance(error, NobodyKnown) else "held" if isinstance(error, Held) else "wrong-state", detail=str(error)
    )


async def _nothing(_: Request, error: Exception) -> Response:
    return problem("not-found", detail=str(error))


async def _too_much(_: Request, error: Exception) -> Response:
    return problem("invalid-request", errors=[FieldProblem("from", str(error))])


@router.delete(
    "/v1/subscribers/{subscriber}",
    operation_id="eraseSubscriber",
    summary="Erase a person",
    response_description="Their key and what points at them are gone; every proof goes on working.",
    responses={200: {"model": ErasedAnswer}, **documented("not-found", "held", "wrong-state", *_ALWAYS)},
)
async def erase_subscriber(
    request: Request,
    subscriber: Subscriber,
    basis: Annotated[
        str, Query(min_length=1, max_length=LONGEST_REASON, description="On what it rests. It stays on the record: nothing personal in it.")
    ],
    x_subscriber_id: SubscriberHeader = None,
) -> Response:
    """Refused under a legal hold, with its reason."""
    who, wanted = caller_of(request), _subscriber(subscriber, x_subscriber_id)
    try:
        erased: Erased = await _done(partial(erase, _services(request).record, wanted, basis=basis, by=who.name))
    except ValueError as error:
        raise RequestError([FieldProblem("basis", str(error).removeprefix("basis: "))]) from None
    answer = ErasedAnswer(record=erased.entry_id, rows=dict(erased.rows), scrubbed=erased.scrubbed)
    return Response(orjson.dumps(answer.model_dump()), media_type=JSON)


@router.get(
    "/v1/subscribers/{subscriber}/record",
    operation_id="readSubscriber",
    summary="Everything that is held about a person",
    response_description="Every decision in plain words with what was known, contacts, what they refused since when, who looked.",
    responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}, **documented("not-found", *_ALWAYS)},
)
async def read_subscriber(
    request: Request,
    subscriber: Subscriber,
    locale: Annotated[Literal["zh-CN", "en"], Query(description="Language of the words.")] = "zh-CN",
    x_subscriber_id: SubscriberHeader = None,
) -> Response:
    """For a request for access. Who looks is on the record first."""
    services, who, wanted = _services(request), caller_of(request), _subscriber(subscriber, x_subscriber_id)
    held = await _done(partial(give_access, services.record, services.packs.library, wanted, caller=who.name, role=who.role, locale=locale))
    return Response(orjson.dumps(held), media_type=JSON)


@router.post(
    "/v1/records/export",
    operation_id="exportRecords",
    summary="A bundle of records that anybody can check offline",
    response_description="A zip file; `README.md` in it says how to check it.",
    responses={
        200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}},
        **documented("not-found", "body-too-large", "unsupported-media-type", *_ALWAYS),
    },
    openapi_extra={"requestBody": body_of(ExportRequest)},
)
async def export_records(request: Request) -> Response:
    """Records, proofs, checkpoints, packs, and the verifier."""
    services, who = _services(request), caller_of(request)
    asked = _asked(parse_body(await read_json(request), ExportRequest))
    async with _exporting:
        opened = await _done(partial(_bundle, services, asked, who.name, who.role))
    headers = {"content-disposition": 'attachment; filename="wanliu-records.zip"'}
    return StreamingResponse(_parts(opened), media_type=ZIP, headers=headers)


def _bundle(services: Services, asked: Asked, caller: str, role: str) -> BinaryIO:
    """The bundle as an open file that has no name any more, so that nothing of it stays behind."""
    with tempfile.TemporaryDirectory(prefix="wanliu-") as folder:
        file = Path(folder) / "bundle.zip"
        share(services.record, asked, file, caller=caller, role=role, most=MOST_LEAVES)
        return file.open("rb")


async def _parts(opened: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while part := await asyncio.to_thread(opened.read, _PART):
            yield part
    finally:
        opened.close()


def _asked(wanted: ExportRequest) -> Asked:
    """What is asked for.

    Raises:
        RequestError: a time span and decisions at once.
    """
    if wanted.decisions and (wanted.since or wanted.until):
        raise RequestError([FieldProblem("decisions", "names what to export; leave `from` and `to` out")])
    return Asked(_stamp(wanted.since), _stamp(wanted.until), tuple(wanted.decisions or ()), tuple(wanted.open or ()), wanted.parquet)


def _stamp(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


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


async def _done(work: Callable[[], T]) -> T:
    """Work that reads and writes for a while, in a thread of its own."""
    return await asyncio.to_thread(work)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services
