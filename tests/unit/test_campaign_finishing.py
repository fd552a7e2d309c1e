"""`wanliu campaign run` with limits, lists and a watch, and `wanliu campaign results`: as a campaign manager has them."""

from __future__ import annotations

import csv
import datetime
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from sqlmodel import col, select
from typer.testing import CliRunner, Result

from app.campaign.jobs.leftovers import noted
from app.campaign.results import COLUMNS
from app.cli import app
from app.record.campaigns.campaign import Campaign
from app.record.campaigns.complaints import Reached
from app.record.store.database import Database
from app.record.store.tables import EntryRow
from tests.pipeline import shipped

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parent.parent.parent
CUSTOMERS = ROOT / "examples" / "customers.csv"
DAY = datetime.datetime(2026, 11, 23, 3, tzinfo=datetime.UTC)
LIMITS = """
cost: {app: 30}
capacity:
  - {per_team_and_day: 1}
days: 2
team: account.grid
brake: {complaints_per_10000: 5000, after: 2}
"""
Run = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the customers of the examples, all of one team, and a record of its own."""
    with _workplace(tmp_path) as place:
        yield place


class _Workplace:
    """Somewhere to work: files, settings and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._patch = folder, pytest.MonkeyPatch()

    def __enter__(self) -> Path:
        patch, folder = self._patch, self.folder
        patch.chdir(folder)
        patch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{folder}/wanliu.db")
        patch.setenv("WANLIU_PACK", str(ROOT))
        patch.setenv("WANLIU_PATTERN_ENGINE", "builtin")
        patch.setenv("COLUMNS", "120")
        for module in ("campaigns", "campaign_results"):
            patch.setattr(f"app.cli.{module}.load", lambda _folder: shipped())
        patch.setattr("app.cli.campaigns._clock", lambda: DAY)
        (folder / "limits.yaml").write_text(LIMITS, "utf-8")
        mapping = (ROOT / "examples" / "customers.map.yaml").read_text("utf-8").replace("as_of: 2026-12-03T10:00:00+08:00", "")
        (folder / "map.yaml").write_text(mapping.replace("constants:", "constants:\n  account.grid: 海淀7"), "utf-8")
        return folder

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


_workplace = _Workplace


def run(out: str, *options: str, code: int = 0) -> Result:
    words = ["campaign", "run", str(CUSTOMERS), "--mapping", "map.yaml", "--out", out, "--name", "autumn", *options]
    return _done(words, code)


def _done(words: list[str], code: int = 0) -> Result:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def lines(path: str) -> list[Any]:
    return [orjson.loads(line) for line in Path(path).read_bytes().splitlines()]


def entries(folder: Path, kind: str) -> list[Any]:
    with Database(f"sqlite:///{folder}/wanliu.db").reading() as connection:
        found = connection.execute(select(EntryRow.envelope).where(col(EntryRow.kind) == kind).order_by(EntryRow.id))
        return [orjson.loads(row) for row in found.scalars()]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Result]]:
    """A run with limits, lists and a watch: three people have something to do, and there is room for two."""
    with _workplace(tmp_path_factory.mktemp("ran")) as folder:
        told = run("out.ndjson", "--limits", "limits.yaml", "--lists", "lists", "--watch", "watch", "--report", "r.html", "--locale", "en")
        yield folder, told


def test_what_does_not_fit_is_held(ran: tuple[Path, Result]) -> None:
    """Each action says on which day it goes out, or what holds it; a contact takes all that its person gets."""
    made = lines("out.ndjson")
    days = {row["subscriber"]: {other["day"] for other in made if other["subscriber"] == row["subscriber"]} for row in made}
    assert sorted(days.values(), key=str) == [{1}, {2}, {None}]
    assert {(row["held"], row["limit"]) for row in made if row["day"] is None} == {("capacity", "all/team")}
    assert all(row["held"] is None and row["limit"] is None for row in made if row["day"] is not None)


