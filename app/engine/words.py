"""The engine's own phrases in both languages, and conditions and changes put into words."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from app.engine.answer import Change, Evidence, Shown
from app.engine.changes import Turn, Turns
from app.engine.functions import FUNCTIONS
from app.engine.pack.model import Clause, Pack, Term
from app.engine.runtime import NEVER
from app.engine.texts import BY_UNIT, Language, shown
from app.engine.tree import Call, Const, Node, Ref, Type, show
from app.engine.vocabulary import EVENTS, FACTS

PHRASES: Mapping[str, tuple[str, str]] = {
    "phase": ("Not an action for this phase of treatment.", "不属于当前阶段的动作。"),
    "channel": ("Not offered on this channel.", "该渠道不办理此项。"),
    "tariff_on_sale": ("The tariff is not on sale or not open to this subscriber.", "该资费未在售，或不对该用户开放。"),
    "concession": ("What it would cost us is not known.", "让利金额未知。"),
    "max_actions": ("The list was full.", "推荐条数已满。"),
    "per_category": ("Another action of the same kind comes first.", "同类动作中已有排序更前的一项。"),
    "commitments": ("One commitment at a time.", "同一次只推荐一项合约承诺。"),
    "concession_limit": ("Beyond what this role may concede.", "超出该角色的让利权限。"),
    "service_first": ("Service comes before sales.", "先解决问题，再谈办理。"),
    "excludes": ("It does not go together with another action on the list.", "与已推荐的动作互斥。"),
    "unknown": ("Not known yet: {}.", "尚缺信息：{}。"),
    "fallback.port_out_in_progress": ("A port-out is under way: we only help with what is owed.", "携号转网办理中，仅提供应尽的协助。"),
    "fallback.account_closed": ("The account is closed or closing.", "账户已销户或正在销户。"),
    "fallback.not_applicable": ("Nothing is due right now.", "目前没有需要处理的事项。"),
    "fallback.suppressed": ("This is not the time for anything else.", "当前不宜开展其他事项。"),
    "fallback.guardrail": ("Nothing else is permitted here.", "当前不允许开展其他事项。"),
    "fallback.unknown": ("Too little is known for anything else.", "掌握的信息不足以推荐其他事项。"),
}

_calls: Mapping[str, tuple[str, str]] = {
    "last": ("{0}, last cycle", "上期{0}"),
    "mean": ("{0}, mean of {1} cycles", "近{1}期月均{0}"),
    "total": ("{0}, total of {1} cycles", "近{1}期{0}合计"),
    "peak": ("{0}, peak of {1} cycles", "近{1}期最高{0}"),
    "median": ("{0}, median of {1} cycles", "近{1}期{0}中位数"),
    "change": ("change of {0} over {1} cycles", "{0}较前{1}期变化"),
    "share_over": ("share of cycles with {0} over {1}", "{0}超过{1}的账期占比"),
    "days_since": ("days since {0}", "距{0}天数"),
    "days_until": ("days until {0}", "距{0}还有天数"),
    "fee_on": ("cost on {0}", "按{0}测算费用"),
    "best_fee": ("cost on the cheapest open plan", "按最省在售套餐测算费用"),
    "known": ("whether {0} is known", "{0}是否已知"),
}
_directions: Mapping[str, tuple[str, str]] = {
    "at_least": ("when {0} is {1} or more", "当{0}达到{1}及以上时"),
    "over": ("when {0} rises over {1}", "当{0}超过{1}时"),
    "at_most": ("when {0} is {1} or less", "当{0}不超过{1}时"),
    "under": ("when {0} falls under {1}", "当{0}低于{1}时"),
    "exactly": ("when {0} is {1}", "当{0}为{1}时"),
    "other_than": ("when {0} is no longer {1}", "当{0}不再是{1}时"),
}


def phrase(code: str, language: Language, *given: str) -> str:
    """One of the engine's phrases."""
    en, zh = PHRASES[code]
    return (zh if language == "zh" else en).format(*given)


def fact_title(pack: Pack, name: str, language: Language) -> str:
    """What a fact is called."""
    if name in pack.derived:
        return pack.derived[name].title.say(language)
    if name in ("events", "contacts"):
        return {"events": ("events", "事件记录"), "contacts": ("contact history", "接触历史")}[name][language == "zh"]
    fact = FACTS.get(name)
    if fact is not None:
        return fact.zh if language == "zh" else fact.en[0].lower() + fact.en[1:] if fact.en[1:2].islower() else fact.en
    custom = next((base for base in pack.base if base.name == name), None)
    return (custom.zh if language == "zh" else custom.en) if custom else name


