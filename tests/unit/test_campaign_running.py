"""`wanliu campaign run`: a file decided, handed back and put on the record, and gone on with where it was left."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from app.campaign import part
from app.campaign.mapping import load_mapping
from app.campaign.rows import CsvTable, Lines, open_table
from app.campaign.table import Asking, Decided, decide_rows, table_requests
from app.cli import app
from app.engine.intake import parse_request
from app.record.callers import Caller
from app.record.choices import MADE, choice_entry
from app.record.keys import load_keys
from app.record.store.database import Database
from tests.pipeline import shipped
from tests.records import written

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parent.parent.parent
CUSTOMERS = ROOT / "examples" / "customers.csv"
AS_OF = "as_of: 2026-12-03T10:00:00+08:00"
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of its own, and the shipped pack, which is read once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path}/wanliu.db")
    monkeypatch.setenv("WANLIU_PACK", str(ROOT))
    monkeypatch.setenv("WANLIU_PATTERN_ENGINE", "builtin")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("app.cli.campaigns.load", lambda _folder: shipped())


@pytest.fixture
def dated() -> Path:
    """The mapping of the examples, whose facts hold at a time in the past."""
    return ROOT / "examples" / "customers.map.yaml"


@pytest.fixture
def undated(dated: Path, tmp_path: Path) -> Path:
    """The same, without that time."""
    made = tmp_path / "customers.map.yaml"
    made.write_text(dated.read_text("utf-8").replace(AS_OF, ""), "utf-8")
    return made


def run(mapping: Path, out: str, *options: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["campaign", "run", str(CUSTOMERS), "--mapping", str(mapping), "--out", out, *options])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def lines(path: str) -> list[Any]:
    return [orjson.loads(line) for line in Path(path).read_bytes().splitlines()]


def test_what_if_is_what_deciding_row_by_row_gives(dated: Path, tmp_path: Path) -> None:
    """The same rows are decided and rejected, with the same actions in the same order, scores and reasons, and as many miss each fact; and
    there is no trace."""
    report = orjson.loads(run(dated, "all.ndjson", "--what-if", "--per", "subscriber", "--json").stdout)
    mapping, now = load_mapping(dated), datetime.datetime.now(datetime.UTC)
    with open_table(CUSTOMERS) as file:
        table = CsvTable(CUSTOMERS, Lines(file))
        asking = Asking("campaign", now, locale="zh-CN")
        expected = list(decide_rows(shipped(), table, table_requests(mapping, table.header, asking, shipped().zone), asking))
    decided = [item for item in expected if isinstance(item, Decided)]
    told = lines("all.ndjson")
    assert [row["actions"] for row in told] == [[action.action for action in item.explanation.actions] for item in decided]
    first = [item.explanation.actions[0] if item.explanation.actions else None for item in decided]
    assert [row["reasons"] for row in told] == [action and [reason.text for reason in action.reasons] for action in first]
    assert [row["text"] for row in told] == [action and (action.text or action.script) for action in first]
    rejected = [item.row.number for item in expected if not isinstance(item, Decided)]
    assert [row["row"] for row in lines("all.ndjson.rejects.ndjson")] == rejected
    assert report["figures"]["unknown_facts"] == Counter(fact.fact for item in decided for fact in item.explanation.unknown)
    assert all(row["decision_id"] is None for row in told)
    assert not (tmp_path / "wanliu.db").exists()


@pytest.mark.parametrize("ending", ["parquet", "csv", "ndjson"])
def test_every_form_has_the_same_rows(dated: Path, ending: str) -> None:
    """As Parquet, CSV or NDJSON, a row an action."""
    run(dated, f"out.{ending}", "--what-if")
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "ndjson": pl.read_ndjson}[ending]
    found = read(f"out.{ending}")  # type: ignore[operator]
    assert found["rank"].to_list() == [1, 2, 3, 1, 1, 2]
    assert found["subscriber"].n_unique() == 3
    assert not Path(f"out.{ending}.parts").exists()


def test_a_recorded_run_is_on_record(undated: Path, tmp_path: Path) -> None:
    """Each decision can be made again by its id, and the record adds up."""
    run(undated, "out.ndjson", "--per", "subscriber", "--size", "5")
    ids = [row["decision_id"] for row in lines("out.ndjson")]
    assert len(set(ids)) == 7
    for one in ids:
        told = CliRunner().invoke(app, ["record", "replay", one, "--json", "--by", "me"])
        assert orjson.loads(told.stdout)["replay"]["verdict"] == "same_bytes"
    assert CliRunner().invoke(app, ["record", "verify"]).exit_code == 0
    assert CliRunner().invoke(app, ["record", "export", "sealed.zip"]).exit_code == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "wanliu.db")) as opened:
        counted = opened.execute("SELECT number FROM daily_count WHERE measure = 'decision' AND grouped = '{}'").fetchall()
    assert counted == [(7,)], "the daily figures of the record have them too"


def test_a_run_that_broke_off_goes_on(undated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given again, the command decides what is missing, and nothing twice; what it hands back is what one run would have."""
    whole = orjson.loads(run(undated, "whole.ndjson", "--size", "4", "--name", "whole", "--json").stdout)
    decide, made = part.decide_batch, list[int]()

    def breaking(pack: Any, batch: Any) -> Any:
        made.append(batch.size)
        if len(made) == 3:
            raise OSError(28, "No space left on device", "out")
        return decide(pack, batch)

    monkeypatch.setattr(part, "decide_batch", breaking)
    assert "no space left" in run(undated, "out.ndjson", "--size", "4", code=1).output
    monkeypatch.setattr(part, "decide_batch", decide)
    worked = Path("out.ndjson.parts/000000.worked.json")
    assert float(worked.read_text()) > 0
    worked.write_text("1000")
    again = run(undated, "out.ndjson", "--size", "4", "--json")
    assert "going on with" in again.stderr
    assert orjson.loads(again.stdout)["run"]["seconds"] > 1000, "what the first run did took time too"
    assert orjson.loads(again.stdout)["figures"] == whole["figures"]
    assert [_without(row) for row in lines("out.ndjson")] == [_without(row) for row in lines("whole.ndjson")]
    assert len({(row["decision_id"], row["action"]) for row in lines("out.ndjson")}) == len(lines("out.ndjson"))
    assert [row["row"] for row in lines("out.ndjson.rejects.ndjson")] == [row["row"] for row in lines("whole.ndjson.rejects.ndjson")]


