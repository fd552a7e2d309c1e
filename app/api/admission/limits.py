"""What may be asked of a process at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.api.admission.gate import Room
from app.api.admission.lanes import Lane
from app.settings import Settings

_MOST_WAITING = 1_000
_SLOWER = 100
"""An office's request may wait so many times as long as one of somebody who stands in front of a screen."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one process: room for each lane, requests a second of a client, and how long a body may take."""

    rooms: Mapping[Lane, Room]
    rate: float
    body_seconds: float


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings name."""
    at_once, wait = settings.concurrency, settings.queue_ms / 1000
    beside = max(at_once // 2, 1)
    rooms: Mapping[Lane, Room] = {
        "interactive": Room(at_once, wait, _MOST_WAITING),
        "office": Room(beside, wait * _SLOWER, _MOST_WAITING),
        "batch": Room(beside, wait, 0),
    }
    return Limits(rooms, settings.rate, settings.body_seconds)
