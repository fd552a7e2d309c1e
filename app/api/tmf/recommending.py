"""Our answer as a recommendation: made from what was stored, so that it reads the same whenever it is read."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from app.api.sparse import check_fields
from app.api.tmf.places import Base
from app.api.tmf.prices import offered, offering_of
from app.api.tmf.shapes import (
    TYPES,
    ItemReason,
    Product,
    Question,
    TimePeriod,
    WanliuQueryProductRecommendation,
    WanliuRecommendationItem,
)

TYPE, ITEM_TYPE = "WanliuQueryProductRecommendation", "WanliuRecommendationItem"
NO_SUBSCRIBER = "no_subscriber"
"""Why an enquiry about nobody has no items; other causes are the engine's."""
_ALWAYS = ("id", "href")
ATTRIBUTES: Sequence[str] = tuple(WanliuQueryProductRecommendation.__annotations__)


def recommended(answer: Mapping[str, Any], kept: Mapping[str, Any], base: Base) -> WanliuQueryProductRecommendation:
    """A recommendation.

    Args:
        answer: a decision's, as the role that asked may see it; or an enquiry's, which has `decision_id` and `decided_at` only.
        kept: what it was asked with: `echo`, and the `currency` of the pack that decided.
        base: where it is read.
    """
    recommendation_id = answer["decision_id"]
    items = [_item(item, answer["decided_at"], kept["currency"], base) for item in answer.get("actions", ())]
    made: dict[str, Any] = {
        "recommendationType": "nextBestAction",
        **kept["echo"],
        "id": recommendation_id,
        "href": base.href(recommendation_id),
        **extended(TYPE, base),
        "instantSyncRecommendation": kept["echo"].get("instantSyncRecommendation", True),
        "state": "done",
        "validFor": _period(answer["decided_at"], min((item["validFor"]["endDateTime"] for item in items), default=None)),
        "recommendationItem": items,
    }
    return cast("WanliuQueryProductRecommendation", made | _told(answer))


def chosen(found: WanliuQueryProductRecommendation, wanted: Collection[str] | None) -> Mapping[str, Any]:
    """A recommendation with the attributes that are asked for; `id` and `href` it always has."""
    return found if wanted is None else {name: value for name, value in found.items() if name in _ALWAYS or name in wanted}


def attributes_of(fields: str | None) -> Collection[str] | None:
    """The attributes that `fields` asks for, of the first level; none where all are.

    Raises:
        RequestError: naming the right attribute for one that there is not.
    """
    if fields is None:
        return None
    wanted = [name.strip() for name in fields.split(",")]
    check_fields((name for name in dict.fromkeys(wanted) if name != "none"), ATTRIBUTES)
    return wanted


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer says beside its actions. An enquiry's has none of it."""
    if "pack" not in answer:
        return {"emptyBecause": NO_SUBSCRIBER}
    phase = answer["phase"]["id"]
    ask: list[Question] = [{"fact": item["fact"], "question": item["question"]} for item in answer["ask"]]
    told = {"decisionId": answer["decision_id"], "policySetVersion": answer["pack"]["digest"], "phase": phase, "ask": ask}
    return _without_nothing({**told, "emptyBecause": answer["empty_because"]})


def _item(action: Mapping[str, Any], decided_at: str, currency: str, base: Base) -> WanliuRecommendationItem:
    tariff = action["tariff"]
    product: Product = {"@type": "Product", "name": action["title"] or (tariff["name"] if tariff else action["action"])}
    told = {name: action[name] for name in ("action", "kind", "text", "script", "confirm", "disclose", "score")}
    made: dict[str, Any] = {
        "id": str(action["rank"]),
        "priority": action["rank"],
        **extended(ITEM_TYPE, base),
        "product": product if tariff is None else offered(product, tariff, currency),
        "productOffering": None if tariff is None else offering_of(tariff),
        **told,
        "reason": list(_reasons(action["reasons"])),
        "validFor": _period(decided_at, action["valid_until"]),
    }
    return cast("WanliuRecommendationItem", _without_nothing(made))


def _reasons(reasons: Iterable[Mapping[str, Any]]) -> Iterable[ItemReason]:
    for reason in reasons:
        yield {"code": reason["code"], "text": reason["text"]} if reason["code"] else {"text": reason["text"]}


def extended(name: str, base: Base) -> dict[str, str]:
    """What TM Forum's guidelines want of a shape with attributes of one's own; where it is told, where we know how we are reached."""
    told = {"@type": name, "@baseType": TYPES[name]}
    return {**told, "@schemaLocation": base.schema(name)} if base.address else told


def _period(start: str, end: str | None) -> TimePeriod:
    first = instant(start)
    return {"startDateTime": first} if end is None else {"startDateTime": first, "endDateTime": instant(end)}


def instant(text: str) -> str:
    """A time in UTC, so that times as text compare as times do."""
    return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_nothing(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if value not in (None, "", [])}
