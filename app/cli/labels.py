"""The few words of the command line's own tables, in both languages. Everything else is the pack's."""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.terms import EMPTY
from app.engine.terms import why_nothing as why_nothing
from app.engine.texts import Language

Labels = Mapping[str, str]

_zh_words: Labels = {
    **{code: zh for code, (_, zh) in EMPTY.items()},
    "watch": "关注",
    "high": "高",
    "severe": "严重",
    "service": "服务",
    "information": "告知",
    "escalation": "升级",
    "none": "无需",
    "readback": "复述",
    "double": "二次确认",
    "holder": "机主确认",
    "leader": "班组长",
    "retention_desk": "维系专席",
    "manager": "客户经理",
    "city": "市公司",
    "by_amount": "按金额分级",
    "agent": "坐席",
    "policy": "政策",
    "emotional": "情感",
    "plan": "套餐",
    "pack": "叠加包",
    "contract": "合约",
    "benefit": "权益",
    "by case": "视情况",
}
_zh: Labels = {
    "action": "动作",
    "actions": "动作",
    "again from": "可再触达时间",
    "approve": "审批",
    "because": "原因",
    "care": "关怀",
    "cause": "未推荐原因",
    "column": "列",
    "commitment": "在网约定",
    "concession": "让利",
    "confirm": "确认",
    "contact clauses": "触达条款",
    "decided": "已决策",
    "disclose": "须告知",
    "duty": "义务级别",
    "empty": "无可推荐",
    "empty because": "无动作原因",
    "fails": "不成立",
    "not known": "情况未知",
    "threshold": "门槛",
    "fallback": "兜底",
    "fee": "月费",
    "files": "文件",
    "filing number": "方案编号",
    "first": "首位",
    "from": "来源",
    "guardrails": "合规底线",
    "id": "编码",
    "kind": "类别",
    "levels": "级别",
    "lever": "举措",
    "may unlock": "可能带出",
    "moment": "关键时刻",
    "moments": "关键时刻",
    "next best actions": "建议动作",
    "not offered": "未推荐",
    "not personalised": "用户拒绝个性化推荐：营销不使用画像。",
    "not stronger": "未归入：",
    "offer": "营销",
    "offered": "推荐",
    "owed": "应办",
    "pattern": "事件组合",
    "patterns": "事件组合",
    "phase": "阶段",
    "phases": "阶段",
    "questions": "可问问题",
    "reason": "原因",
    "refused": "已拒绝",
    "refused because": "拒绝原因",
    "rows": "行数",
    "rows read": "读取行数",
    "saving": "每月可省",
    "say": "话术",
    "score": "得分",
    "send": "文案",
    "share": "占比",
    "signal": "信号",
    "signals": "信号",
    "stage": "生命周期",
    "stages": "生命周期",
    "subscribers": "用户数",
    "tariff": "资费",
    "tariffs": "资费",
    "title": "名称",
    "to ask": "需向用户询问",
    "channel": "渠道",
    "too_old": "已过期",
    "unknown": "未知",
    "unknown facts": "未知的事实",
    "until": "有效期至",
    "why": "依据",
    "missing": "缺失",
}


class _English(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.replace("_", " ").capitalize()


_en: Labels = _English(
    {
        "too_old": "too old",
        "missing": "missing",
        "owed": "owed",
        "care": "care",
        "offer": "offer",
        "empty": "Nothing to offer",
        "not personalised": "Refused personalisation: no profile is used for marketing.",
        "may unlock": "may bring in",
        "until": "valid until",
        "again from": "again from",
        "row": "row",
        "line": "line",
        "id": "id",
        "saving": "saves a month",
        "not stronger": "Not",
        "fails": "does not hold",
        "not known": "not known",
        "unknown": "unknown",
        "channel": "channel",
    }
)


KINDS: Mapping[str, tuple[str, str]] = {
    "parameter": ("parameter", "参数"),
    "custom fact": ("own fact", "自有事实"),
    "fact": ("derived fact", "派生事实"),
    "base fact": ("base fact", "基础事实"),
    "events": ("events", "事件"),
    "question": ("question", "追问"),
    "signal": ("signal", "信号"),
    "pattern": ("pattern", "事件组合"),
    "stage": ("stage", "生命周期"),
    "moment": ("moment of truth", "关键时刻"),
    "phase": ("phase", "阶段"),
    "tariff": ("tariff", "资费"),
    "action": ("action", "动作"),
    "category": ("category", "品类"),
    "contact": ("contact clause", "触达条款"),
    "guardrail": ("guardrail", "合规底线"),
    "pack": ("pack", "规则包"),
}
"""Kinds of parts of a pack, in English and in Chinese, as docs/glossary.md has them."""


def kind_of_part(name: str, language: Language) -> str:
    """A kind of part as people read it."""
    return KINDS[name][language == "zh"]


def word(name: str, language: Language) -> str:
    """One of the engine's own words (a level, a kind, a cause) as people read it."""
    return (_zh_words.get(name) or _zh.get(name, name)) if language == "zh" else name.replace("_", " ")


def labels_of(language: Language) -> Labels:
    """The words in the language."""
    return _zh if language == "zh" else _en
