"""The functions of the rule language: name, arguments, result, one sentence each.

The checker and the reference page read this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.tree import BOOLEAN, COUNT, DAYS, INPUT_LIMIT, NUMBER, Type

LONGEST_WINDOW = 36
"""Closed billing cycles that a series may hold, and so the longest window."""
LONGEST_DAYS = 3_660
"""Days that a window over events or contacts may span."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    `arguments` are kinds in order: series, cycles (a whole number from `least` to `most`), number, numbers (one or more), date,
    events, any, sets, needed (how many of the conditions), conditions, word, tariff.
    """

    name: str
    arguments: tuple[str, ...]
    result: Type | None  # none: that of the first argument
    meaning: str
    meaning_zh: str
    example: str
    options: tuple[str, ...] = ()
    least: int = 1
    most: int = LONGEST_WINDOW


SHARE = Type("number", unit="share", most=INPUT_LIMIT)

_table = (
    Function("last", ("series",), None, "the last closed cycle's value", "最近一个已结账期的值", "last(billing.total)"),
    Function("mean", ("series", "cycles"), None, "mean of the last n cycles", "最近n个账期的均值", "mean(billing.total, 3)"),
    Function("total", ("series", "cycles"), None, "sum of the last n cycles", "最近n个账期的合计", "total(usage.data_mb, 3)"),
    Function("peak", ("series", "cycles"), None, "largest of the last n cycles", "最近n个账期的最大值", "peak(billing.total, 6)"),
    Function("median", ("series", "cycles"), None, "median of the last n cycles", "最近n个账期的中位数", "median(usage.data_mb, 6)"),
    Function(
        "change",
        ("series", "cycles"),
        SHARE,
        "(last × n − total of the n before) / total of the n before: growth of the last cycle over the mean of the n cycles before it",
        "最近一期相对前n期均值的变化幅度",
        "change(billing.total, 3) >= 0.3",
        most=LONGEST_WINDOW - 1,
    ),
    Function(
        "falling",
        ("series", "cycles"),
        BOOLEAN,
        "each of the last n values is under the one before",
        "最近n个值逐期下降",
        "falling(usage.data_mb, 3)",
        least=2,
    ),
    Function(
        "rising",
        ("series", "cycles"),
        BOOLEAN,
        "each of the last n values is over the one before",
        "最近n个值逐期上升",
        "rising(usage.data_mb, 3)",
        least=2,
    ),
    Function(
        "share_over",
        ("series", "number", "cycles"),
        SHARE,
        "share of the last n values that are over x",
        "最近n个值中大于x的占比",
        "share_over(billing.floor_topup, 0, 3) >= 0.6",
    ),
    Function("min", ("numbers",), NUMBER, "smallest of the numbers", "最小值", "min(plan.data_mb, 10240)"),
    Function("max", ("numbers",), NUMBER, "largest of the numbers", "最大值", "max(value.annual, 0)"),
    Function("abs", ("number",), None, "size without the sign", "绝对值", "abs(change(billing.total, 3)) >= 0.3"),
    Function(
        "first_known",
        ("numbers",),
        NUMBER,
        "the first of the numbers that is known; unknown when none is",
        "第一个已知的数，全部未知则未知",
        "first_known(value.annual, 12 * last(billing.total))",
    ),
    Function(
        "count",
        ("events",),
        COUNT,
        "events of a kind in the `days` up to now, filtered by attributes; `same='topic'` counts the largest group of equal topics",
        "最近若干天内某类事件数，可按属性筛选；same按属性分组取最大组",
        "count(events.complaint, days=90, same='topic') >= 2",
        ("days", "same", "*"),
    ),
    Function(
        "since",
        ("events",),
        DAYS,
        "whole days since the last such event; unknown if there was none",
        "距最近一次该类事件的整天数，没有则未知",
        "since(events.complaint) <= 30",
        ("*",),
    ),
    Function(
        "refused",
        (),
        COUNT,
        "contacts of ours in the `days` up to now that the subscriber refused, those of one message once",
        "最近若干天内被拒绝的触达次数，同一条消息只计一次",
        "refused(days=90, action='tariff_pack') == 0",
        ("days", "action", "category", "kind", "channel"),
    ),
    Function(
        "contacted",
        (),
        COUNT,
        "contacts of ours in the `days` up to now, those of one message once",
        "最近若干天内的触达次数，同一条消息只计一次",
        "contacted(days=7, channel='sms_marketing') < 1",
        ("days", "action", "category", "kind", "channel"),
    ),
    Function(
        "days_since",
        ("date",),
        DAYS,
        "days from the date to today; a date given as never is 1,000,000 days ago",
        "距该日期已过天数，明确为“从未”时取1000000",
        "days_since(care.last_proactive_on) > 180",
    ),
    Function(
        "days_until",
        ("date",),
        DAYS,
        "days from today to the date; a date given as none is 1,000,000 days ahead",
        "距该日期还有天数，明确为“没有”时取1000000",
        "0 <= days_until(contract.promo_end) <= 45",
    ),
    Function("known", ("any",), BOOLEAN, "is the value known; never unknown itself", "该值是否已知", "known(home.has_broadband)"),
    Function("signal", ("word",), BOOLEAN, "does the signal hold at any level", "信号是否成立（任一级别）", "signal('four_high.tariff')"),
    Function(
        "level",
        ("word",),
        None,
        "the signal's level, to be compared with a level word: `== 'high'` is exactly that level, `>= 'high'` that level or stronger",
        "信号级别，与级别词比较",
        "level('four_high.tariff') >= 'high'",
    ),
    Function(
        "at_least",
        ("needed", "conditions"),
        BOOLEAN,
        "at least n of the conditions hold",
        "至少n个条件成立",
        "at_least(2, signal('service.bill_unclear'), signal('service.friction'))",
    ),
    Function(
        "overlap", ("sets",), BOOLEAN, "do the two sets share a word", "两个集合是否有交集", "overlap(services.held, param.toll_packs)"
    ),
    Function(
        "fee_on",
        ("tariff", "cycles"),
        Type("number", unit="money"),
        "mean cost a cycle of the last n cycles' use on a published plan, by its id or by a fact that holds the id",
        "按某公示套餐测算最近n期的月均费用",
        "fee_on('plan_59', 3)",
    ),
    Function(
        "best_fee",
        ("cycles",),
        Type("number", unit="money"),
        "the same on the cheapest published plan open to this subscriber",
        "按对该用户开放的最省公示套餐测算的月均费用",
        "plan.min_commitment >= 1.5 * best_fee(3)",
    ),
    Function(
        "bucket",
        ("word",),
        Type("number", unit="count", integral=True, most=99),
        "0 to 99 from SHA-256 of the pack's salt, the name and the subscriber's id: for pilots and holdouts",
        "按盐值、名称和用户标识哈希到0至99，用于试点与对照组",
        "bucket('pilot_2026') < 10",
    ),
)

FUNCTIONS = {function.name: function for function in _table}
