"""The few words of the command line's own tables, in both languages. Everything else is the pack's."""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.texts import Language

Labels = Mapping[str, str]

_zh: Labels = {
    "action": "动作",
    "actions": "动作",
    "actions each": "每户动作数",
    "agent": "坐席",
    "answer": "需向客户询问",
    "approve": "审批",
    "as_of": "时点",
    "because": "原因",
    "by": "",
    "care": "关怀",
    "cause": "未推荐原因",
    "change": "何时会变",
    "channels": "渠道数",
    "clause": "条款",
    "column": "列",
    "commitment": "在网约定",
    "concession": "让利",
    "confirm": "确认",
    "contact clauses": "触达条款",
    "decided": "已决策",
    "disclose": "须告知",
    "duty": "责任",
    "empty": "无可推荐",
    "empty because": "无动作原因",
    "fact": "事实",
    "fee": "月费",
    "files": "文件",
    "filing number": "方案编号",
    "first": "首位",
    "from": "来源",
    "guardrails": "护栏",
    "kind": "类别",
    "level": "级别",
    "levels": "级别",
    "lever": "手段",
    "may unlock": "可能带出",
    "moment": "关键时刻",
    "moments": "关键时刻",
    "next best actions": "建议动作",
    "none": "无",
    "not offered": "未推荐",
    "not personalised": "用户拒绝个性化推荐：营销不使用画像。",
    "not stronger": "为何不是",
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
    "rows": "行",
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
    "too_old": "已过期",
    "unknown": "未知",
    "unknown facts": "未知的事实",
    "until": "有效至",
    "whole question": "问",
    "why": "依据",
    "missing": "缺失",
    "what": "事项",
}


class _English(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.replace("_", " ").capitalize()


_en: Labels = _English(
    {
        "as_of": "as of",
        "too_old": "too old",
        "missing": "missing",
        "none": "none",
        "owed": "owed",
        "care": "care",
        "offer": "offer",
        "empty": "Nothing to offer",
        "not personalised": "Refused personalisation: no profile is used for marketing.",
        "may unlock": "may bring in",
        "until": "valid until",
        "saving": "saves a month",
        "not stronger": "Why not",
    }
)


def labels_of(language: Language) -> Labels:
    """The words in the language."""
    return _zh if language == "zh" else _en
