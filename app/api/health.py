"""Is it there, does it work, what runs."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from app import __version__
from app.api.answers import Alive, InForce, Readiness, Welcome, reference
from app.api.bodies import JSON
from app.api.following import FollowedPacks
from app.api.problems import documented
from app.api.services import Services

router = APIRouter()


@router.get("/", operation_id="welcome", summary="What runs here", responses={200: {"model": Welcome}})
async def welcome(request: Request) -> Response:
    """The pack that runs, and links."""
    packs = _services(request).packs
    links = {"decide": "/v1/decisions", "document": "/openapi.json", "alive": "/healthz", "ready": "/readyz"}
    return _json(Welcome("wanliu", __version__, reference(packs.current), _in_force(packs), links))


@router.get("/healthz", operation_id="alive", summary="The process answers", responses={200: {"model": Alive}})
async def alive() -> Response:
    """Always, while the process runs."""
    return _json(Alive("alive"))


@router.get(
    "/readyz",
    operation_id="ready",
    summary="The service decides and records",
    responses={200: {"model": Readiness}, **documented("store-unavailable")},
)
async def ready(request: Request) -> Response:
    """Ready also when the pack that should decide is broken: the last good one runs, and the answer says both."""
    services = _services(request)
    await services.record.check()
    witness = services.witness.state if services.witness else None
    return _json(Readiness("ready", reference(services.packs.current), __version__, _in_force(services.packs), witness))


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _in_force(packs: FollowedPacks) -> InForce:
    running = packs.running
    return InForce(running.follows, running.since, "broken" if packs.problems else "good", packs.wanted, list(packs.problems))


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type=JSON)
