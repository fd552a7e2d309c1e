"""What every event carries, and the attributes that several kinds share."""

from typing import Annotated, Any, cast

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core import core_schema as core

from app.engine.vocabulary.model import Model, fact
from app.engine.vocabulary.types import Instant

ACTION = fact("Action", "动作")
AMOUNT = fact("Amount", "金额")
AREA = fact("Area", "区域")
CAMPAIGN = fact("Campaign", "营销活动")
CASE = fact("Case", "工单号")
CHANNEL = fact("Channel", "渠道")
CONFIRMATION = fact("Confirmation", "确认方式")
FEE = fact("Fee", "费用")
KIND = fact("Kind", "类别")
PRODUCT = fact("Product", "产品")
REASON = fact("Reason", "原因")
TOPIC = fact("Topic", "主题")


class Event(Model):
    """Something that happened at a moment. Its kind is in `type`; attributes left out are unknown."""

    at: Annotated[Instant, Field(title="At", description="When it happened.")]


class WithoutEcho:
    """Words the refusal of an unknown kind: pydantic's own repeats what was sent and lists all kinds."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        union = cast("core.TaggedUnionSchema", handler(source))
        union["custom_error_type"] = "event_expected"
        union["custom_error_message"] = "expected an event: `at`, its attributes, and in `type` one of the kinds of event"
        return union
