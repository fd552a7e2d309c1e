"""The line and who holds it, what is subscribed to, and what binds."""

from typing import Annotated, Literal

from app.engine.vocabulary.model import fact
from app.engine.vocabulary.sections.base import Section
from app.engine.vocabulary.types import (
    Code,
    CodeSet,
    Computed,
    Count,
    Day,
    Flag,
    Megabytes,
    Minutes,
    Money,
    Months,
    Reader,
    Text,
)
from app.engine.vocabulary.words import ContractKind

_STATUS = (
    "active 正常, barred_out 单停, suspended_arrears 欠费停机, suspended_request 停机保号, lost 挂失, suspended_risk 风险停机, "
    "pre_cancelled 预销户, cancelled 已销户"
)


class Account(Section, title="Account", json_schema_extra={"x-zh": "号码与账户"}):
    """The line: its state, age, kind, payer and place."""

    status: (
        Literal[
            "active",
            "barred_out",
            "suspended_arrears",
            "suspended_request",
            "lost",
            "suspended_risk",
            "pre_cancelled",
            "cancelled",
        ]
        | None
    ) = fact("Status", "用户状态", _STATUS)
    joined_on: Day | None = fact("Joined on", "入网日期")
    tenure_months: Months | None = fact("Tenure in months", "网龄")
    line_type: Literal["main", "secondary", "fixed", "broadband", "iot"] | None = fact(
        "Line type", "主卡、副卡、固话、宽带、物联网卡", "IoT is never marketed"
    )
    customer_class: Literal["public", "enterprise"] | None = fact("Customer class", "公众、政企")
    payer: Literal["self", "family", "enterprise"] | None = fact(
        "Payer", "付费人", "where an employer pays, the user cannot change the plan"
    )
    pay_mode: Literal["prepaid", "postpaid"] | None = fact("Payment mode", "预付费、后付费")
    real_name_ok: Flag | None = fact("Real-name registration complete", "实名信息完备")
    province: Code | None = fact("Province", "省", "decides what is on sale and who works the list; never a score", protected=True)
    city: Code | None = fact("City", "市", "decides what is on sale and who works the list; never a score", protected=True)
    county: Code | None = fact("County", "县(区)", "decides what is on sale and who works the list; never a score", protected=True)
    grid: Code | None = fact("Grid", "网格", "decides what is on sale and who works the list; never a score", protected=True)
    urban: Flag | None = fact("Urban", "城镇/农村", "sets the time limit for faults")
    brand: Text | None = fact("Brand", "客户品牌")
    star_level: Annotated[int, Reader.whole("", 0, 7)] | None = fact("Star level", "客户星级", "0 to 7")
    credit_limit: Money | None = fact("Credit limit", "信用额度")
    protected_list: Flag | None = fact("On the protected list", "红名单、免打扰名单", "no marketing, service only")
    test_number: Flag | None = fact("Test or staff number", "测试号、员工号", "left out of campaigns and figures")
    roaming_abroad: Flag | None = fact("Abroad now", "当前国际/港澳台漫游", "no outbound calls")
    household_contacted_on: Day | None = fact("Household last contacted on", "同户最近触达日", "one call per household")


class Holder(Section, title="Holder", json_schema_extra={"x-zh": "机主"}):
    """The person who holds the line. Protected: for service and public conditions only, never for a price or a score."""

    age_band: Literal["minor", "adult", "senior_60", "senior_65"] | None = fact(
        "Age band", "年龄段", "65 and over go straight to a person", protected=True
    )
    user_is_minor: Flag | None = fact("User is a minor", "未成年使用人", "no marketing", protected=True)
    disability_card: Flag | None = fact(
        "Disability card",
        "残疾人证",
        "public condition of 助残资费 only; sensitive, needs a separate consent",
        protected=True,
    )
    student_verified: Flag | None = fact("Verified student", "在校学生认证", "public condition of 校园资费 only", protected=True)
    hardship: Flag | None = fact("Hardship in paying", "缴费困难", "shapes service for arrears only")
    needs_plain: Flag | None = fact("Needs plain wording", "适老/大字版", "wording only")
    preferred_language: Text | None = fact("Preferred language", "语言/方言偏好")


