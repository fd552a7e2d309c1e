"""Serving the page. It holds nothing itself: what it shows is `/openapi.json`, what it sends goes to this service only."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from starlette.responses import Response

from app.api.etags import known_by, tagged

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""What a browser lets the page do: run its own script, and ask this service. No frame, no form, nothing from elsewhere."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
}

Part = Literal["page.js", "words.js", "fields.js", "carrying.js", "page.css", "chinese.json"]

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def page(request: Request) -> Response:
    """Every call of the API, with examples and a button that sends them."""
    return _served(request, "page.html")


@router.get("/docs/{file}")
async def part_of_page(request: Request, file: Annotated[Part, InPath()]) -> Response:
    """The page's scripts and style sheet, and its names in Chinese."""
    return _served(request, file)


def _served(request: Request, name: str) -> Response:
    content = _content(name)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**tagged(tag), "content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
    if known_by(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])


@functools.cache
def _content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
