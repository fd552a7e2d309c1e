"""The engine's own phrases in both languages, and conditions and changes put into words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard, cast

from app.engine.answer import Change, Evidence, Shown
from app.engine.changes import Turn, Turns
from app.engine.once import once_a_pack
from app.engine.pack.model import Clause, Moment, Pack, Phase, Stage
from app.engine.runtime import FAR, NEVER
from app.engine.spoken import spoken
from app.engine.terms import LEVELS, term
from app.engine.texts import BY_UNIT, LANGUAGES, Language, listed, shown
from app.engine.tree import Call, Compare, Const, Member, Node, Ref, Type, children, show
from app.engine.vocabulary import EVENTS, FACTS

PHRASES: Mapping[str, tuple[str, str]] = {
    "phase": ("Not an action for this phase of treatment.", "不属于当前阶段的动作。"),
    "channel": ("Not offered on this channel.", "该渠道不办理此项。"),
    "tariff_on_sale": ("The tariff is not on sale or not open to this subscriber.", "该资费未在售，或不对该用户开放。"),
    "pilot_running": ("The pilot is over.", "试点已结束。"),
    "concession": ("What it would cost us is not known.", "让利金额未知。"),
    "max_actions": ("The list was full.", "推荐条数已满。"),
    "per_category": ("Another action of the same kind comes first.", "同类动作中已有排序更前的一项。"),
    "commitments": ("One commitment at a time.", "同一次只推荐一项合约承诺。"),
    "concession_limit": ("Beyond what this role may concede.", "超出该角色的让利权限。"),
    "service_first": ("Service comes before sales.", "先解决问题，再谈办理。"),
    "own_choice": ("The person refused this themselves.", "用户本人已选择不接受此项。"),
    "excludes": ("It does not go together with another action on the list.", "与已推荐的动作互斥。"),
    "refused": ("Refused in this conversation: it is not brought up again.", "本次沟通中已拒绝，不再提起。"),
    "accepted": ("Accepted in this conversation already.", "本次沟通中已接受，无需再提。"),
    "same_help": (
        "Help of this kind was refused in this conversation; the next step is another.",
        "本次沟通中已拒绝同类帮助，下一步换一种方式。",
    ),
    "let_go": ("Said that they want to leave, and refused once: they are let go well.", "用户表示要离网且已拒绝过一次，好好送别。"),
    "last_step": ("Refused what we had to propose: nothing more is brought up.", "已拒绝我们的建议，本次不再推荐。"),
    "unknown": ("Not known yet: {}.", "尚缺信息：{}。"),
    "not_looked_at": (
        "The person refused personalisation: what this needs to know is not looked at.",
        "用户拒绝个性化推荐，不使用其画像判断。",
    ),
    "fallback.port_out_in_progress": ("A port-out is under way: we only help with what is owed.", "携号转网办理中，仅提供应尽的协助。"),
    "fallback.account_closed": ("The account is closed or closing.", "账户已销户或正在销户。"),
    "fallback.let_go": ("Said that they want to leave, and refused once: we let them go well.", "用户要离网且已拒绝过一次，好好送别。"),
    "fallback.refused": ("Refused what we had to propose: we leave it at that.", "用户已拒绝我们的建议，到此为止。"),
    "fallback.not_applicable": ("Nothing is due right now.", "目前没有需要处理的事项。"),
    "fallback.suppressed": ("This is not the time for anything else.", "当前不宜开展其他事项。"),
    "fallback.guardrail": ("Nothing else is permitted here.", "当前不允许开展其他事项。"),
    "fallback.unknown": ("Too little is known for anything else.", "掌握的信息不足以推荐其他事项。"),
}

_calls: Mapping[str, tuple[str, str]] = {
    "last": ("{0} last month", "上月{0}"),
    "mean": ("average {0} over {1} months", "近{1}个月平均{0}"),
    "total": ("total {0} over {1} months", "近{1}个月{0}合计"),
    "peak": ("highest {0} in {1} months", "近{1}个月最高{0}"),
    "median": ("median {0} of {1} months", "近{1}个月{0}中位数"),
    "change": ("change of {0} against the {1} months before", "{0}较前{1}个月变化"),
    "falling": ("{0} falling for {1} months", "{0}连降{1}个月"),
    "rising": ("{0} rising for {1} months", "{0}连升{1}个月"),
    "share_over": ("share of {2} months with {0} over {1}", "近{2}个月{0}超过{1}的占比"),
    "days_since": ("time since {0}", "距{0}已过"),
    "days_until": ("time until {0}", "距{0}还有"),
    "fee_on": ("cost on {0}", "按{0}测算费用"),
    "best_fee": ("cost on the fitting open plan", "按合适的在售套餐测算费用"),
    "overlap": ("{0} among {1}", "{0}含{1}之一"),
    "abs": ("size of {0}", "{0}（不论升降）"),
    "first_known": ("{0}", "{0}"),
    "max": ("largest of {0}, {1}", "{0}与{1}中较大者"),
    "min": ("smallest of {0}, {1}", "{0}与{1}中较小者"),
    "bucket": ("trial group", "试点分组"),
}
_counted: Mapping[str, tuple[str, str]] = {
    "count": ("{0} events in {1}", "近{1}{0}次数"),
    "contacted": ("contacts in {1}", "近{1}触达次数"),
    "refused": ("refusals in {1}", "近{1}拒绝次数"),
    "since": ("time since the last {0} event", "距最近一次{0}"),
}
_places: Mapping[str, tuple[str, str]] = {
    "stage": ("stage", "生命周期"),
    "phase": ("phase", "阶段"),
    "moment": ("moment", "关键时刻"),
    "events": ("events", "事件记录"),
    "contacts": ("contact history", "接触历史"),
    "plan.best_public_id": ("fitting public plan", "合适的在售套餐"),
    "plan.best_public_saving": ("monthly saving on the fitting public plan", "换成合适的在售套餐每月可省"),
    "plan.withdrawn_on": ("day the plan was withdrawn", "停售日期"),
    "services.auto_renew_on": ("day of automatic renewal", "自动续订日"),
    "pay.last_topup_on": ("last top-up", "最近充值日"),
    "device.changed_on": ("last change of phone", "换机日期"),
    "network.fix_planned_on": ("planned date of the fix", "预计整改日期"),
    "cases.due_on": ("promised date", "承诺时限"),
    "care.last_proactive_on": ("last proactive care", "最近主动关怀"),
    "care.last_visit_on": ("last visit", "最近走访"),
    "care.loyalty_benefit_on": ("last loyalty benefit", "最近老客户回馈"),
    "points.expiring_on": ("day the points lapse", "积分到期日"),
    "vip.benefits_expire_on": ("day the benefits lapse", "权益到期日"),
    "declared.unaware_service": ("whether they knew of every service", "是否有不知情开通的业务"),
    "account.line_type": ("line type", "号码类型"),
    "account.customer_class": ("customer class", "用户类别"),
    "account.pay_mode": ("payment mode", "付费方式"),
    "account.urban": ("urban", "城镇用户"),
    "plan.on_sale": ("on sale", "在售"),
    "plan.id": ("present plan", "现用套餐"),
}
"""Names that are no facts, and facts whose title does not stand well inside a sentence."""
_directions: Mapping[str, tuple[str, str]] = {
    "at_least": ("{0} at {1} or more", "{0}达到{1}"),
    "over": ("{0} over {1}", "{0}超过{1}"),
    "at_most": ("{0} at {1} or less", "{0}不超过{1}"),
    "under": ("{0} under {1}", "{0}低于{1}"),
    "exactly": ("{0} at {1}", "{0}为{1}"),
    "other_than": ("{0} other than {1}", "{0}不为{1}"),
}
_whole: Mapping[str, str] = {"over": "at_least", "under": "at_most"}
"""Of whole numbers: over 3 is 4 or more."""
_unit_at_end = re.compile(r" in (?:months|days|minutes|hours|MB)$")
_counting = re.compile(r"^(?:throttled )?days?\b|天数$|第几天$")
_aside = re.compile(r"[、(（].*$")
MOST_NAMED = 4
"""Of the many things that a clause may rest on, so many are named."""


def phrase(code: str, language: Language, *given: str) -> str:
    """One of the engine's phrases."""
    en, zh = PHRASES[code]
    return (zh if language == "zh" else en).format(*given)


