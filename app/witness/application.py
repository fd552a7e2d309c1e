"""The witness over HTTP: `POST /add-checkpoint`, and what it has seen, for anybody to read."""

from __future__ import annotations

import asyncio
import datetime
from hashlib import sha256
from typing import Annotated

import structlog
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from app.witness.judging import BadSignature, NotProven, OtherRoot, OtherSize, Refused, UnknownLog, Witness
from app.witness.memory import Memory, Seen
from app.witness.request import LONGEST_REQUEST, AddCheckpoint, BadRequest

MOST_LISTED = 1_000
_log = structlog.get_logger("wanliu.witness")
_statuses: dict[type[Refused], int] = {UnknownLog: 404, BadSignature: 403, OtherSize: 409, OtherRoot: 409, NotProven: 422}


def create_witness(witness: Witness, memory: Memory) -> FastAPI:
    """Make the application of a witness and what it remembers."""
    app = FastAPI(title="Wanliu witness", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    places = {place_of(origin): origin for origin in witness.origins}

    def origin_of(place: str) -> str:
        if place not in places:
            raise HTTPException(404)
        return places[place]

    @app.get("/")
    def welcome() -> Response:
        logs = [{"origin": origin, **_told(memory.latest(origin)), "place": f"/{place}"} for place, origin in places.items()]
        return JSONResponse({"witness": witness.key, "logs": logs})

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        asked = AddCheckpoint.parse(await _body(request))
        return PlainTextResponse(await asyncio.to_thread(witness.add, asked))

    @app.get("/{place}/checkpoint")
    def latest(place: str) -> Response:
        seen = memory.latest(origin_of(place))
        if seen is None:
            raise HTTPException(404)
        return PlainTextResponse(seen.note)

    @app.get("/{place}/history")
    def history(
        place: str,
        before: Annotated[datetime.datetime | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
    ) -> Response:
        if before is not None and before.tzinfo is None:
            raise BadRequest("`before` has no zone; write it like 2026-11-22T00:00:00Z")
        return JSONResponse([_told(seen) for seen in memory.history(origin_of(place), before, limit)])

    app.add_exception_handler(BadRequest, _bad_request)
    app.add_exception_handler(Refused, _refused)
    return app


def place_of(origin: str) -> str:
    """Under which path a log's checkpoints stand: the SHA-256 of its origin (C2SP tlog-witness)."""
    return sha256(origin.encode()).hexdigest()


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LONGEST_REQUEST:
            raise HTTPException(413)
    return bytes(found)


async def _bad_request(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)


async def _refused(_: Request, error: Exception) -> Response:
    """Another size: the one that was seen. Not consistent: the checkpoint that was seen; with the one that was sent it proves a fork."""
    seen = error.seen if isinstance(error, Refused) else None
    if isinstance(error, OtherSize):
        return Response(f"{seen.size if seen else 0}\n", 409, {"content-type": "text/x.tlog.size"})
    if isinstance(error, OtherRoot | NotProven):
        _log.error("log_not_consistent", origin=seen.origin if seen else None, size=seen.size if seen else 0, why=str(error))
    return PlainTextResponse(seen.note if seen else f"{error}\n", _statuses.get(type(error), 400))  # type: ignore[arg-type]


def _told(seen: Seen | None) -> dict[str, object]:
    if seen is None:
        return {"size": 0}
    return {"size": seen.size, "root": seen.root.hex(), "since": seen.since.isoformat(), "note": seen.note}
