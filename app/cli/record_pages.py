"""A decision on record as a page for a terminal: everything about it, and what if."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from app.cli.labels import word
from app.cli.packs import table
from app.engine.texts import Language, listed, shown
from app.record.packs.history import shortened

if TYPE_CHECKING:
    from app.engine.pack import Pack
    from app.record.reading.consulting import Explained
    from app.record.reading.dossier import Considered, Dossier
    from app.record.reading.minimal import Untold
    from app.record.reading.ranking import Compared

_ELSEWHERE = ("phase", "channel")
_words: Mapping[str, tuple[str, str]] = {
    "known": ("What was known", "当时已知"),
    "section": ("section", "数据"),
    "as of": ("as of (UTC)", "数据时间（UTC）"),
    "age": ("days old", "天数"),
    "limit": ("days allowed", "允许天数"),
    "facts": ("facts", "项数"),
    "too old": ("too old", "已过期"),
    "contact": ("Could they be contacted", "能否触达"),
    "consent": ("consent", "授权"),
    "local time": ("local time", "当地时间"),
    "refusals": ("refusals", "拒绝记录"),
    "port-out": ("port-out under way", "携号转网办理中"),
    "policy": ("Contact policy and guardrails, of the actions that came so far", "触达条款与护栏（对通过前序各关的动作）"),
    "clause": ("clause", "条款"),
    "permitted": ("permitted", "允许"),
    "kept out": ("kept out", "拦截"),
    "unknown": ("unknown", "未知"),
    "considered": ("Considered", "考虑过的动作"),
    "action": ("action", "动作"),
    "became": ("came to", "结果"),
    "why": ("because", "原因"),
    "outcomes": ("What came of it", "后续结果"),
    "order": ("Why in this order", "排序依据"),
    "score": ("score", "得分"),
    "apart": ("after the one above by", "与上一项的差别"),
    "parts": ("propensity × value × relevance × lever", "倾向 × 价值 × 相关 × 手段"),
    "minimal": ("Smallest changes that would have changed the list", "足以改变推荐的最小变化"),
    "then": ("then", "则推荐"),
    "none found": (
        "No change of a figure, a date or the day alone was found that would have.",
        "未找到仅凭数值、日期或等待天数的变化即可改变推荐的情形。",
    ),
    "nothing_to_move": (
        "Cannot be told, for the clause rests on no known figure, date or window ({0}): {1}",
        "无法给出（条款不涉及已知的数值、日期或时间窗口，共{0}项）：{1}",
    ),
    "no_effect": (
        "Cannot be told, for nothing that was tried let them through and changed the list ({0}): {1}",
        "无法给出（所试变化均不能使其通过并改变推荐，共{0}项）：{1}",
    ),
    "not_tried": ("Not tried, for others had used up the trials ({0}): {1}", "未作尝试（试算次数已用完，共{0}项）：{1}"),
    "protected": ("Protected attributes", "受保护属性"),
    "no influence": (
        "No influence: phase, list, tariffs and concession stay the same for every other value that was tried ({0}; {1} tried).",
        "无影响：逐一改变（{0}；共试 {1} 次），阶段、推荐、资费和让利均不变。",
    ),
    "none given": ("None was known, so none had influence.", "当时未掌握任何受保护属性，无影响。"),
    "would differ": ("{0} = {1}: other {2}; the list would be {3}", "{0} = {1}：{2}不同；推荐为{3}"),
    "not known": ("not known", "未知"),
    "allowed": ("Allowed by", "依据"),
    "nothing": ("nothing", "无"),
    "proof": ("Proof", "存证"),
    "waits": ("waits to be sealed", "等待封存"),
    "leaf": ("leaf {0}, sealed by the checkpoint of {1} leaves at {2}", "第{0}叶，由含{1}叶的检查点封存（{2}）"),
    "erased": ("The person was erased. What the log covers remains.", "该用户数据已删除，仅保留存证部分。"),
    "elsewhere": ("for another phase or channel", "不属于当前阶段或渠道"),
    "asked": ("asked by", "请求方"),
    "pack": ("pack", "规则包"),
    "same answer": ("made again, the answer is the same to the byte", "重新计算，答复逐字节一致"),
    "other answer": ("made again, the answer differs: wanliu record replay", "重新计算，答复不一致：wanliu record replay"),
}


@dataclass(frozen=True, slots=True)
class DossierPage:
    """One decision on its way to the terminal; without its pack some words are codes."""

    dossier: Dossier
    pack: Pack | None
    language: Language

    def render(self) -> RenderableType:
        """Everything, from top to bottom."""
        return Group(*self._parts())

    def _say(self, name: str, *given: object) -> str:
        return say(name, self.language, *given)

    def _parts(self) -> Iterator[RenderableType]:
        made = self.dossier
        yield self._head()
        if made.state == "erased":
            yield Text(f"\n{self._say('erased')}", style="yellow")
            yield self._envelope()
        elif made.why_not_worked_out:
            yield Text(f"\n{made.why_not_worked_out}", style="yellow")
            yield self._envelope()
        if made.known is not None:
            yield self._known()
        yield from self._contact()
        if made.working is not None:
            yield self._considered(made.working.considered)
            if made.working.order:
                yield order_table(made.working.order, self.language)
        if made.outcomes:
            yield self._outcomes()
        yield self._proof()

    def _head(self) -> RenderableType:
        made, body = self.dossier, self.dossier.envelope["body"]
        asked = [body["caller"], body["role"], body.get("agent"), body["channel"], body.get("direction"), body.get("reason")]
        placed = [body["stage"], body["phase"], None if body["moment"] == "none" else body["moment"]]
        steps = [f"{step['step']} {str(step['at'])[:16].replace('T', ' ')} {step['by']}" for step in made.pack.steps]
        name = " ".join(filter(None, (made.pack.name, made.pack.version, shortened(made.pack.digest))))
        faithful = made.working and self._say("same answer" if made.working.faithful else "other answer")
        lines = [
            Text(made.id, style="bold"),
            Text(f"{made.at[:19].replace('T', ' ')} UTC  ·  {self._say('asked')} {' · '.join(filter(None, asked))}"),
            Text(" · ".join(filter(None, placed))),
            Text(f"{self._say('pack')} {name}  ·  {'; '.join(steps)}", style="dim"),
            Text(f"engine {body['engine']}{f'  ·  {faithful}' if faithful else ''}", style="dim"),
        ]
        if made.idempotency_key:
            lines.append(Text(f"Idempotency-Key {made.idempotency_key}", style="dim"))
        return Group(*lines)

    def _envelope(self) -> RenderableType:
        """What the envelope says, in codes."""
        body = self.dossier.envelope["body"]
        rows = table("", self._say("action"), self._say("became"), self._say("why"))
        for item in body["offered"]:
            rows.add_row(item["action"], f"#{item['rank']}", item.get("tariff", ""))
        for cause, clauses in body["outcomes"].items():
            for clause, actions in clauses.items():
                rows.add_row(", ".join(actions), word(cause, self.language), clause)
        return rows

    def _known(self) -> RenderableType:
        names = ("section", "as of", "age", "limit", "facts", "too old")
        rows = table(f"\n{self._say('known')}", *map(self._say, names), right=(2, 3, 4))
        for item in self.dossier.known or ():
            limit = "" if item.limit_days is None else str(item.limit_days)
            as_of = f"{item.as_of.astimezone(datetime.UTC):%Y-%m-%d %H:%M}"
            rows.add_row(item.section, as_of, str(item.age_days), limit, str(item.facts), ", ".join(item.too_old))
        return rows

    def _contact(self) -> Iterator[RenderableType]:
        contact, port = self.dossier.contact, self.dossier.port_out
        if contact is None or port is None:
            return
        grid = table(f"\n{self._say('contact')}", "", "")
        grid.show_header = False
        consent = "; ".join(f"{name}: {_listed(value)}" for name, value in contact.consent.items()) or "?"
        grid.add_row(self._say("local time"), f"{contact.local_time:%Y-%m-%d %H:%M %z}{' ★' if contact.holiday else ''}")
        grid.add_row(self._say("consent"), consent)
        for row in contact.refusals:
            grid.add_row(self._say("refusals"), " ".join(str(row[name]) for name in ("at", "channel", "action") if row.get(name)))
        grid.add_row(self._say("port-out"), " ".join(filter(None, (port.in_progress, port.state, port.last_on))))
        yield grid
        rows = table(f"\n{self._say('policy')}", *map(self._say, ("clause", "permitted", "kept out", "unknown")), right=(1, 2, 3))
        for item in contact.clauses:
            if item.kept_out or item.unknown:
                rows.add_row(f"{item.title} ({item.gate}.{item.clause})", str(item.permitted), str(item.kept_out), str(item.unknown))
        yield rows

    def _considered(self, items: Sequence[Considered]) -> RenderableType:
        rows = table(f"\n{self._say('considered')}", *map(self._say, ("action", "became", "why")))
        near = [item for item in items if item.clause not in _ELSEWHERE]
        for item in near:
            rows.add_row(f"{item.title} ({item.action})", self._became(item), self._because(item))
        if len(near) < len(items):
            rows.add_row(f"+ {len(items) - len(near)}", word("not_applicable", self.language), self._say("elsewhere"), style="dim")
        return rows

    def _became(self, item: Considered) -> str:
        return f"#{item.rank}" if item.rank is not None else word(str(item.cause), self.language)

    def _because(self, item: Considered) -> str:
        if item.rank is not None:
            terms = [item.duty, item.tariff, self._money(item.concession) if item.concession else None]
            return " · ".join(filter(None, terms))
        first = f"{item.gate}.{item.clause}" if item.gate else str(item.clause)
        rest = [name for name in item.failing if name != first]
        lost = f" ({item.lost_to}, {item.behind:,.1f})" if item.lost_to and item.behind is not None else ""
        return first + lost + (f" + {', '.join(rest)}" if rest else "")

    def _money(self, amount: float) -> str:
        return shown(amount, "money", self.language, self.pack.currency) if self.pack else f"{amount:,.0f}"

    def _outcomes(self) -> RenderableType:
        rows = table(f"\n{self._say('outcomes')}", "", "", "", "")
        rows.show_header = False
        for item in self.dossier.outcomes:
            confirmed = " ".join(filter(None, (item.agent, item.confirmed_by, item.reason)))
            rows.add_row(item.at[:19].replace("T", " "), item.action, item.outcome, confirmed)
        return rows

    def _proof(self) -> RenderableType:
        proof = self.dossier.proof
        if proof.leaf is None:
            told = self._say("waits")
        else:
            told = self._say("leaf", proof.leaf, proof.checkpoint_size, (proof.checkpoint_at or "")[:19].replace("T", " "))
        return Text(f"\n{self._say('proof')}: {told}", style="dim")


def what_if(told: Explained, pack: Pack, language: Language) -> list[RenderableType]:
    """Why in this order, what would have changed it, whether a protected attribute had influence."""
    parts: list[RenderableType] = [order_table(told.order, language)] if told.order else []
    minimal: list[RenderableType] = [Text(f"\n{say('minimal', language)}", style="bold")]
    for change in told.minimal_changes:
        title = pack.by_id[change.action].title.say(language)
        minimal.append(Text(f"· {change.words}  ({title}; {change.clause})"))
        minimal.append(Text(f"  {say('then', language)}: {', '.join(change.actions) or say('nothing', language)}", style="dim"))
    if not told.minimal_changes:
        minimal.append(Text(say("none found", language), style="dim"))
    return [*parts, *minimal, *_untold(told.untold, pack, language), *_protected(told, language)]


def _untold(items: Sequence[Untold], pack: Pack, language: Language) -> Iterator[Text]:
    """Of which actions it cannot be told what would have let them through, by why not."""
    for because, group in groupby(sorted(items, key=lambda item: item.because), lambda item: item.because):
        titles = [pack.by_id[item.action].title.say(language) for item in group]
        yield Text(say(because, language, len(titles), listed(titles, language)), style="dim")


def order_table(order: Sequence[Compared], language: Language) -> RenderableType:
    """Candidates, best first, with what told each from the one above."""
    rows = table(f"\n{say('order', language)}", *(say(name, language) for name in ("action", "score", "parts", "apart")), right=(1,))
    for item in order:
        parts = " × ".join("?" if value is None else f"{value:,.6g}" for value in item.parts.values())
        apart = "" if item.decided_by is None else f"{word(item.decided_by, language)}{f' → {item.lost_to}' if item.lost_to else ''}"
        rank = f"#{item.rank} " if item.rank is not None else ""
        rows.add_row(f"{rank}{item.action} ({word(item.duty, language)})", f"{item.score:,.1f}", parts, apart)
    return rows


def _protected(told: Explained, language: Language) -> Iterator[RenderableType]:
    found = told.protected
    yield Text(f"\n{say('protected', language)}", style="bold")
    if not found.facts:
        yield Text(say("none given", language), style="dim")
    elif not found.influence:
        yield Text(say("no influence", language, ", ".join(found.facts), found.tried))
    for item in found.influence:
        value = say("not known", language) if item.value is None else str(item.value)
        would_be = ", ".join(item.actions) or say("nothing", language)
        yield Text(say("would differ", language, item.fact, value, ", ".join(item.changed), would_be), style="yellow")
    for reason in found.allowed_by:
        yield Text(f"{say('allowed', language)}: {reason['part']} ({reason['by']}, {reason['facts']}): {reason['because']}", style="dim")


def say(name: str, language: Language, *given: object) -> str:
    """One of the page's words."""
    return _words[name][language == "zh"].format(*given)


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
