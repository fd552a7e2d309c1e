"""How hard delivering tries, and how soon it gives up."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

from app.record.outgoing.sending import SECONDS
from app.record.outgoing.taking import LEASE

_BEGINS = 0.8
"""Of a lease; the rest is for putting down what became of it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard delivering tries. Seconds, where nothing else is said.

    Attributes:
        every: between two looks for events, when there were none.
        lines: subscribers whose events are sent at a time, by one process.
        per_webhook: the same for one subscription, so that a callback that hangs holds up its own events only.
        first: pause after a first failure; it doubles with each, and is shortened by up to a half at random.
        longest: pause there may be.
        give_up: age at which an event that fails once more is given up.
        seconds: that one attempt may take.
        lease: how long a process keeps what it took; when it dies, others take that up after so long.
    """

    every: float = 0.5
    lines: int = 16
    per_webhook: int = 4
    first: float = 2.0
    longest: float = 3_600.0
    give_up: datetime.timedelta = datetime.timedelta(days=3)
    seconds: float = SECONDS
    lease: datetime.timedelta = LEASE

    @property
    def begins(self) -> float:
        """For how long after a line was taken another of its events may be begun: there is time then to tell of it within the lease."""
        return self.lease.total_seconds() * _BEGINS - self.seconds

    def pause(self, tries: int) -> datetime.timedelta:
        """How long to wait after so many failures before this one."""
        full = min(self.longest, self.first * 2 ** min(tries, 30))
        return datetime.timedelta(seconds=full * random.uniform(0.5, 1))