def fact_title(pack: Pack, name: str, language: Language) -> str:
    """What a fact is called, as it stands inside a sentence; a name that is no fact's stays as it is."""
    return _titles(pack)[language].get(name, name)


@once_a_pack
def _titles(pack: Pack) -> Mapping[Language, Mapping[str, str]]:
    return {language: _titles_in(pack, language) for language in LANGUAGES}


def _titles_in(pack: Pack, language: Language) -> Mapping[str, str]:
    zh = language == "zh"
    own = {fact.name: fact.zh if zh else _inside(fact.en) for fact in pack.base}
    common = {name: _aside.sub("", fact.zh) if zh else _inside(fact.en) for name, fact in FACTS.items()}
    places = {name: said[zh] for name, said in _places.items()}
    return own | common | places | {name: _inside(fact.title.say(language)) for name, fact in pack.derived.items()}


def _inside(text: str) -> str:
    """A title without its capital, where that is not part of the word."""
    return text[0].lower() + text[1:] if not text[1:2].isupper() else text


def title(pack: Pack, node: Node, language: Language) -> str:
    """A term of a condition, as people call it."""
    if isinstance(node, Ref):
        kind, _, rest = node.name.partition(":")
        if kind in ("signal", "level"):
            return _inside(pack.signals[rest.rpartition(":")[0] if kind == "level" else rest].title.say(language))
        return fact_title(pack, node.name, language)
    if isinstance(node, Const):
        return _constant(pack, node, language)
    if isinstance(node, Call) and node.function in _counted:
        return _history(node, language)
    if isinstance(node, Call) and node.function in _calls and len(node.arguments) >= _calls[node.function][0].count("{"):
        return _calls[node.function][language == "zh"].format(*(title(pack, item, language) for item in node.arguments))
    return show(node)


