"""Several processes at work on one run of a campaign: what they make of it is what one process makes."""

from __future__ import annotations

import datetime
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from app.campaign.aside import aside_for
from app.campaign.crew import Crew, Doing, HandLost, Orders, Together, unpacked
from app.campaign.figures import Figures
from app.campaign.finishing import Extras, Finishing
from app.campaign.hand import told_of
from app.campaign.input import InputBatch, batches, input_at
from app.campaign.limits import Capacity, Limits
from app.campaign.mapping import load_mapping
from app.campaign.output import Output
from app.campaign.part import PartWork, Stopwatch, Wanted
from app.campaign.problems import TableError
from app.campaign.running import CampaignRun, Recording
from app.campaign.table import Asking
from app.engine.problems import PackError, Place, Problem
from app.record.callers import Caller
from app.record.campaigns.campaign import Campaign, open_campaign
from app.record.campaigns.model import CampaignHead
from app.record.choices import MADE, choice_entry
from app.record.keys import Keys, new_keys
from app.record.store.database import Database
from app.record.verifying import verify_log
from tests.pipeline import shipped, shipped_files
from tests.records import NOW, Written, written

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TWO = Together(shipped_files(), 2, least=1)
HEAD = CampaignHead("spring", "app", shipped().digest, f"sha256:{'1' * 64}", "engine")
LIMITS = Limits(cost={"app": 5}, capacity=(Capacity(per_day=1),), days=2, digest=f"sha256:{'2' * 64}")
Parts = Callable[[datetime.datetime], Iterator[InputBatch]]
Meanwhile = Callable[[CampaignRun, Campaign], object]


@pytest.fixture
def made(sqlite_url: str, keys: Keys) -> Iterator[Written]:
    with written(Database(sqlite_url), keys) as opened:
        yield opened


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Twelve rows, four a part, by the time of their decisions; some are rejected, and some are read one by one."""
    text = (EXAMPLES / "customers.map.yaml").read_text("utf-8").replace("as_of: 2026-12-03T10:00:00+08:00", "")
    path = tmp_path_factory.mktemp("mapping") / "customers.map.yaml"
    path.write_text(text, "utf-8")
    mapping, given = load_mapping(path), input_at(EXAMPLES / "customers.csv")
    return lambda now: batches(shipped(), given, Asking("campaign", now, channel="app", locale="zh-CN"), mapping, size=4)


@dataclass(frozen=True)
class Alone:
    """What one process makes of it."""

    figures: Any
    out: list[dict[str, Any]]
    rejects: bytes
    listed: list[dict[str, Any]]
    bodies: list[Any]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, parts: Parts) -> Alone:
    folder = tmp_path_factory.mktemp("alone")
    with written(Database(f"sqlite:///{folder}/wanliu.db"), new_keys(NOW)) as made:
        campaign, figures = recorded(made, parts, folder / "out.ndjson", nothing, None)
        rejects = (folder / "out.ndjson.rejects.ndjson").read_bytes()
        out = folder / "out.ndjson"
        return Alone(figures.as_json(), handed_back(out), rejects, listed(out), bodies(made, campaign))


def recorded(made: Written, parts: Parts, out: Path, meanwhile: Meanwhile, together: Together | None = TWO) -> tuple[str, Figures]:
    """Run it on the record, within limits and with lists; the campaign's id, and the figures. `meanwhile` is done after each part."""
    with open_campaign(made.record, HEAD) as campaign, run_of(campaign, out, together) as running:
        for _ in running.steps(parts(campaign.at)):
            meanwhile(running, campaign)
        return campaign.id, running.finish()


def run_of(campaign: Campaign, out: Path, together: Together | None = None) -> CampaignRun:
    wanted = Wanted(Output.at(out), aside=aside_for(LIMITS, lists=True, watched=False))
    extras = Extras(LIMITS, out.with_name("lists"), None, NOW.date(), NOW.date())
    finishing = Finishing(shipped(), wanted, extras, campaign)
    return CampaignRun(shipped(), wanted, Recording(campaign, HEAD), finishing=finishing, together=together)


