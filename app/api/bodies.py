"""Bodies: read no further than they may go, and answered as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from app.api.answers import as_json
from app.api.problems import problem

LARGEST_BODY = 1024 * 1024
JSON = "application/json"
BODY = "wanliu.body"
"""In the scope: the body of a request that was read before it got its turn."""


class Refused(Exception):
    """The request is not gone on with; `response` says why."""

    def __init__(self, response: Response) -> None:
        self.response = response


async def read_json(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The body of a request that says it is JSON.

    Args:
        request: the request.
        most: bytes that it may have.

    Raises:
        Refused: of another type, encoded, or larger; the rest of a larger one is not waited for.
    """
    check_type(request, JSON)
    body: bytes | None = request.scope.get(BODY)
    return await _read(request, most) if body is None else body


def check_type(request: Request, *types: str) -> None:
    """See that a body says it is of one of these types, the first being the proper one, and is sent as it is.

    Raises:
        Refused: it is of another type, or encoded; what is compressed is never unpacked.
    """
    headers = request.headers
    if headers.get("content-type", "").partition(";")[0].strip().lower() not in types:
        raise Refused(problem("unsupported-media-type", detail=f"send the header `content-type: {types[0]}`"))
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(problem("unsupported-media-type", detail="send the body as it is, without a `content-encoding`"))


def json_answer(answer: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON: a shape of values, or the bytes that are to be sent as they are."""
    return Response(answer if isinstance(answer, bytes) else as_json(answer), status, headers, JSON)


async def _read(request: Request, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(most: int) -> Refused:
    return Refused(problem("body-too-large", detail=f"at most {most:,} bytes are read", headers={"connection": "close"}))
