"""What waits to be told to other systems about one person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.outgoing.addresses import host_of
from app.record.store.tables import EventRow, WebhookRow


def events_about(connection: Connection, token: str) -> list[dict[str, Any]]:
    """The events about a person that no system has been told of yet, oldest first: what, since when, to which host, and whether that was
    given up for now."""
    columns = (col(EventRow.type), col(EventRow.at), col(EventRow.dead_at), col(WebhookRow.callback))
    query = select(*columns).join(WebhookRow, col(WebhookRow.id) == col(EventRow.webhook))
    about = (col(EventRow.subject) == token, col(WebhookRow.removed_at).is_(None))
    rows = connection.execute(query.where(*about).order_by(col(EventRow.number)))
    return [{"type": row.type, "since": row.at, "to": host_of(row.callback), "given_up": row.dead_at is not None} for row in rows]
