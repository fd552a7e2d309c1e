"""The engine's and the record's own codes as people say them; docs/glossary.md has the words. What a pack names it gives a title itself."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from app.engine.texts import Language

Words = Mapping[str, tuple[str, str]]

CAUSES: Words = {
    "not_eligible": ("not eligible", "不具备条件"),
    "not_applicable": ("not applicable", "情况不符"),
    "not_suitable": ("not suitable", "对用户不合适"),
    "unknown": ("unknown", "信息不足"),
    "suppressed": ("suppressed", "触达限制"),
    "guardrail": ("guardrail", "合规底线"),
    "outranked": ("outranked", "排序靠后"),
}
"""Why an action was not offered."""
EMPTY: Words = {
    **CAUSES,
    "port_out_in_progress": ("a port-out is under way", "携号转网办理中"),
    "account_closed": ("the account is closed", "账户已销户"),
    "let_go": ("wants to leave and refused once", "要离网且已拒绝一次"),
    "refused": ("what there was to propose was refused", "可推荐的均已拒绝"),
}
"""Why nothing was."""
_NOTHING: Mapping[str, str] = {
    "not_applicable": "no action fits the case",
    "unknown": "too little is known",
    "suppressed": "contact policy keeps it back",
    "guardrail": "a guardrail keeps it back",
}
LEVELS: Words = {"watch": ("watch", "关注"), "high": ("high", "高"), "severe": ("severe", "严重")}
"""How strong a signal is."""
DUTIES: Words = {"owed": ("owed", "应办"), "care": ("care", "关怀"), "offer": ("offer", "营销")}
KEYS: Words = {
    "duty": ("duty", "义务级别"),
    "score": ("score", "得分"),
    "priority": ("priority", "优先级"),
    "id": ("id", "编码顺序"),
    "fallback": ("fallback", "兜底顺序"),
    "max_actions": ("the list was full", "推荐条数已满"),
    "per_category": ("another of its category came first", "同类动作已有排序更前的一项"),
    "commitments": ("one commitment at a time", "同一次只推荐一项合约承诺"),
    "concession_limit": ("beyond what the role may concede", "超出该角色的让利权限"),
    "service_first": ("service comes before sales", "先解决问题，再谈办理"),
    "excludes": ("does not go together with another", "与已推荐的动作互斥"),
    "phase": ("another phase", "阶段不符"),
    "channel": ("another channel", "渠道不符"),
    "refused": ("refused in this conversation", "本次沟通中已拒绝"),
    "accepted": ("accepted in this conversation", "本次沟通中已接受"),
    "same_help": ("this kind of help was refused", "已拒绝同类帮助"),
    "let_go": ("wants to leave and refused once", "要离网且已拒绝一次"),
    "last_step": ("refused what there was to propose", "可推荐的均已拒绝"),
}
"""Keys of the order, and the engine's own clauses: what keeps an action behind another, or off the list."""
GATES: Words = {
    "eligible": ("eligible", "具备条件"),
    "applicable": ("applicable", "情况相符"),
    "suitable": ("suitable", "对用户合适"),
    "contact": ("contact", "触达规则"),
    "guardrail": ("guardrail", "合规底线"),
    "arbitration": ("arbitration", "排序"),
}
ALLOWED: Words = {
    "legal_basis": ("legal basis", "法定依据"),
    "pilot": ("pilot", "试点"),
    "no_offer": ("sells nothing", "不涉及营销"),
    "contact": ("contact policy", "触达规则"),
    "guardrail": ("guardrail", "合规底线"),
    "published_condition": ("published condition", "公示的办理条件"),
    "region_on_sale": ("region it is sold in", "公示的销售地区"),
}
"""Why a pack may look at a protected fact."""
OUTCOMES: Words = {
    "shown": ("shown", "已展示"),
    "sent": ("sent", "已发送"),
    "accepted": ("accepted", "已接受"),
    "refused": ("refused", "已拒绝"),
    "ignored": ("ignored", "未回应"),
    "activated": ("activated", "已生效"),
    "stayed": ("stayed", "留下"),
    "left": ("left", "离开"),
}
STEPS: Words = {
    "published": ("published", "发布"),
    "approved": ("approved", "审批通过"),
    "rejected": ("rejected", "驳回"),
    "activated": ("activated", "启用"),
    "scheduled": ("scheduled", "定时启用"),
    "withdrawn": ("withdrawn", "撤回"),
    "rolled_back": ("reinstated", "回退启用"),
    "development": ("put into use in development mode", "开发模式启用"),
}
"""What was done with a pack."""
DIRECTIONS: Words = {"inbound": ("inbound", "用户来访"), "outbound": ("outbound", "主动触达")}
ROLES: Words = {
    "agent": ("agent", "坐席"),
    "self_service": ("self-service", "自助渠道"),
    "campaign": ("campaign", "营销活动"),
    "development": ("development", "开发"),
    "author": ("author", "规则编写"),
    "compliance": ("compliance", "合规"),
    "approver": ("approver", "审批"),
    "privacy_officer": ("privacy officer", "个人信息保护"),
    "operations": ("operations", "运维"),
}
CONSENTS: Words = {
    "marketing": ("marketing", "营销信息"),
    "personalised": ("personalisation", "个性化推荐"),
    "partner_sharing": ("sharing with partners", "向合作方提供"),
    "refused_channels": ("refused channels", "拒绝的渠道"),
    "human_review": ("asked for a human decision", "要求人工决定"),
    "updated_on": ("as of", "授权时间"),
    "evidence": ("evidence", "授权凭证"),
}
ANSWERS: Words = {"yes": ("agreed", "同意"), "no": ("refused", "拒绝"), "unknown": ("unknown", "未知")}
"""What the person said when asked for a consent."""
KINDS: Words = {
    "decision": ("decision", "决策"),
    "enquiry": ("enquiry about nobody", "无对象查询"),
    "outcome": ("outcome", "结果"),
    "choice": ("own choice", "本人选择"),
    "recheck": ("recheck", "发送前复核"),
    "pack_published": ("pack published", "规则包发布"),
    "pack_approved": ("pack approved", "规则包审批"),
    "pack_rejected": ("pack rejected", "规则包驳回"),
    "pack_activated": ("pack activated", "规则包启用"),
    "caller_changed": ("caller changed", "调用方变更"),
    "key_changed": ("key changed", "密钥变更"),
    "webhook_changed": ("webhook changed", "事件订阅变更"),
    "read": ("read", "查阅"),
    "erasure": ("erasure", "删除"),
    "hold": ("legal hold", "法律保留"),
    "archived": ("archived", "归档"),
    "campaign_opened": ("campaign opened", "营销活动开始"),
    "campaign_chunk": ("part of a campaign", "营销活动分批"),
    "campaign_held": ("limits of a campaign", "营销活动限额结果"),
    "campaign_closed": ("campaign closed", "营销活动结束"),
    "started": ("service started", "服务启动"),
    "heartbeat": ("heartbeat", "心跳"),
}
"""Kinds of entries."""
CHANGES: Words = {
    "signing": ("signing key", "签名密钥"),
    "wrapping": ("wrapping key", "包装密钥"),
    "held": ("held", "已保留"),
    "released": ("released", "已解除"),
    "answer": ("answer", "答复"),
    "list": ("list", "列表"),
    "campaign": ("campaign", "营销活动"),
    "choices": ("own choices", "本人选择"),
    "explanation": ("explanation", "解释"),
    "replay": ("replay", "重算"),
    "pairs": ("pairs", "成对比较"),
    "access": ("access", "查阅权答复"),
    "complaint": ("complaint", "投诉答复"),
    "export": ("export", "导出"),
    "decision": ("decision", "决策"),
}
"""What entries say was changed, or looked at."""
SECTIONS_OF_HISTORY: Words = {"events": ("events", "事件记录"), "contacts": ("contact history", "触达历史")}
"""What a subscriber brings beside sections."""
WEEKDAYS = (
    ("Monday", "周一"),
    ("Tuesday", "周二"),
    ("Wednesday", "周三"),
    ("Thursday", "周四"),
    ("Friday", "周五"),
    ("Saturday", "周六"),
    ("Sunday", "周日"),
)
"""Monday first."""


def term(words: Words, code: str | None, language: Language) -> str:
    """A code as people say it; one that has no words (an operator's own) as it is written."""
    if code is None:
        return ""
    if code in words:
        return words[code][language == "zh"]
    return code if language == "zh" else code.replace("_", " ")


def why_nothing(code: str | None, language: Language) -> str:
    """Why a list is empty; in English what keeps a single action out reads otherwise when it is said of all of them."""
    return term(EMPTY, code, language) if language == "zh" else _NOTHING.get(code or "", term(EMPTY, code, language))


def weekday(number: int, language: Language) -> str:
    """The name of a day; 1 is Monday."""
    return WEEKDAYS[number - 1][language == "zh"]


def local_time(at: datetime.datetime | str, offset: int, language: Language) -> str:
    """A time as people read it: to the minute, in the zone that is `offset` minutes ahead of UTC, which it names."""
    moment = datetime.datetime.fromisoformat(at) if isinstance(at, str) else at
    local = moment.astimezone(datetime.timezone(datetime.timedelta(minutes=offset)))
    return f"{local:%Y-%m-%d %H:%M}（{local:%Z}）" if language == "zh" else f"{local:%Y-%m-%d %H:%M} ({local:%Z})"
