"""Campaigns that callers commission, as jobs: accepted once, run by turns, cancelled, gone on with, given up where nobody survives them."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import polars as pl
import pytest
from sqlalchemy import event

from app.api.serving import campaigns
from app.api.serving.background import Background
from app.api.serving.campaigns import CampaignThread
from app.campaign.jobs import running, tidying, working
from app.campaign.jobs.checking import mistakes
from app.campaign.jobs.leftovers import is_untidy, note_erased, noted
from app.campaign.jobs.order import Order
from app.campaign.jobs.places import Place
from app.campaign.jobs.running import JobRun, problem_of
from app.campaign.jobs.tidying import tidied
from app.campaign.jobs.working import JobWorker, Pace
from app.campaign.output import Output, whole
from app.campaign.running import CampaignRun
from app.campaign.watch import forget
from app.cli.recording import keep_pack
from app.record.campaigns import jobs, subjects
from app.record.campaigns.campaign import open_campaign
from app.record.campaigns.complaints import Reached
from app.record.campaigns.jobs import MOST_TRIES, Commissioned, Done, Job, JobProblem
from app.record.campaigns.stored import standing_campaign
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.packs.library import PackLibrary
from app.record.store.database import Database, stamp
from app.record.store.idempotency import idempotency_of
from app.record.store.opening import record_now
from app.record.store.problems import KeyReused, StoreUnavailable
from app.record.store.record import Record
from app.record.verifying import verify_log
from app.settings import Settings
from tests.contract.standing_in import lay_out
from tests.databases import using
from tests.pipeline import shipped
from tests.records import written

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
MAPPING = """\
subscriber: id
request:
  channel: sms_marketing
  locale: en
facts:
  account.status: status
  account.tenure_months: months
  billing.total: {columns: [bill]}
constants:
  events: []
  contacts: []
"""
ROWS, SIZE = 6, 2
BAD, SECOND = 3, 4
"""The row that cannot be decided, and the last one of the second part."""
GOOD = [row for row in range(1, ROWS + 1) if row != BAD]
IDS = Ids()


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def settings_in(folder: Path) -> Settings:
    return Settings(pack=ROOT, database_url=f"sqlite:///{folder}/wanliu.db")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """A store with the pack of the checkout."""
    with record_now(settings_in(tmp_path_factory.mktemp("jobs")), now) as opened:
        keep_pack(opened, shipped(), ROOT, now())
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of campaigns with a file of subscribers, one of whom cannot be decided."""
    made = tmp_path / "campaigns"
    made.mkdir()
    rows = "".join(f"s-{row},active,{'?' if row == BAD else row * 10},{row * 1000}\n" for row in range(1, ROWS + 1))
    (made / "people.csv").write_text(f"id,status,months,bill\n{rows}", "utf-8")
    (made / "people.map.yaml").write_text(MAPPING, "utf-8")
    return made


def order(**changes: Any) -> Order:
    return Order(**{"input": "people.csv", "mapping": "people.map.yaml", "size": SIZE, "per": "subscriber", **changes})


def accepted(database: Database, wanted: Order, *, caller: str = "engine") -> str:
    asked = Commissioned(wanted.campaign_name(), caller, "campaign", caller, shipped().digest, wanted.as_json())
    return jobs.accept(database, IDS.new(now()), now(), asked).id


def job(database: Database, job_id: str) -> Job:
    with database.reading() as connection:
        found = jobs.read_job(connection, job_id)
    assert found is not None
    return found


def read(database: Database, what: Callable[..., Any], *given: Any, **named: Any) -> Any:
    with database.reading() as connection:
        return what(connection, *given, **named)


def worker(record: Record, folder: Path, name: str = "w", keep_days: int = 0, **pace: Any) -> JobWorker:
    library = PackLibrary(record.database)
    library.keep(shipped())
    return JobWorker(record, library, folder, name=name, pace=Pace(**{"idle": 0.0, "look": 0.01, **pace}), keep_days=keep_days)


def decided(folder: Path, job_id: str) -> pl.DataFrame:
    return pl.read_parquet(Place(folder, job_id).decisions("parquet"))


def assert_genuine(record: Record) -> None:
    """Every leaf, file and payload of the record is what it should be."""
    Sealer(record.database, record.keys, record.clock).seal()
    verdict = record.read_now(lambda connection: verify_log(connection, record.keys, opening=True))
    assert verdict.genuine, verdict.findings


def standing(record: Record, campaign: str | None) -> Any:
    assert campaign is not None
    return record.read_now(lambda connection: standing_campaign(connection, campaign))


