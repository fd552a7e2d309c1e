"""What concerns one person: access, hold, erasure. Ids travel in a header, so that they stand in no log of URLs."""

from __future__ import annotations

from typing import Any

from app.client.asking import Ask, get, post

_PERSON = "/v1/subscribers/-"


def subscriber_record(subscriber: str, *, locale: str | None = None) -> Ask[dict[str, Any]]:
    """Everything that is held about a person.

    Raises:
        WanliuError: nobody on record is called so.
        httpx.TransportError: nothing answers.
    """
    return get(f"{_PERSON}/record", headers={"x-subscriber-id": subscriber}, locale=locale)


def hold_subscriber(subscriber: str, *, reason: str) -> Ask[dict[str, Any]]:
    """Put a person under legal hold.

    Raises:
        WanliuError: nobody on record is called so.
        httpx.TransportError: nothing answers; they may be held.
    """
    return post(f"{_PERSON}/hold", {"reason": reason}, headers={"x-subscriber-id": subscriber})


def release_subscriber(subscriber: str) -> Ask[dict[str, Any]]:
    """End a legal hold.

    Raises:
        WanliuError: there is none.
        httpx.TransportError: nothing answers; they may be released.
    """
    return post(f"{_PERSON}/release", None, headers={"x-subscriber-id": subscriber})


def erase_subscriber(subscriber: str, *, basis: str) -> Ask[dict[str, Any]]:
    """Erase a person.

    Args:
        subscriber: the operator's id.
        basis: on what it rests; on the record for ever, so nothing personal in it.

    Raises:
        WanliuError: nobody is called so, or they are under legal hold (`held`).
        httpx.TransportError: nothing answers; they may be erased.
    """
    return post(f"{_PERSON}/erasure", {"basis": basis}, headers={"x-subscriber-id": subscriber})
