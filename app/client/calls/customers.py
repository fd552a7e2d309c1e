"""For the customer, whom the token names; in development mode `subscriber` does."""

from __future__ import annotations

from dataclasses import replace
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


def choose(
    choice: str, *, stands: bool | None = None, locale: str | None = None, subscriber: str | None = None, **fields: Any
) -> Ask[dict[str, Any]]:
    """Refuse something, ask for a person, or take it back; the next decision honours it.

    Args:
        choice: `no_marketing`, `no_personalisation`, `no_channel`, `no_action`, `human_review`.
        stands: false takes it back.
        locale: language of the words, `zh-CN` or `en`.
        subscriber: who, in development mode.
        fields: `channel`, `action`, `decision_id`.

    Raises:
        WanliuError: the choice is none.
        httpx.TransportError: nothing answers; it may be made.
    """
    asked = post("/v1/my/choices", present(choice=choice, stands=stands, **fields), headers=_who(subscriber))
    return replace(asked, params=present(locale=locale))


def my_decisions(
    *, cursor: str | None = None, limit: int | None = None, locale: str | None = None, subscriber: str | None = None
) -> Ask[dict[str, Any]]:
    """The customer's own decisions in plain words, newest first.

    Args:
        cursor: `next` of the page before.
        limit: decisions on a page.
        locale: language of the words, `zh-CN` or `en`.
        subscriber: who, in development mode.

    Raises:
        WanliuError: nobody is named.
        httpx.TransportError: nothing answers.
    """
    return get("/v1/my/decisions", headers=dict(_who(subscriber)), cursor=cursor, limit=limit, locale=locale)


def my_decision(decision_id: str, *, locale: str | None = None, subscriber: str | None = None) -> Ask[dict[str, Any]]:
    """Why the customer saw this.

    Raises:
        WanliuError: it is not theirs, or there is none.
        httpx.TransportError: nothing answers.
    """
    return get(f"/v1/my/decisions/{part(decision_id)}", headers=dict(_who(subscriber)), locale=locale)
