"""Tables of the command line at any width: no word, id, figure or short title is broken, no head is cut, no line runs over the edge."""

from __future__ import annotations

import io
import random
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Group
from rich.text import Text
from typer.testing import CliRunner

from app.cli import app
from app.cli.breaking import Page
from app.cli.columns import Columns, table, widest_unit

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]
WORDS = (
    "a",
    "bill",
    "satisfaction_callback",
    "applicable.something_to_set_up",
    "of",
    "information",
    "¥5,900",
    "月费（元）",
    "套餐",
    "近7天",
)

WHOLE = {"below", *(found for word in WORDS for found in re.findall(r"[!-~¥]+", word))}


def printed(made: Columns, width: int) -> list[str]:
    page = Page(width=width, file=io.StringIO(), highlight=False)
    page.print(made)
    return page.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def test_all_on_one_line_where_there_is_room() -> None:
    """Columns are as wide as what stands in them."""
    made = table("Actions", "action", "title", "count", right=(2,))
    made.add_row("care_call", "Care call without an offer", "7")
    assert [line.rstrip() for line in printed(made, 60)] == [
        "Actions",
        "action     title                       count",
        "care_call  Care call without an offer      7",
    ]


def test_lines_break_between_words_where_it_saves_most() -> None:
    """An id keeps its width, and what is said at length gets what is left."""
    made = table("", "action", "title", "because")
    made.add_row("satisfaction_callback", "A check", "nobody has called since the case was closed, and nobody has written either")
    assert [line.rstrip() for line in printed(made, 60)] == [
        "action                 title    because",
        "satisfaction_callback  A check  nobody has called since the",
        "                                case was closed, and nobody",
        "                                has written either",
    ]


def test_columns_come_below_each_other_where_their_words_do_not_fit() -> None:
    """The second below the first, set in, as often as it takes; in the head too; an empty cell takes no line."""
    made = table("", "action", "title", "kind")
    made.add_row("satisfaction_callback", "Satisfaction check", "information")
    made.add_row("hear_out", "", "care")
    assert [line.rstrip() for line in printed(made, 36)] == [
        "action",
        "  title                kind",
        "satisfaction_callback  information",
        "  Satisfaction check",
        "hear_out               care",
    ]
    assert [line.rstrip() for line in printed(made, 24)] == [
        "action",
        "  title",
        "  kind",
        "satisfaction_callback",
        "  Satisfaction check",
        "  information",
        "hear_out",
        "  care",
    ]


def test_figures_stay_on_their_line() -> None:
    """Where a word would go to the next line, a figure does not."""
    made = table("", "group", "with an offer", "mean", right=(1, 2))
    made.add_row("the first of several", "45.0% (40%–50%)", "¥1 → ¥2")
    assert [line.rstrip() for line in printed(made, 36)] == [
        "group         with an offer     mean",
        "the first   45.0% (40%–50%)  ¥1 → ¥2",
        "of several",
    ]


def test_heads_stay_on_one_line_where_there_is_room() -> None:
    """Before a text is given more; where there is none they are broken between their words."""
    made = table("", "name", "approved by", "note")
    made.add_row("ann", "bob", "looked at it twice and found nothing to say against it")
    assert printed(made, 40)[0].split("  ")[1:3] == ["approved by", "note"]
    assert [line.split() for line in printed(made, 24)[:2]] == [["approved"], ["name", "by", "note"]]


def test_names_give_way_before_columns_come_below_each_other() -> None:
    """What people call themselves may be broken; a time may not."""
    made = table("", "digest", "by", "at", whole=(2,), loose=(1,))
    made.add_row("0b3b6ba7d9a2", "ann.lee@marketing.department.example", "2026-11-22 10:00:00Z")
    assert [line.rstrip() for line in printed(made, 52)] == [
        "digest        by                at",
        "0b3b6ba7d9a2  ann.lee@marketin  2026-11-22 10:00:00Z",
        "              g.department.exa",
        "              mple",
    ]


def test_short_titles_of_chinese_are_not_broken() -> None:
    """Eight characters stay together, as words do; longer ones are broken as text is."""
    made = table("", "动作", "名称", "原因")
    made.add_row("care_call", "跨部门快速处理", "该资费未在售，或不对该用户开放，请先核对方案编号与办理条件后再行推荐。")
    for width in range(36, 90):
        assert any("跨部门快速处理" in line for line in printed(made, width))
    assert widest_unit("跨部门快速处理") == 14
    assert widest_unit("该资费未在售，或不对该用户开放") == 16


def test_what_looks_like_markup_is_text() -> None:
    """A cell is printed as it is."""
    made = table("", "before", "after")
    made.add_row("[bold]", "[red]x[/red]")
    assert printed(made, 40)[1].split() == ["[bold]", "[red]x[/red]"]


def test_nothing_is_broken_at_any_width() -> None:
    """Random tables in both languages: as soon as the widest word has room, all words are whole and no line is too wide."""
    chance = random.Random(4)
    for _ in range(60):
        columns = chance.randint(1, 5)
        made = table("", *(chance.choice(WORDS) for _ in range(columns)))
        cells = [[" ".join(chance.choices(WORDS, k=chance.randint(1, 6))) for _ in range(columns)] for _ in range(chance.randint(1, 5))]
        for row in cells:
            made.add_row(*(Group(Text(cell), Text("below")) if chance.random() < 0.2 else cell for cell in row))
        for width in (36, 60, 80, 100, 140):
            lines = printed(made, width)
            assert max(map(cell_len, lines)) <= width
            assert set(re.findall(r"[!-~¥]+", " ".join(lines))) <= WHOLE


@pytest.mark.parametrize("width", ["80", "100"])
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_what_a_pack_holds_is_readable(width: str, locale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every id in one piece, every word of a title whole, and the phases by their full names."""
    monkeypatch.setenv("WANLIU_PACK", str(ROOT))
    monkeypatch.setenv("COLUMNS", "400")
    wide = CliRunner().invoke(app, ["pack", "show", "--locale", locale]).stdout
    monkeypatch.setenv("COLUMNS", width)
    text = CliRunner().invoke(app, ["pack", "show", "--locale", locale]).stdout
    assert max(map(cell_len, text.splitlines())) <= int(width)
    codes = set(re.findall(r"[a-z0-9]+(?:[._][a-z0-9_]+)+|EX26CN\d+", wide))
    assert len(codes) > 150
    assert codes <= set(re.findall(r"[a-z0-9]+(?:[._][a-z0-9_]+)+|EX26CN\d+", text))
    assert ("Retention" in text and "information" in text) if locale == "en" else ("维系、预防" in text)
    if locale == "en":
        assert set(re.findall(r"[A-Za-z'’-]+", wide)) == set(re.findall(r"[A-Za-z'’-]+", text))
