"""TM Forum's TMF680, recommendations, and TMF683, what became of them: as its documents have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.client.asking import Ask, get, listed, part, post_once

_DOOR = "/tmf-api/recommendationManagement/v4/queryProductRecommendation"
_INTERACTIONS = "/tmf-api/partyInteraction/v4/partyInteraction"


def recommend(body: Mapping[str, Any], *, idempotency_key: str | None = None) -> Ask[dict[str, Any]]:
    """Recommendations for a customer: the answer of `POST …/queryProductRecommendation`.

    Args:
        body: as TMF680 has it, with what is known in `subscriber` or `characteristic`.
        idempotency_key: as in `decide`.

    Raises:
        WanliuError: the service did not take it; `detail` says why.
        httpx.TransportError: nothing answers.
    """
    return post_once(_DOOR, body, idempotency_key)


def recommendation(recommendation_id: str, *, fields: Sequence[str] | None = None) -> Ask[dict[str, Any]]:
    """A recommendation as it was given.

    Raises:
        WanliuError: there is none of one's own.
        httpx.TransportError: nothing answers.
    """
    return get(f"{_DOOR}/{part(recommendation_id)}", fields=listed(fields))


def recommendations(
    *, limit: int | None = None, offset: int | None = None, fields: Sequence[str] | None = None, **filters: Any
) -> Ask[list[dict[str, Any]]]:
    """One's own recommendations, newest first.

    Args:
        limit: how many to give.
        offset: how many of the newest to leave out.
        fields: names of the attributes that are wanted; left out, all.
        filters: `id`.

    Raises:
        WanliuError: a filter is wrong.
        httpx.TransportError: nothing answers.
    """
    return get(_DOOR, limit=limit, offset=offset, fields=listed(fields), **filters)


def tell_interaction(body: Mapping[str, Any], *, idempotency_key: str | None = None) -> Ask[dict[str, Any]]:
    """Tell what became of a recommendation: the answer of `POST …/partyInteraction`. After a refusal it may have `nextRecommendation`.

    Args:
        body: as TMF683 has it: an `interactionItem` whose `item` is the recommendation, with the `resolution`.
        idempotency_key: as in `decide`.

    Raises:
        WanliuError: the service did not take it; `detail` says why.
        httpx.TransportError: nothing answers.
    """
    return post_once(_INTERACTIONS, body, idempotency_key)
