"""The body of a request for a decision: who asks about whom, and what is known of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, PrivateAttr

from app.engine.vocabulary.choices import Choice
from app.engine.vocabulary.contacts import Contact
from app.engine.vocabulary.events import AnyEvent
from app.engine.vocabulary.examples import EXAMPLES
from app.engine.vocabulary.model import Model, fact
from app.engine.vocabulary.sections import (
    Account,
    Billing,
    Care,
    Cases,
    Churn,
    Consent,
    Contract,
    Declared,
    Device,
    Digital,
    Holder,
    Home,
    Incident,
    Network,
    Now,
    Pay,
    Perception,
    Plan,
    Points,
    Port,
    Services,
    Usage,
    Value,
    Vip,
)
from app.engine.vocabulary.types import Code, Identifier, Instant, Loose, Reader, ZoneName
from app.engine.vocabulary.words import Channel, ContactReason, Moment

LONGEST_HISTORY = 5_000

FactName = Annotated[str, Reader.text(r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", 100, means="a fact's name such as home.has_broadband")]
_OwnName = Annotated[str, Reader.text(r"^[a-z][a-z0-9_]*$", 64, means="small letters, digits and _")]


class SubscriberContext(Model):
    """What is known of one subscriber. Every section is optional; what is left out is unknown."""

    id: Annotated[Identifier, Field(title="Subscriber", description="The operator's id of the line; no phone number is needed.")]
    zone: Annotated[ZoneName | None, Field(title="Time zone", description="IANA name; left out, the pack's own.")] = None
    account: Account | None = None
    holder: Holder | None = None
    plan: Plan | None = None
    services: Services | None = None
    contract: Contract | None = None
    usage: Usage | None = None
    now: Now | None = None
    billing: Billing | None = None
    pay: Pay | None = None
    device: Device | None = None
    network: Network | None = None
    home: Home | None = None
    cases: Cases | None = None
    care: Care | None = None
    consent: Consent | None = None
    points: Points | None = None
    vip: Vip | None = None
    value: Value | None = None
    churn: Churn | None = None
    perception: Perception | None = None
    digital: Digital | None = None
    declared: Declared | None = None
    port: Port | None = None
    incident: Incident | None = None
    events: Annotated[
        tuple[AnyEvent, ...] | None,
        Field(
            max_length=LONGEST_HISTORY,
            title="Events",
            description="What happened, in any order. Left out is unknown, an empty list is nothing.",
        ),
    ] = None
    contacts: Annotated[
        tuple[Contact, ...] | None,
        Field(
            max_length=LONGEST_HISTORY,
            title="Contact history",
            description="接触历史。Our contacts on all channels. Left out is unknown, an empty list is none.",
        ),
    ] = None
    custom: Annotated[
        dict[_OwnName, Loose] | None,
        Field(max_length=200, title="Operator's own facts", description="Named and typed in the pack's `facts.yaml`."),
    ] = None


class Sent(NamedTuple):
    """A subscriber as it was read, and the JSON values that it was read from, so that they need not be written out again."""

    subscriber: SubscriberContext
    values: Mapping[str, Any]


class DecisionRequest(Model):
    """Asks for the next best actions for one subscriber, at one contact."""

    model_config = ConfigDict(json_schema_extra={"examples": EXAMPLES})

    channel: Channel = fact("Channel", "触点渠道", default=...)
    moment: Moment | None = fact("Moment of truth", "关键时刻", "left out, recent events may reveal it")
    direction: Literal["inbound", "outbound", "self", "none"] | None = fact(
        "Direction", "呼入/呼出", "outbound adds hours, caps and the rule on lines abroad"
    )
    reason: ContactReason | None = fact("Reason for contact", "来电原因")
    caller_relation: Literal["holder", "user", "agent", "unknown"] | None = fact(
        "Caller's relation to the holder", "来电人与机主关系", "a user is not the holder"
    )
    verified: Literal["none", "password", "sms", "id_document", "face"] | None = fact(
        "Verified by", "鉴权方式", "no bill figures and no change while `none`"
    )
    as_of: Annotated[
        Instant | None,
        Field(title="As of", description="When the facts hold. Live: left out it is the clock, given it is within five minutes of it."),
    ] = None
    contact_at: Annotated[
        Instant | None,
        Field(title="Contact at", description="When the person will be contacted; drives contact policy. Left out, `as_of`."),
    ] = None
    locale: Annotated[Literal["zh-CN", "en"], Field(title="Locale", description="Language of the texts.")] = "zh-CN"
    max_actions: Annotated[
        int, Reader.whole("count", 1, 10), Field(title="Most actions", description="How many actions to give at most.")
    ] = 3
    explain: Annotated[
        Literal["none", "summary", "full"],
        Field(title="Explain", description="How much to say of why; `full` adds what was not offered."),
    ] = "summary"
    mode: Annotated[
        Literal["live", "what_if"],
        Field(title="Mode", description="`what_if` may ask about another time, and acts on nobody."),
    ] = "live"
    history: Annotated[
        Literal["caller", "record", "both"],
        Field(
            title="Contact history from",
            description="`caller`: `subscriber.contacts`. `record`: what outcomes told us instead. `both`: together, each contact once.",
        ),
    ] = "caller"
    agent: Annotated[
        Code | None,
        Field(title="Agent", description="Code of the person in front of the screen. Goes on the record, and decides nothing."),
    ] = None
    answers: Annotated[
        dict[FactName, Loose],
        Field(
            default_factory=dict,
            max_length=50,
            title="Answers",
            description="What the person answered to what was asked, by the name of the fact.",
        ),
    ]
    subscriber: SubscriberContext
    _choices: tuple[Choice, ...] = PrivateAttr(())
    _sent: Sent | None = PrivateAttr(None)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The person's own choices that stand. No caller sends them: the record knows."""
        return self._choices

    def with_choices(self, choices: tuple[Choice, ...]) -> "DecisionRequest":
        """The request, about somebody who chose so."""
        made = self.model_copy()
        made._choices = choices
        return made

    @property
    def sent(self) -> Sent | None:
        """The subscriber as it was sent, where it was read from JSON."""
        return self._sent

    def read_from(self, subscriber: Mapping[str, Any]) -> None:
        """Keep the JSON values that the subscriber was read from."""
        self._sent = Sent(self.subscriber, subscriber)
