"""A report as one HTML file that needs nothing else: no script, no font, nothing from elsewhere. Reads on paper and in the dark."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from app.campaign.report.markup import Markup, element, joined
from app.campaign.report.outline import Fact, Row, Section, Telling, about, began, compared, head, highlights, sections
from app.campaign.report.plots import bar, buckets_in_use, funnel, spread

if TYPE_CHECKING:
    from app.campaign.report.run import Report

_FOLDER = Path(__file__).parent
_MOST_ROWS = 12
_LANG = {"zh": "zh-CN", "en": "en"}


def as_html(report: Report, telling: Telling) -> str:
    """The report as a page."""
    page = Template((_FOLDER / "page.html").read_text("utf-8"))
    title = joined(f"{report.run.campaign} · {telling.say('report')}")
    body = joined(_head(report, telling), _main(sections(report, telling), telling), element("footer", telling.say("footer")))
    return page.substitute(lang=_LANG[telling.language], title=title, style=(_FOLDER / "page.css").read_text("utf-8"), body=body)


def _head(report: Report, telling: Telling) -> Markup:
    taken = [element("li", text) for text in highlights(report, telling)]
    told = [element("div", element("dt", name), element("dd", value)) for name, value in about(report, telling)]
    return element(
        "header",
        element("p", telling.say("report"), " · ", telling.say("run", began(report.run, telling)), class_="kicker"),
        element("h1", report.run.campaign),
        element("dl", *told, class_="about"),
        element("p", compared(report, telling), class_="compared"),
        element("ul", *taken, class_="highlights") if taken else None,
        element("ul", *map(_tile, head(report, telling)), class_="tiles"),
    )


def _tile(fact: Fact) -> Markup:
    moved = element("span", fact.moved, class_="name") if fact.moved else None
    return element("li", element("span", fact.title, class_="name"), element("b", fact.figure), " ", element("span", fact.share), moved)


def _main(made: list[Section], telling: Telling) -> Markup:
    links = [element("li", element("a", section.title, href=f"#{section.id}")) for section in made]
    contents = element("nav", element("ul", *links), aria_label=telling.say("contents"))
    return element("main", contents, *(_section(section, telling) for section in made))


def _section(section: Section, telling: Telling) -> Markup:
    drawn = {"funnel": _with_funnel, "spread": _with_spreads}.get(section.kind, _with_bars)(section, telling)
    titled = element("h2", section.title, id=f"{section.id}-title")
    note = element("p", section.note, class_="note")
    return element("section", titled, note, drawn, id=section.id, aria_labelledby=f"{section.id}-title")


def _with_funnel(section: Section, telling: Telling) -> Markup:
    steps = [(row.title, row.cells[0], row.bar[0]) for row in section.rows]
    return element("div", funnel(steps, section.title), _table(section, section.rows, telling, bars=False), class_="beside")


def _with_spreads(section: Section, telling: Telling) -> Markup:
    first, end = buckets_in_use([row.bar for row in section.rows])
    drawn = [
        element("figure", element("figcaption", row.title), spread(row.bar, first, end, f"{section.title}: {row.title}"))
        for row in section.rows
    ]
    return joined(element("div", *drawn, class_="spreads"), _table(section, section.rows, telling, bars=False))


def _with_bars(section: Section, telling: Telling) -> Markup:
    shown, rest = section.rows[:_MOST_ROWS], section.rows[_MOST_ROWS:]
    bars = section.kind == "bars"
    more = telling.say("more", f"{len(rest):,}")
    return joined(
        _legend(section.series) if section.series else None,
        _table(section, shown, telling, bars=bars),
        element("details", element("summary", more), _table(section, rest, telling, bars=bars)) if rest else None,
    )


def _legend(series: tuple[str, ...]) -> Markup:
    drawn = [_key(place, name) for place, name in enumerate(series)]
    return element("ul", *drawn, class_="legend levels" if len(series) > 2 else "legend")


def _key(place: int, name: str) -> Markup:
    square = element("svg", element("rect", width=10, height=10, class_=f"part{place}"), viewBox="0 0 10 10", aria_hidden="true")
    return element("li", square, name)


def _table(section: Section, rows: tuple[Row, ...], telling: Telling, *, bars: bool) -> Markup:
    heads = [element("th", name, scope="col", class_=_align(section, place)) for place, name in enumerate(section.heads)]
    drawn = element("th", element("span", telling.say("drawn"), class_="unseen"), scope="col", class_="drawn") if bars else None
    top = element("thead", element("tr", element("th", section.head, scope="col"), drawn, *heads))
    body = element("tbody", *(_row(section, row, bars=bars) for row in rows))
    levels = "levels" if len(section.series) > 2 else None
    return element("div", element("table", top, body, class_=levels), class_="wide")


def _row(section: Section, row: Row, *, bars: bool) -> Markup:
    code = element("code", row.id) if row.id and row.id != row.title else None
    told = f"{row.title}: {row.cells[0] if len(section.series) < 3 else ', '.join(filter(None, row.cells))}"
    drawn = element("td", bar(row.bar, told), class_="drawn") if bars else None
    cells = [element("td", cell, class_=_cell(section, place, cell)) for place, cell in enumerate(row.cells)]
    return element("tr", element("th", row.title, code, scope="row"), drawn, *cells)


def _align(section: Section, place: int) -> str | None:
    return None if place in section.words else "figures"


def _cell(section: Section, place: int, cell: str) -> str | None:
    moved = " up" if cell.startswith("▲") else " down" if cell.startswith("▼") else ""
    aligned = _align(section, place)
    return aligned and aligned + moved