def listed(out: Path) -> list[dict[str, Any]]:
    """What stands on the lists for local teams, but for the decisions' ids, by which the rows of a day are ordered."""
    [whole] = out.with_name("lists").glob("*/all.parquet")
    return pl.read_parquet(whole).drop("decision").sort("due", "number", "action").to_dicts()


def bodies(made: Written, campaign: str) -> list[Any]:
    """What is on the record of each row, but for what is random or the campaign's own, and what limits made of it."""
    folder = made.database.chunks / campaign
    files, [held] = sorted(folder.glob("0*.parquet")), folder.glob("held-*.parquet")
    told = [orjson.loads(envelope) for envelope in pl.concat([pl.read_parquet(file) for file in files])["envelope"]]
    return [*((one["row"], one["body"]) for one in told), *pl.read_parquet(held).rows()]


def handed_back(out: Path) -> list[dict[str, Any]]:
    rows = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    return [{name: value for name, value in row.items() if name != "decision_id"} for row in rows]


def assert_sound(made: Written) -> None:
    """Every leaf, file and payload of the record is what it should be."""
    made.seal()
    verdict = made.record.read_now(lambda connection: verify_log(connection, made.keys, opening=True))
    assert verdict.genuine, verdict.findings


def nothing(_run: CampaignRun, _campaign: Campaign) -> None:
    pass


def test_several_processes_make_what_one_makes(made: Written, parts: Parts, alone: Alone, tmp_path: Path) -> None:
    """The file, within limits, the lists, the rejected rows, the figures and what is on the record are the same; and that adds up."""
    others, out = list[int](), tmp_path / "out.ndjson"
    campaign, figures = recorded(made, parts, out, lambda run, _: others.append(len(run._dealt)))
    assert max(others) > 0
    assert figures.as_json() == alone.figures
    assert handed_back(out) == alone.out
    assert out.with_name("out.ndjson.rejects.ndjson").read_bytes() == alone.rejects
    assert listed(out) == alone.listed
    assert {row["held"] for row in alone.out} == {None, "capacity"}
    assert len(alone.listed) == sum(row["day"] is not None for row in alone.out) > 0
    assert bodies(made, campaign) == alone.bodies
    assert_sound(made)


def test_a_trial_by_several_processes_is_what_one_makes(parts: Parts, tmp_path: Path) -> None:
    """A run that leaves no trace hands back the same bytes, and keeps the same aside for limits, lists and the watch."""
    kept = dict[str, list[pl.DataFrame]]()
    aside = aside_for(Limits(cost={"app": 5}, days=2), lists=True, watched=True)
    for name, together in (("one", None), ("two", TWO)):
        wanted = Wanted(Output.at(tmp_path / f"{name}.ndjson"), aside=aside)
        with CampaignRun(shipped(), wanted, together=together) as running:
            assert [progress.rows for progress in running.steps(parts(NOW))] == [4, 8, 12]
            running._settle()
            kept[name] = [pl.read_parquet(path) for part in wanted.names for path in wanted.output.parts(part)]
            assert running.finish().read == 12
    assert (tmp_path / "two.ndjson").read_bytes() == (tmp_path / "one.ndjson").read_bytes()
    assert len(kept["one"]) > 3
    assert all(two.equals(one) for two, one in zip(kept["two"], kept["one"], strict=True))