class Plan(Section, title="Plan", json_schema_extra={"x-zh": "套餐"}):
    """The main plan: what it costs, what it allows, and what it costs beyond that."""

    id: Code | None = fact("Plan", "套餐编码")
    name: Text | None = fact("Plan name", "套餐名称")
    monthly_fee: Money | None = fact("Monthly fee", "月费、套餐档位")
    generation: Literal["legacy", "4g", "5g", "5ga"] | None = fact("Plan generation", "套餐制式")
    on_sale: Flag | None = fact("On sale", "在售/停售")
    withdrawn_on: Day | None = fact("Withdrawn on", "停售日期")
    min_commitment: Money | None = fact("Minimum spend", "保底消费")
    voice_minutes: Minutes | None = fact("Voice allowance", "套内语音")
    data_mb: Megabytes | None = fact("Data allowance", "套内通用流量")
    directed_data_mb: Megabytes | None = fact("Directed data allowance", "定向流量", "counts as silence only by itself")
    throttle_after_mb: Megabytes | None = fact("Throttled after", "达量限速阈值", "of plans sold as unlimited")
    overage_data_rate: Money | None = fact("Price of data beyond the plan", "套外流量单价", "per GB; usually ¥3 to ¥5")
    overage_cap: Money | None = fact("Ceiling on overage", "超套封顶", "chosen by the customer")
    filing_no: Text | None = fact("Tariff filing number", "资费方案编号", "what is not published is not sold")
    fee_after_promo: Money | None = fact("Fee after the promotion", "优惠期后月费")
    change_allowed: Flag | None = fact("May be changed", "可变更", "with `change_block_reason` where it may not")
    change_block_reason: Text | None = fact("Why it may not be changed", "变更限制原因", "must be told")
    best_public_id: Annotated[str | None, Computed(Reader.text(r"^.+$", 64, means="a tariff's id"))] = fact(
        "Cheapest public plan",
        "最优在售套餐",
        "for the last 3 closed cycles, open to this subscriber; computed, never passed in",
        computed=True,
    )
    best_public_saving: Annotated[int | None, Computed(Reader.whole("money", 0, 10**12))] = fact(
        "Saving on the cheapest public plan", "每月可省", "per month; computed, never passed in", computed=True
    )


class Services(Section, title="Services", json_schema_extra={"x-zh": "已订业务"}):
    """What is subscribed to besides the plan, and how it stands."""

    held: CodeSet | None = fact("Services held", "已订业务")
    paid_unused_count: Count | None = fact("Paid and unused services", "订而未用业务数", "paid, no use for 60 days")
    paid_unused_fee: Money | None = fact("Fee of paid and unused services", "订而未用费用", "per month")
    unsupported_count: Count | None = fact("Services the device cannot use", "终端不支持业务数", "from `device.capabilities`")
    without_confirmation_count: Count | None = fact("Services without a confirmation on record", "无二次确认记录业务数")
    info_fee_blocked: Flag | None = fact("Charges for others blocked", "代收费屏蔽")
    toll_pack_fee: Money | None = fact("Price of an international calling pack", "国际及港澳台通话包月费", "cheapest pack that fits")
    unclaimed_entitlements: Count | None = fact("Unclaimed entitlements", "应享未享权益数", "public entitlements not taken")
    auto_renew_on: Day | None = fact("Renews by itself on", "自动续订日")


class Contract(Section, title="Contract", json_schema_extra={"x-zh": "合约"}):
    """What was agreed for a term."""

    commitment_end: Day | None = fact("Commitment ends", "在网约定到期日", "the only one that may hold up leaving")
    promo_end: Day | None = fact("Promotion ends", "营销活动到期日", "never treated as a commitment")
    kind: ContractKind | None = fact("Contract kind", "合约类型", "合约机、存费送费、宽带、靓号")
    exit_fee: Money | None = fact("Exit fee", "违约金")
    floor_amount: Money | None = fact("Floor amount", "保底金额")
    rebate_due: Money | None = fact("Rebate still due", "待返话费")