def clause_in_words(pack: Pack, clause: Clause, language: Language) -> str:
    """What a clause is about: `said they want to leave`, `high churn score (severe)`; of many things the first few."""
    if clause.gate == "hands_off":
        return next(_inside(rule.title.say(language)) for rule in pack.hands_off if rule.clause.name == clause.name)
    asked = {_about(node): _asked_in_words(pack, node, language) for node in _asked_of(clause.tree)}
    told = list(dict.fromkeys(asked.values())) or [clause.test]
    if len(told) > MOST_NAMED:
        named = listed(told[:MOST_NAMED], language)
        return f"{named}等" if language == "zh" else f"{named} or the like"
    return listed(told[:-1], language) + (" or ", "或")[language == "zh"] + told[-1] if told[1:] else told[0]


def _about(node: Node) -> Node | str:
    """What tells things asked about apart: of the levels of one signal the weakest, which is the last, stands for all."""
    return node.name.rpartition(":")[0] if isinstance(node, Ref) and node.name.startswith("level:") else node


def _asked_of(node: Node) -> Iterator[Node]:
    """The named values, functions and words compared with that a condition asks about, in its order."""
    if isinstance(node, Ref | Call | Member) or _is_of_words(node):
        yield node
    else:
        for child in children(node):
            yield from _asked_of(child)


def _is_of_words(node: Node) -> TypeGuard[Compare]:
    """Is a value compared with a word?"""
    return isinstance(node, Compare) and isinstance(node.left, Ref) and isinstance(node.right, Const) and isinstance(node.right.value, str)


def _asked_in_words(pack: Pack, node: Node, language: Language) -> str:
    """A part of a condition: a signal with the level that is asked of it, a value with the words it may have."""
    if isinstance(node, Member) and isinstance(node.item, Ref) and isinstance(node.collection, Const):
        words = node.collection.value
        said = [_placed_word(pack, node.item, str(word), language) for word in (words if isinstance(words, frozenset | tuple) else ())]
        return _with(title(pack, node.item, language), listed(sorted(said), language), language)
    if _is_of_words(node):
        return _with(
            title(pack, node.left, language), _placed_word(pack, node.left, str(cast(Const, node.right).value), language), language
        )
    if isinstance(node, Ref) and node.name.startswith("level:"):
        return _with(title(pack, node, language), term(LEVELS, node.name.rpartition(":")[2], language), language)
    return title(pack, node, language)