def _without(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("decision_id", "valid_until")}


def test_what_somebody_chose_holds(undated: Path, tmp_path: Path) -> None:
    """Who wants no marketing gets none, though the file says nothing of it; the others get what they would have."""
    run(undated, "before.ndjson", "--name", "before")
    offers = {row["subscriber"] for row in lines("before.ndjson") if row["kind"] == "offer"}
    who = min(offers)
    with written(Database(f"sqlite:///{tmp_path}/wanliu.db"), load_keys(tmp_path / "wanliu.keys", None)) as made:
        now = made.clock()
        made.record.write_now(choice_entry(made.ids.new(now), now, who, "no_marketing", None, MADE, by=Caller("app", "self_service")))
    run(undated, "after.ndjson", "--name", "after")
    after = lines("after.ndjson")
    assert not [row for row in after if row["subscriber"] == who and row["kind"] == "offer"]
    others = [[_without(row) for row in lines(name) if row["subscriber"] != who] for name in ("before.ndjson", "after.ndjson")]
    assert others[0] == others[1]
    assert CliRunner().invoke(app, ["record", "verify"]).exit_code == 0


def test_the_next_run_is_compared_with_the_last(dated: Path) -> None:
    """A report is written for people and for programs; a run of the same name after it says what moved."""
    run(dated, "out.ndjson", "--what-if", "--report", "night.html", "--name", "night")
    again = orjson.loads(run(dated, "out.ndjson", "--what-if", "--report", "night.html", "--name", "night", "--json").stdout)
    assert again["figures"]["read"] == 12
    assert again["last_run"] is not None
    assert "<html" in Path("night.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--channel", "sms_marketting", "--what-if"], "sms_marketing"),
        (["--contact-at", "tomorrow", "--what-if"], "--contact-at: expected a time such as"),
        (["--contact-at", "2027-01-01T10:00:00", "--what-if"], "say in which offset"),
        ([], "leave `as_of` out"),
    ],
)
def test_what_cannot_be_is_told_before_a_row_is_read(dated: Path, options: list[str], says: str) -> None:
    """With what to write instead."""
    assert says in run(dated, "out.ndjson", *options, code=1).output.replace("\n", " ")


@pytest.mark.parametrize(
    ("out", "says"), [("out.xlsx", "it ends with .parquet"), ("nowhere/out.csv", "there is no folder"), (".", "is a folder")]
)
def test_where_it_cannot_write_is_told_first(dated: Path, out: str, says: str) -> None:
    """A run of hours does not end for want of a folder."""
    assert says in run(dated, out, "--what-if", code=1).output.replace("\n", " ")


def test_lines_of_requests_need_no_mapping(tmp_path: Path) -> None:
    """NDJSON holds requests, and the option says where people are met."""
    body = orjson.loads((ROOT / "examples" / "02-high-tariff.json").read_bytes())
    parse_request(orjson.dumps(body))
    Path("in.ndjson").write_bytes(orjson.dumps(body) + b"\n{\n")
    result = CliRunner().invoke(app, ["campaign", "run", "in.ndjson", "--out", "out.ndjson", "--channel", "call_centre", "--what-if"])
    assert result.exit_code == 0, result.output
    assert {row["row"] for row in lines("out.ndjson")} == {1}
    assert [row["row"] for row in lines("out.ndjson.rejects.ndjson")] == [2]


@pytest.mark.parametrize("option", [["--what-if"], []])
def test_an_input_without_rows_is_told(undated: Path, option: list[str]) -> None:
    """There is nothing to decide, and nothing is handed back."""
    Path("head.csv").write_text(CUSTOMERS.read_text("utf-8").splitlines()[0], "utf-8")
    result = CliRunner().invoke(app, ["campaign", "run", "head.csv", "--mapping", str(undated), "--out", "out.csv", *option])
    assert result.exit_code == 1
    assert "the input has no rows" in result.output
    assert not Path("out.csv").exists()
