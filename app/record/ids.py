"""Ids of decisions: UUIDv7 (RFC 9562), in the order they were given."""

from __future__ import annotations

import datetime
import secrets

_RANDOM_BITS = 74
_epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_millisecond = datetime.timedelta(milliseconds=1)


def first_at(moment: datetime.datetime) -> str:
    """What no id sorts before that is given at this time or later, nor after that was given earlier."""
    digits = f"{(moment - _epoch) // _millisecond:012x}"
    return f"{digits[:8]}-{digits[8:]}"


class Ids:
    """Gives ids that only grow: within a millisecond, and when the clock steps back, the random part counts on from the last one."""

    def __init__(self) -> None:
        self._last = 0

    def new(self, now: datetime.datetime) -> str:
        """An id for something that happens now, as a UUID is written: in small letters, so that texts sort as ids do."""
        fresh = (now - _epoch) // _millisecond << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS - 1)
        self._last = fresh if fresh >> _RANDOM_BITS > self._last >> _RANDOM_BITS else self._last + 1 + secrets.randbits(32)
        time, high, low = self._last >> _RANDOM_BITS, self._last >> 62 & 0xFFF, self._last & (1 << 62) - 1
        digits = (time << 80 | 7 << 76 | high << 64 | 2 << 62 | low).to_bytes(16).hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
