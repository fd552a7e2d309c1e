"""All findings about what can never come into play, and how much of a pack was reasoned about."""

from __future__ import annotations

from collections.abc import Iterator

from app.engine.pack.checking import Parts
from app.engine.pack.checks.contradictions import contradictions
from app.engine.pack.checks.definitions import definitions_of
from app.engine.pack.checks.duplicates import duplicates
from app.engine.pack.checks.reach import reach
from app.engine.pack.checks.reasoning import Reasoned, Reasoning
from app.engine.pack.model import Pack
from app.engine.problems import Problem


def findings(pack: Pack, parts: Parts) -> tuple[list[Problem], Reasoned]:
    """Warnings about what never holds, always does, says nothing new or reaches nobody. The pack decides without harm all the same."""
    reasoning = Reasoning(definitions_of(pack, parts), pack.currency)
    found = list(_all(pack, parts, reasoning))
    return found, reasoning.reasoned


def _all(pack: Pack, parts: Parts, reasoning: Reasoning) -> Iterator[Problem]:
    yield from contradictions(parts, reasoning)
    yield from duplicates(parts, reasoning)
    yield from reach(pack, parts, reasoning)
