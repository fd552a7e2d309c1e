"""Subscriptions: added, given a new secret, removed, listed. Every change is on the record and seen by all processes.

A subscription hears of what is sealed after it was made: whatever is written once its making was answered, and of the moment before that
what still waited for its leaf. One that was removed hears of nothing more, not even of what waited.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import orjson
from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.entries import NewEntry, NewRow
from app.record.keys import Keys
from app.record.outgoing.addresses import host_of
from app.record.outgoing.model import Filters, Format, Heard, Subscription, Wanted
from app.record.outgoing.secrets import locked, new_secret, secret_digest, shown
from app.record.store.database import stamp
from app.record.store.tables import WebhookRow

MOST = 200
"""Subscriptions at a time: each event is held against all of them."""
OVERLAP = datetime.timedelta(hours=24)
"""How long the secret before signs beside a new one."""
_SECRET = ("secret", "wrapped_with", "secret_before", "before_wrapped_with", "before_until")


class TooManyWebhooks(Exception):
    """There are as many subscriptions as there may be; nothing was added."""

    def __init__(self) -> None:
        super().__init__(f"there are {MOST} webhooks, and no more may be; remove one that nobody needs")


class Added(NamedTuple):
    """A subscription to be stored with its entry, and its secret, which is shown now and never again."""

    entry: NewEntry
    subscription: Subscription
    secret: str


def add_webhook(entry_id: str, now: datetime.datetime, keys: Keys, wanted: Wanted) -> Added:
    """Subscribe. It is in force when the entry is written.

    Args:
        entry_id: of the entry, and of the subscription.
        now: the time.
        keys: of the record; they encrypt the secret.
        wanted: what to hear of, and where.
    """
    secret = new_secret()
    kept, wrapped_with = locked(keys, secret, entry_id, wanted.callback)
    row = {
        **_told(wanted),
        "id": entry_id,
        "callback": wanted.callback,
        "since": stamp(now),
        "secret": kept,
        "wrapped_with": wrapped_with,
        "not_before": "",
        "delivered": 0,
        "dropped": 0,
        "types": _text(wanted.types),
        "filters": _text(wanted.filters.as_json()),
    }
    said = {"callback": callback_digest(wanted.callback), "host": host_of(wanted.callback), "secret": secret_digest(secret)}
    body = {name: value for name, value in {**_told(wanted), **said}.items() if value is not None and name != "query"}
    entry = _entry(entry_id, now, "added", entry_id, wanted.owner, body, NewRow("webhook", row))
    return Added(entry, Subscription(entry_id, wanted, stamp(now)), shown(secret))


def new_secret_of(entry_id: str, now: datetime.datetime, keys: Keys, found: Kept, *, by: str) -> Added:
    """Give a subscription a new secret; the one before signs beside it for 24 hours.

    Args:
        entry_id: of the entry.
        now: the time.
        keys: of the record.
        found: the subscription as it is kept.
        by: who changes it.
    """
    secret, about = new_secret(), found.subscription
    kept, wrapped_with = locked(keys, secret, about.id, about.wanted.callback)
    row = {
        **found.row,
        "secret_before": found.row["secret"],
        "before_wrapped_with": found.row["wrapped_with"],
        "before_until": stamp(now + OVERLAP),
        "secret": kept,
        "wrapped_with": wrapped_with,
    }
    body = {"secret": secret_digest(secret)}
    return Added(_entry(entry_id, now, "secret", about.id, by, body, NewRow("webhook", row, _SECRET)), about, shown(secret))


def remove_webhook(entry_id: str, now: datetime.datetime, found: Kept, *, by: str, why: str | None = None) -> NewEntry:
    """End a subscription. What waits for it is not told any more.

    Args:
        entry_id: of the entry.
        now: the time.
        found: the subscription as it is kept.
        by: who removes it.
        why: a code, where it was not asked for: `gone` when the callback answered so.
    """
    row = {**found.row, "removed_at": stamp(now), "secret": b"", "secret_before": None}
    body = {} if why is None else {"why": why}
    changed = NewRow("webhook", row, ("removed_at", "secret", "secret_before"))
    return _entry(entry_id, now, "removed", found.subscription.id, by, body, changed)


class Kept(NamedTuple):
    """A subscription, and its row as it is stored."""

    subscription: Subscription
    row: dict[str, Any]


def webhooks(connection: Connection, *, owner: str | None = None, format: Format | None = None) -> list[Kept]:  # noqa: A002 - the field's name
    """The subscriptions in force, oldest first.

    Args:
        connection: that reads.
        owner: only those of this caller.
        format: only those of this format.
    """
    query = select(WebhookRow.__table__).where(col(WebhookRow.removed_at).is_(None)).order_by(col(WebhookRow.id))  # type: ignore[attr-defined]
    if owner is not None:
        query = query.where(col(WebhookRow.owner) == owner)
    if format is not None:
        query = query.where(col(WebhookRow.format) == format)
    return [_kept(row._asdict()) for row in connection.execute(query)]


def webhook(connection: Connection, webhook_id: str) -> Kept | None:
    """The subscription with this id; none where there is none, or it was removed."""
    query = select(WebhookRow.__table__).where(col(WebhookRow.id) == webhook_id, col(WebhookRow.removed_at).is_(None))  # type: ignore[attr-defined]
    row = connection.execute(query).first()
    return None if row is None else _kept(row._asdict())


def check_room(connection: Connection) -> None:
    """See that one more subscription may be.

    Raises:
        TooManyWebhooks: it may not.
    """
    count = connection.execute(select(func.count()).select_from(WebhookRow).where(col(WebhookRow.removed_at).is_(None))).scalar_one()
    if count >= MOST:
        raise TooManyWebhooks


def callback_digest(callback: str) -> str:
    """What the record says of a callback, whose path may hold something secret."""
    return f"sha256:{hashlib.sha256(callback.encode()).hexdigest()}"


def _entry(entry_id: str, now: datetime.datetime, change: str, about: str, by: str, body: dict[str, Any], row: NewRow) -> NewEntry:
    return NewEntry(entry_id, "webhook_changed", now, {"change": change, "webhook": about, "by": by, **body}, rows=(row,))


def _told(wanted: Wanted) -> dict[str, Any]:
    return {
        "owner": wanted.owner,
        "system": wanted.system,
        "format": wanted.format,
        "types": list(wanted.types),
        "filters": wanted.filters.as_json(),
        "query": wanted.query,
    }


def _kept(row: dict[str, Any]) -> Kept:
    filters = {name: tuple(values) for name, values in orjson.loads(row["filters"]).items()}
    wanted = Wanted(
        owner=row["owner"],
        callback=row["callback"],
        types=cast("tuple[Heard, ...]", tuple(orjson.loads(row["types"]))),
        format=row["format"],
        system=row["system"],
        filters=Filters(**filters),
        query=row["query"],
    )
    return Kept(Subscription(row["id"], wanted, row["since"]), row)


def _text(value: Sequence[str] | dict[str, list[str]]) -> str:
    return orjson.dumps(value).decode()
