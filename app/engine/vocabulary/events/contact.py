"""Events between the operator and the person: contacts, calls, surveys, visits, refusals."""

from typing import Literal

from app.engine.vocabulary.events.base import ACTION, CAMPAIGN, CHANNEL, KIND, PRODUCT, REASON, TOPIC, Event
from app.engine.vocabulary.model import fact
from app.engine.vocabulary.types import Code, Score10
from app.engine.vocabulary.words import ActionKind, Channel, ContactReason, LeaveReason, Outcome


class EnquiryEvent(Event, title="Enquiry", json_schema_extra={"x-zh": "咨询"}):
    """The person asked about something."""

    type: Literal["enquiry"]
    topic: Literal["contract_end", "exit_fee", "cancel", "rival", "refund_balance", "plan", "other"] | None = TOPIC


class SurveyEvent(Event, title="Survey", json_schema_extra={"x-zh": "测评"}):
    """The person was surveyed."""

    type: Literal["survey"]
    score: Score10 | None = fact("Score", "评分", "0 to 10")
    subject: Code | None = fact("Subject", "测评对象")


class IntentLeaveEvent(Event, title="Wish to leave", json_schema_extra={"x-zh": "口头离网意向"}):
    """The person said that they want to leave."""

    type: Literal["intent_leave"]
    reason: LeaveReason | None = REASON
    channel: Channel | None = CHANNEL


class VisitEvent(Event, title="Visit", json_schema_extra={"x-zh": "走访"}):
    """Somebody visited the person."""

    type: Literal["visit"]
    by: Code | None = fact("By", "走访人")


class ContactEvent(Event, title="Contact", json_schema_extra={"x-zh": "触达"}):
    """We contacted the person. Expanded from the contact history; ours only."""

    type: Literal["contact"]
    channel: Channel | None = CHANNEL
    kind: ActionKind | None = KIND
    action: Code | None = ACTION
    campaign: Code | None = CAMPAIGN
    result: Outcome | None = fact("Result", "结果")


class InboundEvent(Event, title="Inbound contact", json_schema_extra={"x-zh": "用户来电/来访"}):
    """The person called or came."""

    type: Literal["inbound"]
    reason: ContactReason | None = REASON
    channel: Channel | None = CHANNEL


class RefusalEvent(Event, title="Refusal", json_schema_extra={"x-zh": "拒绝"}):
    """The person refused an action."""

    type: Literal["refusal"]
    action: Code | None = ACTION
    reason: Code | None = REASON


class PageEvent(Event, title="Page viewed", json_schema_extra={"x-zh": "自有App浏览"}):
    """The person looked at a page of our own app."""

    type: Literal["page"]
    page: Literal["compare", "cancel", "benefit", "broadband"] | None = fact("Page", "页面")


class TransactionFailedEvent(Event, title="Failed transaction", json_schema_extra={"x-zh": "线上办理失败"}):
    """The person tried something online and it failed."""

    type: Literal["transaction_failed"]
    product: Code | None = PRODUCT
    step: Code | None = fact("Step", "失败环节")


class ReferralEvent(Event, title="Referral", json_schema_extra={"x-zh": "推荐成功"}):
    """Somebody joined on the person's word."""

    type: Literal["referral"]


class ConsentChangeEvent(Event, title="Consent change", json_schema_extra={"x-zh": "授权变更"}):
    """A consent was given or withdrawn."""

    type: Literal["consent_change"]
    what: Code | None = fact("What", "授权事项")
    to: Code | None = fact("To", "变更为")
