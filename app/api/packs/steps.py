"""Steps with packs: approved by somebody else, rejected, activated, withdrawn, rolled back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.api.bodies import json_answer, read_json
from app.api.calls import Admitted, Call
from app.api.declaring import declared
from app.api.packs.answers import Activation, PackDetail, Rejection, Remark
from app.api.packs.shelf import desk_of, detail_of, shelf_with
from app.api.parameters import Digest
from app.engine.intake import parse_body
from app.record.entries import NewEntry
from app.record.packs.library import read_shelf
from app.record.packs.steps import Desk

router = APIRouter()


def _step(takes: type[Remark | Rejection], *problems: str) -> dict[str, Any]:
    return declared(PackDetail, *problems, "wrong-state", takes=takes)


@router.post(
    "/v1/packs/rollback",
    operation_id="rollBackPack",
    summary="Bring back the pack that was active before",
    response_description="The pack that is in force again.",
    **_step(Remark),
)
async def rollback(call: Admitted) -> Response:
    """Nothing is approved anew: it was active before."""
    remark = parse_body(await read_json(call.request), Remark)
    shelf = await call.read(read_shelf)
    return await _taken(call, desk_of(call, shelf).rollback(call.caller.name, remark.note))


@router.post(
    "/v1/packs/{digest:digest}/approve",
    operation_id="approvePack",
    summary="Approve a pack that somebody else published",
    response_description="The pack, approved.",
    **_step(Remark, "not-found", "own-pack"),
)
async def approve(call: Admitted, digest: Digest) -> Response:
    """Who published it cannot."""
    remark = parse_body(await read_json(call.request), Remark)
    return await _taken_with(call, digest, lambda desk, by: desk.approve(digest, by, remark.note))


@router.post(
    "/v1/packs/{digest:digest}/reject",
    operation_id="rejectPack",
    summary="Refuse a pack, or take its approval back",
    response_description="The pack, rejected; what was scheduled of it is withdrawn.",
    **_step(Rejection, "not-found"),
)
async def reject(call: Admitted, digest: Digest) -> Response:
    """With a reason."""
    rejection = parse_body(await read_json(call.request), Rejection)
    return await _taken_with(call, digest, lambda desk, by: desk.reject(digest, by, rejection.note))


@router.post(
    "/v1/packs/{digest:digest}/activate",
    operation_id="activatePack",
    summary="Let an approved pack decide, now or from a time on",
    response_description="The pack. Every process takes it over within two seconds, once it has run the pack's own tests.",
    **_step(Activation, "not-found"),
)
async def activate(call: Admitted, digest: Digest) -> Response:
    """Approved packs only."""
    wish = parse_body(await read_json(call.request), Activation)
    return await _taken_with(call, digest, lambda desk, by: desk.activate(digest, by, wish.at, wish.note))


@router.post(
    "/v1/packs/{digest:digest}/withdraw",
    operation_id="withdrawPack",
    summary="Take a pack's scheduled activations back",
    response_description="The pack, no longer scheduled.",
    **_step(Remark, "not-found"),
)
async def withdraw(call: Admitted, digest: Digest) -> Response:
    """What decides already goes on."""
    remark = parse_body(await read_json(call.request), Remark)
    return await _taken_with(call, digest, lambda desk, by: desk.withdraw(digest, by, remark.note))


async def _taken_with(call: Call, digest: str, wish: Callable[[Desk, str], NewEntry]) -> Response:
    """Take a step with a pack that is there, and show what became of it."""
    shelf = await shelf_with(call, digest)
    return await _taken(call, wish(desk_of(call, shelf), call.caller.name))


async def _taken(call: Call, entry: NewEntry) -> Response:
    await call.record.write(entry)
    shelf = await call.read(read_shelf)
    return json_answer(detail_of(call, shelf, str(entry.body["digest"])))