def _with(text: str, more: str, language: Language) -> str:
    return f"{text}（{more}）" if language == "zh" else f"{text} ({more})"


def _constant(pack: Pack, node: Const, language: Language) -> str:
    value = node.value
    if isinstance(value, frozenset):
        return listed([_spoken(pack, str(word), language) for word in sorted(value, key=repr)], language)
    if isinstance(value, str):
        return _spoken(pack, value, language)
    return figure(value, node.type, language, pack.currency)


def _history(node: Call, language: Language) -> str:
    """Events or contacts in a window, as people call them."""
    kind = str(next((item.value for item in node.arguments if isinstance(item, Const)), ""))
    days = next((item.value for name, item in node.options if name == "days" and isinstance(item, Const)), None)
    event = EVENTS.get(kind)
    name = "" if event is None else _aside.sub("", event.zh) if language == "zh" else _inside(event.en)
    if node.function == "count" and days is None:
        return f"{name}次数" if language == "zh" else f"{name} events"
    return _counted[node.function][language == "zh"].format(name, shown(days, "days", language))


def _spoken(pack: Pack, word: str, language: Language) -> str:
    """A word of an enumeration, or a tariff by its name."""
    return pack.tariffs[word].name.say(language) if word in pack.tariffs else spoken(word, language)


def figure(value: Any, kind: Type, language: Language, currency: str) -> str:
    """A value as people read it, by its type and unit."""
    form = "date" if kind.kind == "date" else BY_UNIT.get(kind.unit, "count" if kind.kind == "number" else "text")
    return shown(value, form, language, currency)


def evidence(values: list[Any], clause: Clause) -> Evidence:
    """A clause and the values it saw."""
    seen: dict[str, Shown] = dict(zip(clause.names, clause.see(values)))  # noqa: B905 - made together; to be strict would take a third longer
    for name, kind in clause.formed:
        if seen[name] is not None:
            seen[name] = _formed(seen[name], kind)
    return Evidence(clause.name, clause.test, seen)


def _formed(value: Any, kind: str) -> Shown:
    if kind == "date":
        return None if value == NEVER else datetime.date.fromordinal(value).isoformat()
    if kind == "time":
        return f"{value // 60:02}:{value % 60:02}"
    if isinstance(value, frozenset):
        return sorted(value, key=repr)
    return list(value) if isinstance(value, tuple) else value


def values_in_words(pack: Pack, values: list[Any], clause: Clause, language: Language) -> str:
    """What a clause saw, in a sentence: `Tenure: 2 months; bill: ¥58.` That something is known is left out where there is more to say."""
    seen = [term for term in clause.terms if term.slot is not None]
    asked = [term for term in seen if not (isinstance(term.node, Call) and term.node.function == "known")]
    told = {term.node: None for term in asked} or {item: None for term in seen for item in children(term.node) if isinstance(item, Ref)}
    others = [node for node in told if not (isinstance(node, Ref) and node.name.startswith(("signal:", "level:")))]
    parts = [*_signals_in_words(pack, values, told, language)]
    parts += dict.fromkeys(_seen_in_words(pack, values, node, language) for node in others)
    if not parts:
        return clause.test
    text = ("；" if language == "zh" else "; ").join(parts)
    return text + "。" if language == "zh" else text[0].upper() + text[1:] + "."


def _signals_in_words(pack: Pack, values: list[Any], nodes: Iterable[Node], language: Language) -> Iterator[str]:
    """Which signals were recognised, which were not and which are not known, those of a kind together."""
    found: dict[bool | None, dict[str, None]] = {True: {}, False: {}, None: {}}
    for node in nodes:
        if isinstance(node, Ref) and node.name.startswith(("signal:", "level:")):
            found[values[pack.slots[node.name]]][_asked_in_words(pack, node, language)] = None
    for state, titles in found.items():
        if titles:
            yield f"{_states[state][language == 'zh']}{listed([*titles], language)}"


_states: Mapping[bool | None, tuple[str, str]] = {
    True: ("recognised: ", "识别出"),
    False: ("not recognised: ", "未识别出"),
    None: ("not known: ", "情况未知："),
}


