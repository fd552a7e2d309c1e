"""For the customer, whom the token names; in development mode `subscriber` does."""

from __future__ import annotations

from typing import Any

from app.client.asking import Ask, get, part, post, present


def _who(subscriber: str | None) -> dict[str, str]:
    return {} if subscriber is None else {"x-subscriber-id": subscriber}


def my_choices(*, locale: str | None = None, subscriber: str | None = None) -> Ask[dict[str, Any]]:
    """What the customer refused, in words.

    Raises:
        WanliuError: nobody is named.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/my/choices", headers=dict(_who(subscriber)), locale=locale)


def choose(choice: str, *, stands: bool | None = None, subscriber: str | None = None, **fields: Any) -> Ask[dict[str, Any]]:
    """Refuse something, ask for a person, or take it back; the next decision honours it.

    Args:
        choice: `no_marketing`, `no_personalisation`, `no_channel`, `no_action`, `human_review`.
        stands: false takes it back.
        subscriber: who, in development mode.
        fields: `channel`, `action`, `decision_id`.

    Raises:
        WanliuError: the choice is none.
        httpx.TransportError: nothing answers; it may be made.
    """
    return post("/v1/my/choices", present(choice=choice, stands=stands, **fields), headers=_who(subscriber))


def my_decisions(
    *, cursor: str | None = None, limit: int | None = None, subscriber: str | None = None, **params: Any
) -> Ask[dict[str, Any]]:
    """The customer's own decisions in plain words, newest first.

    Raises:
        WanliuError: nobody is named.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/my/decisions", headers=dict(_who(subscriber)), cursor=cursor, limit=limit, **params)


def my_decision(decision_id: str, *, subscriber: str | None = None, **params: Any) -> Ask[dict[str, Any]]:
    """Why the customer saw this.

    Raises:
        WanliuError: it is not theirs, or there is none.
        httpx.TransportError: nothing answers.
    """
    return get(f"/v1/my/decisions/{part(decision_id)}", headers=dict(_who(subscriber)), **params)
