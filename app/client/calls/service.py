"""The service itself: what runs, and whether it works."""

from __future__ import annotations

from typing import Any

from app.client.asking import Ask, get


def welcome() -> Ask[dict[str, Any]]:
    """What runs: engine, pack, links.

    Raises:
        httpx.TransportError: nothing answers.
    """
    return get("/")


def ready() -> Ask[dict[str, Any]]:
    """That the service decides and records.

    Raises:
        WanliuError: it does not.
        httpx.TransportError: nothing answers.
    """
    return get("/readyz")
