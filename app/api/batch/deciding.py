"""One line of a batch decided, recorded and answered: what `decide` does for a request, with a problem where that has one."""

from __future__ import annotations

from typing import NamedTuple

import orjson
import structlog
from pydantic import TypeAdapter
from starlette.responses import Response

from app.api.batch.incoming import Line
from app.api.batch.shapes import BatchLine
from app.api.bodies import LARGEST_BODY
from app.api.calls import Call
from app.api.deciding import case_of, known, made
from app.api.errors import problem_of
from app.api.problems import problem
from app.api.repeating import Made, given_once
from app.engine.intake import FieldProblem, RequestError, parse_body
from app.engine.vocabulary.types import Code
from app.record.entries import Idempotency

_DECIDED = 200
_REFERENCE: TypeAdapter[str | None] = TypeAdapter(Code | None)
_log = structlog.get_logger("wanliu.batch")


class Answered(NamedTuple):
    """The answer to a line, and whether it is a decision, which is on record then, or a problem."""

    line: bytes
    decided: bool


async def decided_line(call: Call, line: Line, key: str | None) -> Answered:
    """Decide what a line asks.

    Args:
        call: of the batch.
        line: which.
        key: the batch's own idempotency key, where it has one.
    """
    reference: str | None = None
    try:
        body = _content(line)
        asked = parse_body(body, BatchLine)
        reference = asked.reference
        given = await _decided(call, asked, body, asked.idempotency_key or (key and f"{key}:{line.number}"))
    except Exception as error:  # noqa: BLE001 - whatever one line does, the others go on
        given, reference = _problem(call, error), reference or _reference_in(line)
    if given.status_code != _DECIDED:
        return problem_line(line.number, given, reference)
    return Answered(_line(line.number, reference, b'"decision":' + bytes(given.body)), decided=True)


def problem_line(number: int, found: Response, reference: str | None = None) -> Answered:
    """A problem as the answer to a line."""
    return Answered(_line(number, reference, bytes(found.body)[1:-1]), decided=False)


async def _decided(call: Call, asked: BatchLine, body: bytes, key: str | None) -> Response:
    now = call.now()
    if asked.mode != "live":
        raise RequestError([FieldProblem("mode", "expected live: what-if is asked one by one, at /v1/decisions")])

    async def make(repeatable: Idempotency | None) -> Made:
        found = await known(call, asked, now)
        async with call.services.batch_turn:
            await call.request.app.state.turnstile.give_way()  # one line of all batches at a time, and whoever waits goes first
            return await made(call, case_of(call, found, now), asked, now, repeatable)

    return await given_once(call, key, body, now, make)


def _reference_in(line: Line) -> str | None:
    """What the caller calls a line that cannot be taken, where that much can be read."""
    try:
        found = orjson.loads(line.content or b"")
        return _REFERENCE.validate_python(found.get("reference"))
    except (ValueError, AttributeError):
        return None


def _content(line: Line) -> bytes:
    if line.content is None:
        raise RequestError([FieldProblem("body", f"expected a line of at most {LARGEST_BODY:,} bytes")])
    return line.content


def _problem(call: Call, error: Exception) -> Response:
    found = problem_of(call.request, error)
    if found is not None:
        return found
    _log.error("line_failed", exc_info=error)
    return problem("internal")


def _line(number: int, reference: str | None, members: bytes) -> bytes:
    return b'{"line":%d,"reference":%s,%s}\n' % (number, orjson.dumps(reference), members)
