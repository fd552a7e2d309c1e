"""The report of a campaign: as sections, as one page that needs nothing else, as JSON, and in a terminal."""

from __future__ import annotations

import datetime
import io
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import orjson
import polars as pl
import pytest
from rich.cells import cell_len
from rich.console import Console

from app.campaign.figures import EDGES, Figures
from app.campaign.problems import TableError
from app.campaign.report import Limited, Report, Run, Section, Telling, as_html, as_json, report_of, sections, titles_for
from app.campaign.report.outline import about, compared, head, highlights, reached
from app.campaign.report.plots import bar, buckets_in_use, funnel, short, spread
from app.campaign.report.words import _WORDS
from app.campaign.watch import Day, Effect, SignalMoves, TierShare
from app.cli.campaign_report import report_parts
from app.engine.texts import LANGUAGES, Language
from tests.decided import decisions, frames
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

STARTED = datetime.datetime(2026, 11, 22, 21, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
VOID = {"meta", "rect", "line", "polygon"}


def run(**changes: Any) -> Run:
    given = {"campaign": "autumn care", "pack": "telco 1.0", "digest": "sha256:aa", "source": "in.parquet", "channel": "outbound_call"}
    return Run(**{**given, "started": STARTED, "seconds": 83.4, **changes})


def small(**counts: Any) -> Figures:
    found = Figures(read=100, decided=100)
    found.lengths.update({0: 40, 1: 60})
    for name, values in counts.items():
        getattr(found, name).update(values)
    return found


def whole() -> Figures:
    found = Figures()
    found.add(frames(shipped(), decisions(5, 300)))
    found.unknown = Counter({"plan.id": 41, "value.annual": 17})
    found.rejected_rows(7, {("<b>fee</b>", "expected a number"): 6, ("", "the row is too long"): 1})
    found.hold({("care_call", "capacity", "outbound_call"): 9, ("topup_rebate", "budget", "concession"): 30}, 190, 11)
    return found


def told(language: Language) -> Telling:
    return Telling(language, shipped().currency, titles_for(shipped(), language))


def section(report: Report, name: str, language: Language = "en") -> Section:
    return next(found for found in sections(report, told(language)) if found.id == name)


def full(campaign: str = "autumn care") -> Report:
    last = Figures()
    last.add(frames(shipped(), decisions(8, 200)))
    earlier = Report(run(digest="sha256:bb", started=STARTED - datetime.timedelta(days=1)), last)
    return Report(run(campaign=campaign), whole(), earlier, watched())


class Page(HTMLParser):
    """Sees that every element is closed, and what a page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.unlabelled = list[str](), set[str](), set[str](), set[str](), 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids.add(given.get("id") or "")
        self.links.update(value or "" for name, value in attrs if name in ("href", "src", "srcset", "action"))
        self.unlabelled += tag == "svg" and not given.get("aria-label") and given.get("aria-hidden") != "true"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_and_needs_nothing_else(language: Language) -> None:
    """Every element is closed, every link stays on the page, and there is no script, picture, font or frame."""
    text = as_html(full(), told(language))
    page = Page(text)
    assert page.open == []
    assert page.links
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert not page.tags & {"script", "img", "link", "iframe", "form", "object"}
    assert "url(" not in text
    assert "@import" not in text
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in text
    assert "default-src 'none'" in text


def test_every_drawing_has_a_title_and_a_table_beside_it() -> None:
    """Whoever does not see it reads it."""
    page = as_html(full(), told("en"))
    assert Page(page).unlabelled == 0
    assert page.count("<svg") - page.count('aria-hidden="true"') == len(re.findall(r"<svg[^>]*><title>[^<]", page))
    for part in re.findall(r"<section.*?</section>", page, re.DOTALL):
        assert "<table" in part
        assert '<th scope="row">' in part


def test_the_same_report_gives_the_same_page() -> None:
    """To the byte."""
    assert as_html(full(), told("zh")) == as_html(full(), told("zh"))


def test_what_others_wrote_stays_text() -> None:
    """A campaign, a file or a column cannot bring markup into the page."""
    page = as_html(full("<script>alert(1)</script> $body"), told("en"))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $body" in page
    assert "&lt;b&gt;fee&lt;/b&gt;" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_the_language(language: Language) -> None:
    """Titles, notes, heads and sentences: no Chinese in English, and in Chinese no English but names and codes."""
    report, telling = full(), told(language)
    made = [text for part in sections(report, telling) for text in (part.title, part.note, part.head, *part.heads, *part.series)]
    made += [*highlights(report, telling), compared(report, telling), *(fact.title for fact in head(report, telling))]
    made += [name for name, _ in about(report, telling)]
    for text in made:
        chinese = bool(re.search("[\u4e00-\u9fff]", text))
        assert chinese == (language == "zh"), text


def test_both_languages_say_the_same_things() -> None:
    """With the same slots."""
    for name, (english, chinese) in _WORDS.items():
        assert sorted(re.findall(r"\{\w*\}", english)) == sorted(re.findall(r"\{\w*\}", chinese)), name


def test_a_section_has_the_most_frequent_first_with_shares_of_those_decided() -> None:
    """And the longest bar is the whole length."""
    found = section(Report(run(), small(phases={"prevention": 25, "rescue": 75})), "phases")
    assert [(row.id, row.title, row.cells, row.bar) for row in found.rows] == [
        ("rescue", "Rescue", ("75", "75.0%"), (1.0,)),
        ("prevention", "Prevention", ("25", "25.0%"), (25 / 75,)),
    ]


def test_facts_that_were_wanted_and_not_known_are_told_by_their_titles() -> None:
    """The one that is missing most first, which is told at the head of the report too; histories are among them."""
    report = Report(run(), small(unknown={"pay.overdue_days": 25, "contacts": 60, "events": 5}))
    for language, titles in (("en", ("Contact history", "Days overdue", "Events")), ("zh", ("接触历史", "欠费天数", "事件记录"))):
        found = section(report, "unknown", language)
        assert [row.id for row in found.rows] == ["contacts", "pay.overdue_days", "events"]
        assert tuple(row.title for row in found.rows) == titles
        assert [row.cells for row in found.rows] == [("60", "60.0%"), ("25", "25.0%"), ("5", "5.0%")]
    assert highlights(report, told("en"))[-1] == "The fact that is missing most is “Contact history”: in 60.0% of decisions (60)."
    assert highlights(report, told("zh"))[-1] == "缺失最多的事实是“接触历史”，涉及60户（60.0%）。"


def test_changes_are_in_points_of_the_share() -> None:
    """Runs of different size compare; what is new is called new, and what is gone is still told."""
    before = Figures(read=400, decided=400)
    before.phases.update({"rescue": 200, "retention": 100, "hands_off": 100})
    now = small(phases={"rescue": 60, "prevention": 15, "retention": 25})
    rows = section(Report(run(), now, Report(run(), before)), "phases").rows
    assert {row.id: row.cells[2] for row in rows} == {"rescue": "▲ 10.0", "retention": "=", "prevention": "new", "hands_off": "▼ 25.0"}
    assert rows[-1].cells[:2] == ("0", "0.0%")


def test_levels_of_a_signal_stand_beside_each_other() -> None:
    """Watch, high, severe; the bar has a part for each."""
    row = section(Report(run(), small(signals={("vip.tier_differs", "high"): 30, ("vip.tier_differs", "severe"): 20})), "signals").rows[0]
    assert row.cells == ("", "30", "20", "50", "50.0%")
    assert row.bar == (0.0, 0.6, 0.4)


def test_an_action_has_its_first_places_lists_and_concession() -> None:
    """The concession only where there is one."""
    now = small(ranks={("topup_rebate", 1): 20, ("topup_rebate", 2): 30, ("care_call", 1): 10}, given={"topup_rebate": 250000})
    rows = section(Report(run(), now), "actions").rows
    assert [(row.id, row.cells) for row in rows] == [
        ("topup_rebate", ("20", "50", "50.0%", "¥2,500")),
        ("care_call", ("10", "10", "10.0%", "")),
    ]
    assert rows[0].bar == (0.4, 0.6)


def test_lengths_of_lists_stand_in_order() -> None:
    """From nothing up, however many there are of each."""
    found = section(Report(run(), small(lengths={2: 7, 10: 30})), "lengths")
    assert [row.title for row in found.rows] == ["0", "1", "2", "10"]


def test_clauses_of_contact_policy_and_guardrails_have_their_titles() -> None:
    """Others belong to the action's own gates, and are told with the causes."""
    kept_out = {("a", "suppressed", "abroad_call"): 4, ("a", "not_applicable", "x"): 9, ("b", "guardrail", "let_go"): 6}
    found = Report(run(), small(kept_out=kept_out))
    assert [(row.id, row.cells) for row in section(found, "clauses").rows] == [("let_go", ("6",)), ("abroad_call", ("4",))]
    assert section(found, "clauses").heads == ("times",)
    assert section(found, "clauses").rows[1].title == shipped().contact_rules["abroad_call"].title.say("en")
    assert [(row.id, row.title) for row in section(found, "causes").rows] == [
        ("not_applicable", "not applicable"),
        ("guardrail", "guardrail"),
        ("suppressed", "suppressed"),
    ]


def test_actions_that_reached_nobody_are_told_with_what_kept_them_back() -> None:
    """But for those that another channel has; the phase is no news either."""
    kept_out = {
        ("care_call", "not_applicable", "phase"): 90,
        ("care_call", "suppressed", "abroad_call"): 10,
        ("topup_rebate", "not_applicable", "channel"): 100,
        ("farewell", "outranked", "max_actions"): 3,
    }
    rows = section(Report(run(), small(kept_out=kept_out)), "silent").rows
    assert [(row.id, row.cells[1]) for row in rows] == [
        ("care_call", f"suppressed · {shipped().contact_rules['abroad_call'].title.say('en')}"),
        ("farewell", "outranked · the list was full"),
    ]


def test_what_is_held_is_told_by_cause_and_limit() -> None:
    """With the actions it meets most; the funnel ends with what goes out."""
    report = Report(run(), small())
    report.figures.hold({("care_call", "capacity", "outbound_call"): 9, ("farewell", "capacity", "outbound_call"): 3}, 50, 10)
    row = section(report, "held").rows[0]
    assert (row.id, row.title) == ("outbound_call", "no room left")
    assert row.cells == ("12", f"{shipped().by_id['care_call'].title.say('en')} 9 · {shipped().by_id['farewell'].title.say('en')} 3")
    assert [row.cells[0] for row in section(report, "funnel").rows] == ["100", "100", "60", "50"]
    assert "60 of 100 subscribers (60.0%) have something to do; for 10 of them" in highlights(report, told("en"))[0]
    assert [row.cells[0] for row in section(Report(run(), small()), "funnel").rows] == ["100", "100", "60"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_limits_came_to_comes_first(language: Language) -> None:
    """That complaints stopped it, what goes out costs, and which limit is too small for what is owed; a run without limits says nothing."""
    limited = Limited(12_300, 4_550, Counter(outbound_call=3), 2_000, 9)  # as limits count it
    expected = (
        [
            "因投诉熔断：本活动已触达2,000人，其中9人投诉骚扰营销。其余名单不再决策，除应办事项外一律不执行。",
            "本次执行让利合计123元，触达成本45.50元。",
            "应办事项的触达有3次超出限额“outbound_call”，该限额不足以办完应办事项。",
        ]
        if language == "zh"
        else [
            "Stopped for complaints: 9 of the 2,000 people whom campaigns of this name had contacted complained about unsolicited selling. "
            "Nobody further was decided about, and nothing goes out but what is owed.",
            "What goes out gives away ¥123; the contacts cost ¥45.50.",
            "Contacts that are owed went out beyond the limit “outbound_call”: 3. It is too small for what is owed.",
        ]
    )
    assert highlights(Report(run(), small(), limited=limited), told(language))[:3] == expected
    assert highlights(Report(run(), Figures(), limited=limited), told(language)) == expected
    assert as_json(Report(run(), small(), limited=limited))["limits"] == {
        "given": 12_300,
        "cost": 4_550,
        "beyond": {"outbound_call": 3},
        "contacted": 2_000,
        "complaints": 9,
    }
    assert as_json(Report(run(), small()))["limits"] is None


def test_a_section_about_nothing_is_left_out() -> None:
    """And a run that read nothing still has a page."""
    nothing = Report(run(seconds=0.0), Figures())
    assert sections(nothing, told("en")) == []
    assert Page(as_html(nothing, told("en"))).open == []


@pytest.mark.parametrize(
    ("buckets", "half", "tenth"),
    [({3: 10}, "5", "5"), ({1: 5, 4: 5}, "10", "10"), ({1: 6, 4: 4}, "1", "10"), ({0: 8}, "< 1", "< 1"), ({}, "", "")],
)
def test_what_half_of_the_scores_reach_is_the_edge_of_a_bucket(buckets: dict[int, int], half: str, tenth: str) -> None:
    """The largest one that at least half, or a tenth, of them reach."""
    counts = [buckets.get(place, 0) for place in range(len(EDGES) + 1)]
    assert (reached(counts, 0.5), reached(counts, 0.1)) == (half, tenth)


def test_highlights_say_what_moved_most() -> None:
    """With its direction; a run that is the same as the last says nothing of it."""
    before, now = small(phases={"rescue": 50, "prevention": 50}), small(phases={"rescue": 20, "prevention": 70, "retention": 10})
    assert highlights(Report(run(), now, Report(run(), before)), told("en"))[-1].endswith("“Rescue”: down 30.0 points.")
    assert highlights(Report(run(), now, Report(run(), before)), told("zh"))[-1].endswith("“挽留”，占比下降30.0个百分点。")
    assert len(highlights(Report(run(), now, Report(run(), now)), told("en"))) == len(highlights(Report(run(), now), told("en")))


def test_the_head_tells_how_figures_moved() -> None:
    """Rows by their number, the rest by points of the share; no comparison, no words."""
    before = small()
    before.read = 90
    facts = {fact.id: (fact.share, fact.moved) for fact in head(Report(run(), small(), Report(run(), before)), told("en"))}
    assert facts["read"] == ("", "▲ 10 since last run")
    assert facts["decided"] == ("100.0%", "▼ 11.1 points since last run")
    assert facts["nothing"] == ("40.0%", "as in the last run")
    assert list(facts) == ["read", "decided", "with_actions", "nothing", "rejected"]
    assert [fact.id for fact in head(full(), told("en"))][4] == "emptied"
    assert {fact.moved for fact in head(Report(run(), small()), told("en"))} == {""}


def test_a_run_says_with_which_pack_the_last_one_was_made() -> None:
    """Where it was another one."""
    same, other = Report(run(), small()), Report(run(digest="sha256:0123456789abcdef"), small())
    assert compared(Report(run(), small(), same), told("en")) == "Compared with the run of 2026-11-22 21:30 (UTC+08:00)"
    assert compared(Report(run(), small(), other), told("zh")).endswith("。上次使用的是另一规则包（telco 1.0 · 0123456789ab）。")
    assert compared(same, told("en")).startswith("The first run")


def test_json_is_read_as_it_was_written() -> None:
    """The figures are whole, and the run before is named."""
    written = orjson.loads(orjson.dumps(as_json(full())))
    again = report_of(written)
    assert again.run == full().run
    assert again.figures.as_json() == full().figures.as_json()
    assert written["last_run"] == {"started": "2026-11-21T21:30:00+08:00", "digest": "sha256:bb"}


@pytest.mark.parametrize("data", [None, {}, {"run": {}, "figures": {}}, {**as_json(Report(run(), Figures())), "run": {"started": "x"}}])
def test_what_is_no_report_is_refused(data: Any) -> None:
    """With a message, not a traceback."""
    with pytest.raises(TableError, match="no report of a campaign"):
        report_of(data)


def test_a_funnel_is_as_wide_as_its_shares() -> None:
    """The first step has the whole width, the others their share of it."""
    widths = [float(found) for found in re.findall(r'<rect[^>]* width="([\d.]+)"', funnel([("a", "4", 1.0), ("b", "1", 0.25)], "t"))]
    assert widths[1] == pytest.approx(widths[0] / 4)


def test_a_bar_is_cut_into_its_parts() -> None:
    """One after the other, and nothing for what is not there."""
    found = re.findall(r'x="([\d.]+)"[^>]* width="([\d.]+)"[^>]* class="(\w+)"', bar([0.2, 0.0, 0.3, 0.5], "t"))
    assert found == [("0", "20", "part0"), ("20", "30", "part2"), ("50", "50", "part3")]


def test_spreads_are_drawn_over_the_same_scores() -> None:
    """From the first bucket that any of them uses to the last."""
    assert buckets_in_use([(0, 0, 1, 0), (0, 0.5, 0, 0)]) == (1, 3)
    assert buckets_in_use([]) == (0, 1)
    drawn = spread([0, 0.5, 1, 0], 1, 3, "t")
    assert drawn.count("<rect") == 2
    assert ">1<" in drawn


def watched(since: bool = True) -> Day:
    moves = (
        SignalMoves("four_high.tariff", {"high": 30, "severe": 10}, 50, 5, 12, 3, 2, 1),
        SignalMoves("four_high.traffic", {"high": 20}, 20, 0, 0, 0, 0, 0),
    )
    tiers = (TierShare("gold", 30, 0.3, 0.03), TierShare("silver", 5, 0.05, 0.06), TierShare("none", 65, 0.65, None))
    effects = (
        Effect("four_high.tariff", 70, 56, 80, 48, (0.0524, 0.3339)),
        Effect("four_high.traffic", 10, 1, 10, 6, (-0.8, -0.1)),
        Effect("four_high.stack", 3, 1, 0, 0, None),
    )
    day = datetime.date(2026, 11, 22)
    earlier = datetime.date(2026, 11, 21) if since else None
    return Day(day, earlier, 100, moves, tiers, effects if since else (), pl.DataFrame(), pl.DataFrame())


def test_what_is_watched_is_told_where_it_was_watched() -> None:
    """How carriers moved, shares against their limits, and whether care did any good."""
    report = Report(run(), small(), watch=watched())
    moves = section(report, "watch")
    assert moves.note.startswith("How carriers of the watched signals moved since 2026-11-21.")
    assert moves.rows[0].cells == ("40", "50", "5", "12", "2", "1", "3")
    assert [row.bar for row in moves.rows] == [(1.0,), (0.5,)]
    assert [row.cells for row in section(report, "tiers").rows] == [
        ("30", "30.0%", "3.0%", "over the limit"),
        ("5", "5.0%", "6.0%", "within the limit"),
        ("65", "65.0%", "", ""),
    ]
    assert [row.cells for row in section(report, "effects").rows] == [
        ("56/70 (80.0%)", "48/80 (60.0%)", "▲ 20.0", "5.2 to 33.4", "works"),
        ("1/10 (10.0%)", "6/10 (60.0%)", "▼ 50.0", "-80.0 to -10.0", "does harm"),
        ("1/3 (33.3%)", "", "", "", "unclear"),
    ]
    assert as_json(report)["watch"] == watched().as_json()
    assert not {part.id for part in sections(Report(run(), small()), told("en"))} & {"watch", "tiers", "effects"}


def test_a_first_day_of_watching_has_no_moves_to_tell() -> None:
    """The table says how many carry each, and the note when there will be more."""
    found = section(Report(run(), small(), watch=watched(since=False)), "watch")
    assert found.rows[0].cells == ("40",)
    assert found.note.startswith("The first run that is watched")


@pytest.mark.parametrize("language", LANGUAGES)
def test_alarms_stand_among_the_highlights(language: Language) -> None:
    """A tier over its limit, care that does good, and care that does harm; what is unclear is not said."""
    found = highlights(Report(run(), small(), watch=watched()), told(language))[-3:]
    assert found == (
        [
            "“金卡”占比超限：实际30.0%，上限3.0%。",
            "对“高资费”的关怀有效：消失比例高出20.0个百分点。",
            "对“高流量”的关怀适得其反：消失比例低了50.0个百分点，请在下次运行前查明原因。",
        ]
        if language == "zh"
        else [
            "The tier “gold” is over its limit: 30.0% of subscribers hold it, and 3.0% should.",
            "Care did good with “High tariff”: 20.0 points more often gone.",
            "Care did harm with “High traffic”: 50.0 points less often gone. Find out why before the next run.",
        ]
    )


@pytest.mark.parametrize(("number", "text"), [(1.0, "1"), (100.0, "100"), (1000.0, "1k"), (100000.0, "100k"), (1e6, "1M"), (1e8, "100M")])
def test_an_axis_has_short_numbers(number: float, text: str) -> None:
    """Thousands and millions by their letter."""
    assert short(number) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_terminal_shows_the_same_within_80_columns(language: Language) -> None:
    """Titles of all sections, no line too wide."""
    console = Console(width=80, record=True, file=io.StringIO(), highlight=False)
    for part in report_parts(full(), told(language)):
        console.print(part)
    text = console.export_text()
    assert max(map(cell_len, text.splitlines())) <= 80
    for part in sections(full(), told(language)):
        assert f"\n{part.title}\n" in text
