"""Whether to send a call again, and when: the same for both clients."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

REFUSED = 429
"""Not begun with: whatever it is, it may be sent again."""
_AWAY = frozenset({502, 503, 504})
_FIRST_PAUSE, _GROWN_PAUSE = 0.2, 3.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller goes on trying.

    Args:
        retries: how often a call is sent again at most; none for as often as the deadline leaves time for.
        deadline: seconds for all attempts together with their pauses.
        longest_pause: seconds; where the service names a longer one, the call is given up.
    """

    retries: int | None = None
    deadline: float = 30.0
    longest_pause: float = 10.0


class Attempts:
    """The attempts of one call."""

    def __init__(self, patience: Patience, clock: Callable[[], float], *, repeatable: bool) -> None:
        """
        Args:
            patience: how long to go on.
            clock: seconds, of a clock that only goes forward.
            repeatable: may the call be sent again when nobody knows whether it arrived?
        """
        self._patience, self._clock, self._repeatable = patience, clock, repeatable
        self.renew()

    def renew(self) -> None:
        """Begin to count anew, after something was answered."""
        self._give_up = self._clock() + self._patience.deadline
        self._made = 0

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(self._give_up - self._clock(), 0.001)

    def pause_after(self, response: httpx.Response) -> float | None:
        """Seconds to wait before sending it again; none where this answer is the answer."""
        status = response.status_code
        if status != REFUSED and not (status in _AWAY and self._repeatable):
            return None
        return self.pause(named_pause(response.headers.get("retry-after")))

    def pause_after_failure(self, error: httpx.TransportError) -> float | None:
        """Seconds to wait before sending it again; none where it may have arrived and must not arrive twice, or time is up."""
        if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):  # it would fail the same way again
            return None
        never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        return self.pause() if never_sent or self._repeatable else None

    def pause(self, named: float | None = None) -> float | None:
        """Seconds to wait before an attempt, no shorter than the service names; none where there is to be no other."""
        if self._made == self._patience.retries:
            return None
        self._made += 1
        pause = max(jittered(self._made), named or 0)
        return pause if pause <= self._patience.longest_pause and pause < self.left else None


def jittered(attempt: int) -> float:
    """Seconds to wait before an attempt, from 1: twice as long each time up to three seconds, less a random half, so that callers do not
    come all at once."""
    return min(_FIRST_PAUSE * 2.0 ** min(attempt - 1, 10), _GROWN_PAUSE) * random.uniform(0.5, 1)


def named_pause(header: str | None, now: datetime.datetime | None = None) -> float | None:
    """The seconds that a `Retry-After` names, as a number or as a date; none where it names nothing."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header) if len(header) < 10 else float("inf")
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=datetime.UTC)
    return max((until - (now or datetime.datetime.now(datetime.UTC))).total_seconds(), 0.0)
