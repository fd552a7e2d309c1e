"""One job, from its order to its output: part by part, so that others have their turn between."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from app.campaign.commission import CommissionRefused, Ready
from app.campaign.figures import Figures, figures_of
from app.campaign.finishing import Finished, Finishing
from app.campaign.jobs.checking import made_ready, words_of
from app.campaign.jobs.order import Order
from app.campaign.jobs.places import Place
from app.campaign.jobs.tidying import forget_left
from app.campaign.limits import LimitsError
from app.campaign.mapping import MappingError
from app.campaign.output import Output
from app.campaign.problems import TableError
from app.campaign.refusal_words import reason
from app.campaign.report import Report, Run, Telling, as_html, as_json, report_of, titles_for
from app.campaign.running import CampaignRun, Progress, Recording
from app.engine.problems import PackError
from app.record.campaigns.campaign import Campaign, end_campaign, left_open, open_campaign
from app.record.campaigns.jobs import Done, Job, read_jobs
from app.record.campaigns.problems import CampaignBusy, CampaignOver, CampaignProblem, RowsRefused
from app.record.campaigns.stored import standing_campaign
from app.record.packs.library import DamagedPack
from app.record.packs.steps import UnknownPack
from app.record.store.problems import StoreError

if TYPE_CHECKING:
    from app.engine.pack import Pack
    from app.record.campaigns.jobs import JobState
    from app.record.campaigns.model import CampaignHead, Standing
    from app.record.store.record import Record

_ORDER = "order"
"""What the record calls a job, among a campaign's options."""
_MOST_BEFORE = 20
"""Runs of the same name that are looked through for the last report."""


@dataclass(frozen=True, slots=True)
class Gone:
    """How far a job is, and the campaign that it has on the record."""

    done: Done
    campaign: str | None


class _Lasting(Output):
    """An output whose parts stay when it is put together, for who has to write the report after a worker died there."""

    def clear(self) -> None:
        """Leave them."""


class JobRun:
    """A job at work. `steps` takes it from part to part; closed between two, it can be gone on with by anybody."""

    def __init__(self, record: Record, folder: Path, job: Job, pack: Pack) -> None:
        """
        Args:
            record: of a worker, brought up to date.
            folder: that the service shares with whoever hands files over.
            job: as it was claimed.
            pack: what decides.
        """
        self._record, self._folder, self._job, self._pack = record, folder, job, pack
        self._order, self._place = Order.told(job.commissioned.asked), Place(folder, job.id)
        self._campaign_id = job.campaign
        self._worked = job.done.worked
        self._size = job.done.size
        self.cancelled_by = job.cancelled_by
        """Who wants it cancelled: it ends with the part that it is at."""
        self.state: JobState = "completed"
        """How it ended, once `steps` has."""

    def steps(self) -> Iterator[Gone]:
        """Run the campaign; how far it is after each part, and once when it was opened.

        Raises:
            CommissionRefused, TableError, MappingError, LimitsError: it cannot be run as it was asked for.
            CampaignProblem: it cannot be gone on with.
            StoreError, OSError: something could not be kept.
        """
        if self.cancelled_by is not None:
            self._cancel_left()
            yield self._as_recorded(self._job.done)
            return
        if self._was_closed():
            return
        began = perf_counter()
        campaign = self._ready()
        watch = campaign.commission.watch
        for folder in (self._place.out, *([watch.parent] if watch else [])):
            folder.mkdir(parents=True, exist_ok=True)
        self._size = campaign.given.size
        if self._order.what_if:
            now = self._record.clock()
            self._worked += perf_counter() - began
            yield from self._through(campaign, now, None)
            return
        head = self._head(campaign)
        with self._opened(head) as opened:
            self._campaign_id = opened.id
            self._worked += perf_counter() - began
            yield Gone(replace(self._job.done, size=self._size), opened.id)
            yield from self._through(campaign, opened.at, Recording(opened, head))

    def forget(self) -> None:
        """Take out of what came of it who was erased meanwhile.

        Raises:
            OSError: it is not done.
        """
        forget_left(self._place)

    def _ready(self) -> Ready:
        """The campaign that was asked for, checked; the parts of its output stay until the report is written."""
        found = made_ready(self._order, self._place, self._pack, self._job.commissioned.system)
        output = found.wanted.output
        return replace(found, wanted=replace(found.wanted, output=_Lasting(output.path, output.form)))

    def _through(self, campaign: Ready, at: datetime.datetime, recording: Recording | None) -> Iterator[Gone]:
        """Every part in turn, then the end."""
        finishing = campaign.finishing(self._pack, at, None if recording is None else recording.campaign)
        run, began = CampaignRun(self._pack, campaign.wanted, recording, finishing=finishing), perf_counter()
        for progress in run.steps(campaign.parts(self._pack, at)):
            self._worked += perf_counter() - began
            yield Gone(self._done(progress), self._campaign_id)
            if self.cancelled_by is not None:
                self._cancel(None if recording is None else recording.campaign)
                yield self._as_recorded(self._done(progress))
                return
            began = perf_counter()
        figures = run.finish()
        if recording is not None:
            self.state = _ended(self._standing())
        self._worked += perf_counter() - began
        self._report(campaign, figures, at, finishing)
        yield Gone(Done(figures.read, figures.decided, figures.rejected, self._size, self._size, self._worked), self._campaign_id)

    def _head(self, campaign: Ready) -> CampaignHead:
        who = self._job.commissioned
        head = campaign.head(self._pack, who.caller, who.agent)
        return replace(head, options={**head.options, _ORDER: self._job.id})

    def _opened(self, head: CampaignHead) -> Campaign:
        """The campaign on the record: the one that was left, whoever began it for this job, or a new one."""
        left = self._campaign_id or next((standing.id for standing in left_open(self._record, head)), None)
        return open_campaign(self._record, head, left)

    def _done(self, progress: Progress) -> Done:
        return Done(progress.rows, progress.decided, progress.rejected, progress.consumed, self._size, self._worked)

    def _as_recorded(self, done: Done) -> Gone:
        """How far it came, by what is on the record."""
        standing = self._standing()
        if standing is None:
            return Gone(done, None)
        counts = standing.counts
        return Gone(replace(done, rows=counts.read, decided=counts.decided, rejected=counts.rejected), standing.id)

    def _standing(self) -> Standing | None:
        campaign = self._campaign_id
        return None if campaign is None else self._record.read_now(lambda connection: standing_campaign(connection, campaign))

    def _was_closed(self) -> bool:
        """Whether the campaign was closed on the record before a worker died; then what was left to do is done."""
        standing = self._standing()
        if standing is None or standing.state == "open":
            return False
        self.state = _ended(standing)
        if self.state == "cancelled":
            return True
        campaign = self._ready()
        if campaign.wanted.output.folder.is_dir():
            figures = Figures()
            for file in sorted(campaign.wanted.output.folder.glob("*.figures.json")):
                figures.merge(figures_of(orjson.loads(file.read_bytes())))
            finishing = campaign.finishing(self._pack, standing.at, None, standing.held)
            if finishing is not None:
                finishing.finish(figures)
            self._report(campaign, figures, standing.at, finishing)
        return True

    def _cancel(self, campaign: Campaign | None) -> None:
        """End it on the record with what is there, and take away what was written for the output."""
        self.state = "cancelled"
        if campaign is not None:
            with contextlib.suppress(RowsRefused, CampaignProblem):
                campaign.finish()
            campaign.close(campaign.standing.counts, "cancelled", self.cancelled_by)
        shutil.rmtree(self._place.out, ignore_errors=True)

    def _cancel_left(self) -> None:
        """End a campaign that nobody is at work on."""
        self.state = "cancelled"
        standing = self._standing()
        if standing is not None and standing.state == "open":
            end_campaign(self._record, standing.id, "cancelled", self.cancelled_by)
        shutil.rmtree(self._place.out, ignore_errors=True)

    def _report(self, campaign: Ready, figures: Figures, at: datetime.datetime, finishing: Finishing | None) -> None:
        """Write the report, as JSON and as a page; then nothing needs the parts any more."""
        pack, language = self._pack, campaign.wanted.language
        started = at.astimezone(ZoneInfo(pack.zone))
        made = Run(
            campaign.name,
            f"{pack.name} {pack.version}",
            pack.digest,
            campaign.commission.source.name,
            campaign.channel,
            started,
            self._worked,
        )
        telling = Telling(language, pack.currency, titles_for(pack, language), lambda why: reason(why, language, pack.currency))
        found = Finished() if finishing is None else finishing.found
        report = Report(made, figures, self._before(), found.watch, found.limited)
        _whole(self._place.report("json"), orjson.dumps(as_json(report), option=orjson.OPT_INDENT_2))
        _whole(self._place.report("html"), as_html(report, telling).encode())
        shutil.rmtree(campaign.wanted.output.folder, ignore_errors=True)

    def _before(self) -> Report | None:
        """The report of the last run of the same campaign, where it is still there."""
        who = self._job.commissioned

        def earlier(connection: Any) -> list[Job]:
            ended = ("completed", "stopped")
            return read_jobs(connection, states=ended, name=who.name, system=who.system, before=self._job.id, most=_MOST_BEFORE)

        for job in self._record.read_now(earlier):
            with contextlib.suppress(OSError, ValueError, TableError):
                return report_of(orjson.loads(Place(self._folder, job.id).report("json").read_bytes()))
        return None


