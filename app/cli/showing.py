"""An answer as people read it in a terminal: what was decided and why, what to say, what to ask, what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.cli.labels import labels_of, word
from app.engine.answer import ActionAnswer, Evidence, Explanation, NotOffered, Reason, TariffAnswer
from app.engine.texts import BY_UNIT, MEASURES, Language, listed, shown

if TYPE_CHECKING:
    from app.engine.case import Case
    from app.engine.pack import Pack

_LEVEL_STYLE = {"severe": "bold red", "high": "yellow", "watch": "cyan"}
_PHASE_STYLE = {"rescue": "bold red", "prevention": "bold yellow", "retention": "bold green", "hands_off": "bold magenta"}

_ELSEWHERE = ("phase", "channel")
"""Clauses of actions that are not for this phase or channel at all."""

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
            case.channel,
            *filter(None, (case.direction, case.reason)),
            f"{case.times.contact_at:%Y-%m-%d %H:%M}",
            f"{pack.name} {pack.version}",
        ]
        return Group(Text(self.title, style="bold"), Text(" · ".join(facts), style="dim"))

    def _placing(self) -> RenderableType:
        answer = self.explanation
        grid = _grid()
        if answer.stage:
            grid.add_row(self._label("stage"), Text(f"{answer.stage_title} ({answer.stage})"))
        if answer.phase.id:
            phase = Text(f"{answer.phase.title} ({answer.phase.id})", style=_PHASE_STYLE.get(answer.phase.id, "bold"))
            grid.add_row(self._label("phase"), Group(phase, *(self._reason(reason) for reason in answer.phase.reasons)))
        for passed in answer.phase.not_stronger or ():
            clauses = [evidence.clause for evidence in passed.because or ()]
            told = [Text(f"{self._label('fails')}: {', '.join(clauses)}", style="dim")] if clauses and self._full else []
            told += [Text(f"{self._label('unknown')}: {', '.join(passed.unknown)}", style="dim")] if passed.unknown else []
            if told:
                grid.add_row(f"{self._label('not stronger')} {passed.title}", Group(*told))
        if answer.moment and answer.moment != "none":
            moment = self.pack.moments.get(answer.moment)
            grid.add_row(self._label("moment"), f"{moment.title.say(self.language)} ({answer.moment})" if moment else answer.moment)
        if not answer.personalised:
            grid.add_row("", Text(self._label("not personalised"), style="magenta"))
        return Padding(grid, (1, 0, 0, 0))

    def _reason(self, reason: Reason) -> RenderableType:
        lines: list[RenderableType] = [Text(reason.text)]
        if self._full:
            lines += self._figures(reason.evidence)
        return Group(*lines)

    def _figures(self, evidence: Sequence[Evidence] | None) -> Iterator[Text]:
        """The values that conditions saw. Other signals among them are told in words of their own."""
        for item in evidence or ():
            values = [
                f"{name} = {self._measured(name, value)}"
                for name, value in item.values.items()
                if not name.startswith(("signal(", "level("))
            ]
            if values:
                yield Text(", ".join(values), style="dim")

    def _measured(self, name: str, value: object) -> str:
        """A value in its unit where it has one, as people write it."""
        kind = self.pack.types.get(name)
        form = BY_UNIT.get(kind.unit) if kind is not None else None
        if form not in MEASURES or not isinstance(value, int | float) or isinstance(value, bool):
            return _plain(value)
        return shown(value, form, self.language, self.pack.currency)

    def _signals(self) -> RenderableType:
        grid = _table(self._label("signals"))
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        for signal in self.explanation.signals:
            lines = [Text.assemble((signal.title, "bold"), "  ", (signal.id, "dim")), Text(signal.text)]
            if self._full:
                lines += self._figures(signal.evidence)
            grid.add_row(Text(self._word(signal.level), style=_LEVEL_STYLE.get(signal.level, "")), Group(*lines))
        return grid

    def _actions(self) -> RenderableType:
        answer = self.explanation
        if not answer.actions:
            cause = f": {self._word(answer.empty_because)}" if answer.empty_because else ""
            return Padding(Text(f"{self._label('empty')}{cause}", style="bold"), (1, 0, 0, 0))
        return Group(Text(f"\n{self._label('next best actions')}", style="bold"), *(self._action(action) for action in answer.actions))

    def _action(self, action: ActionAnswer) -> RenderableType:
        marks = [self._word(action.kind), self._word(action.duty) if action.duty not in ("", action.kind) else "", action.category]
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
            parts.append(f"{self._label('fallback')} {action.fallback_for}")
        return " · ".join([*parts, f"{self._label('until')} {action.valid_until:%Y-%m-%d %H:%M}"])

    def _ask(self) -> RenderableType:
        grid = _table(self._label("to ask"))
        grid.add_column(ratio=3, overflow="fold")
        grid.add_column(ratio=2, style="dim", overflow="fold")
        for ask in self.explanation.ask:
            unlock = f"{self._label('may unlock')}: {', '.join(self._titles(ask.may_unlock))}" if ask.may_unlock else ""
            grid.add_row(ask.question, f"{ask.fact}\n{unlock}".strip())
        return grid

    def _titles(self, actions: Sequence[str]) -> list[str]:
        return [self.pack.by_id[name].title.say(self.language) for name in actions]

    def _not_offered(self, items: Sequence[NotOffered]) -> RenderableType:
        """Each action with its cause; those for another phase or channel on one line together."""
        grid = _table(self._label("not offered"), header=True)
        for name, ratio in (("action", 3), ("cause", 3), ("because", 6)):
            grid.add_column(self._label(name), ratio=ratio, overflow="fold")
        for item in sorted(items, key=lambda item: _NEAREST_FIRST.index(item.cause)):
            if item.clause not in _ELSEWHERE:
                grid.add_row(
                    _two(item.title or item.action, item.action), _two(self._word(item.cause), item.clause or ""), self._because(item)
                )
        for clause in _ELSEWHERE:
            if names := [item.title or item.action for item in items if item.clause == clause]:
                told = f"{self._word('not_applicable')}: {self._word(clause)}"
                grid.add_row(Text(f"{len(names)}", style="dim"), Text(told), Text(listed(names, self.language), style="dim"))
        return grid

    def _because(self, item: NotOffered) -> RenderableType:
        lines = [Text(item.text)] if item.text else []
        lines += [Text(f"→ {item.change}", style="green")] if item.change else []
        lines += [Text(f"{self._label('again from')} {item.until:%Y-%m-%d %H:%M}", style="dim")] if item.until else []
        return Group(*lines)

    def _unknown(self) -> RenderableType:
        told = [f"{fact.title} ({fact.fact}{self._too_old(fact.why, fact.age_days)})" for fact in self.explanation.unknown]
        return Group(Text(f"\n{self._label('unknown facts')}", style="bold"), Text(listed(told, self.language), style="dim"))

    def _too_old(self, why: str, age: int | None) -> str:
        days = f" {shown(age, 'days', self.language)}" if age is not None else ""
        return "" if why == "missing" else f", {self._label(why)}{days}"

    def _money(self, amount: float) -> str:
        return shown(amount, "money", self.language, self.pack.currency)


def _two(first: str, second: str) -> RenderableType:
    return Group(Text(first), Text(second, style="dim")) if second else Text(first)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True, min_width=9)
    grid.add_column(ratio=1, overflow="fold")
    return grid


def _table(title: str, *, header: bool = False) -> Table:
    return Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        header_style="dim",
        show_header=header,
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
        expand=True,
    )


def _plain(value: object) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return f"{value:,}" if isinstance(value, int) else str(value)
