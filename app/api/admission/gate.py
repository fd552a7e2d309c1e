"""The gate of a lane: so many requests at a time; the others wait for their turn, and only as long as they may."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from app.api.admission.pace import Pace

STANDING = 0.1
"""Seconds after which a queue that was never empty is no burst any more: more is asked than can be answered."""
SHORTEST_WAIT = 0.01
"""Seconds that a request may wait then, so that those who are let in are answered soon."""
_FIRST_STEP = 0.001


@dataclass(frozen=True, slots=True)
class Room:
    """How much a lane has room for.

    `at_once` is how many requests are worked at; `wait` how many seconds one may wait for its turn in a burst; `most` how many may wait.
    """

    at_once: int
    wait: float
    most: int


class Late(Exception):
    """There is no turn in time; `after` is how many seconds from now there would be one."""

    def __init__(self, after: float, *, deadline: bool = False) -> None:
        self.after, self.deadline = after, deadline
        super().__init__(after, deadline)


class Gate:
    """Lets requests of a lane in, at most one in each turn of the loop, so that those who are not let in hear of it soon.

    A queue may be long for a moment. One that has not been empty for `STANDING` stands: then only those are let in whose turn comes within
    `SHORTEST_WAIT`, and the others are refused at once (controlled delay).
    """

    def __init__(self, room: Room) -> None:
        self._room, self._loop = room, asyncio.get_running_loop()
        self._pace = Pace(_FIRST_STEP)
        self._queue: deque[tuple[asyncio.Future[None], float]] = deque()
        self._turned = True
        self._emptied = self._loop.time()
        self.at_work = 0
        """Requests that are worked at."""

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._queue)

    def check(self, deadline: float | None = None) -> float:
        """See whether a request that comes now gets its turn in time, and when about, in seconds from now.

        Args:
            deadline: in how many seconds it must be answered; left out, there is none.

        Raises:
            Late: it does not.
        """
        if self.at_work < self._room.at_once and not self._queue:
            expected = 0.0
        else:
            expected = (len(self._queue) + 1) * self._pace.step
            if expected > self._longest() or len(self._queue) >= self._room.most:
                raise Late(expected)
        if deadline is not None and expected + self._pace.taken > deadline:
            raise Late(expected, deadline=True)
        return expected

    async def enter(self) -> float:
        """Wait for a turn; when it came. `leave` must follow.

        Raises:
            Late: it did not come in time.
        """
        now = self._loop.time()
        if self._turned and not self._queue and self.at_work < self._room.at_once:
            self._emptied = now
            self._let_in(now, waiting=False)
            return now
        turn = self._loop.create_future()
        self._queue.append((turn, now))
        self._next_turn()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(None)
            raise
        return self._loop.time()

    def leave(self, since: float | None) -> None:
        """A request was answered that had its turn then; none where it was not worked at."""
        self.at_work -= 1
        if since is not None:
            self._pace.answered(self._loop.time() - since)
        if self._queue:
            self._next_turn()

    def _longest(self) -> float:
        """Seconds that a request may wait for its turn as things stand."""
        return SHORTEST_WAIT if self._queue and self._loop.time() - self._emptied > STANDING else self._room.wait

    def _next_turn(self) -> None:
        if self._turned and self.at_work < self._room.at_once:
            self._turned = False
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """A turn of the loop: one of those that wait may come in."""
        self._turned = True
        now, longest = self._loop.time(), max(self._room.wait, SHORTEST_WAIT)
        while self._queue and self.at_work < self._room.at_once:
            turn, since = self._queue.popleft()
            if turn.cancelled():
                continue
            if now - since > longest:
                turn.set_exception(Late(self._pace.step))
                continue
            turn.set_result(None)
            self._let_in(now, waiting=True)
            break
        if self._queue:
            self._next_turn()
        else:
            self._emptied = now

    def _let_in(self, now: float, *, waiting: bool) -> None:
        self.at_work += 1
        self._pace.turn(now, waiting=waiting)
        if not waiting:
            self._turned = False
            self._loop.call_soon(self._rest)

    def _rest(self) -> None:
        """The turn in which one came in without waiting is over."""
        self._turned = True
        if self._queue:
            self._next_turn()
