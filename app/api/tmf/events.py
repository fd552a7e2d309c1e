"""Events as TM Forum has them: a recommendation was made, and is done. Both at once, for we answer at once."""

from __future__ import annotations

import orjson

from app.api.tmf.answering import JSON
from app.api.tmf.places import Base
from app.api.tmf.recommending import recommended
from app.record.outgoing.happened import Happened
from app.record.outgoing.wording import Worded, Wording
from app.record.recommendations import kept_of

_TITLES = {
    "QueryProductRecommendationCreateEvent": "A recommendation was made",
    "QueryProductRecommendationStateChangeEvent": "A recommendation is done",
}


def tmf_wording(public_url: str | None) -> Wording:
    """Words events in TM Forum's form.

    Args:
        public_url: what links begin with; left out, they begin with `/`.
    """
    base = Base((public_url or "").rstrip("/"))

    def worded(happened: Happened) -> Worded:
        entry = happened.entry
        found = recommended(orjson.loads(entry.answer or "{}"), kept_of(entry), base)
        at = happened.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {
            "eventId": happened.id,
            "eventTime": at,
            "timeOcurred": at,  # TM Forum's spelling
            "eventType": happened.event.type,
            "correlationId": entry.id,
            "domain": "recommendation",
            "title": _TITLES[happened.event.type],
            "event": {"queryProductRecommendation": found},
        }
        return Worded(orjson.dumps(event), JSON)

    return worded
