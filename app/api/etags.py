"""Answers that a caller may keep: their tag, and whether the caller has them already."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from app.api.bodies import json_answer

LOOK_AGAIN = "private, no-cache"
"""May be kept, and is asked about before it is used again."""
FOR_EVER = "private, max-age=31536000, immutable"
"""Never changes."""


def tagged(tag: str, cache: str = LOOK_AGAIN) -> dict[str, str]:
    """Headers of an answer that may be kept.

    Args:
        tag: what changes when the answer does, in quotes.
        cache: how long it may be used.
    """
    return {"etag": tag, "cache-control": cache}


def known_by(request: Request, tag: str) -> bool:
    """Does the caller have this very answer?"""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in given.split(","))


def kept_answer(request: Request, body: bytes, cache: str = LOOK_AGAIN) -> Response:
    """An answer as JSON with its tag, or, to who has it, that it is the same (304).

    Args:
        request: who asks.
        body: the answer.
        cache: how long it may be used.
    """
    headers = tagged(f'"{hashlib.sha256(body).hexdigest()[:32]}"', cache)
    if known_by(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return json_answer(body, headers=headers)
