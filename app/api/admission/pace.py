"""How fast requests of a lane come to their turn, and how long one takes: moving averages, in seconds."""

from __future__ import annotations

_WEIGHT = 0.05
_LONGEST_STEP = 1.0


class Pace:
    """What was measured lately."""

    def __init__(self, step: float) -> None:
        """
        Args:
            step: seconds between two turns, before anything was measured.
        """
        self.step = step
        """Seconds between two turns, while somebody waits."""
        self.taken = 0.0
        """Seconds that an answer takes from its turn on; 0 before the first."""
        self._last = 0.0

    def turn(self, now: float, queued_since: float | None) -> None:
        """Somebody's turn came. Where there is a queue, the time since the last one tells how fast it goes.

        Args:
            now: when.
            queued_since: since when somebody waits; none where nobody does.
        """
        if queued_since is not None:
            self.step += _WEIGHT * (min(now - max(self._last, queued_since), _LONGEST_STEP) - self.step)
        self._last = now

    def answered(self, seconds: float) -> None:
        """An answer took so long."""
        self.taken += (_WEIGHT if self.taken else 1.0) * (seconds - self.taken)
