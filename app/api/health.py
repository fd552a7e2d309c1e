"""Is it there, does it work, what runs."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from app import __version__
from app.api.answers import Alive, InForce, Readiness, Welcome, reference
from app.api.bodies import json_answer
from app.api.calls import Admitted
from app.api.following.packs import FollowedPacks
from app.api.problems import documented

router = APIRouter()


@router.get("/", operation_id="welcome", summary="What runs here", responses={200: {"model": Welcome}})
async def welcome(call: Admitted) -> Response:
    """The pack that runs, and links."""
    packs = call.services.packs
    links = {"decide": "/v1/decisions", "document": "/openapi.json", "alive": "/healthz", "ready": "/readyz"}
    return json_answer(Welcome("wanliu", __version__, reference(packs.current), _in_force(packs), links))


@router.get("/healthz", operation_id="alive", summary="The process answers", responses={200: {"model": Alive}})
async def alive() -> Response:
    """Always, while the process runs."""
    return json_answer(Alive("alive"))


@router.get(
    "/readyz",
    operation_id="ready",
    summary="The service decides and records",
    responses={200: {"model": Readiness}, **documented("store-unavailable")},
)
async def ready(call: Admitted) -> Response:
    """Ready also when the pack that should decide is broken: the last good one runs, and the answer says both."""
    services = call.services
    await services.record.check()
    witness = services.witness.state if services.witness else None
    return json_answer(Readiness("ready", reference(services.packs.current), __version__, _in_force(services.packs), witness))


def _in_force(packs: FollowedPacks) -> InForce:
    running = packs.running
    return InForce(running.follows, running.since, "broken" if packs.problems else "good", packs.wanted, list(packs.problems))
