"""What is used, billed and paid."""

from typing import Annotated

from app.engine.vocabulary.model import fact
from app.engine.vocabulary.sections.base import CycleSection, Section
from app.engine.vocabulary.types import (
    Day,
    Days,
    DaysSeries,
    Flag,
    MegabytesSeries,
    MinutesSeries,
    Money,
    MoneySeries,
    Reader,
    SignedMoney,
    SignedMoneySeries,
    UsedShare,
)


class Usage(CycleSection, title="Usage", json_schema_extra={"x-zh": "用量"}):
    """Use in each closed billing cycle, oldest first."""

    voice_out_min: MinutesSeries | None = fact("Outgoing minutes", "主叫分钟")
    voice_in_min: MinutesSeries | None = fact("Incoming minutes", "被叫分钟")
    voice_intl_min: MinutesSeries | None = fact("International minutes", "国际及港澳台通话")
    data_mb: MegabytesSeries | None = fact("Data", "通用流量")
    data_5g_mb: MegabytesSeries | None = fact("Data on 5G", "5G流量")
    data_abroad_mb: MegabytesSeries | None = fact("Data abroad", "漫游流量")
    active_days: DaysSeries | None = fact("Active days", "活跃天数")


class Now(Section, title="Running cycle", json_schema_extra={"x-zh": "当前账期"}):
    """The billing cycle that is still running, apart from the closed ones."""

    day_of_cycle: Annotated[int, Reader.whole("days", 1, 31)] | None = fact("Day of the cycle", "账期第几天")
    days_in_cycle: Annotated[int, Reader.whole("days", 1, 31)] | None = fact("Days in the cycle", "账期天数")
    month: Annotated[int, Reader.whole("", 1, 12)] | None = fact("Month", "当前月份", "season")
    data_used_share: UsedShare | None = fact("Share of data used", "当期流量使用率", "1 is the whole allowance")
    voice_used_share: UsedShare | None = fact("Share of voice used", "当期语音使用率", "1 is the whole allowance")
    bill_so_far: SignedMoney | None = fact("Bill so far", "实时话费")
    overage_fee: Money | None = fact("Overage so far", "当期超套费用")
    throttled_days: Annotated[int, Reader.whole("days", 0, 31)] | None = fact("Throttled days", "当期限速天数")


class Billing(CycleSection, title="Billing", json_schema_extra={"x-zh": "账单"}):
    """The bill of each closed billing cycle, oldest first. Corrections can make an amount negative."""

    total: SignedMoneySeries | None = fact("Bill total", "账单金额")
    toll_fee: SignedMoneySeries | None = fact(
        "International and out-of-bundle call charges",
        "国际及套外通话费",
        "in mainland China international, Hong Kong, Macao, Taiwan and voice out of bundle; domestic toll ended in 2017",
    )
    voice_overage_fee: SignedMoneySeries | None = fact("Voice overage", "套外语音费")
    data_overage_fee: SignedMoneySeries | None = fact("Data overage", "套外流量费")
    info_fee: SignedMoneySeries | None = fact("Information charges", "数信费(增值业务及代收信息费)")
    floor_topup: MoneySeries | None = fact("Top-up to the floor", "保底补差")
    device_instalment: MoneySeries | None = fact("Device instalment", "终端分期", "left out of ARPU")
    discount: SignedMoneySeries | None = fact("Discount", "优惠减免")


class Pay(Section, title="Payment", json_schema_extra={"x-zh": "缴费"}):
    """Balance, arrears and habits of paying."""

    balance: SignedMoney | None = fact("Balance", "可用余额", "apart from 赠款; negative when owed")
    overdue_amount: Money | None = fact("Amount overdue", "欠费金额")
    overdue_days: Days | None = fact("Days overdue", "欠费天数")
    late_cycles: Annotated[int, Reader.whole("count", 0, 12)] | None = fact("Late cycles of 12", "近12期逾期次数")
    last_topup_on: Day | None = fact("Last top-up on", "最近充值日")
    median_topup_gap: Days | None = fact("Median days between top-ups", "充值间隔中位数", "own rhythm (消费周期)")
    autopay: Flag | None = fact("Pays automatically", "自动缴费")
