"""An answer as people read it in a terminal: what was decided and why, what to say, what to ask, what was left out."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.cli.columns import table
from app.cli.labels import labels_of, why_nothing, word
from app.engine.answer import ActionAnswer, Evidence, Explanation, NotOffered, NotStronger, Reason, TariffAnswer, UnknownFact
from app.engine.spoken import spoken
from app.engine.terms import DIRECTIONS, local_time, term
from app.engine.texts import BY_UNIT, MEASURES, Language, listed, shown
from app.engine.words import clause_in_words, fact_title

if TYPE_CHECKING:
    from app.engine.case import Case
    from app.engine.pack import Pack

_LEVEL_STYLE = {"severe": "bold red", "high": "yellow", "watch": "cyan"}
_PHASE_STYLE = {"rescue": "bold red", "prevention": "bold yellow", "retention": "bold green", "hands_off": "bold magenta"}

_ELSEWHERE = ("phase", "channel")
"""Clauses of actions that are not for this phase or channel at all."""

_multiplied = re.compile(r"(param\.\w+) \*|\* (param\.\w+)")
"""What of a condition is so many times something else."""

_NEAREST_FIRST = ("outranked", "suppressed", "guardrail", "not_suitable", "unknown", "not_eligible", "not_applicable")
"""Causes in the order in which they are shown: first what came nearest to the list."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One answer on its way to the terminal."""

    title: str
    pack: Pack
    case: Case
    explanation: Explanation
    language: Language

    def render(self) -> RenderableType:
        """Everything, from top to bottom."""
        return Group(*self._parts())

    @property
    def _full(self) -> bool:
        return self.explanation.not_offered is not None

    def _word(self, name: str) -> str:
        return word(name, self.language)

    def _label(self, name: str) -> str:
        return labels_of(self.language)[name]

    def _parts(self) -> Iterator[RenderableType]:
        answer = self.explanation
        yield self._head()
        yield self._placing()
        if answer.signals:
            yield self._signals()
        yield self._actions()
        if answer.ask:
            yield self._ask()
        if answer.not_offered:
            yield self._not_offered(answer.not_offered)
        if answer.unknown:
            yield self._unknown()

    def _head(self) -> RenderableType:
        case, pack = self.case, self.pack
        facts = [
            spoken(case.channel, self.language),
            term(DIRECTIONS, case.direction, self.language),
            spoken(case.reason, self.language) if case.reason else "",
            self._at(case.times.contact_at),
            f"{pack.name} {pack.version}",
        ]
        return Group(Text(self.title, style="bold"), Text(" · ".join(filter(None, facts)), style="dim"))

    def _at(self, time: datetime.datetime) -> str:
        return local_time(time, self.case.times.offset, self.language)

    def _with(self, text: str, more: str) -> str:
        return f"{text}（{more}）" if self.language == "zh" else f"{text} ({more})"

    def _told(self, name: str, value: str) -> str:
        return f"{name}：{value}" if self.language == "zh" else f"{name}: {value}"

    def _placing(self) -> RenderableType:
        answer = self.explanation
        grid = _grid()
        if answer.stage:
            grid.add_row(self._label("stage"), Text(self._with(answer.stage_title, answer.stage)))
        if answer.phase.id:
            phase = Text(self._with(answer.phase.title, answer.phase.id), style=_PHASE_STYLE.get(answer.phase.id, "bold"))
            grid.add_row(self._label("phase"), Group(phase, *(self._reason(reason) for reason in answer.phase.reasons)))
        for passed in answer.phase.not_stronger or ():
            if told := [*self._passed(passed)]:
                grid.add_row(self._named("not stronger", passed.title), Group(*told))
        if answer.moment and answer.moment != "none":
            moment = self.pack.moments.get(answer.moment)
            grid.add_row(self._label("moment"), self._with(moment.title.say(self.language), answer.moment) if moment else answer.moment)
        if not answer.personalised:
            grid.add_row("", Text(self._label("not personalised"), style="magenta"))
        return Padding(grid, (1, 0, 0, 0))

    def _passed(self, passed: NotStronger) -> Iterator[Text]:
        """What kept a stronger phase away: what does not hold and, apart from it, what is not known."""
        clauses = {clause.name: clause for clause in self.pack.phase_by_id[passed.phase].clauses}
        false = [item.clause for item in passed.because or () if item.clause not in passed.unknown]
        for label, names in (("fails", false if self._full else ()), ("not known", passed.unknown)):
            told = [clause_in_words(self.pack, clauses[name], self.language) for name in names if name in clauses]
            if told:
                yield Text(self._told(self._label(label), ("；" if self.language == "zh" else "; ").join(told)), style="dim")

    def _named(self, label: str, title: str) -> str:
        return f"{self._label(label)}{title}" if self.language == "zh" else f"{self._label(label)} {title}"

    def _reason(self, reason: Reason) -> RenderableType:
        lines: list[RenderableType] = [Text(reason.text)]
        if self._full:
            lines += self._figures(reason.evidence)
        return Group(*lines)

    def _figures(self, evidence: Sequence[Evidence] | None) -> Iterator[Text]:
        """The values that conditions saw. Other signals among them are told in words of their own."""
        for item in evidence or ():
            values = {name: value for name, value in item.values.items() if not name.startswith(("signal(", "level("))}
            if values:
                yield Text(self._in_chinese(item.test, values) if self.language == "zh" else self._as_written(values), style="dim")

    def _as_written(self, values: Mapping[str, object]) -> str:
        return ", ".join(f"{name} = {self._measured(name, value)}" for name, value in values.items())

    def _in_chinese(self, test: str, values: Mapping[str, object]) -> str:
        """Facts by their titles, and the thresholds, which have none, together after them, each in its unit or as so many times another."""
        told = [f"{self._fact(name)}：{self._in_unit(name, value)}" for name, value in values.items() if not name.startswith("param.")]
        times = set(chain.from_iterable(_multiplied.findall(test)))
        thresholds = [
            f"{self._in_unit(name, value)}{'倍' if name in times else ''}" for name, value in values.items() if name.startswith("param.")
        ]
        return "；".join(told + ([f"{self._label('threshold')}：{listed(thresholds, 'zh')}"] if thresholds else []))

    def _fact(self, name: str) -> str:
        """What conditions are about: its title in Chinese, and in English the name that the pack's files have."""
        return fact_title(self.pack, name, "zh") if self.language == "zh" else name

    def _measured(self, name: str, value: object) -> str:
        """A value in its unit where it has one, as people write it."""
        kind = self.pack.types.get(name)
        form = BY_UNIT.get(kind.unit) if kind is not None else None
        if form not in MEASURES or not isinstance(value, int | float) or isinstance(value, bool):
            return _plain(value, self.language)
        return shown(value, form, self.language, self.pack.currency)

    def _in_unit(self, name: str, value: object) -> str:
        """A value with its unit, in Chinese; days without it where the title says that they are."""
        kind = self.pack.types.get(name)
        form = BY_UNIT.get(kind.unit) if kind is not None else None
        if form is None or not isinstance(value, int | float) or isinstance(value, bool) or (form == "days" and "天" in self._fact(name)):
            return self._measured(name, value)
        return shown(value, form, "zh", self.pack.currency)

    def _signals(self) -> RenderableType:
        grid = table(f"\n{self._label('signals')}", "", "")
        grid.show_header = False
        for signal in self.explanation.signals:
            lines = [Text.assemble((signal.title, "bold"), "  ", (signal.id, "dim")), Text(signal.text)]
            if self._full:
                lines += self._figures(signal.evidence)
            grid.add_row(Text(self._word(signal.level), style=_LEVEL_STYLE.get(signal.level, "")), Group(*lines))
        return grid

    def _actions(self) -> RenderableType:
        answer = self.explanation
        if not answer.actions:
            empty = self._label("empty")
            told = self._told(empty, why_nothing(answer.empty_because, self.language)) if answer.empty_because else empty
            return Padding(Text(told, style="bold"), (1, 0, 0, 0))
        return Group(Text(f"\n{self._label('next best actions')}", style="bold"), *(self._action(action) for action in answer.actions))

    def _action(self, action: ActionAnswer) -> RenderableType:
        marks = [self._word(action.kind), self._word(action.duty) if action.duty not in ("", action.kind) else ""]
        if self.language != "zh":
            marks.append(action.category)
        if action.score is not None:
            marks.append(f"{self._label('score')} {action.score:,.1f}")
        head = Text.assemble(
            (f"{action.rank}  ", "bold cyan"), (action.title or action.action, "bold"), "  ", (" · ".join(filter(None, marks)), "dim")
        )
        grid = _grid()
        if action.script or action.text:
            grid.add_row(self._label("say" if action.script else "send"), Text(action.script or action.text or "", style="italic"))
        if action.reasons:
            grid.add_row(self._label("why"), Group(*(Text(f"· {reason.text}") for reason in action.reasons)))
        if action.tariff is not None:
            grid.add_row(self._label("tariff"), Text(self._tariff(action.tariff)))
        if disclose := " ".join(filter(None, (action.tariff.disclose if action.tariff else None, action.disclose))):
            grid.add_row(self._label("disclose"), Text(disclose))
        grid.add_row("", Text(self._terms(action), style="dim"))
        return Group(head, Padding(grid, (0, 0, 1 if action.rank < len(self.explanation.actions) else 0, 3)))

    def _tariff(self, tariff: TariffAnswer) -> str:
        parts = [tariff.name, self._money(tariff.fee), f"{self._label('filing number')} {tariff.filing_no}"]
        if tariff.saving is not None and tariff.saving > 0:
            parts.append(f"{self._label('saving')} {self._money(tariff.saving)}")
        return " · ".join(parts)

    def _terms(self, action: ActionAnswer) -> str:
        parts = [f"{self._label('confirm')} {self._word(action.confirm)}"]
        if action.approve and action.approve != "none":
            parts.append(f"{self._label('approve')} {self._word(action.approve)}")
        if action.concession:
            parts.append(f"{self._label('concession')} {self._money(action.concession)}")
        if action.fallback_for:
            parts.append(f"{self._label('fallback')} {self._word(action.fallback_for)}")
        return " · ".join([*parts, f"{self._label('until')} {self._at(action.valid_until)}"])

    def _ask(self) -> RenderableType:
        grid = table(f"\n{self._label('to ask')}", "", "", styles=("", "dim"))
        grid.show_header = False
        for ask in self.explanation.ask:
            unlock = self._told(self._label("may unlock"), listed(self._titles(ask.may_unlock), self.language)) if ask.may_unlock else ""
            grid.add_row(ask.question, f"{self._fact(ask.fact)}\n{unlock}".strip())
        return grid

    def _titles(self, actions: Sequence[str]) -> list[str]:
        return [self.pack.by_id[name].title.say(self.language) for name in actions]

    def _not_offered(self, items: Sequence[NotOffered]) -> RenderableType:
        """Each action with its cause; those for another phase or channel on one line together."""
        grid = table(f"\n{self._label('not offered')}", *(self._label(name) for name in ("action", "cause", "because")))
        for item in sorted(items, key=lambda item: _NEAREST_FIRST.index(item.cause)):
            if item.clause not in _ELSEWHERE:
                grid.add_row(
                    _two(item.title or item.action, item.action), _two(self._word(item.cause), item.clause or ""), self._because(item)
                )
        for clause in _ELSEWHERE:
            if names := [item.title or item.action for item in items if item.clause == clause]:
                told = self._told(self._word("not_applicable"), self._word(clause))
                grid.add_row(Text(f"{len(names)}", style="dim"), Text(told), Text(listed(names, self.language), style="dim"))
        return grid

    def _because(self, item: NotOffered) -> RenderableType:
        lines = [Text(item.text)] if item.text else []
        lines += [Text(f"→ {item.change}", style="green")] if item.change else []
        lines += [Text(f"{self._label('again from')} {self._at(item.until)}", style="dim")] if item.until else []
        return Group(*lines)

    def _unknown(self) -> RenderableType:
        told = [self._not_known(fact) for fact in self.explanation.unknown]
        return Group(Text(f"\n{self._label('unknown facts')}", style="bold"), Text(listed(told, self.language), style="dim"))

    def _not_known(self, fact: UnknownFact) -> str:
        """A fact by its title; in English with its name, and always why where it is too old."""
        days = shown(fact.age_days, "days", self.language) if fact.age_days is not None else ""
        why = "" if fact.why == "missing" else f"{self._label(fact.why)} {days}".strip()
        more = why if self.language == "zh" else ", ".join(filter(None, (fact.fact, why)))
        return self._with(fact.title, more) if more else fact.title

    def _money(self, amount: float) -> str:
        return shown(amount, "money", self.language, self.pack.currency)


def _two(first: str, second: str) -> RenderableType:
    return Group(Text(first), Text(second, style="dim")) if second else Text(first)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True, min_width=9)
    grid.add_column(ratio=1, overflow="fold")
    return grid


def _plain(value: object, language: Language) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return shown(value, "text", language)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, list | tuple):
        return f"[{listed([_plain(item, language) for item in value], language)}]"
    return (
        f"{value:,}" if isinstance(value, int) else spoken(value, language) if isinstance(value, str) and language == "zh" else str(value)
    )