def test_it_is_on_the_record(ran: tuple[Path, Result]) -> None:
    """After the last part and before the closing, once; the record adds up, and each decision is told it."""
    folder, _ = ran
    [held], [closed], made = entries(folder, "campaign_held"), entries(folder, "campaign_closed"), lines("out.ndjson")
    assert entries(folder, "campaign_chunk")[-1]["id"] < held["id"] < closed["id"]
    assert (held["body"]["actions"], held["body"]["going"]) == (len(made), sum(row["day"] is not None for row in made))
    assert (held["body"]["kept"], held["body"]["emptied"], held["body"]["cost"]) == (2, 1, 60)
    assert entries(folder, "campaign_opened")[0]["body"]["options"]["limits"] == held["body"]["limits"]
    assert _done(["record", "verify"]).exit_code == 0
    back = next(row for row in made if row["held"])
    told = orjson.loads(_done(["record", "show", back["decision_id"], "--json", "--by", "me"]).stdout)
    assert told["limits"][0] == {"rank": 1, "action": back["action"], "day": None, "cause": "capacity", "limit": "all/team"}
    shown = _done(["record", "show", back["decision_id"], "--by", "me", "--locale", "en"]).stdout
    assert "held: no room left (all/team)" in shown
    out = next(row for row in made if row["day"] == 2)
    assert "goes out on day 2" in _done(["record", "show", out["decision_id"], "--by", "me", "--locale", "en"]).stdout


def test_the_report_says_it(ran: tuple[Path, Result]) -> None:
    """In all three forms: how much was held by which cause, what it costs, and what was watched."""
    _, told = ran
    assert "Held by the limits" in told.stdout
    assert "no room left" in told.stdout
    assert "Watched signals" in told.stdout
    report, page = orjson.loads(Path("r.json").read_bytes()), Path("r.html").read_text("utf-8")
    assert report["limits"] == {"given": 0, "cost": 60, "beyond": {}, "contacted": None, "complaints": None}
    assert {(item["cause"], item["limit"]) for item in report["figures"]["held"]} == {("capacity", "all/team")}
    assert report["figures"]["emptied"] == 1
    assert report["watch"]["day"] == "2026-11-23"
    assert "no room left" in page
    assert "the contacts cost" in page


