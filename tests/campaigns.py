"""Campaigns on the record, for tests: random subscribers, decided one by one, as parts of a campaign."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache

import polars as pl

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.vocabulary.choices import Choice
from app.record.campaigns.bodies import body_of
from app.record.campaigns.campaign import Campaign, open_campaign
from app.record.campaigns.model import PLAIN, CampaignHead, Chunk, ChunkRows, Counts
from app.record.canonical import canonical
from tests.pipeline import cases, shipped
from tests.records import Written

INPUT = "sha256:" + "1" * 64


@cache
def people(n: int = 40, seed: int = 11) -> tuple[Case, ...]:
    """Random cases, each of somebody else: subscriber `p-1` and so on."""
    found = cases(shipped(), seed, n)
    return tuple(
        dataclasses.replace(case, subscriber=case.subscriber.model_copy(update={"id": f"p-{number}"}), choices=())
        for number, case in enumerate(found, 1)
    )


def head(**changes: object) -> CampaignHead:
    """What a campaign over these people is opened with."""
    told = {"name": "spring", "channel": "call_centre", "pack": shipped().digest, "input": INPUT, "caller": "engine", "rows": None}
    return CampaignHead(**{**told, "explain": "summary", "locale": "en", **changes})  # type: ignore[arg-type]


def part(
    first: int, last: int, *, rejected: Sequence[int] = (), choices: Mapping[int, tuple[Choice, ...]] | None = None, **changes: object
) -> ChunkRows:
    """The rows from one to another: row n is about `p-n`, and decided, unless it is rejected."""
    rows = [row for row in range(first, last + 1) if row not in rejected]
    found = [dataclasses.replace(people()[row - 1], choices=(choices or {}).get(row, ())) for row in rows]
    decided = [(case, decide(shipped(), case)) for case in found]
    plain = {
        "stage": [decision.stage.id for _, decision in decided],
        "phase": [decision.phase.id for _, decision in decided],
        "moment": [decision.moment for _, decision in decided],
        "empty_because": [decision.empty_because for _, decision in decided],
        "actions": [[item.action for item in decision.ranked] for _, decision in decided],
    }
    return ChunkRows(
        first,
        last,
        rows,
        [case.subscriber.id for case in found],
        binary([body_of(head(**changes), shipped(), case, decision) for case, decision in decided]),
        binary([canonical(case.as_json()) for case in found]),
        pl.DataFrame(plain, schema=PLAIN),
        choices or {},
    )


def binary(values: Sequence[bytes]) -> pl.Series:
    """Bodies or cases as a part has them."""
    return pl.Series(values, dtype=pl.Binary())


def run(made: Written, sizes: Sequence[int] = (7, 5), *, close: bool = True, **changes: object) -> tuple[Campaign, list[Chunk]]:
    """Open a campaign, write parts of these sizes, and close it."""
    campaign = open_campaign(made.record, head(**changes))
    chunks, first = [], 1
    for size in sizes:
        chunks.append(campaign.write(part(first, first + size - 1, rejected=[first + 1], **changes)))
        first += size
    if close:
        campaign.close(Counts(first - 1, first - 1 - len(sizes), len(sizes)))
    return campaign, chunks


def some_row(sizes: int = 12) -> int:
    """A row with something on its list."""
    return next(row for row in range(1, sizes + 1) if row not in (2, 9) and decide(shipped(), people()[row - 1]).ranked)
