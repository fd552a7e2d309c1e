"""How a record stands: what waits to be sealed, and to be told."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.campaigns.jobs import figures
from app.record.store.tables import EntryRow, EventRow, TreeRow, UnsealedRow, WebhookRow

_MOST_COUNTED = 1_000_000
"""More are not counted one by one."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What waits for a leaf: how many entries, and how many seconds the oldest has waited."""

    entries: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures of a record.

    Attributes:
        leaves: of the log.
        unsealed: what waits for a leaf.
        events_waiting: events that subscriptions have not been told of yet.
        events_dead: events that were given up.
        events_delivered: events that subscriptions were told of so far.
        campaigns: that callers commissioned, by state.
        campaign_decisions: that these put on the record so far.
    """

    leaves: int
    unsealed: Unsealed
    events_waiting: int
    events_dead: int
    events_delivered: int
    campaigns: Mapping[str, int]
    campaign_decisions: int


def standing(connection: Connection, now: datetime.datetime) -> Standing:
    """The figures of a record, at this time."""
    dead = col(EventRow.dead_at).is_not(None)
    waiting, given_up = connection.execute(select(func.count().filter(~dead), func.count().filter(dead)).select_from(EventRow)).one()
    delivered = connection.execute(select(func.coalesce(func.sum(col(WebhookRow.delivered)), 0))).scalar_one()
    leaves = connection.execute(select(col(TreeRow.size))).scalar_one()
    campaigns = figures(connection)
    return Standing(leaves, unsealed(connection, now), waiting, given_up, int(delivered), campaigns.by_state, campaigns.decided)


def unsealed(connection: Connection, now: datetime.datetime) -> Unsealed:
    """What waits for a leaf, at this time."""
    some = select(col(UnsealedRow.entry_id)).limit(_MOST_COUNTED).subquery()
    entries = connection.execute(select(func.count()).select_from(some)).scalar_one()
    oldest = connection.execute(
        select(col(EntryRow.at))
        .join(UnsealedRow, col(UnsealedRow.entry_id) == col(EntryRow.id))
        .order_by(col(UnsealedRow.entry_id))
        .limit(1)
    ).scalar()
    if oldest is None:
        return Unsealed(entries)
    return Unsealed(entries, max(0.0, (now - datetime.datetime.fromisoformat(oldest)).total_seconds()))