def test_lists_say_what_goes_out_and_no_number_whole(ran: tuple[Path, Result]) -> None:
    """A list for the team, due on the day that has room, which nobody else may read; what is held is on none."""
    [path] = Path("lists/2026-11-23").glob("*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    going = [row for row in lines("out.ndjson") if row["day"] is not None]
    assert {(row["decision"], row["action"]) for row in rows} == {(row["decision_id"], row["action"]) for row in going}
    assert {row["due"] for row in rows} == {"2026-11-23", "2026-11-24"}
    assert path.name == "海淀7.csv"
    assert {row["number (masked)"][:4] for row in rows} == {"****"}
    assert all(row["what to say"] and row["evidence"] and row["care"] for row in rows)
    assert {file.stat().st_mode & 0o777 for file in Path("lists/2026-11-23").iterdir()} == {0o600}


def test_groups_are_what_the_record_says(ran: tuple[Path, Result]) -> None:
    """Whoever gets something that is not owed counts as contacted for the next run, and whoever is held does not."""
    folder, _ = ran
    known, flags = tokens(folder / "watch"), pl.read_parquet(folder / "watch" / "flags-2026-11-23.parquet")
    going = {row["subscriber"] for row in lines("out.ndjson") if row["day"] is not None and row["duty"] != "owed"}
    assert {(known[who], group) for who, group in flags.select("who", "group").iter_rows()} == {
        (known[who], "contacted" if known[who] in going else None) for who in flags["who"]
    }
    assert set(flags["group"]) == {"contacted", None}


def tokens(folder: Path) -> dict[bytes, str]:
    """By what a watch folder calls them, the customers."""
    key = (folder / "key").read_bytes()
    return {hmac.digest(key, name.encode(), "sha256")[:16]: name for name in (f"K-{number:04}" for number in range(1, 13))}


def filled(folder: Path, *outcomes: tuple[str, str]) -> Path:
    """The list as a team gives it back: an outcome and its reason for each of its rows."""
    [path] = Path("lists/2026-11-23").glob("*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    places = [head.index(COLUMNS[name][0]) for name in ("outcome", "reason")]
    for row, told in zip(rows, outcomes, strict=False):
        row[places[0]], row[places[1]] = told
    back = folder / "back.csv"
    with back.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return back


def test_results_come_back_once_and_complaints_put_the_brake_on(ran: tuple[Path, Result]) -> None:
    """A list that is handed in twice doubles nothing; what cannot be taken is written down; enough complaints stop the next run."""
    folder, _ = ran
    back = filled(folder, ("已拒绝", "骚扰"), ("maybe", ""), ("已接受", "price"), ("已拒绝", "unsolicited"))
    first, again = (orjson.loads(_done(["campaign", "results", str(back), "--json"]).stdout)[0] for _ in range(2))
    going = sum(row["day"] is not None for row in lines("out.ndjson"))
    assert (first["read"], first["open"], len(first["refused"])) == (going, going - 4, 2)
    assert (first["recorded"], first["known"]) == (2, 0)
    assert (again["recorded"], again["known"]) == (0, 2)
    rejects = lines("back.csv.rejects.ndjson")
    assert [row["row"] for row in rejects] == [2, 3]
    assert "unknown outcome" in rejects[0]["problems"][0]["message"]
    assert rejects[1]["problems"][0]["column"] == "reason"
    assert len(entries(folder, "outcome")) == 2
    assert "known already" in _done(["campaign", "results", str(back)]).stdout
    told = run("next.ndjson", "--limits", "limits.yaml", code=1)
    assert "complained about unsolicited selling, and the limit is 5000 per 10,000; nothing was decided" in told.stderr.replace("\n", " ")
    assert len(entries(folder, "campaign_opened")) == 1
    run("other.ndjson", "--limits", "limits.yaml", "--name", "winter", "--what-if")
    assert _done(["record", "verify"]).exit_code == 0


def test_a_run_that_broke_off_before_its_closing_goes_on(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the limits made of it stands on the record once; what is handed back is what one run would have; parts are nobody else's."""
    close, seen, numbers = Campaign.close, list[int](), set[str]()

    def breaking(*_given: object, **_told: object) -> str:
        folder = here / "out.csv.parts"
        seen.extend(path.stat().st_mode & 0o777 for path in [folder, *folder.iterdir()])
        numbers.update(pl.read_parquet(folder / "*.going.parquet")["number"])
        raise OSError(28, "No space left on device", "out")

    monkeypatch.setattr(Campaign, "close", breaking)
    options = ("--limits", "limits.yaml", "--lists", "lists", "--watch", "watch", "--size", "5", "--per", "subscriber")
    assert "no space left" in run("out.csv", *options, code=1).output
    assert set(seen) == {0o700, 0o600}
    assert all(number.startswith("****") for number in numbers)
    assert numbers
    before, [held] = Path("out.csv").read_bytes(), entries(here, "campaign_held")
    monkeypatch.setattr(Campaign, "close", close)
    assert "going on with" in run("out.csv", *options).stderr
    assert Path("out.csv").read_bytes() == before
    assert entries(here, "campaign_held") == [held]
    assert [closed["body"]["state"] for closed in entries(here, "campaign_closed")] == ["completed"]
    assert not Path("out.csv.parts").exists()
    rows = list(csv.DictReader(before.decode().splitlines()))
    assert {row["going"] == row["actions"] for row in rows if row["day"]} == {True}
    assert {row["going"] for row in rows if row["held"]} == {""}


def _no_space(*_given: object, **_told: object) -> str:
    raise OSError(28, "No space left on device", "out")


def test_complaints_stop_a_run_between_two_parts(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is decided, nothing but what is owed goes out, the campaign is closed as stopped, and the report says so; broken off
    before that, and gone on with when nobody is known to have complained, it is still stopped."""
    told = iter([Reached(0, 0), Reached(0, 0), *[Reached(10, 9)] * 9])
    monkeypatch.setattr("app.record.campaigns.campaign.reached", lambda _record, _name: next(told))
    options = ("--limits", "limits.yaml", "--watch", "watch", "--size", "4", "--report", "r.html", "--locale", "en")
    close = Campaign.close
    monkeypatch.setattr(Campaign, "close", _no_space)
    run("out.ndjson", *options, code=1)
    monkeypatch.setattr(Campaign, "close", close)
    told = iter([Reached(0, 0)] * 9)
    done = run("out.ndjson", *options, code=1)
    assert "of the 10 people whom `autumn` has contacted 9 complained" in done.stderr.replace("\n", " ")
    assert "Stopped for complaints: 9 of the 10 people" in done.stdout.replace("\n", " ")
    made = lines("out.ndjson")
    assert made
    assert all(row["row"] <= 4 for row in made)
    assert {(row["held"], row["limit"]) for row in made if row["duty"] != "owed"} == {("brake", "complaints")}
    [closed], [held] = entries(here, "campaign_closed"), entries(here, "campaign_held")
    assert (closed["body"]["state"], closed["body"]["because"], closed["body"]["read"]) == ("stopped", "complaints", 4)
    assert held["body"]["stopped"] == {"contacted": 10, "complaints": 9}
    assert orjson.loads(Path("r.json").read_bytes())["limits"]["complaints"] == 9
    assert not (here / "watch").exists()


def test_who_is_erased_leaves_the_watch(here: Path) -> None:
    """A folder that is none is told before anybody is erased; then the person stands in no run that is kept."""
    run("out.ndjson", "--watch", "watch")
    gone = tokens(here / "watch")[pl.read_parquet("watch/flags-2026-11-23.parquet")["who"][0]]
    Path("nothing").mkdir()
    assert "has no key" in _done(["record", "erase", gone, "--basis", "request", "--by", "me", "--watch", "nothing"], 1).output
    Path("wanliu.campaigns/out").mkdir(parents=True)
    told = _done(["record", "erase", gone, "--basis", "request", "--by", "me", "--watch", "watch"]).stdout
    assert [note.read_text("utf-8") for note in noted(Path("wanliu.campaigns"))] == [gone], "files of campaigns on the server too"
    assert "Taken out of what 1 runs keep in the watch folders" in told
    left = pl.read_parquet("watch/flags-2026-11-23.parquet")["who"]
    assert gone not in {tokens(here / "watch")[who] for who in left}


@pytest.mark.parametrize(
    ("limits", "options", "says"),
    [
        ("days: 3\nteam: account.gird\n", [], ["limits.yaml:2", "unknown fact `account.gird`", "account.grid"]),
        ("budgett: {}\n", [], ["limits.yaml:1", "unknown key `budgett`", "budget"]),
        ("days: 2\n", ["--lists", "lists", "--what-if"], ["--lists: a what-if leaves no trace"]),
        ("days: 2\n", ["--watch", "map.yaml"], ["--watch: `map.yaml` is a file"]),
        ("days: 2\n", ["--lists", "no/such"], ["--lists: `no/such`: there is no folder `no`"]),
    ],
)
def test_what_is_wrong_is_told_first(here: Path, limits: str, options: list[str], says: list[str]) -> None:
    """With file, line and the nearest right thing; nothing is begun."""
    Path("limits.yaml").write_text(limits, "utf-8")
    told = run("out.csv", "--limits", "limits.yaml", *options, code=1).output.replace("\n", " ")
    assert all(word in told for word in says), told
    assert not (here / "wanliu.db").exists()
