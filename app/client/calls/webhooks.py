"""Who is told of events, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.client.asking import Ask, get, part, post, present, read_nothing


def webhooks() -> Ask[dict[str, Any]]:
    """Webhooks of one's own system; for operations, all. They are `webhooks` of the answer.

    Raises:
        WanliuError: the role has none.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/webhooks")


def add_webhook(
    callback: str,
    types: Sequence[str],
    *,
    channels: Sequence[str] | None = None,
    actions: Sequence[str] | None = None,
    outcomes: Sequence[str] | None = None,
) -> Ask[dict[str, Any]]:
    """Be told of events; the answer has the secret that they are signed with, this once.

    Args:
        callback: the URL that they are sent to.
        types: of events, such as `wanliu.outcome.v1`.
        channels: only of these.
        actions: only of these.
        outcomes: only of these.

    Raises:
        WanliuError: the callback is not one that may be told.
        httpx.TransportError: nothing answers; it may have been added.
    """
    return post("/v1/webhooks", present(callback=callback, types=types, channels=channels, actions=actions, outcomes=outcomes))


def webhook(webhook_id: str) -> Ask[dict[str, Any]]:
    """A webhook and how its deliveries go.

    Raises:
        WanliuError: there is none.
        httpx.TransportError: nothing answers.
    """
    return get(f"/v1/webhooks/{part(webhook_id)}")


def remove_webhook(webhook_id: str) -> Ask[None]:
    """Be told no more.

    Raises:
        WanliuError: there is none.
        httpx.TransportError: nothing answers.
    """
    return Ask("DELETE", f"/v1/webhooks/{part(webhook_id)}", read_nothing)


def renew_webhook_secret(webhook_id: str) -> Ask[dict[str, Any]]:
    """Another secret to sign with; the answer has it, this once.

    Raises:
        WanliuError: there is no such webhook.
        httpx.TransportError: nothing answers; it may be another one already.
    """
    return post(f"/v1/webhooks/{part(webhook_id)}/secret", None)


def redrive_webhook(webhook_id: str) -> Ask[dict[str, Any]]:
    """Have deliveries that were given up tried again.

    Raises:
        WanliuError: there is no such webhook.
        httpx.TransportError: nothing answers; they may be on their way.
    """
    return post(f"/v1/webhooks/{part(webhook_id)}/redrive", None)