class TestAccepting:
    """A job is accepted once, whoever asks again."""

    def test_a_key_gives_the_same_job(self, database: Database) -> None:
        """The same key and body give the job as it was accepted, another body is refused, and after a day the key is new."""
        asked = Commissioned("a", "me", "campaign", "me", shipped().digest, {"input": "a.csv"})
        key = idempotency_of("me", "k-1", "POST", b"{}", now())
        first = jobs.accept(database, IDS.new(now()), now(), asked, key)
        jobs.cancel(database, first.id, now(), "me")
        assert jobs.accept(database, IDS.new(now()), now(), asked, key) == first
        assert read(database, jobs.asked_before, key, now()) == first
        with pytest.raises(KeyReused):
            jobs.accept(database, IDS.new(now()), now(), asked, idempotency_of("me", "k-1", "POST", b"{ }", now()))
        later = now() + datetime.timedelta(hours=25)
        again = idempotency_of("me", "k-1", "POST", b"{ }", later)
        assert read(database, jobs.asked_before, again, later) is None
        other = jobs.accept(database, IDS.new(later), later, asked, again)
        assert other.id != first.id
        jobs.cancel(database, other.id, later, "me")

    def test_lists_go_on_from_page_to_page(self, database: Database) -> None:
        """Newest first, by state, name and system."""
        made = [accepted(database, order(name="paged"), caller="pager") for _ in range(3)]

        def listed(**filters: Any) -> list[str]:
            return [found.id for found in read(database, jobs.read_jobs, **filters)]

        assert listed(name="paged") == made[::-1]
        assert listed(name="paged", most=2) == made[:0:-1]
        assert listed(name="paged", before=made[1]) == made[:1]
        assert listed(system="pager", states=["waiting", "failed"]) == made[::-1]
        assert listed(system="nobody") == listed(name="paged", states=["completed"]) == []
        for job_id in made:
            jobs.cancel(database, job_id, now(), "pager")


class TestCounting:
    """How jobs stand is told without reading them."""

    def test_what_waits_and_what_was_decided(self, database: Database) -> None:
        """By state, with what they put on the record: a trial puts nothing there."""
        ran, tried, _ = (accepted(database, order()) for _ in range(3))
        for job_id, campaign, having in ((ran, "c-1", ()), (tried, None, (ran,))):
            jobs.claim(database, "w", now(), now(), having)
            jobs.note(database, "w", job_id, done=Done(9, 7, 2), campaign=campaign)
        assert read(database, jobs.under_way) == 3
        jobs.end(database, "w", ran, now(), "completed")
        assert read(database, jobs.under_way) == 2
        found = read(database, jobs.figures)
        assert found.decided == 7
        assert {state: number for state, number in found.by_state.items() if number} == {"completed": 1, "running": 1, "waiting": 1}

    @pytest.mark.parametrize("count", [jobs.figures, jobs.under_way])
    def test_an_index_has_it(self, sqlite_database: Database, count: Callable[..., Any]) -> None:
        """However many there are, and however much was asked for."""
        with sqlite_database.reading() as connection:
            asked: list[tuple[str, Any]] = []
            event.listen(connection, "before_cursor_execute", lambda _c, _u, statement, given, *_: asked.append((statement, given)))
            count(connection)
            [(statement, given)] = asked
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
        assert all("USING COVERING INDEX" in step.detail for step in plan)


class TestChecking:
    """What is wrong with an order is told by the field, with the nearest right thing, and without where the folder is."""

    @pytest.mark.parametrize(
        ("wanted", "field", "said"),
        [
            (order(input="poeple.csv"), "input", "did you mean `people.csv`?"),
            (order(input="../campaigns/people.csv"), "input", "expected a name in the folder of campaigns"),
            (order(input="/etc/passwd"), "input", "expected a name in the folder of campaigns"),
            (order(input="link.csv"), "input", "leads out of the folder of campaigns"),
            (order(mapping="link.csv"), "mapping", "leads out of the folder of campaigns"),
            (order(input="linked"), "input", "holds a link that leads out"),
            (order(input="out/x.csv"), "input", "where the service writes"),
            (order(what_if=True, lists=True), "lists", "leave it out"),
            (order(input="empty"), "input", "holds no files"),
            (order(input="people.map.yaml"), "input", "expected a file whose name ends in"),
            (order(input="bad.parquet"), "input", "cannot be read as Parquet"),
            (order(input="other.csv"), "mapping", "bill"),
            (order(mapping=None), "mapping", "is required"),
            (order(input="lines.ndjson"), "mapping", "leave it out"),
            (order(mapping="people.map.yml"), "mapping", "did you mean `people.map.yaml`?"),
            (order(mapping="people.csv"), "mapping", "people.csv"),
            (order(channel="sms"), "channel", "there is no channel `sms`"),
            (order(limits="people.csv"), "limits", "people.csv"),
        ],
    )
    def test_what_is_wrong_is_told(self, folder: Path, wanted: Order, field: str, said: str) -> None:
        """Each by its field."""
        (folder.parent / "people.csv").write_text("id\n1\n")
        (folder / "link.csv").symlink_to(folder.parent / "people.csv")
        for name in ("empty", "linked", "out"):
            (folder / name).mkdir()
        (folder / "linked" / "a.csv").symlink_to(folder.parent / "people.csv")
        (folder / "out" / "x.csv").write_text("id\n1\n")
        (folder / "bad.parquet").write_bytes(b"PAR1" + b"\xff" * 64 + b"PAR1")
        (folder / "other.csv").write_text("id,status,months\n1,active,3\n")
        (folder / "lines.ndjson").write_text("{}\n")
        found = mistakes(wanted, Place(folder, "j"), shipped(), "me")
        assert [item.field for item in found] == [field] * len(found)
        assert said in found[0].message
        assert str(folder) not in " ".join(item.message for item in found)

    def test_what_is_right_is_not_refused(self, folder: Path) -> None:
        """A file and its mapping, in a folder of the folder too, and nothing is written for it."""
        (folder / "november").mkdir()
        (folder / "people.csv").rename(folder / "november" / "people.csv")
        assert mistakes(order(input="november/people.csv"), Place(folder, "j"), shipped(), "me") == []
        assert not (folder / "out").exists()

    def test_an_order_is_stored_as_it_is(self) -> None:
        """What was asked for comes back from its JSON; what another release wrote beside is passed over."""
        wanted = order(contact_at=datetime.datetime(2026, 11, 24, 10, tzinfo=datetime.UTC), per="subscriber", what_if=True)
        data = orjson.loads(orjson.dumps(wanted.as_json()))
        assert Order.told({**data, "unheard_of": 1}) == wanted


