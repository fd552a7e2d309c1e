"""The body of a request for recommendations, as liberal as it is taken."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.api.tmf.liberal import Flag, Free, GivenItem, GivenPlace, Liberal, Person, Referred, Several, Words

EXTENSIONS = (
    "subscriber",
    "moment",
    "direction",
    "reason",
    "caller_relation",
    "verified",
    "as_of",
    "contact_at",
    "locale",
    "max_actions",
    "history",
    "agent",
    "answers",
)
"""Attributes that TM Forum does not have: what `POST /v1/decisions` takes, under the same names and with the same meaning."""
PASSED_OVER = ("id", "href", "state", "validFor", "recommendationItem")
"""Attributes that the answer has and a request need not; what stands there is not looked at."""


class GivenFact(Liberal):
    """A fact about the subscriber, by its dotted name: `plan.monthly_fee`."""

    deciding = ("name", "value")
    passed_over = ("id", "valueType", "characteristicRelationship")

    name: Words
    value: Free = None


class RecommendationRequest(Liberal):
    """Asks for recommendations. TM Forum's attributes, and ours beside them; attributes of others are passed over."""

    deciding = (*EXTENSIONS, "relatedParty", "channel", "characteristic")
    passed_over = PASSED_OVER

    name: Words | None = None
    description: Words | None = None
    recommendation_type: Annotated[Words | None, Field(alias="recommendationType")] = None
    instant: Annotated[Flag | None, Field(alias="instantSyncRecommendation")] = None
    category: Several[Referred] | None = None
    channel: Annotated[Several[Referred] | None, Field(description="The first is where we meet the person.")] = None
    place: GivenPlace | None = None
    product_order: Annotated[Several[Referred] | None, Field(alias="productOrder")] = None
    product_order_item: Annotated[Several[GivenItem] | None, Field(alias="productOrderItem")] = None
    shopping_cart: Annotated[Several[Referred] | None, Field(alias="shoppingCart")] = None
    shopping_cart_item: Annotated[Several[GivenItem] | None, Field(alias="shoppingCartItem")] = None
    related_party: Annotated[
        Several[Person] | None,
        Field(alias="relatedParty", description="Whom it is about: the role `subscriber` or `customer`, or the only one without a role."),
    ] = None
    characteristic: Annotated[Several[GivenFact] | None, Field(description="Facts by their names in our vocabulary.")] = None

    subscriber: Annotated[Free, Field(description="What is known of them: the sections of `SubscriberContext`.")] = None
    moment: Free = None
    direction: Free = None
    reason: Free = None
    caller_relation: Free = None
    verified: Free = None
    as_of: Free = None
    contact_at: Free = None
    locale: Free = None
    max_actions: Free = None
    history: Free = None
    agent: Free = None
    answers: Free = None
