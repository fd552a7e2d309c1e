"""A batch as the client sends it: in pieces that the service takes whole before anybody has to read, each line under a key of its own."""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx

from app.client.answers import Decision
from app.client.attempts import REFUSED, Attempts
from app.client.calls.deciding import Asked, fields_of
from app.client.problems import NotJsonError, WanliuError, problem_in
from app.client.writing import written

MOST_LINES, MOST_BYTES = 200, 192 * 1024
"""Of a piece; the service reads 256 KB of a batch before it wants its answers read."""
PATH = "/v1/decisions/batch"
HEADERS = {"content-type": "application/x-ndjson"}
_BUSY = (REFUSED, 503)
_CUT = "the answer to a batch broke off"


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """The answer to a line of a batch: a decision, or the problem for which there is none. `line` counts from 1."""

    line: int
    reference: str | None
    decision: Decision | None
    problem: WanliuError | None

    @property
    def is_busy(self) -> bool:
        """Was there no time for it, whatever it says?"""
        return self.problem is not None and self.problem.status in _BUSY


class BrokenOff(Exception):
    """The service is busy: what is left of a piece is to be sent again after a pause."""

    def __init__(self, pause: float) -> None:
        super().__init__(pause)
        self.pause = pause


class Pieces:
    """Numbers lines, names each, and gathers them into pieces."""

    def __init__(self, key: str | None) -> None:
        """
        Args:
            key: the batch's name, so that the same lines sent again give the same decisions; left out, a new one.
        """
        self._key = key or str(uuid.uuid4())
        self._number = 0
        self._waiting: list[tuple[int, bytes]] = []
        self._bytes = 0

    def add(self, request: Asked) -> Piece | None:
        """Take a line; gives a piece when it is full.

        Raises:
            NotJsonError: the line is no object that JSON can say. Those before it are still there.
        """
        self._number += 1
        try:
            line = _line(request, f"{self._key}:{self._number}")
        except NotJsonError as error:
            raise NotJsonError(error.field, error.message, self._number) from None
        is_full = self._bytes + len(line) > MOST_BYTES or len(self._waiting) >= MOST_LINES
        full = self.rest() if is_full and self._waiting else None
        self._waiting.append((self._number, line))
        self._bytes += len(line)
        return full

    def rest(self) -> Piece:
        """The lines that are in no piece yet."""
        lines, self._waiting, self._bytes = self._waiting, [], 0
        return Piece(lines)


class Piece:
    """Lines that are sent together, and which of them are answered."""

    def __init__(self, lines: list[tuple[int, bytes]]) -> None:
        self._left = deque(lines)

    @property
    def content(self) -> bytes:
        """What is not answered yet, as it is sent."""
        return b"".join(line for _, line in self._left)

    @property
    def done(self) -> bool:
        """Is every line answered?"""
        return not self._left

    def answered(self, written: str, attempts: Attempts) -> Iterator[LineAnswer]:
        """What a line of the answer says, with the number that the line has in the whole batch.

        Raises:
            BrokenOff: the service is too busy for this line, which is not the caller's concern while it may be sent again.
            RemoteProtocolError: the answer was cut in the middle of a line.
        """
        told = _read(written)
        if "summary" in told or not self._left:
            return
        problem = None if "decision" in told else problem_in(told)
        answer = LineAnswer(self._left[0][0], told.get("reference"), cast("Decision | None", told.get("decision")), problem)
        if answer.is_busy and (pause := attempts.pause()) is not None:
            raise BrokenOff(pause)
        self._left.popleft()
        yield answer
        if not answer.is_busy:
            attempts.renew()

    def check_done(self) -> None:
        """See, when its answer ended, that every line is answered.

        Raises:
            RemoteProtocolError: some are not.
        """
        if not self.done:
            raise httpx.RemoteProtocolError(_CUT)


def _line(request: Asked, key: str) -> bytes:
    fields = fields_of(request)
    fields.setdefault("idempotency_key", key)
    return written(fields) + b"\n"


def _read(written: str) -> Mapping[str, Any]:
    try:
        told = json.loads(written)
    except ValueError:
        raise httpx.RemoteProtocolError(_CUT) from None
    return told if isinstance(told, dict) else {}
