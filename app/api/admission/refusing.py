"""Refusals, made once and sent often: they cost next to nothing, so that whoever is let in does not feel them."""

from __future__ import annotations

import functools
import http
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Send

from app.api.problems import KINDS, MEDIA_TYPE
from app.api.tmf.answering import JSON as TMF_JSON
from app.api.tmf.answering import PATHS as TMF_PATHS
from app.api.tmf.answering import error_of, status_of

Worded = tuple[int, str, bytes]
"""Status, media type and body of a problem."""
_LONGEST_RETRY = 60


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in.

    `kind` is that of the problem. `after` is in how many seconds it may be tried again, where that helps. `close` ends the connection, for
    the rest of the body is not read.
    """

    kind: str
    after: float = 0.0
    detail: str | None = None
    field: tuple[str, str] | None = None
    close: bool = False


def _problem(problem: Mapping[str, Any]) -> Worded:
    return problem["status"], MEDIA_TYPE, orjson.dumps(problem)


def _tmf(problem: Mapping[str, Any]) -> Worded:
    return status_of(problem["status"]), TMF_JSON, orjson.dumps(error_of(problem))


WORDINGS: Mapping[tuple[str, ...], Callable[[Mapping[str, Any]], Worded]] = {TMF_PATHS: _tmf}
"""By beginnings of paths, how a problem is told there; elsewhere as problem details have it."""


async def refuse(send: Send, path: str, refusal: Refusal) -> None:
    """Answer a request that is not let in."""
    start, body = _answer(_door(path), refusal.kind, _seconds(refusal), refusal.detail, refusal.field, refusal.close)
    await send(start)
    await send(body)


def raw(path: str, refusal: Refusal, *, date: bytes, close: bool = False) -> bytes:
    """The same as bytes of HTTP/1.1, for whoever stands before the server's own machinery."""
    what = _door(path), refusal.kind, _seconds(refusal), refusal.detail, refusal.field, refusal.close or close
    return _raw(what, date)


@functools.lru_cache(512)
def overloaded(path: str, after: int, date: bytes) -> bytes:
    """What most refusals are where many are to be told: more is asked than can be answered.

    Args:
        path: that was asked for.
        after: in how many seconds it may be tried again.
        date: of the answer, as HTTP has it.
    """
    return raw(path, Refusal("overloaded", after), date=date)


def _seconds(refusal: Refusal) -> int:
    return min(max(math.ceil(refusal.after), 1), _LONGEST_RETRY)


def _door(path: str) -> tuple[str, ...]:
    return next((paths for paths in WORDINGS if path.startswith(paths)), ())


@functools.lru_cache(512)
def _answer(door: tuple[str, ...], kind: str, after: int, detail: str | None, field: tuple[str, str] | None, close: bool) -> Any:
    known = KINDS[kind]
    errors = [{"field": field[0], "message": field[1]}] if field else []
    told = {"type": f"urn:wanliu:problem:{kind}", "title": known.title, "status": known.status, "detail": detail, "errors": errors}
    status, media, body = WORDINGS.get(door, _problem)(told)
    headers = [(b"content-type", media.encode()), (b"content-length", b"%d" % len(body))]
    headers += [(b"retry-after", b"%d" % after)] if known.retry else []
    headers += [(b"connection", b"close")] if close else []
    return {"type": "http.response.start", "status": status, "headers": headers}, {"type": "http.response.body", "body": body}


@functools.lru_cache(512)
def _raw(what: tuple[Any, ...], date: bytes) -> bytes:
    start, body = _answer(*what)
    phrase = http.HTTPStatus(start["status"]).phrase.encode()
    headers = [(b"date", date), *start["headers"]]
    head = [b"HTTP/1.1 %d %b" % (start["status"], phrase), *(b"%b: %b" % header for header in headers)]
    return b"\r\n".join([*head, b"", body["body"]])
