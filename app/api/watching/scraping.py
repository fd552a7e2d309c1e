"""`GET /metrics`: what Prometheus asks for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from app.api.calls import Admitted, Call
from app.api.problems import documented
from app.api.watching.shared import FOLDER, register_all
from app.api.watching.stating import State
from app.record.standing import Standing, standing
from app.record.store.problems import StoreError

router = APIRouter()
_PATIENCE = 2.0
"""Seconds that the store has for telling how it stands: metrics are wanted most when it does not answer."""
_TEXT = {"schema": {"type": "string"}}


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Figures for Prometheus",
    response_description="In Prometheus's text format or, where `Accept` asks for it, that of OpenMetrics.",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": _TEXT, "application/openmetrics-text": _TEXT}},
        **documented("invalid-request", "internal"),
    },
)
async def metrics(call: Admitted) -> Response:
    """Of all processes of the service, whichever answers. The store may be down: then that is what is told."""
    encode, media_type = _form(call.request.headers.get("accept", ""))
    standing_now = await _standing(call)
    call.services.watch.metrics.put()
    found = await asyncio.to_thread(_encoded, call, standing_now, encode)
    return Response(found, headers={"content-type": media_type})


def _form(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """How to write them, and what that is called; where the header makes no sense, as if there were none."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # the library compares a version that is none
        return choose_encoder("")


async def _standing(call: Call) -> Standing | None:
    now = call.now()
    try:
        return await call.read(lambda connection: standing(connection, now), deadline=_PATIENCE)
    except StoreError:
        return None


def _encoded(call: Call, found: Standing | None, encode: Callable[[CollectorRegistry], bytes]) -> bytes:
    registry = CollectorRegistry()
    if FOLDER in os.environ:
        register_all(registry)
    else:
        registry.register(call.services.watch.metrics.registry)
    registry.register(State(call.services, found))
    return encode(registry)
