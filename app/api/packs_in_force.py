"""Packs in force: published, approved by somebody else, activated, rolled back, and read."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, FastAPI, Path, Query, Request
from sqlalchemy import Connection
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import Response

from app.api.bodies import JSON, read_json
from app.api.callers import caller_of
from app.api.pack_answers import (
    LARGEST_BODY,
    PUBLISH_BODY,
    Activation,
    PackDetail,
    PackList,
    Published,
    Rejection,
    Remark,
    body_of,
    files_of,
    mistakes,
    outcome_of,
    steps_of,
)
from app.api.problems import documented, problem
from app.api.services import Services
from app.engine.intake import FieldProblem, parse_body
from app.engine.problems import PackError
from app.record.entries import NewEntry
from app.record.packs.library import Shelf, content_of, read_shelf, stored_content
from app.record.packs.publishing import checked, texts_of
from app.record.packs.steps import BadStep, Desk, OwnPack, PackContent, PackStepError, UnknownPack
from app.record.store.database import stamp
from app.record.store.problems import RowRefused

PAGE, LARGEST_PAGE = 50, 500
DIGEST = r"^sha256:[0-9a-f]{64}$"


class _DigestConvertor(StringConvertor):
    """Takes digests only, so that other words below `/v1/packs/` are paths of their own."""

    regex = DIGEST[1:-1]


register_url_convertor("digest", _DigestConvertor())

Digest = Annotated[str, Path(pattern=DIGEST, description="A pack's digest.")]
_ALWAYS = ("invalid-request", "internal", "store-busy", "store-unavailable")
_BODY = ("body-too-large", "unsupported-media-type")

router = APIRouter()


def handle_errors(app: FastAPI) -> None:
    """Answer steps that are not taken, and packs that cannot be used, with problems."""
    app.add_exception_handler(PackStepError, _step_error)
    app.add_exception_handler(PackError, _pack_error)


async def _step_error(_: Request, error: Exception) -> Response:
    if isinstance(error, BadStep):
        return problem("invalid-request", errors=[FieldProblem(error.field, str(error))])
    kind = "not-found" if isinstance(error, UnknownPack) else "own-pack" if isinstance(error, OwnPack) else "wrong-state"
    return problem(kind, detail=str(error))


async def _pack_error(_: Request, error: Exception) -> Response:
    return problem("invalid-pack", errors=mistakes(error) if isinstance(error, PackError) else ())


@router.post(
    "/v1/packs",
    operation_id="publishPack",
    summary="Publish a pack",
    status_code=201,
    response_description="Published. It decides nothing before somebody else has approved it and it is activated.",
    responses={
        200: {"model": Published, "description": "It was published before."},
        201: {"model": Published},
        **documented("invalid-pack", "wrong-state", *_BODY, *_ALWAYS),
    },
    openapi_extra={"requestBody": PUBLISH_BODY},
)
async def publish(request: Request) -> Response:
    """Check the pack, run its tests, put it on the record."""
    services = _services(request)
    content = content_of(files_of(await read_json(request, LARGEST_BODY)))
    async with services.packs.checking:
        pack, trial = await checked(content, today=services.clock().date(), cache=services.packs.library.cache)
    by, is_new = caller_of(request).name, False
    for last in (False, True):
        shelf, stored = await services.record.read(lambda connection: _shelf_and_content(connection, content.digest))
        entry = _desk(services, shelf).publish(pack, by, stored)
        if entry is None:
            break
        try:
            await services.record.write(entry)
        except RowRefused:  # somebody published it meanwhile
            if last:
                raise
        else:
            is_new = True
            break
    shelf = await services.record.read(read_shelf)
    answer = Published(shelf.summary(content.digest, stamp(services.clock())), outcome_of(trial))
    return Response(orjson.dumps(answer), 201 if is_new else 200, {"location": f"/v1/packs/{content.digest}"}, JSON)


def _step_responses(*kinds: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": PackDetail}, **documented(*kinds, "wrong-state", *_BODY, *_ALWAYS)}


@router.post(
    "/v1/packs/rollback",
    operation_id="rollBackPack",
    summary="Bring back the pack that was active before",
    response_description="The pack that is in force again.",
    responses=_step_responses(),
    openapi_extra={"requestBody": body_of(Remark)},
)
async def rollback(request: Request) -> Response:
    """Nothing is approved anew: it was active before."""
    services, remark = _services(request), parse_body(await read_json(request), Remark)
    shelf = await services.record.read(read_shelf)
    return await _take(services, _desk(services, shelf).rollback(caller_of(request).name, remark.note))


@router.post(
    "/v1/packs/{digest:digest}/approve",
    operation_id="approvePack",
    summary="Approve a pack that somebody else published",
    response_description="The pack, approved.",
    responses=_step_responses("not-found", "own-pack"),
    openapi_extra={"requestBody": body_of(Remark)},
)
async def approve(request: Request, digest: Digest) -> Response:
    """Who published it cannot."""
    remark = parse_body(await read_json(request), Remark)
    return await _step(request, digest, lambda desk, by: desk.approve(digest, by, remark.note))


@router.post(
    "/v1/packs/{digest:digest}/reject",
    operation_id="rejectPack",
    summary="Refuse a pack, or take its approval back",
    response_description="The pack, rejected; what was scheduled of it is withdrawn.",
    responses=_step_responses("not-found"),
    openapi_extra={"requestBody": body_of(Rejection)},
)
async def reject(request: Request, digest: Digest) -> Response:
    """With a reason."""
    rejection = parse_body(await read_json(request), Rejection)
    return await _step(request, digest, lambda desk, by: desk.reject(digest, by, rejection.note))


@router.post(
    "/v1/packs/{digest:digest}/activate",
    operation_id="activatePack",
    summary="Let an approved pack decide, now or from a time on",
    response_description="The pack. Every process takes it over within two seconds, once it has run the pack's own tests.",
    responses=_step_responses("not-found"),
    openapi_extra={"requestBody": body_of(Activation)},
)
async def activate(request: Request, digest: Digest) -> Response:
    """Approved packs only."""
    wish = parse_body(await read_json(request), Activation)
    return await _step(request, digest, lambda desk, by: desk.activate(digest, by, wish.at, wish.note))


@router.post(
    "/v1/packs/{digest:digest}/withdraw",
    operation_id="withdrawPack",
    summary="Take a pack's scheduled activations back",
    response_description="The pack, no longer scheduled.",
    responses=_step_responses("not-found"),
    openapi_extra={"requestBody": body_of(Remark)},
)
async def withdraw(request: Request, digest: Digest) -> Response:
    """What decides already goes on."""
    remark = parse_body(await read_json(request), Remark)
    return await _step(request, digest, lambda desk, by: desk.withdraw(digest, by, remark.note))


@router.get(
    "/v1/packs",
    operation_id="listPacks",
    summary="Every pack that was ever published",
    responses={200: {"model": PackList}, **documented("not-found", *_ALWAYS)},
)
async def list_packs(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Packs on a page.")] = PAGE,
    after: Annotated[str | None, Query(pattern=DIGEST, description="The `next` of the page before.")] = None,
) -> Response:
    """Newest first, with what is in force and what runs here."""
    services = _services(request)
    shelf, moment = await services.record.read(read_shelf), stamp(services.clock())
    digests = list(shelf.packs)
    if after is not None and after not in shelf.packs:
        raise UnknownPack("no pack has the digest of `after`")
    start = digests.index(after) + 1 if after is not None else 0
    page = digests[start : start + limit]
    active = shelf.history.active(moment)
    answer = PackList(
        active.digest if active is not None else None,
        services.packs.current.digest,
        [shelf.summary(digest, moment) for digest in page],
        page[-1] if start + limit < len(digests) else None,
    )
    return Response(orjson.dumps(answer), media_type=JSON)


@router.get(
    "/v1/packs/{digest:digest}",
    operation_id="readPack",
    summary="A pack, who did what with it and, where asked for, its files",
    responses={
        200: {"model": PackDetail, "headers": {"ETag": {"description": "Changes when the answer does.", "schema": {"type": "string"}}}},
        304: {"description": "It is as `If-None-Match` knows it."},
        **documented("not-found", *_ALWAYS),
    },
)
async def read_pack(
    request: Request,
    digest: Digest,
    files: Annotated[Literal["true", "false"], Query(description="With the text of every file.")] = "false",
) -> Response:
    """The files are those that decide, and the pack's own tests."""
    services = _services(request)
    shelf = await services.record.read(read_shelf)
    _known(shelf, digest)
    content = await asyncio.to_thread(services.packs.library.content, digest) if files == "true" else None
    body = _detail(shelf, digest, services.clock(), content)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if tag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, headers={"etag": tag}, media_type=JSON)


