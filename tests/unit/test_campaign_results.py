"""Filled-in lists: which outcomes they tell, and which rows are refused."""

from __future__ import annotations

import csv
import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.campaign import taking
from app.campaign.lists import COLUMNS
from app.campaign.problems import TableError
from app.campaign.results import Result, Results, read_results
from app.campaign.taking import take_results
from app.engine.decide import decide
from app.engine.terms import OUTCOMES
from app.engine.vocabulary import OutcomeReport
from app.record.callers import Caller
from app.record.keys import Keys
from app.record.store.database import Database
from app.record.store.tables import OutcomeRow
from tests.campaigns import people, some_row
from tests.pipeline import shipped
from tests.records import written

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 25, 2, 0, tzinfo=datetime.UTC)
ONE, TWO = "01930000-0000-8000-8000-000000000001", "01930000-0000-8000-8000-000000000002"
ACTIONS = frozenset({"care_call", "topup_rebate"})


def filled(tmp_path: Path, *given: dict[str, str], language: int = 0, encoding: str = "utf-8-sig", delimiter: str = ",") -> Results:
    path = tmp_path / "list.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow([words[language] for words in COLUMNS.values()])
        for row in given:
            whole = {"decision": ONE, "action": "care_call", "number": "138****5678", "words": "您好, 近来好吗？", **row}
            writer.writerow([whole.get(name, "") for name in COLUMNS])
    return read_results(path, zone="Asia/Shanghai", now=NOW, actions=ACTIONS)


def refused(tmp_path: Path, **row: str) -> str:
    found = filled(tmp_path, row)
    assert (found.found, found.open, len(found.refused)) == ((), 0, 1)
    return "; ".join(map(str, found.refused[0].problems))


