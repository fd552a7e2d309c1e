"""What a pack may not say or do though every name and type in it is right."""

from __future__ import annotations

from collections.abc import Iterator

from app.engine.pack.checking import Parts
from app.engine.pack.checks.slots import slot_problems
from app.engine.problems import Problem


def problems_of(parts: Parts) -> Iterator[Problem]:
    """What is looked for on every load: cheap, and what makes a pack unfit to run among it."""
    yield from slot_problems(parts)
