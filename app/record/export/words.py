"""A decision in plain words, for the person it is about and for whoever answers a complaint: when, what was known, what came of it, why."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from app.engine.answer import Explanation
from app.engine.case import Case
from app.engine.pack import Pack
from app.engine.texts import Language, listed

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "head": "On {at} ({zone}) a decision was made for {channel}, by the rules {name} {version}.",
        "known": "What was used: {sections}.",
        "phase": "You were treated as: {title}. {reasons}",
        "signal": "Recognised: {title}. {text}",
        "offered": "{rank}. {title}: {text}",
        "why": "Because: {reasons}",
        "nothing": "Nothing was proposed ({cause}).",
        "not": "Not proposed: {title}. {text}",
        "profile": "Your profile was not used for offers, as you wished.",
        "unknown": "Not known at that time: {facts}.",
    },
    "zh": {
        "head": "{at}（{zone}）为{channel}渠道作出一次决策，所依据的规则为 {name} {version}。",
        "known": "使用的信息：{sections}。",
        "phase": "当时所处阶段：{title}。{reasons}",
        "signal": "识别出：{title}。{text}",
        "offered": "{rank}. {title}：{text}",
        "why": "原因：{reasons}",
        "nothing": "未作任何推荐（{cause}）。",
        "not": "未推荐：{title}。{text}",
        "profile": "按您的意愿，推荐未使用您的画像。",
        "unknown": "当时未知：{facts}。",
    },
}
CHANNELS: Mapping[str, Mapping[Language, str]] = {
    "call_centre": {"en": "the call centre", "zh": "热线"},
    "robot": {"en": "the voice robot", "zh": "智能语音"},
    "outbound_call": {"en": "an outbound call", "zh": "外呼"},
    "video_desk": {"en": "the video desk", "zh": "视频柜台"},
    "app": {"en": "the app", "zh": "App"},
    "web": {"en": "the web site", "zh": "网站"},
    "sms_service": {"en": "a service SMS", "zh": "服务短信"},
    "sms_marketing": {"en": "a marketing SMS", "zh": "营销短信"},
    "shop": {"en": "a shop", "zh": "营业厅"},
    "account_manager": {"en": "the account manager", "zh": "客户经理"},
    "field": {"en": "the field team", "zh": "上门服务"},
    "social": {"en": "social messaging", "zh": "社交消息"},
    "email": {"en": "e-mail", "zh": "电子邮件"},
}
"""Channels as a person calls them."""


def decision_in_words(explanation: Explanation, case: Case, at: datetime.datetime, pack: Pack, language: Language) -> Iterator[str]:
    """The decision, a sentence or two a line."""
    words = _WORDS[language]
    zone = datetime.timezone(datetime.timedelta(minutes=case.times.offset))
    local = at.astimezone(zone)
    channel = CHANNELS.get(case.channel, {}).get(language, case.channel)
    yield words["head"].format(at=f"{local:%Y-%m-%d %H:%M}", zone=f"{local:%Z}", channel=channel, name=pack.name, version=pack.version)
    yield words["known"].format(sections=listed(_sections(case, language), language))
    phase = explanation.phase
    yield words["phase"].format(title=phase.title, reasons=" ".join(reason.text for reason in phase.reasons)).strip()
    for signal in explanation.signals:
        yield words["signal"].format(title=signal.title, text=signal.text).strip()
    for action in explanation.actions:
        yield words["offered"].format(rank=action.rank, title=action.title, text=action.script or action.text or "").strip()
        if action.reasons:
            yield words["why"].format(reasons=" ".join(reason.text for reason in action.reasons))
    if not explanation.actions:
        yield words["nothing"].format(cause=explanation.empty_because)
    if not explanation.personalised:
        yield words["profile"]
    for item in explanation.not_offered or ():
        yield words["not"].format(title=item.title, text=item.text).strip()
    if explanation.unknown:
        yield words["unknown"].format(facts=listed([fact.title for fact in explanation.unknown], language))


_histories = {"events": {"en": "events", "zh": "事件记录"}, "contacts": {"en": "contact history", "zh": "接触历史"}}
"""What a subscriber brings beside sections."""


def _sections(case: Case, language: Language) -> list[str]:
    """The sections of the vocabulary that were filled, by their titles."""
    found = []
    for name in sorted(case.subscriber.model_fields_set - {"id"}):
        if name in _histories:
            found.append(_histories[name][language])
            continue
        model = type(getattr(case.subscriber, name))
        config = getattr(model, "model_config", {})
        extra = config.get("json_schema_extra") or {}
        title = extra.get("x-zh") if language == "zh" else config.get("title")
        found.append(str(title or name).lower() if language == "en" else str(title or name))
    return found
