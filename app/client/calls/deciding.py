"""Deciding, and telling what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.client.answers import Decision, Told
from app.client.asking import Ask, part, post, post_once, present
from app.client.writing import as_object
from app.engine.vocabulary import DecisionRequest

Asked = DecisionRequest | Mapping[str, Any]
"""What is known, and where the person is met: checked already, or as JSON has it."""


def fields_of(request: Asked) -> dict[str, Any]:
    """A request as JSON has it.

    Raises:
        NotJsonError: it is no object.
    """
    return request.model_dump(mode="json", exclude_unset=True) if isinstance(request, DecisionRequest) else as_object(request)


def decide(request: Asked, *, idempotency_key: str | None = None) -> Ask[Decision]:
    """The next best actions for a subscriber: the answer of `POST /v1/decisions`.

    Args:
        request: what is known and where the person is met.
        idempotency_key: names the request, so that asking again later gives the same decision; left out, a new one.

    Raises:
        WanliuError: the service refused the request, or could not record the decision.
        httpx.TransportError: nothing answers.
    """
    return post_once("/v1/decisions", fields_of(request), idempotency_key)


def what_if(request: Asked) -> Ask[Decision]:
    """What would be decided; nothing is recorded. For authors, approvers and compliance.

    Args:
        request: as for `decide`; `as_of` may be any time.

    Raises:
        WanliuError: the service refused the request.
        httpx.TransportError: nothing answers.
    """
    return replace(post("/v1/decisions", {**fields_of(request), "mode": "what_if"}), traceless=True)


def respond(decision_id: str, action: str, outcome: str, *, idempotency_key: str | None = None, **fields: Any) -> Ask[Told]:
    """Tell what became of an action: the answer of `POST /v1/decisions/{id}/responses`.

    Args:
        decision_id: of the decision that offered it.
        action: one of those on its list.
        outcome: shown, sent, accepted, refused, ignored, activated, stayed, left.
        idempotency_key: as in `decide`.
        fields: `at`, `reference`, `reason`, `agent` and what else the call takes.

    Raises:
        WanliuError: the service did not take it.
        httpx.TransportError: nothing answers.
    """
    body = {"action": action, "outcome": outcome, **present(**fields)}
    return post_once(f"/v1/decisions/{part(decision_id)}/responses", body, idempotency_key)


def recheck(items: Sequence[Mapping[str, Any]], *, locale: str | None = None) -> Ask[dict[str, Any]]:
    """Just before sending: may decided actions still go out?

    Args:
        items: each a `decision_id` and an `action`, with `contact_at` and what is known now of the subscriber, where it is.
        locale: language of the words.

    Raises:
        WanliuError: an item is wrong.
        httpx.TransportError: nothing answers.
    """
    return replace(post("/v1/decisions/recheck", present(items=[dict(item) for item in items], locale=locale)), traceless=True)
