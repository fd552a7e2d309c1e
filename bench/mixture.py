"""The population that measurements share: seeded, most with little amiss, one in five with events that patterns look at."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from app.engine.case import Case
from app.engine.intake import take
from app.engine.pack import Pack
from app.engine.vocabulary import DecisionRequest
from tests.population import END, population

SHARE = 5
"""One subscriber in so many has events that patterns look at."""
CONTENT = 0.8
"""Share of the population with little amiss: 3.6 signals a head. Rows of a published table of a real operator have under one."""
ROLE = "agent"


def mixed(pack: Pack, seed: int, content: float) -> Iterator[Case]:
    """The seeded population, thinned so that exactly one subscriber in `SHARE` has events that patterns look at.

    `content` is the share of people with nothing amiss.
    """
    waiting: dict[bool, list[Case]] = {True: [], False: []}
    wanted = [True] + [False] * (SHARE - 1)
    for body in population(seed, sys.maxsize, content):
        case = take(pack, DecisionRequest.model_validate(body), now=END, role=ROLE)
        waiting[watched(pack, case)].append(case)
        if len(waiting[True]) >= 1 and len(waiting[False]) >= SHARE - 1:
            yield from (waiting[side].pop(0) for side in wanted)


def watched(pack: Pack, case: Case) -> bool:
    """Does the subscriber have an event of a kind that some pattern joins?"""
    return any(event.type in pack.event_kinds for event in case.subscriber.events or ())