def test_a_row_tells_an_outcome(tmp_path: Path) -> None:
    """Of a decision's action, when, and who saw it; times are those of the zone."""
    (found,) = filled(tmp_path, {"outcome": "accepted", "at": "2026-11-24 15:30", "agent": "wang.li"}).found
    assert (found.row, found.line, found.decision) == (1, 2, UUID(ONE))
    assert (found.report.action, found.report.outcome, found.report.agent) == ("care_call", "accepted", "wang.li")
    assert found.report.at == datetime.datetime(2026, 11, 24, 7, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize("at", ["2026-11-24 15:30", "2026/11/24 15:30", "2026/11/24 15:30:00", "2026年11月24日 15:30", "2026-11-24T15:30"])
def test_times_are_taken_as_people_and_spreadsheets_write_them(tmp_path: Path, at: str) -> None:
    """In either order of signs."""
    assert filled(tmp_path, {"outcome": "shown", "at": at}).found[0].report.at == datetime.datetime(
        2026, 11, 24, 7, 30, tzinfo=datetime.UTC
    )


def test_a_day_without_a_time_is_its_beginning(tmp_path: Path) -> None:
    """That is as exact as the list is."""
    found = filled(tmp_path, {"outcome": "shown", "at": "2026/11/24"}).found[0].report.at
    assert found == datetime.datetime(2026, 11, 23, 16, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("gb18030", "\t"), ("utf-8", ";")]
)
def test_a_list_comes_back_as_spreadsheets_save_it(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """In Chinese, with its Chinese columns and words."""
    found = filled(tmp_path, {"outcome": "已拒绝", "reason": "资费"}, language=1, encoding=encoding, delimiter=delimiter)
    assert [(one.report.outcome, one.report.reason) for one in found.found] == [("refused", "price")]


def test_every_outcome_is_known_in_both_languages(tmp_path: Path) -> None:
    """By its code and by its words, whatever the case."""
    for code, words in OUTCOMES.items():
        for word in {code, code.upper(), *words}:
            told = {"outcome": word, "reference": "x", **({"reason": "moved"} if code == "left" else {})}
            assert [one.report.outcome for one in filled(tmp_path, told).found] == [code]


def test_rows_that_are_not_filled_in_are_counted_and_nothing_else(tmp_path: Path) -> None:
    """The rest of the list is taken all the same."""
    found = filled(tmp_path, {}, {"outcome": "shown", "decision": TWO}, {})
    assert (found.open, len(found.found), found.refused, found.read) == (2, 1, (), 3)


def test_what_is_wrong_with_a_row_is_told_and_the_next_one_taken(tmp_path: Path) -> None:
    """All of it at once."""
    found = filled(tmp_path, {"decision": "7", "action": "care_cal", "outcome": "agreed"}, {"outcome": "shown"})
    assert [one.row for one in found.found] == [2]
    assert [str(problem) for problem in found.refused[0].problems] == [
        "column `decision`: expected the id of a decision as the list had it: not `7`",
        "column `action`: unknown action: `care_cal`; did you mean `care_call`?",
        "column `outcome`: unknown outcome: `agreed`; expected one of shown, sent, accepted, refused, ignored, activated, stayed, left",
    ]
    assert {problem.kind for problem in found.refused[0].problems} == {
        "expected the id of a decision as the list had it",
        "unknown action",
        "unknown outcome",
    }


def test_a_row_with_a_time_and_no_outcome_is_refused(tmp_path: Path) -> None:
    """Somebody began to fill it in."""
    assert refused(tmp_path, at="2026-11-24 15:30") == (
        "column `outcome`: the outcome is missing; expected one of shown, sent, accepted, refused, ignored, activated, stayed, left"
    )


def test_an_outcome_cannot_lie_in_the_future(tmp_path: Path) -> None:
    """By the clock that is passed in."""
    assert refused(tmp_path, outcome="shown", at="2026-11-25 10:01") == "column `at`: is later than now: `2026-11-25 10:01`"
    assert filled(tmp_path, {"outcome": "shown", "at": "2026-11-25 10:00"}).refused == ()


def test_times_and_reasons_that_are_none_are_refused(tmp_path: Path) -> None:
    """With what is expected."""
    assert refused(tmp_path, outcome="shown", at="yesterday") == "column `at`: expected a time such as 2026-11-23 15:30: not `yesterday`"
    assert refused(tmp_path, outcome="refused", reason="pryce").endswith("unknown reason: `pryce`; did you mean `price`?")


def test_what_the_api_would_refuse_is_refused_here(tmp_path: Path) -> None:
    """The form of codes."""
    assert "column `agent`" in refused(tmp_path, outcome="shown", agent="x" * 300)


def test_the_same_outcome_twice_is_refused_the_second_time(tmp_path: Path) -> None:
    """Another outcome of the same action is news."""
    found = filled(
        tmp_path, {"outcome": "accepted"}, {"outcome": "activated"}, {"outcome": "accepted"}, {"outcome": "accepted", "decision": TWO}
    )
    assert [one.row for one in found.found] == [1, 2, 4]
    assert str(found.refused[0].problems[0]) == "column `outcome`: the same stands in row 1 already"


def test_a_broken_row_is_refused_by_itself(tmp_path: Path) -> None:
    """And the next one is read."""
    path = tmp_path / "list.csv"
    path.write_text(f"decision,action,outcome\n{ONE},care_call\n{ONE},care_call,shown\n")
    found = read_results(path, zone="Asia/Shanghai", now=NOW)
    assert (len(found.found), len(found.refused)) == (1, 1)


def test_a_file_that_is_no_list_is_told(tmp_path: Path) -> None:
    """With the columns that it lacks, in both languages."""
    path = tmp_path / "other.csv"
    path.write_text("decision,name\n1,x\n")
    with pytest.raises(TableError, match=r"is no list that was filled in: it lacks `action` \(动作编码\), `outcome` \(结果\)"):
        read_results(path, zone="Asia/Shanghai", now=NOW)
    with pytest.raises(TableError, match="cannot read"):
        read_results(tmp_path / "none.csv", zone="Asia/Shanghai", now=NOW)


def test_an_apostrophe_that_kept_a_spreadsheet_from_calculating_is_no_part_of_a_cell(tmp_path: Path) -> None:
    """As lists are written with it."""
    assert filled(tmp_path, {"outcome": "shown", "action": "'care_call"}).refused == ()


def test_two_who_hand_in_the_same_at_once(postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each outcome is recorded by one of them, and known to the other; those too that make no contact known, or no new one."""
    someone = people()[some_row() - 1]
    action, by = decide(shipped(), someone).ranked[0].action, Caller("cli", "operations")
    with written(postgres_database, keys) as made, written(postgres_database, keys) as other, ThreadPoolExecutor(2) as threads:
        decision = UUID(made.decide(someone))

        def told(*outcomes: tuple[str, str | None]) -> Results:
            reports = [OutcomeReport(action=action, outcome=outcome, reason=reason) for outcome, reason in outcomes]  # type: ignore[arg-type]
            return Results(tuple(Result(row, row, decision, report) for row, report in enumerate(reports, 1)), (), 0)

        take_results(made.record, told(("refused", None)), by)
        together, look = threading.Barrier(2), taking._refuse_known

        def looking(*given: Any) -> None:
            together.wait(20)
            look(*given)

        monkeypatch.setattr(taking, "_refuse_known", looking)
        found = told(("shown", None), ("stayed", None), ("left", "harassment"))
        counts = [threads.submit(take_results, who.record, found, by) for who in (made, other)]
        taken = [one.result(60) for one in counts]
        with postgres_database.reading() as connection:
            outcomes = connection.execute(select(col(OutcomeRow.outcome))).scalars().all()
    assert sorted(outcomes) == ["left", "refused", "shown", "stayed"]
    assert [(one.recorded + one.known, one.refused) for one in taken] == [(3, ())] * 2
    assert sum(one.recorded for one in taken) == 3