def title(pack: Pack, node: Node, language: Language) -> str:
    """A term of a condition, as people call it."""
    if isinstance(node, Ref):
        kind, _, rest = node.name.partition(":")
        if kind in ("signal", "level"):
            return pack.signals[rest.rpartition(":")[0] if kind == "level" else rest].title.say(language)
        return fact_title(pack, node.name, language)
    if isinstance(node, Const):
        return node.name if node.name else _plain(node)
    if isinstance(node, Call) and node.function == "count":
        kind = str(next((item.value for item in node.arguments if isinstance(item, Const)), ""))
        event = EVENTS[kind]
        days = next((item.value for name, item in node.options if name == "days" and isinstance(item, Const)), None)
        name = event.zh if language == "zh" else event.en
        return name if days is None else f"近{days}天{name}次数" if language == "zh" else f"{name.lower()} events in {days} days"
    if isinstance(node, Call) and node.function in _calls:
        return _calls[node.function][language == "zh"].format(*(title(pack, item, language) for item in node.arguments))
    return show(node)


def _plain(node: Const) -> str:
    return str(node.value)


def figure(value: Any, kind: Type, language: Language, currency: str) -> str:
    """A value as people read it, by its type and unit."""
    form = "date" if kind.kind == "date" else BY_UNIT.get(kind.unit, "count" if kind.kind == "number" else "text")
    return shown(value, form, language, currency)


def evidence(values: list[Any], clause: Clause) -> Evidence:
    """A clause and the values it saw."""
    return Evidence(clause.name, clause.test, {term.text: _seen(values, term) for term in clause.terms})


def _seen(values: list[Any], term: Term) -> Shown:
    value = term.value if term.slot is None else values[term.slot]
    if value is None or isinstance(value, bool):
        return value
    if term.type.kind == "date":
        return None if value == NEVER else datetime.date.fromordinal(value).isoformat()
    if term.type.kind == "time":
        return f"{value // 60:02}:{value % 60:02}"
    if isinstance(value, frozenset):
        return sorted(value, key=repr)
    return list(value) if isinstance(value, tuple) else value


def values_in_words(pack: Pack, values: list[Any], clause: Clause, language: Language) -> str:
    """What a clause saw, in a sentence: `Tenure 2 months, bill ¥58`."""
    parts = []
    for term in clause.terms:
        if term.slot is None:
            continue
        value = values[term.slot]
        name = title(pack, term.node, language)
        if isinstance(value, bool):
            parts.append(_said(name, value, language))
        else:
            parts.append(
                f"{name} {figure(value, term.type, language, pack.currency)}"
                if language == "en"
                else f"{name}{figure(value, term.type, language, pack.currency)}"
            )
    if not parts:
        return clause.test
    text = ("，" if language == "zh" else ", ").join(dict.fromkeys(parts))
    return text + "。" if language == "zh" else text[0].upper() + text[1:] + "."


def _said(name: str, value: bool, language: Language) -> str:
    if language == "zh":
        return f"{name}：{'是' if value else '否'}"
    return f"{name}: {'yes' if value else 'no'}"


def change_in_words(pack: Pack, found: Turns, language: Language) -> str:
    """`when data use falls under 3,000 MB and in 12 days`."""
    parts = [_turn_in_words(pack, item, language) for item in found.values]
    if found.in_days is not None:
        parts.append(f"{found.in_days}天后" if language == "zh" else f"in {shown(found.in_days, 'days', language)}")
    return ("，且" if language == "zh" else " and ").join(parts)


def _turn_in_words(pack: Pack, item: Turn, language: Language) -> str:
    bound = item.bound
    direction = item.direction
    if item.term.type.integral and bound != item.value:
        bound, direction = item.value, {"over": "at_least", "under": "at_most"}.get(direction, direction)
    said = figure(bound, item.term.type, language, pack.currency)
    return _directions[direction][language == "zh"].format(title(pack, item.term, language), said)


def changes(found: Turns) -> list[Change]:
    """The changes as figures."""
    result = [Change(show(item.term), item.direction, item.value, None) for item in found.values]
    return [*result, Change("time", "later", None, found.in_days)] if found.in_days is not None else result


__all__ = ["FUNCTIONS", "change_in_words", "changes", "evidence", "fact_title", "figure", "phrase", "title", "values_in_words"]
