"""Lists for local teams: what stands on them, and what does not."""

from __future__ import annotations

import csv
import datetime
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.campaign.lists import COLUMNS, FILLED_IN, GOING, masked, team_list, write_lists
from app.engine.texts import Language
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

DAY = datetime.date(2026, 11, 23)
DECISION = "01930000-0000-8000-8000-00000000000{}"


def going(*given: dict[str, Any]) -> pl.DataFrame:
    common = {"action": "care_call", "day": 1, "team": "haidian", "number": "13812345678", "words": "How is your line?", "until": DAY}
    return pl.DataFrame([{**common, "row": n, "decision": DECISION.format(n), **row} for n, row in enumerate(given)], dict(GOING))


def signals(*given: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(given), {"row": pl.Int64, "signal": pl.String, "level": pl.String, "figure": pl.String}, orient="row")


def listed(*given: dict[str, Any], held: tuple[tuple[Any, ...], ...] = (), language: Language = "en") -> pl.DataFrame:
    return team_list(going(*given), signals(*held), shipped(), DAY, language)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13812345678", "138****5678"),
        (" 13812345678 ", "138****5678"),
        ("+8613812345678", "+86*******5678"),
        ("010123456", "*****3456"),
        ("12345678", "******78"),
        ("12345", "****45"),
        ("1234", "****"),
        ("", "****"),
        (None, None),
    ],
)
def test_a_number_is_never_shown_whole(number: str | None, shown: str | None) -> None:
    """Eleven digits keep the first three and the last four, as people in mainland China know it; shorter ones keep less."""
    found = pl.DataFrame({"n": [number]}, {"n": pl.String}).select(masked(pl.col("n")))["n"].to_list()
    assert found == [shown]


def test_a_row_says_what_the_work_needs() -> None:
    """Signals strongest first with their evidence, the care by its title, when it is due and until when it is good."""
    row = listed(
        {"day": 2, "until": datetime.date(2026, 12, 6)},
        held=((0, "relation.no_care", "high", "No care for 200 days."), (0, "four_high.tariff", "severe", "¥80 in calls.")),
    )
    assert row.columns == list(COLUMNS)
    found = row.row(0, named=True)
    pack = shipped()
    tariff, care = (pack.signals[name].title.say("en") for name in ("four_high.tariff", "relation.no_care"))
    assert found["number"] == "138****5678"
    assert found["flags"] == f"{tariff} (severe), {care} (high)"
    assert found["figure"] == "¥80 in calls. No care for 200 days."
    assert found["care"] == pack.by_id["care_call"].title.say("en")
    assert (found["due"], found["until"]) == (datetime.date(2026, 11, 24), datetime.date(2026, 12, 6))
    assert (found["words"], found["decision"], found["action"]) == ("How is your line?", DECISION.format(0), "care_call")
    assert {found[name] for name in FILLED_IN} == {None}


def test_a_list_says_nothing_more() -> None:
    """No id, no score, no value, no whole number."""
    assert not {"subscriber", "row", "score", "value"} & set(COLUMNS)
    assert "13812345678" not in listed({}).write_csv()


def test_signals_that_not_everybody_may_see_are_not_on_a_list() -> None:
    """A list goes through many hands: what tells of risk or of VIP reasoning stays in the service, its evidence too."""
    held = ((0, "churn.score_high", "severe", "Likely to leave."), (0, "relation.no_care", "high", "No care for 200 days."))
    row = listed({}, held=held).row(0, named=True)
    assert (row["flags"], row["figure"]) == (f"{shipped().signals['relation.no_care'].title.say('en')} (high)", "No care for 200 days.")


def test_chinese_lists_are_in_chinese() -> None:
    """Titles, levels and what stands between them."""
    row = listed({}, held=((0, "four_high.tariff", "high", "通话费80元。"), (0, "four_high.traffic", "high", None)), language="zh").row(
        0, named=True
    )
    assert row["flags"] == "高资费（高）、高流量（高）"
    assert row["figure"] == "通话费80元。"
    assert row["care"] == shipped().by_id["care_call"].title.say("zh")


def test_whose_it_is_comes_from_the_action_or_is_the_team() -> None:
    """An action that opens a case says who owns it."""
    found = listed({"action": "fix_open_fault"}, {"action": "care_call"})
    assert dict(found.select("action", "owner").iter_rows()) == {"fix_open_fault": "network_desk", "care_call": "haidian"}


def test_rows_stand_by_team_day_and_decision() -> None:
    """Whoever has no team comes last."""
    found = listed({"team": None}, {"team": "b", "day": 2}, {"team": "b"}, {"team": "a"})
    assert [decision[-1] for decision in found["decision"]] == ["3", "2", "1", "0"]


def test_every_team_has_a_file_that_a_spreadsheet_opens(tmp_path: Path) -> None:
    """In UTF-8 with a mark, the columns named in the language; and all of it as Parquet, dates as dates."""
    rows = listed({"team": "海淀/上地"}, {"team": "b"}, {"team": None}, language="zh")
    files = write_lists(rows, tmp_path / "lists", "zh")
    assert sorted(path.name for path in files) == ["all.parquet", "b.csv", "no-team.csv", "海淀_上地.csv"]
    content = (tmp_path / "lists" / "海淀_上地.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    head, row = csv.reader(content.decode("utf-8-sig").splitlines())
    assert head == [chinese for _, chinese in COLUMNS.values()]
    assert row[0] == "138****5678"
    assert pl.read_parquet(files[-1]).equals(rows)


def test_only_the_user_of_the_service_may_read_a_list(tmp_path: Path) -> None:
    """Also one that was there before."""
    (tmp_path / "b.csv").touch(mode=0o644)
    for path in write_lists(listed({"team": "b"}), tmp_path, "en"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_teams_whose_names_meet_have_files_of_their_own(tmp_path: Path) -> None:
    """Names that files cannot have are bent, and none leaves the folder."""
    names = ["a/b", "a:b", "A_B", "..", "/", "x" * 300]
    files = write_lists(listed(*({"team": name} for name in names)), tmp_path, "en")
    assert len({path.name.casefold() for path in files}) == len(names) + 1
    assert {path.parent for path in files} == {tmp_path}
    assert not [path.name for path in files if path.name.startswith(".")]


def test_no_cell_is_taken_for_a_formula(tmp_path: Path) -> None:
    """What a spreadsheet would run stands behind an apostrophe."""
    (path, _) = write_lists(listed({"team": "b", "words": "=cmd|' /C calc'!A0"}), tmp_path, "en")
    assert "'=cmd" in path.read_text("utf-8-sig")
