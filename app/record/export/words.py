"""A decision in plain words, for the person it is about and for whoever answers a complaint: when, what was known, what came of it, why."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.engine.answer import Explanation, NotOffered
from app.engine.case import Case
from app.engine.pack import Pack
from app.engine.terms import CAUSES, EMPTY, SECTIONS_OF_HISTORY, local_time, term
from app.engine.texts import Language, listed
from app.engine.vocabulary import SECTIONS

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "head": "On {at} a decision was made for {channel}, by the rules {name} {version}.",
        "known": "What was used: {sections}.",
        "phase": "You were treated as: {title}. {reasons}",
        "signal": "Recognised: {title}. {text}",
        "offered": "{rank}. {title}: {text}",
        "why": "Because: {reasons}",
        "nothing": "Nothing was proposed ({cause}).",
        "not": "Not proposed, {cause}: {titles}",
        "reason": "{title} ({text})",
        "stop": ".",
        "elsewhere": "Another {count} were not compared: they are for another phase or channel.",
        "elsewhere one": "Another one was not compared: it is for another phase or channel.",
        "profile": "Your profile was not used for offers, as you wished.",
        "unknown": "Not known at that time: {facts}.",
    },
    "zh": {
        "head": "{at}，为{channel}渠道作出一次决策，所依据的规则为{name} {version}。",
        "known": "使用的信息：{sections}。",
        "phase": "当时所处阶段：{title}。{reasons}",
        "signal": "识别出：{title}。{text}",
        "offered": "{rank}. {title}：{text}",
        "why": "原因：{reasons}",
        "nothing": "未作任何推荐（{cause}）。",
        "not": "未推荐（{cause}）：{titles}",
        "reason": "{title}（{text}）",
        "stop": "。",
        "elsewhere": "另有{count}项用于其他阶段或渠道，未列入比较。",
        "elsewhere one": "另有1项用于其他阶段或渠道，未列入比较。",
        "profile": "按您的意愿，推荐未使用您的画像。",
        "unknown": "当时未知：{facts}。",
    },
}
CHANNELS: Mapping[str, Mapping[Language, str]] = {
    "call_centre": {"en": "the call centre", "zh": "客服热线"},
    "robot": {"en": "the automated assistant", "zh": "智能客服"},
    "outbound_call": {"en": "an outbound call", "zh": "外呼"},
    "video_desk": {"en": "the video desk", "zh": "视频客服"},
    "app": {"en": "the app", "zh": "App"},
    "web": {"en": "the website", "zh": "网站"},
    "sms_service": {"en": "a service SMS", "zh": "服务短信"},
    "sms_marketing": {"en": "a marketing SMS", "zh": "营销短信"},
    "shop": {"en": "a shop", "zh": "营业厅"},
    "account_manager": {"en": "the account manager", "zh": "客户经理"},
    "field": {"en": "the field team", "zh": "上门服务"},
    "social": {"en": "social messaging", "zh": "社交消息"},
    "email": {"en": "e-mail", "zh": "电子邮件"},
}
"""Channels as a person calls them."""


ELSEWHERE = ("phase", "channel")
"""Clauses of actions that are for another phase or channel: they were not compared with those on the list."""
_told_why = ("outranked", "suppressed", "guardrail")
"""Causes whose reasons a pack writes for the person. Of others the evidence is in our own terms, and stays with us."""


def decision_in_words(explanation: Explanation, case: Case, at: datetime.datetime, pack: Pack, language: Language) -> Iterator[str]:
    """The decision, a sentence or two a line."""
    words, between = _WORDS[language], "" if language == "zh" else " "
    channel = CHANNELS.get(case.channel, {}).get(language, case.channel)
    yield words["head"].format(at=local_time(at, case.times.offset, language), channel=channel, name=pack.name, version=pack.version)
    yield words["known"].format(sections=listed(_sections(case, language), language))
    phase = explanation.phase
    yield words["phase"].format(title=phase.title, reasons=between.join(reason.text for reason in phase.reasons)).strip()
    for signal in explanation.signals:
        yield words["signal"].format(title=signal.title, text=signal.text).strip()
    for action in explanation.actions:
        yield words["offered"].format(rank=action.rank, title=action.title, text=action.script or action.text or "").strip()
        if action.reasons:
            yield words["why"].format(reasons=between.join(reason.text for reason in action.reasons))
    if not explanation.actions:
        yield words["nothing"].format(cause=term(EMPTY, explanation.empty_because, language))
    if not explanation.personalised:
        yield words["profile"]
    yield from _not_offered(explanation.not_offered or (), language)
    if explanation.unknown:
        yield words["unknown"].format(facts=listed([fact.title for fact in explanation.unknown], language))


def section_title(name: str, language: Language) -> str:
    """A part of what is known of a subscriber, as people call it."""
    if name not in SECTIONS:
        return term(SECTIONS_OF_HISTORY, name, language)
    config = SECTIONS[name].model_config
    extra = config.get("json_schema_extra")
    if language == "zh" and isinstance(extra, dict):
        return str(extra.get("x-zh") or name)
    return str(config.get("title") or name).lower()


def by_cause(items: Iterable[NotOffered]) -> Mapping[str, Sequence[NotOffered]]:
    """Actions that were compared and not offered, by their cause: first what came nearest to the list."""
    near = [item for item in items if item.clause not in ELSEWHERE]
    return {cause: found for cause in NEAREST_FIRST if (found := [item for item in near if item.cause == cause])}


NEAREST_FIRST = ("outranked", "suppressed", "guardrail", "not_suitable", "unknown", "not_eligible", "not_applicable")
"""Causes, first what came nearest to the list."""


def _not_offered(items: Sequence[NotOffered], language: Language) -> Iterator[str]:
    """A line a cause, and one for what was not compared at all."""
    words, near = _WORDS[language], by_cause(items)
    for cause, found in near.items():
        told = [_named(item, language) if cause in _told_why else item.title for item in found]
        yield words["not"].format(cause=term(CAUSES, cause, language), titles=listed(told, language)) + words["stop"]
    rest = len(items) - sum(map(len, near.values()))
    if rest:
        yield words["elsewhere one" if rest == 1 else "elsewhere"].format(count=rest)


def _named(item: NotOffered, language: Language) -> str:
    text = item.text.rstrip("。.")
    return _WORDS[language]["reason"].format(title=item.title, text=text) if text else item.title


def _sections(case: Case, language: Language) -> list[str]:
    """What was filled of what may be known, by its titles."""
    return [section_title(name, language) for name in sorted(case.subscriber.model_fields_set - {"id"})]
