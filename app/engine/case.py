"""A case: everything a decision depends on beside the pack. It is what is recorded, and what a decision is replayed from."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.vocabulary import LooseValue, SubscriberContext


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a role, and how much they may concede in one case, in fen."""

    role: str
    concession_limit: int


@dataclass(frozen=True, slots=True)
class Times:
    """When facts hold and when the person is contacted.

    Days and minutes are local to the subscriber; `offset` is minutes east of UTC at the contact.
    """

    as_of: datetime.datetime
    contact_at: datetime.datetime
    today: datetime.date
    contact_day: datetime.date
    contact_minute: int
    offset: int


@dataclass(frozen=True, slots=True)
class Case:
    """One question to the engine: what is known of a subscriber, where and when we meet them, and who asks."""

    subscriber: SubscriberContext
    channel: str
    times: Times
    asker: Asker
    moment: str | None = None
    direction: str | None = None
    reason: str | None = None
    caller_relation: str | None = None
    verified: str | None = None
    answers: Mapping[str, LooseValue] | None = None
    locale: str = "zh-CN"
    max_actions: int = 3

    def as_json(self) -> dict[str, Any]:
        """The case as JSON values, from which `from_json` makes an equal one."""
        times = self.times
        return {
            "subscriber": self.subscriber.model_dump(mode="json", exclude_unset=True),
            "channel": self.channel,
            "times": {
                "zone": getattr(times.as_of.tzinfo, "key", None),
                "as_of": times.as_of.isoformat(),
                "contact_at": times.contact_at.isoformat(),
                "today": times.today.isoformat(),
                "contact_day": times.contact_day.isoformat(),
                "contact_minute": times.contact_minute,
                "offset": times.offset,
            },
            "asker": {"role": self.asker.role, "concession_limit": self.asker.concession_limit},
            "moment": self.moment,
            "direction": self.direction,
            "reason": self.reason,
            "caller_relation": self.caller_relation,
            "verified": self.verified,
            "answers": dict(self.answers or {}),
            "locale": self.locale,
            "max_actions": self.max_actions,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Case:
        """The case that was recorded."""
        times = data["times"]
        return cls(
            subscriber=SubscriberContext.model_validate(data["subscriber"]),
            times=Times(
                _moment(times["as_of"], times.get("zone")),
                _moment(times["contact_at"], times.get("zone")),
                datetime.date.fromisoformat(times["today"]),
                datetime.date.fromisoformat(times["contact_day"]),
                times["contact_minute"],
                times["offset"],
            ),
            asker=Asker(**data["asker"]),
            **{
                name: data[name]
                for name in ("channel", "moment", "direction", "reason", "caller_relation", "verified", "answers", "locale", "max_actions")
            },
        )


def _moment(text: str, zone: str | None) -> datetime.datetime:
    """A recorded time in its zone, so that days added to it meet that zone's clock changes; without a zone, in its offset."""
    moment = datetime.datetime.fromisoformat(text)
    return moment if zone is None else moment.astimezone(zoneinfo.ZoneInfo(zone))
