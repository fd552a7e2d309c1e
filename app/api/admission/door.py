"""The first layer of the application: lets in what can be answered, and refuses the rest before anything was done for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.admission.gate import Gate, Late
from app.api.admission.lanes import Lane, lane_of, largest_body
from app.api.admission.limits import Limits
from app.api.admission.rates import Rates
from app.api.admission.reading import TooLarge, TooSlow, read
from app.api.admission.refusing import Refusal, refuse
from app.api.bodies import BODY

GIVE_UP = "wanliu.give_up"
"""In the scope: until when the caller waits, in seconds of the loop's clock."""
LONGEST_WAY = 0.05
"""Seconds that a line of a batch waits for requests that go before it."""
_LOOKS = 25
DEADLINE = (1, 60_000)
"""Milliseconds that a caller may say it waits: the least and the most."""
_SEEN = frozenset({b"authorization", b"x-api-key", b"content-encoding", b"content-length", b"transfer-encoding", b"wanliu-deadline-ms"})
_ENCODED = Refusal("unsupported-media-type", detail="send the body as it is, without a `content-encoding`", close=True)
_BAD_DEADLINE = Refusal("invalid-request", field=("Wanliu-Deadline-Ms", f"expected a whole number from {DEADLINE[0]:,} to {DEADLINE[1]:,}"))
_SLOW = Refusal("slow-body", close=True)

Headers = Mapping[bytes, bytes]


class Turnstile:
    """What is decided about each request of a process, and the figures of it."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._rates = limits, Rates(limits.rate)
        self._gates: dict[Lane, Gate] = {}
        self.refused: Counter[str] = Counter()
        """Requests that were refused here, by kind of problem."""
        self.body_seconds = limits.body_seconds

    @property
    def figures(self) -> dict[str, Any]:
        """By lane, how many requests are worked at and how many wait; and how many were refused, by kind."""
        lanes = {lane: {"at_work": gate.at_work, "waiting": gate.waiting} for lane, gate in self._gates.items()}
        return {"lanes": lanes, "refused": dict(self.refused)}

    def gate(self, lane: Lane) -> Gate:
        """The gate of a lane."""
        found = self._gates.get(lane)
        if found is None:
            found = self._gates[lane] = Gate(self._limits.rooms[lane])
        return found

    def refusal(self, lane: Lane, headers: Headers, client: Hashable, now: float) -> Refusal | None:
        """Why a request is not let in, from its head; none where it may come in.

        Args:
            lane: whose gate it is to pass.
            headers: those of `_SEEN` that it has.
            client: who asks, where the headers do not say.
            now: seconds of the loop's clock.
        """
        if headers.get(b"content-encoding", b"identity").lower() != b"identity" and has_body(headers):
            return self.noted(_ENCODED)
        try:
            deadline = deadline_of(headers)
        except ValueError:
            return self.noted(_BAD_DEADLINE)
        try:
            self.gate(lane).check(deadline)
        except Late as late:
            return self.late(late)
        wait = self._rates.wait(headers.get(b"authorization") or headers.get(b"x-api-key") or client, now)
        return self.noted(Refusal("too-many-requests", wait)) if wait else None

    def crowded(self, lane: Lane, headers: Headers) -> Refusal | None:
        """Why a request is not let in where too much is asked, and for nothing else; none where it may come in."""
        try:
            self.gate(lane).check(deadline_of(headers))
        except Late as late:
            return self.late(late)
        except ValueError:
            return None
        return None

    def late(self, late: Late) -> Refusal:
        """How a request is refused that would wait too long."""
        return self.noted(Refusal("too-late" if late.deadline else "overloaded", late.after))

    async def give_way(self) -> None:
        """Let requests go first that came meanwhile, and those that wait for their turn; for `LONGEST_WAY` at most, so that nobody starves.

        What decides many lines calls it before each of them.
        """
        await asyncio.sleep(0)
        gate = self.gate("interactive")
        for _ in range(_LOOKS):
            if not gate.waiting:
                break
            await asyncio.sleep(LONGEST_WAY / _LOOKS)

    def noted(self, refusal: Refusal) -> Refusal:
        """Count a refusal."""
        self.refused[refusal.kind] += 1
        return refusal


class Admission:
    """Pure ASGI. A body is read before its request gets a turn, so that one that comes slowly takes nobody's place."""

    def __init__(self, app: ASGIApp, turnstile: Turnstile) -> None:
        self._app, self._turnstile = app, turnstile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        path, headers = scope["path"], seen(scope["headers"])
        lane, now = lane_of(scope["method"], path), asyncio.get_running_loop().time()
        refusal = None if lane == "health" else self._turnstile.refusal(lane, headers, scope["client"] and scope["client"][0], now)
        if refusal is None:
            refusal = await self._let_in(lane, headers, now, scope, receive, send)
        if refusal is not None:
            await refuse(send, path, refusal)

    async def _let_in(self, lane: Lane, headers: Headers, now: float, scope: Scope, receive: Receive, send: Send) -> Refusal | None:
        """Read the body, wait for a turn and have it answered; or why it is not."""
        try:
            scope = await self._with_body(headers, scope, receive)
        except TooLarge:
            return self._turnstile.noted(_too_large(scope["path"]))
        except TooSlow:
            return self._turnstile.noted(_SLOW)
        except ClientDisconnect:
            return None
        if lane == "health":
            await self._app(scope, receive, send)
            return None
        gate, deadline = self._turnstile.gate(lane), deadline_of(headers)
        if deadline is not None:
            scope[GIVE_UP] = now + deadline
        try:
            since = await gate.enter()
        except Late as late:
            return self._turnstile.late(late)
        try:
            if deadline is not None and since + gate.taken > now + deadline:
                return self._turnstile.late(Late(0.0, deadline=True))
            await self._app(scope, receive, send)
            return None
        finally:
            gate.leave(since)

    async def _with_body(self, headers: Headers, scope: Scope, receive: Receive) -> Scope:
        """The scope with the body in it, all of it; a copy, for the server keeps its own until the connection's next request.

        Raises:
            TooLarge: it is larger than it may be.
            TooSlow: it does not come.
            ClientDisconnect: the client is gone.
        """
        most, length = largest_body(scope["path"]), headers.get(b"content-length", b"")
        if most is None or not has_body(headers):
            return scope
        if length.isdigit() and int(length) > most:
            raise TooLarge
        return {**scope, BODY: await read(receive, most, self._turnstile.body_seconds)}


def seen(headers: list[tuple[bytes, bytes]]) -> Headers:
    """Those headers that matter here."""
    return {name: value for name, value in headers if name in _SEEN}


def has_body(headers: Headers) -> bool:
    """Does a body come with these headers?"""
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def deadline_of(headers: Headers) -> float | None:
    """In how many seconds the caller wants its answer; none where it does not say.

    Raises:
        ValueError: it says something else than a number that it may be.
    """
    given = headers.get(b"wanliu-deadline-ms")
    if given is None:
        return None
    least, most = DEADLINE
    milliseconds = int(given) if given.isdigit() and len(given) <= len(str(most)) else 0
    if not least <= milliseconds <= most:
        raise ValueError("no deadline")
    return milliseconds / 1000


def patience_of(scope: Scope, most: float) -> float | None:
    """How many seconds the caller of a request still waits, if that is less than `most`; none where it does not say."""
    give_up = scope.get(GIVE_UP)
    return None if give_up is None else min(max(give_up - asyncio.get_running_loop().time(), 0.0), most)


def _too_large(path: str) -> Refusal:
    return Refusal("body-too-large", detail=f"at most {largest_body(path):,} bytes are read", close=True)
