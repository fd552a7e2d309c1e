"""How the operator and the person stand: cases, care, consent, and what was said and felt."""

from typing import Annotated, Literal

from app.engine.vocabulary.model import fact
from app.engine.vocabulary.sections.base import Section
from app.engine.vocabulary.types import AnyOrder, Code, Count, Day, Days, Flag, Hours, Money, Score10, Score100, Text
from app.engine.vocabulary.words import Channel, ComplaintTopic, Consented, LeaveReason


class Cases(Section, title="Cases", json_schema_extra={"x-zh": "工单"}):
    """Complaints, faults and promises that are open."""

    open_complaints: Count | None = fact("Open complaints", "在途投诉")
    complaint_days: Days | None = fact("Days since the oldest open complaint", "最早在途投诉天数")
    complaint_topic: ComplaintTopic | None = fact("Complaint topic", "投诉类别")
    regulator_open: Flag | None = fact("Open appeal", "在途申诉", "to the ministry, a municipal hotline or a consumer body")
    open_faults: Count | None = fact("Open faults", "在途故障")
    fault_hours: Hours | None = fact("Hours of the fault", "故障历时")
    id: Code | None = fact("Case", "工单号", "spoken first in a fault or complaint")
    owner: Text | None = fact("Case owner", "责任人", "spoken first in a fault or complaint")
    due_on: Day | None = fact("Due on", "承诺时限", "spoken first in a fault or complaint")
    urges_7d: Count | None = fact("Urges in 7 days", "催单次数")
    promises_overdue: Count | None = fact("Overdue promises", "逾期承诺", "rebate, gift or call-back not done")
    compensation_12m: Money | None = fact("Compensation in 12 months", "近12月补偿累计", "has a yearly ceiling")


class Care(Section, title="Care", json_schema_extra={"x-zh": "关怀"}):
    """When somebody last cared, without selling."""

    last_proactive_on: Day | None = fact("Last proactive care on", "最近主动关怀", "not sales")
    last_visit_on: Day | None = fact("Last visit on", "最近走访")
    loyalty_benefit_on: Day | None = fact("Last loyalty benefit on", "最近老客户回馈")
    manager_assigned: Flag | None = fact("Has an account manager", "专属客户经理")


class Consent(Section, title="Consent", json_schema_extra={"x-zh": "授权"}):
    """What the person agreed to and refused."""

    marketing: Consented | None = fact("Marketing", "营销同意", "unknown counts as no")
    personalised: Consented | None = fact("Personalisation", "个性化推荐")
    refused_channels: Annotated[frozenset[Channel], AnyOrder()] | None = fact("Refused channels", "拒绝渠道")
    partner_sharing: Consented | None = fact("Sharing with partners", "向合作方提供", "a separate consent")
    updated_on: Day | None = fact("Updated on", "授权时间")
    evidence: Text | None = fact("Evidence", "授权凭证", "kept at least 5 months after the last use")
    human_review: Flag | None = fact("Asked for a human decision", "要求人工决定")


class Perception(Section, title="Perception", json_schema_extra={"x-zh": "感知"}):
    """What surveys found."""

    satisfaction: Score10 | None = fact("Satisfaction", "满意度", "0 to 10")
    surveyed_on: Day | None = fact("Surveyed on", "测评日期")
    brand: Score100 | None = fact("Brand image", "品牌形象", "0 to 100")
    expected: Score100 | None = fact("Expected quality", "预期质量", "0 to 100")
    quality: Score100 | None = fact("Perceived quality", "感知质量", "0 to 100")
    value: Score100 | None = fact("Perceived value", "感知价值", "0 to 100")
    rival_quality: Score100 | None = fact("Rivals' perceived quality", "竞争对手感知质量(分群均值)", "mean of the segment")
    rival_value: Score100 | None = fact("Rivals' perceived value", "竞争对手感知价值(分群均值)", "mean of the segment")


class Digital(Section, title="Digital", json_schema_extra={"x-zh": "线上行为"}):
    """Use of the operator's own app and site; no traffic is inspected."""

    app_login_on: Day | None = fact("Last app login on", "最近登录App")
    failed_transactions_14d: Count | None = fact("Failed transactions in 14 days", "线上办理失败次数")
    compare_visits_30d: Count | None = fact("Tariff comparison visits in 30 days", "资费比较页访问")
    benefit_visits_30d: Count | None = fact("Benefit page visits in 30 days", "权益页访问", "own app only")


class Declared(Section, title="Declared", json_schema_extra={"x-zh": "自述"}):
    """What the person said."""

    leave_reason: LeaveReason | None = fact("Reason to leave", "自述离网原因")
    rival_fee: Money | None = fact("Rival's monthly fee", "自述友商月费")
    unaware_service: Flag | None = fact("Did not know of a service", "自述不知情开通")


class Port(Section, title="Port-out", json_schema_extra={"x-zh": "携转"}):
    """How far a port-out has gone. For guardrails and `purpose: port_assistance` only."""

    state: Literal["none", "queried", "code_issued", "applied", "completed"] | None = fact("Port-out state", "携转状态")
    last_on: Day | None = fact("Last step on", "携转最近时间")