class TestWorking:
    """The worker gives each job a turn of one part."""

    def test_jobs_take_turns(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two jobs go on part by part, so that neither waits for the end of the other; a third one waits for room."""
        turns: list[str] = []
        kept = JobRun._done

        def done(run: JobRun, progress: Any) -> Any:
            turns.append(run._job.id)
            return kept(run, progress)

        monkeypatch.setattr(JobRun, "_done", done)
        one, other = (accepted(record.database, order(name=name)) for name in ("one", "other"))
        third = accepted(record.database, order(name="third", size=ROWS))
        worker(record, folder, most=2).run()
        assert turns == [one, other] * 3 + [third]
        for job_id in (one, other, third):
            found = job(record.database, job_id)
            assert (found.state, found.done.rows, found.done.decided, found.done.rejected) == ("completed", ROWS, ROWS - 1, 1)
            assert standing(record, found.campaign).state == "completed"

    def test_what_came_of_it(self, record: Record, folder: Path) -> None:
        """Decisions in the form that was asked for, rejects, and a report beside the one of the last run; nothing else is left."""
        before = accepted(record.database, order(name="twice"))
        job_id = accepted(record.database, order(name="twice", form="csv", per="subscriber"))
        worker(record, folder, most=1).run()
        place = Place(folder, job_id)
        assert {file.name for file in place.out.iterdir()} == {
            "decisions.csv",
            "decisions.csv.rejects.ndjson",
            "report.html",
            "report.json",
        }
        assert pl.read_csv(place.decisions("csv"))["row"].to_list() == GOOD
        [line] = place.rejects("csv").read_bytes().splitlines()
        assert orjson.loads(line)["row"] == BAD
        report = orjson.loads(place.report("json").read_bytes())
        assert report["run"]["campaign"] == "twice"
        assert report["last_run"] is not None
        assert orjson.loads(Place(folder, before).report("json").read_bytes())["last_run"] is None
        opened = standing(record, job(record.database, job_id).campaign).opened
        assert (opened["caller"], opened["options"]["order"]) == ("engine", job_id)

    def test_a_what_if_leaves_no_trace(self, record: Record, folder: Path) -> None:
        """Its decisions are there, without ids, and nothing is on the record."""
        job_id = accepted(record.database, order(what_if=True, per="subscriber"))
        worker(record, folder).run()
        found = job(record.database, job_id)
        assert (found.state, found.campaign, found.done.decided) == ("completed", None, ROWS - 1)
        assert decided(folder, job_id)["decision_id"].null_count() == ROWS - 1

    def test_cancelled_within_a_part(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was decided stays on the record, which says who cancelled; what was to be handed back is taken away; the other goes on."""
        job_id, other = accepted(record.database, order(name="cancelled")), accepted(record.database, order(name="kept"))
        kept = JobRun._done

        def done(run: JobRun, progress: Any) -> Any:
            if run._job.id == job_id and progress.rows == SECOND:
                assert jobs.cancel(record.database, job_id, now(), "ann").state == "running"  # type: ignore[union-attr]
            return kept(run, progress)

        monkeypatch.setattr(JobRun, "_done", done)
        worker(record, folder).run()
        found = job(record.database, job_id)
        assert (found.state, found.cancelled_by) == ("cancelled", "ann")
        ended = standing(record, found.campaign)
        assert (ended.state, ended.counts.read) == ("cancelled", SECOND)
        assert (found.done.rows, found.done.decided) == (ended.counts.read, ended.counts.decided)
        assert not Place(folder, job_id).out.exists()
        assert job(record.database, other).state == "completed"
        with pytest.raises(JobProblem, match="closed on the record"):
            jobs.resume(record.database, job_id)
        assert jobs.cancel(record.database, job_id, now(), "bob") == found
        with pytest.raises(JobProblem, match="only one that is waiting, running or failed"):
            jobs.cancel(record.database, other, now(), "bob")

    @pytest.mark.parametrize("died", [False, True])
    def test_stopped_before_its_first_row(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch, died: bool) -> None:
        """Complaints stop it, and that is no failure: job and campaign are stopped, the report says why, and the files are empty; so too
        where its worker died before the report, and nobody is known to have complained any more."""
        (folder / "limits.yaml").write_text("brake: {complaints_per_10000: 5, after: 1}", "utf-8")
        job_id = accepted(record.database, order(name=f"stopped at once {died}", limits="limits.yaml", lists=True, watch=True))
        with monkeypatch.context() as patched:
            patched.setattr("app.record.campaigns.campaign.reached", lambda _record, _name: Reached(10, 9))
            if died:
                patched.setattr(JobRun, "_report", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt) if died else contextlib.nullcontext():
                worker(record, folder).run()
        worker(record, folder).run()
        found, place = job(record.database, job_id), Place(folder, job_id)
        assert (found.state, found.problem, found.done.rows) == ("stopped", None, 0)
        ended = standing(record, found.campaign)
        assert (ended.state, ended.counts.read, ended.held.stopped) == ("stopped", 0, Reached(10, 9))
        report = orjson.loads(place.report("json").read_bytes())
        assert (report["figures"]["read"], report["limits"]["complaints"]) == (0, 9)
        assert (decided(folder, job_id).shape, place.rejects("parquet").read_bytes()) == ((0, 0), b"")
        assert not place.watch("engine", f"stopped at once {died}").exists()
        assert_genuine(record)

    def test_cancelled_before_it_began(self, record: Record, folder: Path) -> None:
        """At once; and it may be begun after all."""
        job_id = accepted(record.database, order())
        assert jobs.cancel(record.database, job_id, now(), "ann").state == "cancelled"  # type: ignore[union-attr]
        worker(record, folder).run()
        assert job(record.database, job_id).campaign is None
        assert jobs.resume(record.database, job_id).state == "waiting"  # type: ignore[union-attr]
        worker(record, folder).run()
        assert job(record.database, job_id).state == "completed"

    def test_one_that_fails_harms_no_other(self, record: Record, folder: Path) -> None:
        """What cannot be run fails with what to do; mended, it is gone on with, and what it is called is not told."""
        bad, good = accepted(record.database, order(input="late.csv", name="late")), accepted(record.database, order())
        worker(record, folder).run()
        found = job(record.database, bad)
        assert (found.state, found.problem and found.problem["kind"]) == ("failed", "input")
        assert job(record.database, good).state == "completed"
        (folder / "late.csv").write_bytes((folder / "people.csv").read_bytes())
        jobs.resume(record.database, bad)
        worker(record, folder).run()
        assert (job(record.database, bad).state, job(record.database, bad).problem) == ("completed", None)
        with pytest.raises(JobProblem, match="only one that failed"):
            jobs.resume(record.database, bad)

    def test_another_input_is_not_gone_on_with(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that was changed between two tries is another campaign: it fails, says so, and can be cancelled."""
        job_id = accepted(record.database, order(name="changed"))
        full = OSError(28, "No space left on device")
        with monkeypatch.context() as patched:
            patched.setattr(CampaignRun, "finish", lambda _: (_ for _ in ()).throw(full))
            worker(record, folder).run()
        assert job(record.database, job_id).problem == problem_of(full, folder)
        assert job(record.database, job_id).problem == {
            "kind": "disk-full",
            "detail": "a disk is full; make room, then resume the campaign",
        }
        (folder / "people.csv").write_text("id,status,months,bill\ns-1,active,10,1000\n")
        jobs.resume(record.database, job_id)
        worker(record, folder).run()
        found = job(record.database, job_id)
        assert found.problem is not None
        assert found.problem["kind"] == "record"
        assert "another input" in found.problem["detail"]
        assert jobs.cancel(record.database, job_id, now(), "ann").state == "waiting"  # type: ignore[union-attr]
        worker(record, folder).run()
        assert job(record.database, job_id).state == standing(record, found.campaign).state == "cancelled"

    def test_told_to_stop_it_leaves_the_rest(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It ends after the part that it is at; the next worker goes on from there, with the same campaign."""
        job_id, stopped = accepted(record.database, order(name="stopped")), worker(record, folder)
        kept = JobRun._done

        def done(run: JobRun, progress: Any) -> Any:
            if progress.rows == SECOND:
                stopped.stop()
            return kept(run, progress)

        with monkeypatch.context() as patched:
            patched.setattr(JobRun, "_done", done)
            stopped.run()
        left = job(record.database, job_id)
        assert (left.state, left.done.rows, left.tries) == ("waiting", SECOND, 0)
        worker(record, folder, "another").run()
        assert (job(record.database, job_id).state, job(record.database, job_id).campaign) == ("completed", left.campaign)
        assert decided(folder, job_id)["decision_id"].n_unique() == ROWS - 1


class TestDying:
    """Workers die; jobs do not, unless they are why."""

    def test_a_lease_that_ran_out(self, database: Database) -> None:
        """A job belongs to one worker as long as its lease runs; then another takes it, and the first one's word counts no more."""
        job_id, moment = accepted(database, order()), now()
        until = moment + datetime.timedelta(seconds=30)
        assert jobs.claim(database, "one", moment, until).id == job_id  # type: ignore[union-attr]
        assert jobs.claim(database, "two", moment, until) is None
        assert not read(database, jobs.is_work, "two", moment)
        assert jobs.claim(database, "one", moment, until, having=[job_id]) is None
        assert jobs.claim(database, "one", moment, until).id == job_id  # type: ignore[union-attr]
        late = until + datetime.timedelta(seconds=1)
        jobs.renew(database, "one", late)
        assert jobs.claim(database, "two", late, late) is None
        later = late + datetime.timedelta(seconds=1)
        assert jobs.claim(database, "two", later, later).id == job_id  # type: ignore[union-attr]
        assert jobs.note(database, "one", job_id, tries=7) is None
        jobs.end(database, "one", job_id, later, "failed")
        assert (job(database, job_id).state, job(database, job_id).tries) == ("running", 0)
        jobs.end(database, "two", job_id, later, "failed")

    def test_one_that_nobody_survives_is_given_up(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever takes up its second part dies: three times, then it fails. What has its turn beside it is not blamed."""
        poison, good = accepted(record.database, order(name="poison")), accepted(record.database, order(name="innocent"))
        kept = JobRun._done

        def done(run: JobRun, progress: Any) -> Any:
            if run._job.id == poison and progress.rows == SECOND:
                raise KeyboardInterrupt
            return kept(run, progress)

        monkeypatch.setattr(JobRun, "_done", done)
        for _ in range(MOST_TRIES):
            with pytest.raises(KeyboardInterrupt):
                worker(record, folder).run()
            assert job(record.database, good).tries == 0
        assert job(record.database, poison).tries == MOST_TRIES
        worker(record, folder).run()
        found = job(record.database, poison)
        assert (found.state, found.done.rows) == ("failed", SIZE)
        assert found.problem is not None
        assert found.problem["kind"] == "worker-ended"
        assert job(record.database, good).state == "completed"

    def test_a_store_that_is_away_for_a_moment(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The job is taken up again, and goes on."""
        job_id, failures = accepted(record.database, order(name="moment")), iter([StoreUnavailable("away")])
        kept = JobRun._done

        def done(run: JobRun, progress: Any) -> Any:
            if progress.rows == SECOND:
                for error in failures:
                    raise error
            return kept(run, progress)

        monkeypatch.setattr(JobRun, "_done", done)
        worker(record, folder).run()
        assert (job(record.database, job_id).state, decided(folder, job_id)["row"].n_unique()) == ("completed", ROWS - 1)

    @pytest.mark.parametrize("point", ["open_campaign", "_report", "finish"])
    def test_died_between_the_record_and_the_job(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
        """Whether the campaign was just opened, all but closed, or closed without a report: one campaign, and all of its files."""
        job_id = accepted(record.database, order(name=f"between {point}"))

        def die(after: Callable[..., Any] | None = None) -> Callable[..., Any]:
            def dying(*given: Any, **named: Any) -> Any:
                if after is not None:
                    after(*given, **named).leave()
                raise KeyboardInterrupt

            return dying

        with monkeypatch.context() as patched:
            if point == "open_campaign":
                patched.setattr(running, point, die(open_campaign))
            elif point == "_report":
                patched.setattr(JobRun, point, die())
            else:
                patched.setattr(CampaignRun, point, die())
            with pytest.raises(KeyboardInterrupt):
                worker(record, folder).run()
        worker(record, folder).run()
        found = job(record.database, job_id)
        assert found.state == "completed"
        with record.database.reading() as connection:
            name = found.commissioned.name
            [(campaign, state)] = connection.exec_driver_sql("SELECT id, state FROM campaign WHERE name = ?", (name,)).all()
        assert (campaign, state) == (found.campaign, "completed")
        assert sorted(decided(folder, job_id)["row"].unique()) == GOOD
        report = orjson.loads(Place(folder, job_id).report("json").read_bytes())
        assert report["figures"]["read"] == ROWS
        assert not list(Place(folder, job_id).out.glob("*.parts"))

    def test_killed_in_the_middle(self, tmp_path: Path, folder: Path) -> None:
        """A worker process that is killed leaves nothing missing and nothing double: the next one goes on from the last part."""
        settings = settings_in(tmp_path)
        with record_now(settings, now) as record:
            keep_pack(record, shipped(), ROOT, now())
            job_id = accepted(record.database, order(name="killed"))
            program = """
                import os, signal, sys
                from pathlib import Path
                from app.campaign.jobs.running import JobRun
                from tests.unit.test_campaign_jobs import now, record_now, settings_in, worker
                kept = JobRun._done
                def done(run, progress):
                    if progress.rows == 6:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return kept(run, progress)
                JobRun._done = done
                with record_now(settings_in(Path(sys.argv[1])), now) as record:
                    worker(record, Path(sys.argv[2])).run()
            """
            command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path), str(folder)]
            died = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120)
            assert died.returncode == -signal.SIGKILL
            left = job(record.database, job_id)
            assert (left.state, left.done.rows, left.tries) == ("running", SECOND, 1)
            worker(record, folder).run()
            found = job(record.database, job_id)
            assert (found.state, found.campaign) == ("completed", left.campaign)
            counts = standing(record, found.campaign).counts
            assert (counts.read, counts.decided, counts.rejected) == (ROWS, ROWS - 1, 1)
            assert sorted(decided(folder, job_id)["row"].unique()) == GOOD


class TestTogether:
    """Several workers share a store."""

    def test_two_on_postgresql(self, postgres_url: str, keys: Keys, tmp_path: Path, folder: Path) -> None:
        """Each campaign is run once, by one of them; nothing is missing and nothing is there twice."""
        chunks = tmp_path / "chunks"
        with (
            using(postgres_url, chunks) as one,
            using(postgres_url, chunks) as two,
            written(one, keys) as made,
            written(two, keys) as other,
        ):
            keep_pack(made.record, shipped(), ROOT, now())
            ids = [accepted(one, order(name=f"shared {number}", size=ROWS)) for number in range(3)]
            with ThreadPoolExecutor(2) as threads:
                workers = [worker(who.record, folder, name, most=1) for who, name in ((made, "one"), (other, "two"))]
                for done in [threads.submit(each.run) for each in workers]:
                    done.result(120)
            for job_id in ids:
                found = job(one, job_id)
                assert (found.state, found.done.decided) == ("completed", ROWS - 1)
                assert decided(folder, job_id)["row"].to_list() == GOOD
            assert len(list(chunks.glob("*/0*.parquet"))) == len(ids)
            assert_genuine(made.record)


GONE = "s-1"
"""Who is erased."""


def holding(folder: Path, ids: Sequence[str]) -> set[str]:
    """The files in a folder that hold one of these ids, Parquet files among them."""
    found = set[str]()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        read = pl.read_parquet(path).write_ndjson().encode() if path.suffix == ".parquet" else path.read_bytes()
        if re.search(rf"\b({'|'.join(ids)})\b", read.decode("utf-8", "replace")):
            found.add(path.name)
    return found


class TestTidying:
    """What is not to stay in the folder of campaigns goes: files when their time is over, whoever was erased at once."""

    def test_files_have_their_time(self, record: Record, folder: Path) -> None:
        """Then all go but the report, which counts only and is compared with; job and record stay, and what ended later has time left."""
        old, late = (accepted(record.database, order(name=name, size=ROWS)) for name in ("old", "late"))
        worker(record, folder).run()
        past = now() - datetime.timedelta(days=30, minutes=1)
        with record.database.writing() as connection:
            connection.exec_driver_sql("UPDATE campaign_job SET ended_at = ? WHERE id = ?", (stamp(past), old))
        worker(record, folder).run()
        assert job(record.database, old).cleared_at is None
        assert is_untidy(record, folder, 30)
        worker(record, folder, keep_days=30).run()
        assert not is_untidy(record, folder, 30)
        assert {path.name for path in Place(folder, old).out.iterdir()} == {"report.html", "report.json"}
        assert job(record.database, old).cleared_at is not None
        assert job(record.database, late).cleared_at is None
        assert decided(folder, late).height > 0

    @pytest.mark.parametrize(("form", "what_if"), [("parquet", False), ("csv", False), ("ndjson", True)])
    def test_who_is_erased_is_in_no_file(self, record: Record, folder: Path, form: Any, what_if: bool) -> None:
        """Neither among decisions and rejects nor on a list nor in a watch; what is told of others stays as it was, to the byte."""
        lay_out(folder)
        (folder / "limits.yaml").write_text("days: 2", "utf-8")
        with (folder / "customers.csv").open("a") as file:
            file.writelines((folder / "customers.csv").read_text().splitlines(keepends=True)[1:])
        beside = {"what_if": True} if what_if else {"lists": True, "watch": True, "limits": "limits.yaml"}
        files = {"input": "customers.csv", "mapping": "customers.map.yaml", "name": f"erased {form}", "form": form, "size": 50_000}
        place = Place(folder, accepted(record.database, order(**files, **beside)))
        worker(record, folder).run()
        before = {path: path.read_bytes().splitlines() for path in place.out.rglob("*.*") if path.is_file()}
        told = rows_of(place.decisions(form))
        who = next(row["subscriber"] for row in told if row["action"])
        mine = [who, *{row["decision_id"] for row in told if row["subscriber"] == who} - {None}]
        assert {place.decisions(form).name, place.rejects(form).name} <= holding(place.out, mine)
        assert bool(holding(place.lists, mine)) != what_if
        note_erased(folder, who)
        assert is_untidy(record, folder, 0)
        worker(record, folder).run()
        assert holding(place.out, mine) == set()
        assert [row["subscriber"] for row in rows_of(place.decisions(form))] == [
            row["subscriber"] for row in told if row["subscriber"] != who
        ]
        for path, lines in before.items():
            found = path.read_bytes().splitlines()
            assert path.suffix == ".parquet" or found == [line for line in lines if not any(one.encode() in line for one in mine)]
        assert [forget(watch, who) for watch in folder.glob("watch/*/*")] == [0] * (not what_if)
        assert not is_untidy(record, folder, 0)

    @pytest.mark.parametrize("within", [(JobRun, "_done"), (Output, "put_together")])
    def test_who_is_erased_while_it_is_under_way(
        self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch, within: tuple[Any, str]
    ) -> None:
        """Is taken out at its end, by whoever ends it; until then parts and lists stay as they are."""
        job_id = accepted(record.database, order(name=f"under way {within[1]}", lists=True, size=ROWS))
        place, kept = Place(folder, job_id), getattr(*within)

        def doing(*given: Any) -> Any:
            note_erased(folder, GONE)
            list(tidied(record, folder, 0))
            assert noted(folder) == []
            assert place.erased.exists()
            return kept(*given)

        monkeypatch.setattr(*within, doing)
        worker(record, folder).run()
        assert job(record.database, job_id).state == "completed"
        assert list(place.lists.glob("*/all.parquet"))
        assert holding(place.out, [GONE]) == set()
        assert not place.erased.exists()
        assert decided(folder, job_id)["row"].to_list() == [row for row in GOOD if f"s-{row}" != GONE]

    def test_what_a_failed_one_left_goes(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Gone on with, it decides nothing twice, and its files are whole again."""
        job_id = accepted(record.database, order(name="left", size=ROWS))
        with monkeypatch.context() as patched:
            patched.setattr(CampaignRun, "finish", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            worker(record, folder).run()
        place = Place(folder, job_id)
        assert holding(place.out, [GONE])
        note_erased(folder, "s-2")
        worker(record, folder).run()
        assert list(place.out.iterdir()) == []
        jobs.resume(record.database, job_id)
        worker(record, folder).run()
        assert job(record.database, job_id).state == "completed"
        assert decided(folder, job_id)["row"].to_list() == GOOD

    @pytest.mark.parametrize("spoilt", ["decisions", "nothing there"])
    def test_files_that_somebody_changed(self, record: Record, folder: Path, spoilt: str) -> None:
        """One that cannot be read is taken away, and lists are where nothing says any more whom they are about."""
        job_id = accepted(record.database, order(name=spoilt, lists=True, form="ndjson", size=ROWS))
        worker(record, folder).run()
        place = Place(folder, job_id)
        assert place.lists.exists()
        place.decisions("ndjson").write_bytes(b"\xff{\n") if spoilt == "decisions" else place.decisions("ndjson").unlink()
        note_erased(folder, GONE)
        worker(record, folder).run()
        assert {path.name for path in place.out.iterdir()} == {"decisions.ndjson.rejects.ndjson", "report.html", "report.json"}
        assert noted(folder) == []

    def test_one_that_cannot_be_written_keeps_no_other(self, folder: Path, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
        """The others are tidied all the same, and who was erased stays noted until all are."""
        one, other = (Place(folder, name) for name in ("a", "b"))
        for place in (one, other):
            place.out.mkdir(parents=True)
            place.rejects("csv").write_text(f'{{"subscriber":"{GONE}"}}\n')
        note_erased(folder, GONE)
        with monkeypatch.context() as patched:
            patched.setattr(tidying, "whole", lambda path, *given: whole(path / "no" if path.is_relative_to(one.out) else path, *given))
            with pytest.raises(OSError, match="Not a directory"):
                list(tidied(record, folder, 0))
        assert (one.rejects("csv").read_bytes() != b"", other.rejects("csv").read_bytes(), len(noted(folder))) == (True, b"", 1)
        list(tidied(record, folder, 0))
        assert (one.rejects("csv").read_bytes(), noted(folder)) == (b"", [])

    def test_a_disk_that_takes_nothing(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What cannot be done now is done later, and keeps no job from being run; what cannot be noted is told."""
        (folder / "out").mkdir()
        note_erased(folder, GONE)
        job_id = accepted(record.database, order(name="meanwhile", size=ROWS))
        with monkeypatch.context() as patched:
            patched.setattr("app.campaign.jobs.tidying.noted", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            worker(record, folder).run()
        assert job(record.database, job_id).state == "completed"
        assert len(noted(folder)) == 1
        worker(record, folder).run()
        assert holding(folder / "out", [GONE]) == set()
        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(StoreUnavailable, match="no space left on device; erase once more"):
                note_erased(folder, GONE)
        assert noted(folder) == []

    def test_nothing_is_noted_where_no_campaign_left_anything(self, folder: Path) -> None:
        """The folder stays as it is."""
        before = sorted(folder.iterdir())
        note_erased(folder, GONE)
        assert sorted(folder.iterdir()) == before


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of decisions, in any form."""
    read: Mapping[str, Callable[..., pl.DataFrame]] = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".ndjson": pl.read_ndjson}
    return read[path.suffix](path).to_dicts()


class TestGivingWay:
    """Where decisions wait for the one writer's place too, a campaign takes it for a moment at a time."""

    def test_new_subjects_a_few_at_a_time(self, sqlite_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
        """With a pause between, and not at all for those who are known; they are the same as otherwise."""
        pauses: list[float] = []
        monkeypatch.setattr(subjects, "_NEW_AT_ONCE", 3)
        monkeypatch.setattr("time.sleep", pauses.append)
        sqlite_database.gives_way = 0.5
        people = [f"p-{number}" for number in range(7)]
        made = subjects.known_subjects(sqlite_database, keys, now(), people)
        assert pauses == [0.5, 0.5]
        with monkeypatch.context() as patched:
            patched.setattr(sqlite_database, "writing", None)
            assert subjects.known_subjects(sqlite_database, keys, now(), people) == made
        sqlite_database.gives_way = 0.0
        assert subjects.known_subjects(sqlite_database, keys, now(), people) == made


class TestKeeping:
    """The service has a process for campaigns when there is one to run, and not before."""

    def test_from_waiting_to_the_end_over_a_killed_process(self, tmp_path: Path, folder: Path) -> None:
        """Nothing runs without a job; a process that is killed is followed by another, which goes on at once; told to stop, it ends."""
        settings = settings_in(tmp_path).model_copy(update={"campaign_dir": folder})
        (folder / "many.csv").write_text("id,status,months,bill\n" + "".join(f"m-{row},active,3,1000\n" for row in range(60)), "utf-8")
        with record_now(settings, now) as record:
            keep_pack(record, shipped(), ROOT, now())
            thread = CampaignThread(settings, record)
            thread.start()
            time.sleep(1.5)
            assert thread.pid is None
            job_id = accepted(record.database, order(input="many.csv", size=3))
            first = until(lambda: thread.pid if job(record.database, job_id).done.rows > 0 else None)
            os.kill(first, signal.SIGKILL)
            second = until(lambda: thread.pid if thread.pid != first else None)
            until(lambda: job(record.database, job_id).state == "completed" or job(record.database, job_id).done.rows > 15)
            thread.stop()
            assert thread.pid is None
            with pytest.raises(ProcessLookupError):
                os.kill(second, 0)
            worker(record, folder).run()
            assert job(record.database, job_id).state == "completed"
            assert decided(folder, job_id)["decision_id"].n_unique() == 60

    def test_started_to_tidy_up(self, tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is no job, and somebody has to be taken out of files."""
        folder = tmp_path / "tidied"
        (folder / "out").mkdir(parents=True)
        thread, started = CampaignThread(settings_in(tmp_path).model_copy(update={"campaign_dir": folder}), record), list[str]()
        monkeypatch.setattr(campaigns, "_process", lambda _settings, name: started.append(name) or SimpleNamespace(pid=1))
        thread._look()
        assert started == []
        note_erased(folder, GONE)
        with monkeypatch.context() as patched:
            patched.setattr(campaigns, "is_untidy", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
            thread._look()
        assert started == []
        thread._look()
        assert len(started) == 1

    def test_where_others_run_them(self, tmp_path: Path, record: Record) -> None:
        """No process is started where the setting says that campaigns are run elsewhere."""
        elsewhere = settings_in(tmp_path).model_copy(update={"campaign_worker": False})
        kinds = [type(thread) for settings in (settings_in(tmp_path), elsewhere) for thread in Background(settings, record)._threads]
        assert kinds.count(CampaignThread) == 1


def until(found: Callable[[], Any]) -> Any:
    """What is found, waited for."""
    give_up = time.monotonic() + 120
    while not (value := found()):
        assert time.monotonic() < give_up, "it did not come"
        time.sleep(0.05)
    return value


class TestPacing:
    """A worker ends when there is nothing to do, and keeps what it has while a part takes longer than a lease."""

    def test_it_ends_for_want_of_jobs(self, record: Record, folder: Path) -> None:
        """Unless it is to stay."""
        worker(record, folder).run()
        staying = worker(record, folder, idle=0.0)
        staying.stop()
        staying.run(for_ever=True)

    def test_it_keeps_what_it_has(self, record: Record, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its leases are renewed while a part is decided."""
        job_id, kept, leases = accepted(record.database, order()), JobRun._done, set[str]()

        def done(run: JobRun, progress: Any) -> Any:
            give_up = time.monotonic() + 30
            while len(leases) < progress.rows // SIZE + 1 and time.monotonic() < give_up:
                with record.database.reading() as connection:
                    leases.add(connection.exec_driver_sql("SELECT lease FROM campaign_job WHERE id = ?", (job_id,)).scalar_one())
            return kept(run, progress)

        monkeypatch.setattr(JobRun, "_done", done)
        worker(record, folder, renewed=0.01).run()
        assert len(leases) >= ROWS // SIZE
        assert working.Pace().renewed < working.Pace().lease / 3
