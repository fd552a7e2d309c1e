"""What a pack may not say or do though every name and type in it is right."""

from __future__ import annotations

from collections.abc import Iterator

from app.engine.pack.checking import Parts
from app.engine.pack.checks.prices import price_problems
from app.engine.pack.checks.promising import promising_problems
from app.engine.pack.checks.selling import selling_problems
from app.engine.pack.checks.slots import slot_problems
from app.engine.pack.checks.wording import wording_problems
from app.engine.problems import Problem


def problems_of(parts: Parts) -> Iterator[Problem]:
    """What is looked for on every load: cheap, and what makes a pack unfit to run among it."""
    yield from slot_problems(parts)
    yield from selling_problems(parts)
    yield from promising_problems(parts)
    yield from wording_problems(parts)
    yield from price_problems(parts)
