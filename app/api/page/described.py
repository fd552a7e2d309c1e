"""Serving the API's document. It is made when it is first asked for, beside the requests that are answered meanwhile, and kept."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import orjson
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from app.api.etags import kept_answer

PATH = "/openapi.json"

router = APIRouter(include_in_schema=False)
_maker = ThreadPoolExecutor(1, thread_name_prefix="document")
"""One thread, so that it is made once, whoever asks at the same time."""


@router.get(PATH)
async def described(request: Request) -> Response:
    """The OpenAPI document."""
    known: bytes | None = getattr(request.app.state, "described", None)
    if known is None:
        known = await asyncio.get_running_loop().run_in_executor(_maker, _written, request.app)
    return kept_answer(request, known)


def _written(app: FastAPI) -> bytes:
    known: bytes | None = getattr(app.state, "described", None)
    if known is None:
        known = app.state.described = orjson.dumps(app.openapi())
    return known