def test_what_somebody_chooses_meanwhile_holds(made: Written, parts: Parts, alone: Alone, tmp_path: Path) -> None:
    """Whose part another process is at, and who then wants no marketing, is decided again before the part goes on the record."""
    last = [row for row in alone.out if row["kind"] == "offer"][-1]
    row, who = last["row"], last["subscriber"]

    def choose(run: CampaignRun, _campaign: Campaign) -> None:
        if run._dealt and run._dealt[-1].number == (row + 3) // 4:
            now = made.clock()
            caller = Caller("app", "self_service")
            made.record.write_now(choice_entry(made.ids.new(now), now, who, "no_marketing", None, MADE, by=caller))
            chosen.append(row)

    chosen = list[int]()
    _, figures = recorded(made, parts, tmp_path / "after.ndjson", choose)
    assert chosen == [row]
    assert not [one for one in handed_back(tmp_path / "after.ndjson") if one["subscriber"] == who and one["kind"] == "offer"]
    assert figures.read == 12
    assert_sound(made)


def test_a_process_that_is_killed_is_told_and_the_run_goes_on(made: Written, parts: Parts, alone: Alone, tmp_path: Path) -> None:
    """The run fails with what to do; what was recorded stays, and the same run again makes the whole."""

    def kill(run: CampaignRun, _campaign: Campaign) -> None:
        if run._crew is not None:
            os.kill(run._crew._hands[0]._process.pid, signal.SIGKILL)

    with pytest.raises(HandLost, match=r"ended by SIGKILL.* one core .* goes on from there"):
        recorded(made, parts, tmp_path / "out.ndjson", kill)
    (campaign,) = (folder.name for folder in made.database.chunks.iterdir())
    with (
        open_campaign(made.record, HEAD, campaign) as opened,
        run_of(opened, tmp_path / "out.ndjson") as running,
    ):
        assert len(list(running.steps(parts(opened.at)))) == 3
        running.finish()
    assert handed_back(tmp_path / "out.ndjson") == alone.out
    assert bodies(made, campaign) == alone.bodies


def test_the_others_end_when_nobody_listens(tmp_path: Path) -> None:
    """A process whose parent is gone ends by itself; one that is dismissed is gone at once."""
    wanted, watch = Wanted(Output.at(tmp_path / "out.ndjson")), Stopwatch()
    orders, doing = Orders(shipped_files(), wanted, None, None), Doing(PartWork(shipped(), wanted, None, watch), None, watch)
    with closing(Crew(orders, 3, doing)) as crew:
        first, second = (hand._process for hand in crew._hands)
        assert first.stdin is not None
        first.stdin.close()
        assert first.wait(60) == 0
        assert second.poll() is None
    assert second.poll() == -signal.SIGKILL


@pytest.mark.parametrize(("together", "many"), [(Together(shipped_files(), 1, least=1), 3), (Together(shipped_files(), 2), 3), (TWO, 1)])
def test_one_process_does_what_is_not_worth_more(parts: Parts, tmp_path: Path, together: Together, many: int) -> None:
    """Few rows, one part, or one core: nobody else is begun."""
    with CampaignRun(shipped(), Wanted(Output.at(tmp_path / "out.ndjson")), together=together) as running:
        next(running.steps(islice(parts(NOW), many)))
        assert running._crew is None


def test_a_pack_that_changed_meanwhile_decides_alone(parts: Parts, tmp_path: Path) -> None:
    """Others would decide by other rules than this process."""
    changed = {**shipped_files(), "rules/pack.yaml": b"changed"}
    with CampaignRun(shipped(), Wanted(Output.at(tmp_path / "out.ndjson")), together=Together(changed, 2, least=1)) as running:
        next(running.steps(parts(NOW)))
        assert running._crew is None


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (TableError("no such thing"), TableError, "no such thing"),
        (OSError(28, "No space left on device"), OSError, "No space left"),
        (PackError([Problem(Place(), "wrong", "it is wrong")]), (PackError, HandLost), "it is wrong"),
    ],
)
def test_what_went_wrong_elsewhere_is_raised_here(error: Exception, kind: Any, says: str) -> None:
    """As what it was, where that can be sent; else by its name and its words."""
    found = unpacked(told_of(error))
    assert isinstance(found, kind)
    assert says in str(found)
