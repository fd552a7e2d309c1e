"""Is it there, does it work, what runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from app import __version__
from app.api.answers import PackRef, reference
from app.api.bodies import json_answer
from app.api.calls import Admitted, Call
from app.api.following.packs import FollowedPacks
from app.api.problems import documented, problem
from app.record.log.witnessing import WitnessState
from app.record.standing import Unsealed, unsealed
from app.record.store.problems import StoreError

router = APIRouter()


@dataclass(frozen=True)
class InForce:
    """What says which pack decides, and since when it does: the `store`, or in development mode a `folder`.

    `broken`: the pack that should decide, `wanted`, is no good; `problems` says why, while the last good one goes on.
    """

    follows: Literal["folder", "store"]
    since: str
    state: Literal["good", "broken"]
    wanted: str | None
    problems: list[str]


@dataclass(frozen=True)
class Readiness:
    """The service decides and its store takes decisions.

    `unsealed` says what waits for a leaf of the log, none where the store is away and entries are spooled; `degraded`: too long. `witness`
    is how the log stands with its witness, where it has one; `forked` wants somebody to look at once.
    """

    status: Literal["ready", "degraded"]
    pack: PackRef
    engine: str
    in_force: InForce
    unsealed: Unsealed | None
    witness: WitnessState | None


@dataclass(frozen=True)
class Alive:
    """The process answers."""

    status: Literal["alive"]


@dataclass(frozen=True)
class Welcome:
    """What runs here and where to go on. `mode`: in `development` everybody who reaches the service may do everything."""

    service: str
    engine: str
    mode: Literal["development", "guarded"]
    pack: PackRef
    in_force: InForce
    links: dict[str, str]


@router.get("/", operation_id="welcome", summary="What runs here", responses={200: {"model": Welcome}})
async def welcome(call: Admitted) -> Response:
    """The pack that runs, and links."""
    packs = call.services.packs
    links = {"decide": "/v1/decisions", "document": "/openapi.json", "page": "/docs", "alive": "/healthz", "ready": "/readyz"}
    mode: Literal["development", "guarded"] = "development" if call.services.callers.development else "guarded"
    return json_answer(Welcome("wanliu", __version__, mode, reference(packs.current), _in_force(packs), links))


@router.get("/healthz", operation_id="alive", summary="The process answers", responses={200: {"model": Alive}})
async def alive() -> Response:
    """Always, while the process runs."""
    return json_answer(Alive("alive"))


@router.get(
    "/readyz",
    operation_id="ready",
    summary="The service decides and records",
    responses={200: {"model": Readiness}, **documented("draining", "store-busy", "store-unavailable")},
)
async def ready(call: Admitted) -> Response:
    """Ready also when the pack that should decide is broken: the last good one runs, and the answer says both.

    `degraded` where the oldest entry waits too long for its leaf, or entries are spooled: they are durable all the same, and that is no
    reason to stop asking.
    """
    services = call.services
    if services.watch.draining:
        return problem("draining", detail="it finishes what it has, and takes nothing more")
    await services.record.check()
    witness = services.witness.state if services.witness else None
    waiting = await _unsealed(call)
    late = waiting is None or waiting.seconds >= services.watch.late_after
    return json_answer(
        Readiness(
            "degraded" if late else "ready", reference(services.packs.current), __version__, _in_force(services.packs), waiting, witness
        )
    )


async def _unsealed(call: Call) -> Unsealed | None:
    """What waits for its leaf; none while the store is away and entries are spooled."""
    now = call.now()
    try:
        return await call.read(lambda connection: unsealed(connection, now))
    except StoreError:
        return None


def _in_force(packs: FollowedPacks) -> InForce:
    running = packs.running
    return InForce(running.follows, running.since, "broken" if packs.problems else "good", packs.wanted, list(packs.problems))
