"""How delivering stands: what waits, what was given up, what was told."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.outgoing.subscriptions import webhooks
from app.record.store.database import stamp
from app.record.store.tables import EventRow


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subscription stands.

    Attributes:
        webhook: its id.
        waiting: events that are not told yet.
        given_up: events that nobody took in time, and that are kept until they are tried again.
        delivered: events that were told, since the subscription was made.
        dropped: events of which nothing was left to tell, since a person was erased or a month archived.
        oldest_waiting_s: age of the oldest event that waits, in seconds; 0 where none does.
        delivered_at: when the last one was told.
        problem: what was wrong with the last attempt that failed, a code.
        problem_at: when that was.
        held_until: until when nothing is sent, as the receiver asked; none where it takes events.
    """

    webhook: str
    waiting: int
    given_up: int
    delivered: int
    dropped: int
    oldest_waiting_s: float
    delivered_at: str | None
    problem: str | None
    problem_at: str | None
    held_until: str | None


def standings(connection: Connection, now: datetime.datetime) -> list[Standing]:
    """How each subscription in force stands."""
    waiting, given_up = _counted(connection, dead=False), _counted(connection, dead=True)
    found = []
    for _, row in webhooks(connection):
        count, oldest = waiting.get(row["id"], (0, None))
        age = 0.0 if oldest is None else max(0.0, (now - datetime.datetime.fromisoformat(oldest)).total_seconds())
        plain = {name: row[name] for name in ("delivered", "dropped", "delivered_at", "problem", "problem_at")}
        held = row["not_before"] if row["not_before"] > stamp(now) else None
        found.append(Standing(row["id"], count, given_up.get(row["id"], (0, None))[0], oldest_waiting_s=age, held_until=held, **plain))
    return found


def standing_of(connection: Connection, webhook_id: str, now: datetime.datetime) -> Standing | None:
    """How one subscription stands; none where it is not in force."""
    return next((found for found in standings(connection, now) if found.webhook == webhook_id), None)


def _counted(connection: Connection, *, dead: bool) -> dict[str, tuple[int, str | None]]:
    """By subscription, how many events there are, and the time of the oldest."""
    is_dead = col(EventRow.dead_at)
    query = select(col(EventRow.webhook), func.count(), func.min(col(EventRow.at))).group_by(col(EventRow.webhook))
    rows = connection.execute(query.where(is_dead.is_not(None) if dead else is_dead.is_(None)))
    return {webhook_id: (count, oldest) for webhook_id, count, oldest in rows}