def problem_of(error: BaseException, folder: Path) -> Mapping[str, str]:
    """Why a job failed: a word, and a sentence that says what to do, without anything of a person.

    Args:
        error: what was raised.
        folder: that is not told.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _told("disk-full", "a disk is full; make room, then resume the campaign")
    if isinstance(error, OSError):
        return _told("files", f"a file cannot be read or written: {(error.strerror or 'unknown error').lower()}; mend that, then resume")
    if isinstance(error, TableError | MappingError | LimitsError | CommissionRefused):
        return _told("input", words_of(error, folder))
    if isinstance(error, CampaignProblem):
        return _told("record", str(error))
    if isinstance(error, UnknownPack | DamagedPack | PackError):
        return _told("pack", "the pack that was in force when this was asked for cannot be used any more; commission it anew")
    if isinstance(error, StoreError):
        return _told("store", "the store did not take it; see why, then resume the campaign")
    if isinstance(error, MemoryError):
        return _told("memory", "there was not enough memory; commission it with a smaller `size`")
    return _told("unexpected", f"something that was not expected: {type(error).__name__}; the service's log says where")


def gave_up(tries: int, before: Mapping[str, str] | None) -> Mapping[str, str]:
    """Why a job failed whose worker ended again and again."""
    last = f"; the last time: {before['detail']}" if before else "; a smaller `size` takes less memory"
    return _told("worker-ended", f"whoever was at work on it ended {tries} times at the same part{last}")


def is_passing(error: BaseException) -> bool:
    """May it go well if it is tried again: nobody's fault who commissioned it."""
    return isinstance(error, StoreError | CampaignBusy | CampaignOver)


def _told(kind: str, detail: str) -> Mapping[str, str]:
    return {"kind": kind, "detail": detail}


def _ended(standing: Standing | None) -> JobState:
    """How a job ended, by how its campaign did."""
    if standing is None or standing.state == "open":
        raise CampaignProblem("the campaign is still open on the record")
    return standing.state


def _whole(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
