"""How many requests a client may make in a second: a bucket of tokens for each, in a table that does not grow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

MOST_CLIENTS = 10_000
BURST_SECONDS = 2.0
"""What a client that was silent for a while may make up for."""


class Rates:
    """Counts what clients ask. Who has not asked for the longest time is forgotten first, and begins anew."""

    def __init__(self, rate: float, most: int = MOST_CLIENTS) -> None:
        """
        Args:
            rate: requests in a second; 0 counts nothing.
            most: clients that are remembered.
        """
        self._rate, self._most, self._burst = rate, most, max(rate * BURST_SECONDS, 1.0)
        self._clients: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._clients)

    def wait(self, client: Hashable, now: float) -> float:
        """Seconds until the client may ask; 0 where it may now, and has.

        Args:
            client: who it is.
            now: seconds of a clock that does not go back.
        """
        if not self._rate:
            return 0.0
        tokens, then = self._clients.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        waits = tokens < 1
        self._clients[client] = (tokens if waits else tokens - 1, now)
        if len(self._clients) > self._most:
            self._clients.popitem(last=False)
        return (1 - tokens) / self._rate if waits else 0.0
