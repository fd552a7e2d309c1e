"""What can be told to other systems, and who subscribed to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Format = Literal["cloudevents", "tmf680"]
"""How an event is worded: ours, or TM Forum's."""
EventType = Literal[
    "wanliu.decision.v1", "wanliu.outcome.v1", "wanliu.promise.v1", "wanliu.call_back.v1", "wanliu.escalation.v1"
]  # in the order in which those of one entry are told
TYPES: tuple[EventType, ...] = get_args(EventType)
Recommended = Literal["QueryProductRecommendationCreateEvent", "QueryProductRecommendationStateChangeEvent"]
"""TM Forum's, in the order in which they are told: of what was asked for as TM Forum has it, and in its format only."""
RECOMMENDED: tuple[Recommended, ...] = get_args(Recommended)
Heard = EventType | Recommended
"""What a subscription may be told of."""
DECIDED: EventType = "wanliu.decision.v1"
TOLD: EventType = "wanliu.outcome.v1"
Case = Literal["promise", "call_back", "escalation"]
"""What an action opens when it is accepted: something to be done later, to call back, or for somebody with more say."""
PER_LEAF = 16
"""Events that one entry may make, at most: a decision lists ten actions, each of which may open a case."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events are told of, by codes; an empty list lets everything pass.

    `actions` and `outcomes` are those of an outcome; of a decision, `actions` asks for one of them on its list, and `outcomes` nothing.
    What happened on no channel, such as that somebody asks for a person to decide, passes `channels`.
    """

    channels: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, list[str]]:
        """The lists that are not empty."""
        found = {"channels": list(self.channels), "actions": list(self.actions), "outcomes": list(self.outcomes)}
        return {name: values for name, values in found.items() if values}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody subscribes to.

    Attributes:
        owner: the caller that subscribes.
        callback: the URL that events are sent to; `addresses.checked_callback` has let it pass.
        types: of events, at least one.
        format: how they are worded.
        system: hear only of decisions that callers of this system asked for, and their outcomes; none for all.
        filters: hear of fewer.
        query: what a TM Forum caller gave, told back to it as it was.
    """

    owner: str
    callback: str = field(repr=False)
    types: tuple[Heard, ...]
    format: Format = "cloudevents"
    system: str | None = None
    filters: Filters = Filters()
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told of what; `since` as the store writes times. What it wants is that of `Wanted`."""

    id: str
    wanted: Wanted
    since: str

    def hears(self, event: str, body: Mapping[str, Any], system: str) -> bool:
        """Is it told of an event of this type, that an entry with this body makes, which a caller of this system asked for?"""
        if event not in self.wanted.types or self.wanted.system not in (None, system):
            return False
        filters = self.wanted.filters
        if filters.channels and body.get("channel", filters.channels[0]) not in filters.channels:  # what was on no channel is for all
            return False
        if event == DECIDED:
            return not filters.actions or any(item["action"] in filters.actions for item in body.get("offered", ()))
        return _passes(filters.actions, body.get("action")) and _passes(filters.outcomes, body.get("outcome"))


def _passes(wanted: tuple[str, ...], value: object) -> bool:
    return not wanted or value in wanted
