"""Events of complaints, faults, incidents and promises."""

from typing import Literal

from app.engine.vocabulary.events.base import AREA, CASE, KIND, PRODUCT, TOPIC, Event
from app.engine.vocabulary.model import fact
from app.engine.vocabulary.types import Code, Day, Flag
from app.engine.vocabulary.words import ComplaintTopic


class ComplaintEvent(Event, title="Complaint", json_schema_extra={"x-zh": "投诉"}):
    """The person complained."""

    type: Literal["complaint"]
    topic: ComplaintTopic | None = TOPIC
    case: Code | None = CASE
    product: Code | None = PRODUCT
    area: Code | None = AREA
    severity: Code | None = fact("Severity", "严重程度")


class UrgeEvent(Event, title="Urge", json_schema_extra={"x-zh": "催单"}):
    """The person urged a case on."""

    type: Literal["urge"]
    case: Code | None = CASE


class ComplaintClosedEvent(Event, title="Complaint closed", json_schema_extra={"x-zh": "投诉办结"}):
    """A complaint was closed."""

    type: Literal["complaint_closed"]
    case: Code | None = CASE
    topic: ComplaintTopic | None = TOPIC
    result: Code | None = fact("Result", "处理结果")
    satisfied: Flag | None = fact("Satisfied", "是否满意")


class RegulatorAppealEvent(Event, title="Appeal", json_schema_extra={"x-zh": "申诉(越级)"}):
    """The person appealed to a body outside the operator."""

    type: Literal["regulator_appeal"]
    body: Code | None = fact("Body", "受理机构")
    case: Code | None = CASE


class FaultEvent(Event, title="Fault", json_schema_extra={"x-zh": "故障申告"}):
    """A fault was reported."""

    type: Literal["fault"]
    kind: Literal["mobile", "broadband", "tv"] | None = KIND
    case: Code | None = CASE
    area: Code | None = AREA


class FixEvent(Event, title="Fix", json_schema_extra={"x-zh": "修复"}):
    """A fault was fixed."""

    type: Literal["fix"]
    case: Code | None = CASE
    area: Code | None = AREA


class IncidentStartEvent(Event, title="Incident start", json_schema_extra={"x-zh": "大面积故障开始"}):
    """A fault over an area began."""

    type: Literal["incident_start"]
    area: Code | None = AREA


class IncidentEndEvent(Event, title="Incident end", json_schema_extra={"x-zh": "大面积故障结束"}):
    """A fault over an area ended."""

    type: Literal["incident_end"]
    area: Code | None = AREA


class PromiseEvent(Event, title="Promise", json_schema_extra={"x-zh": "承诺"}):
    """Something was promised."""

    type: Literal["promise"]
    id: Code | None = fact("Promise", "承诺编号")
    kind: Literal["rebate", "gift", "callback", "repair"] | None = KIND
    due: Day | None = fact("Due", "承诺时限")


class PromiseKeptEvent(Event, title="Promise kept", json_schema_extra={"x-zh": "承诺兑现"}):
    """A promise was kept."""

    type: Literal["promise_kept"]
    id: Code | None = fact("Promise", "承诺编号")