async def _step(request: Request, digest: str, wish: Callable[[Desk, str], NewEntry]) -> Response:
    """Take a step with a pack that is there, and show what became of it."""
    services = _services(request)
    shelf = await services.record.read(read_shelf)
    _known(shelf, digest)
    return await _take(services, wish(_desk(services, shelf), caller_of(request).name))


async def _take(services: Services, entry: NewEntry) -> Response:
    await services.record.write(entry)
    shelf = await services.record.read(read_shelf)
    return Response(_detail(shelf, str(entry.body["digest"]), services.clock()), media_type=JSON)


def _detail(shelf: Shelf, digest: str, now: datetime.datetime, content: PackContent | None = None) -> bytes:
    files = dict(texts_of(content)) if content is not None else None
    return orjson.dumps(PackDetail(shelf.summary(digest, stamp(now)), steps_of(shelf.history, digest), files))


def _known(shelf: Shelf, digest: str) -> None:
    if digest not in shelf.packs:
        raise UnknownPack("no pack has this digest")


def _desk(services: Services, shelf: Shelf) -> Desk:
    return Desk(shelf.history, services.clock(), services.ids)


def _shelf_and_content(connection: Connection, digest: str) -> tuple[Shelf, PackContent | None]:
    return read_shelf(connection), stored_content(connection, digest)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services