def _seen_in_words(pack: Pack, values: list[Any], node: Node, language: Language) -> str:
    slot = pack.slots.get(node.name) if isinstance(node, Ref) else pack.terms.get(node)
    value = None if slot is None else values[slot]
    name = title(pack, node, language)
    if value == FAR and isinstance(node, Call) and node.function in ("days_since", "days_until"):
        name, said = title(pack, node.arguments[0], language), _never[node.function][language == "zh"]
    elif isinstance(node, Call) and node.function in ("days_since", "days_until") and isinstance(value, int) and value < 0:
        name, said = title(pack, node.arguments[0], language), _other_side(node, -value, language)
    elif value is None:
        said = "未知" if language == "zh" else "not known"
    elif isinstance(value, bool):
        said = ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
    elif isinstance(value, str):
        said = _placed_word(pack, node, value, language)
    elif isinstance(value, tuple):
        measure = _measure(name, node)
        name, said = _without_unit(name, node), listed([figure(one, measure, language, pack.currency) for one in value], language)
    else:
        name, said = _without_unit(name, node), figure(value, _measure(name, node), language, pack.currency)
    return f"{name}：{said}" if language == "zh" else f"{name}: {said}"


_never: Mapping[str, tuple[str, str]] = {"days_since": ("never", "从未"), "days_until": ("none", "无")}


def _placed_word(pack: Pack, node: Node, word: str, language: Language) -> str:
    """A word; a stage, phase or moment by its title, a derived fact's as the pack says it."""
    tables: Mapping[str, Sequence[Stage | Phase | Moment]] = {
        "stage": pack.stages,
        "phase": pack.phases,
        "moment": [*pack.moments.values()],
    }
    rows = tables.get(node.name, ()) if isinstance(node, Ref) else ()
    named = next((row.title for row in rows if row.id == word), None)
    if named is None and isinstance(node, Ref) and node.name in pack.derived:
        named = pack.derived[node.name].words.get(word)
    return _inside(named.say(language)) if named else _spoken(pack, word, language)


def _without_unit(name: str, node: Node) -> str:
    """A title without the unit that its figure brings along: `tenure`, not `tenure in months`."""
    return _unit_at_end.sub("", name) if node.type.unit else name


def _measure(name: str, node: Node) -> Type:
    """The type a figure is shown by; a title that counts days itself needs no unit after the figure."""
    return replace(node.type, unit="count") if _counting.search(name) else node.type


def _other_side(node: Call, days: int, language: Language) -> str:
    """Days until a date that has passed, or since one to come."""
    said = shown(days, "days", language)
    if language == "zh":
        return f"已过{said}" if node.function == "days_until" else f"还有{said}"
    return f"{said} ago" if node.function == "days_until" else f"in {said}"


def change_in_words(pack: Pack, found: Turns, language: Language) -> str:
    """`in 12 days, with data use under 3,000 MB and open faults at 0`."""
    parts = [_turn_in_words(pack, item, language) for item in found.values]
    if language == "zh":
        turned = "，且".join(parts)
        wait = f"{found.in_days}天后" if found.in_days is not None else ""
        return "，".join(part for part in (wait, f"若{turned}" if turned else "") if part)
    turned = " and ".join(parts)
    wait = f"in {shown(found.in_days, 'days', language)}" if found.in_days is not None else ""
    return ", ".join(part for part in (wait, f"with {turned}" if turned else "") if part)


def _turn_in_words(pack: Pack, item: Turn, language: Language) -> str:
    bound, direction = item.bound, item.direction
    if direction in _whole and item.term.type.integral and item.term.type.unit not in ("money", "MB"):
        bound, direction = item.value, _whole[direction]
    name = title(pack, item.term, language)
    said = figure(bound, _measure(name, item.term), language, pack.currency)
    return _directions[direction][language == "zh"].format(_without_unit(name, item.term), said)


def changes(found: Turns) -> list[Change]:
    """The changes as figures."""
    result = [Change(show(item.term), item.direction, item.value, None) for item in found.values]
    return [*result, Change("time", "later", None, found.in_days)] if found.in_days is not None else result
