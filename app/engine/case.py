"""A case: everything a decision depends on beside the pack. It is what is recorded, and what a decision is replayed from.

Nothing changes a case or a part of it. What is made anew for every request is not declared frozen: that would take three times as long.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.engine.vocabulary import LooseValue, Sent, SubscriberContext
from app.engine.vocabulary.choices import Choice


@dataclass(slots=True)
class Asker:
    """Who asks: a role, and how much they may concede in one case, in fen."""

    role: str
    concession_limit: int


@dataclass(slots=True)
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
class Settled:
    """An action that somebody refused or accepted in a conversation, and what kind of help it was then."""

    action: str
    kind: str
    refused: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """What went before in the same conversation.

    Attributes:
        since: when its first decision was made.
        decisions: the ids of its decisions so far, oldest first; they decide nothing.
        settled: what was refused or accepted in it.
    """

    since: datetime.datetime
    decisions: tuple[str, ...]
    settled: tuple[Settled, ...] = ()

    @property
    def refused(self) -> frozenset[str]:
        """The actions that were refused."""
        return frozenset(item.action for item in self.settled if item.refused)

    @property
    def accepted(self) -> frozenset[str]:
        """The actions that were accepted, and not refused after all."""
        return frozenset(item.action for item in self.settled if not item.refused)

    @property
    def refused_kinds(self) -> frozenset[str]:
        """The kinds of help that were refused."""
        return frozenset(item.kind for item in self.settled if item.refused)

    def as_json(self) -> dict[str, Any]:
        """The conversation as JSON values."""
        settled = [{"action": item.action, "kind": item.kind, "refused": item.refused} for item in self.settled]
        return {"since": self.since.isoformat(), "decisions": list(self.decisions), "settled": settled}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Conversation:
        """The conversation that was recorded."""
        settled = tuple(Settled(**item) for item in data["settled"])
        return cls(datetime.datetime.fromisoformat(data["since"]), tuple(data["decisions"]), settled)


@dataclass(slots=True)
class Case:
    """One question to the engine: what is known of a subscriber, where and when we meet them, and who asks.

    `subscriber` is as the caller knows it; `choices` are the person's own that stood on the record, and are put over it.
    `sent` is what a caller's JSON had of the subscriber; it decides nothing.
    """

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
    choices: tuple[Choice, ...] = ()
    conversation: Conversation | None = None
    sent: Sent | None = field(default=None, repr=False, compare=False)

    def _subscriber_as_json(self) -> Mapping[str, Any]:
        """What was sent, unless something was put to it since."""
        if self.sent is not None and self.sent.subscriber is self.subscriber:
            return self.sent.values
        return self.subscriber.model_dump(mode="json", exclude_unset=True)

    def as_json(self) -> dict[str, Any]:
        """The case as JSON values, from which `from_json` makes an equal one."""
        times = self.times
        as_of, today = times.as_of.isoformat(), times.today.isoformat()
        return {
            "subscriber": self._subscriber_as_json(),
            "channel": self.channel,
            "times": {
                "zone": getattr(times.as_of.tzinfo, "key", None),
                "as_of": as_of,
                "contact_at": as_of if times.contact_at is times.as_of else times.contact_at.isoformat(),
                "today": today,
                "contact_day": today if times.contact_day == times.today else times.contact_day.isoformat(),
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
            **({"choices": [item.as_json() for item in self.choices]} if self.choices else {}),
            **({} if self.conversation is None else {"conversation": self.conversation.as_json()}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Case:
        """The case that was recorded."""
        times, before = data["times"], data.get("conversation")
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
            conversation=None if before is None else Conversation.from_json(before),
            choices=tuple(Choice(**item) for item in data.get("choices", ())),
            **{
                name: data[name]
                for name in ("channel", "moment", "direction", "reason", "caller_relation", "verified", "answers", "locale", "max_actions")
            },
        )


def _moment(text: str, zone: str | None) -> datetime.datetime:
    """A recorded time in its zone, so that days added to it meet that zone's clock changes; without a zone, in its offset."""
    moment = datetime.datetime.fromisoformat(text)
    return moment if zone is None else moment.astimezone(zoneinfo.ZoneInfo(zone))
