"""The words of `wanliu pack explain` in Chinese: titles with the codes of the pack's files. In English the codes are words."""

from __future__ import annotations

from collections.abc import Mapping

from app.cli.labels import word
from app.engine.spoken import spoken
from app.engine.terms import GATES, LEVELS

KEYS: Mapping[str, str] = {
    "age": "有效期",
    "approve": "审批",
    "attributes": "属性",
    "because": "原因",
    "category": "品类",
    "channels": "渠道",
    "checked": "来源核对",
    "commitment_months": "在网约定月数",
    "computed": "由系统算出",
    "concession": "让利",
    "confirm": "确认",
    "customer": "对用户的说法",
    "disclose": "须告知",
    "effective": "生效方式",
    "excludes": "互斥",
    "exit_fee": "提前解约费用",
    "fee": "价格",
    "fee_after": "期满后价格",
    "filing_no": "方案编号",
    "kind": "类别",
    "legal_basis": "法定依据",
    "level": "级别",
    "lever": "举措",
    "mix": "举措配比",
    "months": "优惠月数",
    "on_sale_from": "起售日期",
    "on_sale_to": "停售日期",
    "opens": "派单",
    "overage_cap": "套外封顶",
    "phases": "阶段",
    "port": "携号转网相关",
    "priority": "优先级",
    "propensity": "意愿",
    "protected": "受保护属性",
    "purpose": "目的",
    "question": "问法",
    "reason": "依据",
    "regions": "销售地区",
    "relevance": "相关度",
    "requires": "须已订",
    "source": "来源",
    "tariff": "资费",
    "type": "类型",
    "unit": "单位",
    "unknown": "情况未知时",
    "value": "价值",
    "values": "取值",
    "why": "理由",
}
"""Keys of a pack's files, as docs/glossary.md calls what they hold."""
_KINDS: Mapping[str, str] = {
    "boolean": "是或否",
    "date": "日期",
    "enum": "选项",
    "events": "事件",
    "number": "数值",
    "series": "逐期数值",
    "set": "集合",
    "text": "文本",
}
_UNITS: Mapping[str, str] = {
    "count": "计数",
    "days": "天",
    "dbm": "dBm",
    "hours": "小时",
    "MB": "MB",
    "mbps": "Mbit/s",
    "minutes": "分钟",
    "money": "金额",
    "months": "个月",
    "points": "积分",
    "score": "分值",
    "share": "比例",
}
_OTHERS: Mapping[str, Mapping[str, str]] = {
    "checked": {"yes": "已对照公布文本", "counsel": "待法务确认"},
    "effective": {"next_cycle": "下账期", "at_once": "立即"},
    "unknown": {"remove": "不推荐", "allow": "允许"},
    "purpose": {"port_assistance": "协助携转"},
}
_TITLED = ("phases", "tariff", "excludes")
_CODES = (*_OTHERS, *_TITLED, "channels", "kind", "lever", "level", "confirm", "approve")
"""Keys under which stand codes that have words."""


def key(name: str) -> str:
    """A key of a pack's files, or a channel under it, with its name there."""
    said = KEYS.get(name) or spoken(name, "zh")
    return _with(said, name)


def codes(name: str, text: str, titles: Mapping[str, str]) -> str:
    """What stands under a key: codes by their words, texts as they are.

    Args:
        name: the key.
        text: codes, with commas between, or a text.
        titles: of what the pack names.
    """
    if name == "type":
        return kind(text)
    if name == "mix":
        return "、".join(f"{word(lever, 'zh')} {weight}" for lever, _, weight in (part.partition(" ") for part in text.split(", ")))
    if name in _CODES:
        return "、".join(_with(_code(name, code, titles), code) for code in text.split(", "))
    return "是" if text == "true" else text


def _code(name: str, code: str, titles: Mapping[str, str]) -> str:
    if name in _OTHERS:
        return _OTHERS[name].get(code, code)
    if name in _TITLED:
        return titles.get(code, code)
    return spoken(code, "zh") if name == "channels" else word(code, "zh")


def kind(text: str) -> str:
    """What kind of value a fact has, in which unit, and which values it can have."""
    of, _, values = text.partition(": ")
    name, _, unit = of.partition(", ")
    if name not in _KINDS:
        return text
    said = "，".join(filter(None, (_KINDS[name], _UNITS.get(unit, unit))))
    return f"{said}：{'、'.join(_with(spoken(value, 'zh'), value) for value in values.split(', '))}" if values else said


def place(text: str) -> str:
    """A place in a part of a pack: the gate, the level or the key that it begins with in words."""
    first, _, rest = text.partition(" ")
    said = GATES[first][1] if first in GATES else LEVELS[first][1] if first in LEVELS else KEYS.get(first, first)
    return f"{said} {rest}".strip()


def _with(said: str, code: str) -> str:
    return code if said == code else f"{said}（{code}）"
