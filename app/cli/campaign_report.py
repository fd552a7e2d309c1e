"""What became of a campaign, as tables for a terminal: the same sections as the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from app.campaign.report.outline import Section, Telling, about, compared, head, highlights, sections
from app.cli.columns import Columns, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.campaign.report import Report

_MOST_ROWS = 10
_BAR = 12
_MOST_BESIDE_BARS = 3
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def report_parts(report: Report, telling: Telling) -> Iterator[RenderableType]:
    """The report, part by part, for a console of 80 columns or more."""
    yield Text(report.run.campaign, style="bold")
    yield Text(" · ".join(value for _, value in about(report, telling)), style="dim")
    yield Text(compared(report, telling), style="dim")
    figures = table("", "", "", "", "", right=(1, 2))
    figures.show_header = False
    for fact in head(report, telling):
        figures.add_row(fact.title, fact.figure, fact.share, fact.moved)
    yield Text()
    yield figures
    for text in highlights(report, telling):
        yield Text(f"• {text}")
    for section in sections(report, telling):
        yield _shown(section, telling)


def _shown(section: Section, telling: Telling) -> Columns:
    bars = section.kind in ("bars", "funnel") and len(section.heads) <= _MOST_BESIDE_BARS
    wide = section.kind == "plain" and len(section.heads) > _MOST_BESIDE_BARS
    coded = not wide and any(row.id and row.id != row.title for row in section.rows)
    names = [*([section.head, ""] if coded else [section.head]), *([""] if bars else []), *section.heads]
    before = len(names) - len(section.heads)
    right = [before + place for place in range(len(section.heads)) if place not in section.words]
    made = table(f"\n{section.title}", *names, right=right)
    for row in section.rows[:_MOST_ROWS]:
        title = [row.id, row.title if row.title != row.id else ""] if coded else [row.title]
        made.add_row(*title, *([_bar(sum(row.bar))] if bars else []), *row.cells)
    if len(section.rows) > _MOST_ROWS:
        made.add_row(f"… {telling.say('more', f'{len(section.rows) - _MOST_ROWS:,}')}", *[""] * (len(names) - 1))
    return made


def _bar(length: float) -> Text:
    eighths = round(length * _BAR * 8)
    if length > 0:
        eighths = max(eighths, 1)
    whole, rest = divmod(eighths, 8)
    return Text("█" * whole + (_EIGHTHS[rest] if rest else ""), style="blue")
