"""What we give, in the shapes of TM Forum's documents: only what we ever say, and our own attributes beside theirs."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

TYPES = {
    "WanliuQueryProductRecommendation": "QueryProductRecommendation",
    "WanliuRecommendationItem": "RecommendationItem",
    "WanliuPartyInteraction": "PartyInteraction",
}
"""Our shapes, each with TM Forum's that it extends."""

Reference = TypedDict(
    "Reference",
    {
        "id": str,
        "href": str,
        "name": str,
        "version": str,
        "role": str,
        "@type": str,
        "@baseType": str,
        "@schemaLocation": str,
        "@referredType": str,
    },
    total=False,
)


class TimePeriod(TypedDict, total=False):
    """From when to when."""

    startDateTime: str
    endDateTime: str


class Money(TypedDict):
    """A sum in whole units of the currency, such as 59.9."""

    unit: str
    value: float


class Price(TypedDict):
    """What somebody pays, taxes included."""

    taxIncludedAmount: Money


class PriceAlteration(TypedDict, total=False):
    """What the price is instead, for so many months."""

    priceType: str
    recurringChargePeriod: str
    applicationDuration: int
    name: str
    price: Price


class ProductPrice(TypedDict, total=False):
    """A price of an offer. Where another holds at first, that is an alteration of it."""

    name: str
    priceType: str
    recurringChargePeriod: str
    price: Price
    productPriceAlteration: list[PriceAlteration]


class Quantity(TypedDict):
    """How many of what."""

    amount: float
    units: str


class ProductTerm(TypedDict):
    """How long the person is bound."""

    name: str
    duration: Quantity


class Characteristic(TypedDict):
    """Something more that is told of an offer."""

    name: str
    valueType: str
    value: Any


Product = TypedDict(
    "Product",
    {
        "@type": str,
        "name": str,
        "description": str,
        "productOffering": Reference,
        "productPrice": list[ProductPrice],
        "productTerm": list[ProductTerm],
        "productCharacteristic": list[Characteristic],
    },
    total=False,
)


class ItemReason(TypedDict, total=False):
    """Why, by code where the role may see it, and in words."""

    code: str
    text: str


WanliuRecommendationItem = TypedDict(
    "WanliuRecommendationItem",
    {
        "@type": str,
        "@baseType": str,
        "@schemaLocation": str,
        "id": str,
        "priority": int,
        "product": Product,
        "productOffering": Reference,
        "action": str,
        "kind": str,
        "text": str,
        "script": str,
        "reason": list[ItemReason],
        "confirm": str,
        "disclose": str,
        "score": float,
        "validFor": TimePeriod,
    },
    total=False,
)


class Question(TypedDict):
    """What to ask the person, and which fact the answer tells."""

    fact: str
    question: str


WanliuQueryProductRecommendation = TypedDict(
    "WanliuQueryProductRecommendation",
    {
        "@type": str,
        "@baseType": str,
        "@schemaLocation": str,
        "id": str,
        "href": str,
        "name": str,
        "description": str,
        "recommendationType": str,
        "instantSyncRecommendation": bool,
        "state": str,
        "validFor": TimePeriod,
        "category": list[Reference],
        "channel": list[Reference],
        "place": Reference,
        "productOrder": list[Reference],
        "productOrderItem": list[dict[str, Any]],
        "shoppingCart": list[Reference],
        "shoppingCartItem": list[dict[str, Any]],
        "relatedParty": Reference,
        "recommendationItem": list[WanliuRecommendationItem],
        "decisionId": str,
        "policySetVersion": str,
        "phase": str,
        "ask": list[Question],
        "emptyBecause": str,
    },
    total=False,
)

TmfError = TypedDict("TmfError", {"code": str, "reason": str, "message": str, "status": str, "referenceError": str, "@type": str})


class EventSubscription(TypedDict, total=False):
    """Who is told of recommendations, and of which."""

    id: str
    callback: str
    query: str


class InteractionItem(TypedDict, total=False):
    """A recommendation that was talked about, and what became of it."""

    id: str
    creationDate: str
    resolution: str
    action: str
    item: Reference


WanliuPartyInteraction = TypedDict(
    "WanliuPartyInteraction",
    {
        "@type": str,
        "@baseType": str,
        "@schemaLocation": str,
        "id": str,
        "creationDate": str,
        "direction": str,
        "reason": str,
        "status": str,
        "statusChangeDate": str,
        "interactionDate": TimePeriod,
        "interactionItem": list[InteractionItem],
        "nextRecommendation": Reference,
        "nextBecause": str,
    },
    total=False,
)
