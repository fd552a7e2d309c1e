"""What is worked out of a pack once. It is kept with the pack, and goes when the pack does."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from app.engine.pack.model import Pack

Found = TypeVar("Found")


def once_a_pack(work: Callable[[Pack], Found]) -> Callable[[Pack], Found]:
    """Work something out when it is first asked for of a pack, and give the same for that pack from then on."""
    name = f"{work.__module__}.{work.__qualname__}"

    @wraps(work)
    def found(pack: Pack) -> Found:
        kept = pack.__dict__
        if name not in kept:
            kept[name] = work(pack)
        known: Found = kept[name]
        return known

    return found
