"""Events of the line, its plan, services and contract."""

from typing import Literal

from app.engine.vocabulary.events.base import (
    CAMPAIGN,
    CHANNEL,
    CONFIRMATION,
    FEE,
    KIND,
    PRODUCT,
    Event,
)
from app.engine.vocabulary.model import fact
from app.engine.vocabulary.types import Code, Flag, Money
from app.engine.vocabulary.words import Channel, Confirmation, ContractKind, DeviceGeneration

SuspensionCause = Literal["arrears", "request", "risk", "lost"]


class JoinEvent(Event, title="Join", json_schema_extra={"x-zh": "入网"}):
    """The line was opened."""

    type: Literal["join"]
    channel: Channel | None = CHANNEL
    plan: Code | None = fact("Plan", "套餐编码")


class PortInEvent(Event, title="Port-in", json_schema_extra={"x-zh": "携入"}):
    """The number came from another operator. Not port data in the guardrails' sense."""

    type: Literal["port_in"]


class PlanChangeEvent(Event, title="Plan change", json_schema_extra={"x-zh": "套餐变更"}):
    """The main plan was changed."""

    type: Literal["plan_change"]
    old: Code | None = fact("Old plan", "原套餐")
    new: Code | None = fact("New plan", "新套餐")
    direction: Literal["up", "down"] | None = fact("Direction", "升降档")
    channel: Channel | None = CHANNEL
    confirmation: Confirmation | None = CONFIRMATION


class ActivateEvent(Event, title="Activation", json_schema_extra={"x-zh": "业务开通"}):
    """A service was activated."""

    type: Literal["activate"]
    product: Code | None = PRODUCT
    fee: Money | None = FEE
    channel: Channel | None = CHANNEL
    campaign: Code | None = CAMPAIGN
    confirmation: Confirmation | None = CONFIRMATION


class UnsubscribeEvent(Event, title="Unsubscription", json_schema_extra={"x-zh": "业务退订"}):
    """A service was given up."""

    type: Literal["unsubscribe"]
    product: Code | None = PRODUCT
    channel: Channel | None = CHANNEL


class SuspendEvent(Event, title="Suspension", json_schema_extra={"x-zh": "停机"}):
    """The line was suspended."""

    type: Literal["suspend"]
    cause: SuspensionCause | None = fact("Cause", "停机原因")


class ResumeEvent(Event, title="Resumption", json_schema_extra={"x-zh": "复机"}):
    """The line works again."""

    type: Literal["resume"]
    cause: SuspensionCause | None = fact("Cause", "停机原因", "of the suspension")


class DeviceChangeEvent(Event, title="Device change", json_schema_extra={"x-zh": "换机"}):
    """Another handset is in use."""

    type: Literal["device_change"]
    generation: DeviceGeneration | None = fact("Device generation", "终端制式")


class SimChangeEvent(Event, title="SIM change", json_schema_extra={"x-zh": "补换卡"}):
    """The SIM card was replaced."""

    type: Literal["sim_change"]
    kind: Literal["replace", "esim"] | None = KIND


class RoamingOnEvent(Event, title="Roaming on", json_schema_extra={"x-zh": "出境"}):
    """The line went abroad."""

    type: Literal["roaming_on"]
    zone: Code | None = fact("Zone", "漫游区域")


class RoamingOffEvent(Event, title="Roaming off", json_schema_extra={"x-zh": "回国"}):
    """The line came home."""

    type: Literal["roaming_off"]
    zone: Code | None = fact("Zone", "漫游区域")


class MoveHomeEvent(Event, title="Move of home", json_schema_extra={"x-zh": "搬家/移机"}):
    """The household moved."""

    type: Literal["move_home"]
    city_changed: Flag | None = fact("To another city", "跨城市")


class ContractStartEvent(Event, title="Contract start", json_schema_extra={"x-zh": "合约开始"}):
    """A contract began."""

    type: Literal["contract_start"]
    kind: ContractKind | None = fact("Contract kind", "合约类型")


class ContractEndEvent(Event, title="Contract end", json_schema_extra={"x-zh": "合约到期"}):
    """A contract ended."""

    type: Literal["contract_end"]
    kind: ContractKind | None = fact("Contract kind", "合约类型")
