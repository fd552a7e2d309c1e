"""Figures for a reviewer, and pairs with different prices, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from app.cli.columns import Columns, table
from app.cli.labels import why_nothing
from app.cli.record_table_words import counted, say
from app.engine.spoken import spoken
from app.engine.terms import CAUSES, GATES, term
from app.engine.texts import Language, listed, shown
from app.record.packs.history import shortened

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.record.reading.figures import Figures
    from app.record.reading.pairs import Pairs, Priced

_SOME = 20


def figured(made: Figures, language: Language) -> list[RenderableType]:
    """The figures of some days."""
    return [*_Tables(made, language).parts()]


class _Tables:
    def __init__(self, made: Figures, language: Language) -> None:
        self._made, self._language = made, language

    def parts(self) -> Iterator[RenderableType]:
        """Everything, from top to bottom."""
        made = self._made
        yield Text(self._say("days", made.since, made.until, counted("decision", made.decisions, self._language)), style="bold")
        yield Text(" · ".join(f"{shortened(digest)} {number:,}" for digest, number in made.packs.items()), style="dim")
        if not made.decisions:
            return
        yield from self._titled("funnel", self._funnel())
        if made.suppressions:
            yield from self._titled("suppressions", self._suppressions())
        if made.empty:
            yield from self._titled("empty", self._empty())
        yield from self._titled("groups", self._groups())
        if made.agents:
            yield from self._titled("agents", self._agents())

    def _say(self, name: str, *given: object) -> str:
        return say(name, self._language, *given)

    def _titled(self, name: str, rows: Columns) -> Iterator[RenderableType]:
        yield Text(f"\n{self._say(name)}", style="bold")
        yield rows

    def _table(self, *heads: str, right: range) -> Columns:
        return table("", *(self._say(head) if head else "" for head in heads), right=right)

    def _more(self, rows: Columns, items: int, columns: int) -> None:
        if items > _SOME:
            rows.add_row(self._say("and more", items - _SOME), *[""] * (columns - 1))

    def _funnel(self) -> Columns:
        rows = self._table("gate", "cause", "actions", "share", right=range(2, 4))
        for gate in self._made.funnel:
            offered = gate.gate == "offered"
            name = self._say("offered") if offered else term(GATES, gate.gate, self._language)
            rows.add_row(name, "" if offered else term(CAUSES, gate.cause, self._language), f"{gate.actions:,}", f"{gate.share:.1%}")
        return rows

    def _suppressions(self) -> Columns:
        made = self._made
        rows = self._table("clause", "cause", "actions", "share", "", right=range(2, 4))
        for row in made.suppressions[:_SOME]:
            cause, cap = term(CAUSES, row.cause, self._language), self._say("cap") if row.cap else ""
            rows.add_row(f"{row.gate}.{row.clause}", cause, f"{row.actions:,}", f"{row.share:.2%}", cap)
        self._more(rows, len(made.suppressions), 5)
        rows.add_row(self._say("caps"), "", "", f"{made.capped:.2%}", "")
        return rows

    def _empty(self) -> Columns:
        rows = self._table("because", "decisions", "share", right=range(1, 3))
        for row in self._made.empty:
            rows.add_row(why_nothing(row.because, self._language), f"{row.decisions:,}", f"{row.share:.1%}")
        return rows

    def _groups(self) -> Columns:
        heads = ("pack", "by group", "group", "decisions", "with an offer", "ratio", "conceded", "ratio", "mean", "ratio")
        rows = self._table(*heads, right=range(3, 10))
        for row in self._made.groups:
            low, high = row.offer_interval
            rows.add_row(
                shortened(row.pack)[:8],
                self._say(f"by {row.by}") if row.by else "",
                spoken(row.group, self._language),
                f"{row.decisions:,}{'*' if row.few else ''}",
                f"{row.offer_share:.1%} ({low:.0%}–{high:.0%})",
                _ratio(row.offer_ratio),
                f"{row.concession_share:.1%}",
                _ratio(row.concession_ratio),
                f"{row.mean_concession:,.0f}",
                _ratio(row.mean_ratio),
            )
        return rows

    def _agents(self) -> Columns:
        rows = self._table("agent", "decisions", "nothing told", "told", "first", "another", "override rate", right=range(1, 7))
        for row in self._made.agents[:_SOME]:
            rate = "" if row.override_rate is None else f"{row.override_rate:.1%}"
            rows.add_row(row.agent, *(f"{n:,}" for n in (row.decisions, row.unanswered, row.told, row.first, row.other)), rate)
        self._more(rows, len(self._made.agents), 7)
        return rows


def paired(made: Pairs, language: Language) -> list[RenderableType]:
    """Pairs with different prices."""
    compared = counted("decision", made.examined, language)
    told = say("compared", language, compared, counted("alike", made.alike, language), counted("pair", len(made.pairs), language))
    parts: list[RenderableType] = [Text(told, style="bold")]
    if made.unreadable:
        parts.append(Text(say("unreadable", language, f"{made.unreadable:,}"), style="dim"))
    if not made.complete:
        parts.append(Text(say("not all", language), style="dim"))
    if made.pairs:
        rows = table("", *(say(name, language) for name in ("one", "other", "differ in")))
        for pair in made.pairs:
            rows.add_row(_priced(pair.one, language), _priced(pair.other, language), listed(pair.differ_in, language))
        parts += [Text(f"\n{say('pairs', language)}", style="bold"), rows]
    return parts


def _priced(one: Priced, language: Language) -> str:
    """A decision, and a line for each price on its list: the action, the tariff with its fee, what is conceded."""
    return "\n".join([one.id, *(" ".join(_price(item, one.currency, language)) for item in one.prices)])


def _price(item: Mapping[str, Any], currency: str, language: Language) -> Iterator[str]:
    yield item["action"]
    if item["tariff"] is not None:
        yield item["tariff"] if item["fee"] is None else f"{item['tariff']} {shown(item['fee'], 'money', language, currency)}"
    if item["concession"]:
        yield shown(-item["concession"], "money", language, currency)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
