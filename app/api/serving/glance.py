"""Refusals that need no more than a glance: of a whole request in one piece, where nothing but its place in the queue matters."""

from __future__ import annotations

import asyncio
import math
import re

from app.api.admission.door import Turnstile
from app.api.admission.lanes import lane_of
from app.api.admission.refusing import overloaded

_LARGEST = 65_536
_ODD = rb"content-length|transfer-encoding|connection:(?! ?keep-alive\r)|proxy-connection|keep-alive|upgrade|expect|wanliu-deadline-ms"
_LINE = rb"(?!(?i:" + _ODD + rb"))[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n"
_LINES = rb"(?:" + _LINE + rb"){0,40}+"
_HEAD = re.compile(rb"((?:GET|POST) /[\w./~-]*+) HTTP/1\.1\r\n" + _LINES + rb"(?:(?i:content-length): ?(\d{1,7})\r\n" + _LINES + rb")?\r\n")


def glance(data: bytes) -> bytes | None:
    """Method and path where these bytes are one whole request, no more and no less, as most clients write it.

    None where it is not whole, or has anything that says how it is framed, how its connection goes on or how long its caller waits: that
    is for the parser to see.
    """
    head = _HEAD.match(data)
    return head[1] if head and head.end() + int(head[2] or 0) == len(data) <= _LARGEST else None


class Glances:
    """Refuses for all connections of a process. Once a gate is full it is so to the end of that turn of the loop: nobody leaves before."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile
        self._after: float | None = None
        self._answers: dict[bytes, bytes] = {}

    def refusal(self, data: bytes, date: bytes) -> bytes | None:
        """The answer to these bytes where too much is asked, and they are a request that a glance is enough for; counted.

        Args:
            data: what came on a connection on which nothing is asked.
            date: of the answer, as HTTP has it.
        """
        asked = glance(data) if self._after or self._full() else None
        if asked is None:
            return None
        answer = self._answers.get(asked) or self._worded(asked, date)
        if answer:
            self._turnstile.refused["overloaded"] += 1
        return answer

    def _full(self) -> bool:
        self._after = self._turnstile.gate("interactive").full()
        if self._after:
            asyncio.get_running_loop().call_soon(self._next_turn)
        return bool(self._after)

    def _worded(self, asked: bytes, date: bytes) -> bytes | None:
        method, path = asked.decode("ascii").split(" ")
        if not self._after or lane_of(method, path) != "interactive":
            return None
        self._answers[asked] = answer = overloaded(path, math.ceil(self._after), date)
        return answer

    def _next_turn(self) -> None:
        self._after = None
        self._answers.clear()
