"""The gate of a lane: so many requests at a time; the others wait for their turn, and only as long as they may."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from app.api.admission.pace import Pace

STANDING = 0.1
"""Seconds after which a queue that was never empty is no burst any more: more is asked than can be answered."""
CALM = 0.5
"""Seconds without a refusal after which a queue may be a burst again: one kept short is empty now and then, and yet too much is asked."""
SHORTEST_WAIT = 0.01
"""Seconds that a request may wait then, so that those who are let in are answered soon."""
FEWEST = 4
"""So many may wait then, however long their turns take."""
STALLED = 5
"""Who was let wait is refused only after so many times as long: turns come that much slower than was reckoned."""
TOGETHER = 8
"""So many are let in together: they take the same steps at the same time, each step for all of them before the next."""
STEPS = 4
"""Turns of the loop that these take, and so many before the next are let in."""
_FIRST_STEP = 0.001


@dataclass(frozen=True, slots=True)
class Room:
    """How much a lane has room for.

    `at_once` is how many requests are worked at; `wait` how many seconds one may have to wait for its turn in a burst; `most` how many may
    wait.
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
    """Lets requests of a lane in, at most `TOGETHER` in `STEPS` turns of the loop, so that those who are not let in hear of it soon.

    A queue may be long for a moment. One that has not been empty for `STANDING` stands: then only those are let in whose turn comes within
    `SHORTEST_WAIT`, and the others are refused at once (controlled delay). Who was let wait gets a turn: a refusal is of no use to somebody
    who waited for it.
    """

    def __init__(self, room: Room) -> None:
        """Made in the loop that it is used in."""
        self._room, self._loop = room, asyncio.get_running_loop()
        self._pace = Pace(_FIRST_STEP)
        self._queue: deque[tuple[asyncio.Future[None], float]] = deque()
        self._entered = self._turns = 0
        """How many were let in together, and how many turns of the loop ago."""
        self._turn_comes = False
        self._coming = 0
        self._queued_since = 0.0
        self._refused_at = -CALM
        self.at_work = 0
        """Requests that are worked at."""

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._queue)

    @property
    def taken(self) -> float:
        """Seconds that an answer takes, from its turn on."""
        return self._pace.taken

    def check(self, deadline: float | None = None) -> None:
        """See whether a request that comes now gets its turn, and its answer, in time.

        Args:
            deadline: in how many seconds it must be answered; left out, there is none.

        Raises:
            Late: it does not.
        """
        after = self.full()
        if after is not None:
            raise Late(after)
        expected = self._expected()
        if deadline is not None and expected + self._pace.taken > deadline:
            raise Late(expected, deadline=True)

    def full(self) -> float | None:
        """In how many seconds a request that comes now would get its turn, where that is too late; none where it gets one in time."""
        after = self._expected()
        if not after or (after <= self._longest_wait() and len(self._queue) < self._room.most):
            return None
        self._refused_at = self._loop.time()
        return after

    def come(self) -> None:
        """A request comes that is not refused: to the end of this turn of the loop, by when it may have entered, it counts."""
        if not self._coming:
            self._loop.call_soon(self._came)
        self._coming += 1

    async def enter(self) -> float:
        """Wait for a turn; when it came. `leave` must follow.

        Raises:
            Late: it did not come in time.
        """
        now = self._loop.time()
        if not self._queue and self._has_room():
            self._let_in(now, None)
            return now
        if not self._queue:
            self._queued_since = now
        turn = self._loop.create_future()
        self._queue.append((turn, now))
        self._soon()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave(None)
            elif (turn, now) in self._queue:
                self._queue.remove((turn, now))
            raise
        return self._loop.time()

    def leave(self, since: float | None) -> None:
        """A request was answered that had its turn then; none where it was not worked at."""
        self.at_work -= 1
        if since is not None:
            self._pace.answered(self._loop.time() - since)
        if self._queue:
            self._soon()

    def _expected(self) -> float:
        """In how many seconds there is room for a request that comes now; 0 where there is room."""
        return max(self.at_work + self._coming + len(self._queue) + 1 - self._room.at_once, 0) * self._pace.step

    def _came(self) -> None:
        self._coming = 0

    def _longest_wait(self) -> float:
        """Seconds that a request may wait for its turn as things stand."""
        now = self._loop.time()
        standing = now - self._refused_at < CALM or (self._queue and now - self._queued_since > STANDING)
        return max(SHORTEST_WAIT, FEWEST * self._pace.step) if standing else self._room.wait

    def _has_room(self) -> bool:
        return not self._turns and self._entered < TOGETHER and self.at_work < self._room.at_once

    def _soon(self) -> None:
        """Look again in the next turn of the loop."""
        if not self._turn_comes:
            self._turn_comes = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Let in the first that still wait, as many as there is room for."""
        self._turn_comes = False
        self._turns += 1
        if self._entered and self._turns < STEPS:
            self._soon()
            return
        self._entered = self._turns = 0
        now = self._loop.time()
        patience = STALLED * max(self._room.wait, SHORTEST_WAIT)
        while self._queue and self._has_room():
            turn, since = self._queue.popleft()
            if turn.cancelled():
                continue
            if now - since <= patience:
                self._let_in(now, self._queued_since)
                turn.set_result(None)
            else:
                turn.set_exception(Late(self._pace.step))

    def _let_in(self, now: float, queued_since: float | None) -> None:
        self.at_work += 1
        self._entered += 1
        self._pace.turn(now, queued_since)
        self._soon()
