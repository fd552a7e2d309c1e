"""The query parameters of a search."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import (
    BeforeValidator,
    Field,
    WithJsonSchema,
)

from app.api.parameters import Fields, Gathering, Whole, Worded
from app.engine.decision import EmptyBecause
from app.engine.vocabulary import Channel
from app.record.entries import Kind
from app.record.search.finding import LARGEST_PAGE, PAGE
from app.record.search.query import FILTERS, MOST_VALUES

Code = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200})]
KindCode = Annotated[str, WithJsonSchema({"type": "string", "enum": list(get_args(Kind))})]
ChannelCode = Annotated[str, WithJsonSchema({"type": "string", "enum": list(get_args(Channel))})]
EmptyCode = Annotated[str, WithJsonSchema({"type": "string", "enum": list(get_args(EmptyBecause))})]
Token = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$"), Worded("a subscriber's token as envelopes have it: 32 of 0-9 a-f")]


def _with_its_plus(text: object) -> object:
    """A time whose offset lost its `+` on the way, where that stands for a space in an address."""
    return text.replace(" ", "+") if isinstance(text, str) and "T" in text else text


Time = Annotated[
    str,
    Field(max_length=40),
    BeforeValidator(_with_its_plus),
    Worded("a date such as 2026-11-01, or a time such as 2026-11-01T08:00:00+08:00"),
]
Cursor = Annotated[str, Field(min_length=1, max_length=100), Worded("the `next` of the page before; leave it out to begin with the newest")]
Codes = Annotated[list[Code] | None, Field(max_length=MOST_VALUES)]


class SearchFilters(Gathering):
    """What is searched for. Values are checked by `query_of`, which names the nearest right one."""

    kind: Annotated[list[KindCode] | None, Field(max_length=MOST_VALUES, description="Kinds of entries; left out, decisions.")] = None
    channel: Annotated[list[ChannelCode] | None, Field(max_length=MOST_VALUES)] = None
    empty: Annotated[list[EmptyCode] | None, Field(max_length=MOST_VALUES, description="Why nothing was on the list.")] = None
    caller: Codes = None
    role: Codes = None
    agent: Codes = None
    pack: Annotated[list[Code] | None, Field(max_length=MOST_VALUES, description="Digest of the pack that decided, or its beginning.")] = (
        None
    )
    campaign: Annotated[list[Code] | None, Field(max_length=MOST_VALUES, description="Name of a campaign.")] = None
    stage: Codes = None
    phase: Codes = None
    moment: Codes = None
    signal: Annotated[list[Code] | None, Field(max_length=MOST_VALUES, description="`four_high.tariff`, or with its level.")] = None
    offered: Annotated[list[Code] | None, Field(max_length=MOST_VALUES, description="An action on the list.")] = None
    tariff: Codes = None
    suppressed: Annotated[
        list[Code] | None, Field(max_length=MOST_VALUES, description="An action that contact policy or a guardrail kept out.")
    ] = None
    clause: Annotated[
        list[Code] | None,
        Field(max_length=MOST_VALUES, description="What kept an action out: `contact.marketing_hours`, or a name in any gate."),
    ] = None
    outcome: Annotated[list[Code] | None, Field(max_length=MOST_VALUES, description="`accepted`, `tariff_pack:accepted`.")] = None
    since: Annotated[Time | None, Field(description="A time with its offset, or a date (UTC).")] = None
    until: Annotated[Time | None, Field(description="The same; what happened before then, of a date to its end.")] = None
    subject: Annotated[Token | None, Field(description="A subscriber's token, as envelopes name it.")] = None
    limit: Annotated[int, Whole(1, LARGEST_PAGE)] = PAGE
    cursor: Annotated[Cursor | None, Field(description="`next` of the page before.")] = None
    fields: Fields = None

    def given(self) -> dict[str, list[str]]:
        """The filters that were given, by name."""
        return {name: values for name in FILTERS if (values := getattr(self, name)) is not None}
