"""The secrets of subscriptions under a new wrapping key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select, update
from sqlmodel import col

from app.record.keys import Keys
from app.record.outgoing.secrets import locked, unlocked
from app.record.store.database import Database
from app.record.store.tables import WebhookRow


def rewrap_secrets(database: Database, keys: Keys) -> int:
    """Wrap the secrets of all subscriptions with the newest wrapping key; how many subscriptions were changed.

    Raises:
        KeysProblem: a key is missing.
        Unreadable: a secret, or its callback, was changed.
        SQLAlchemyError: the database does not take it; run it again.
    """
    newest = keys.wrapping[-1].id
    older = or_(col(WebhookRow.wrapped_with) != newest, col(WebhookRow.before_wrapped_with) != newest)
    query = select(WebhookRow.__table__).where(col(WebhookRow.removed_at).is_(None), older)  # type: ignore[attr-defined]
    with database.writing() as connection:
        rows = connection.execute(query.with_for_update()).mappings().all()
        for row in rows:
            connection.execute(update(WebhookRow).where(col(WebhookRow.id) == row["id"]).values(**_rewrapped(keys, row)))
    return len(rows)


def _rewrapped(keys: Keys, row: Any) -> dict[str, Any]:
    def anew(secret: str, wrapped_with: str) -> dict[str, Any]:
        if row[secret] is None:
            return {secret: None, wrapped_with: None}
        opened = unlocked(keys, bytes(row[secret]), row[wrapped_with], row["id"], row["callback"])
        return dict(zip((secret, wrapped_with), locked(keys, opened, row["id"], row["callback"]), strict=True))

    return anew("secret", "wrapped_with") | anew("secret_before", "before_wrapped_with")
