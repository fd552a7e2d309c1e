"""The worker of jobs: claims them, and gives each a turn of one part, so that none waits for the end of another."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from app.campaign.jobs.names import worker_name
from app.campaign.jobs.running import Gone, JobRun, gave_up, is_passing, problem_of
from app.campaign.jobs.tidying import tidied
from app.record.campaigns import jobs
from app.record.campaigns.jobs import MOST_TRIES, Job
from app.record.campaigns.problems import CampaignBusy
from app.record.store.problems import StoreError

if TYPE_CHECKING:
    from app.record.packs.library import PackLibrary
    from app.record.store.record import Record

_log = structlog.get_logger("wanliu.campaigns")


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of a worker, in seconds, and how many jobs it has at once."""

    lease: float = 30.0
    """After which another worker takes a job whose worker says nothing."""
    renewed: float = 5.0
    """Between two renewals."""
    look: float = 1.0
    """Between two looks for jobs, while there are none."""
    idle: float = 60.0
    """After which a worker without a job ends."""
    most: int = 4
    """Jobs that have their turns at once; others wait for one of them to end."""


@dataclass(slots=True)
class _Held:
    """A job that this worker has, its run, and how often its next part was begun before."""

    job: Job
    run: JobRun
    steps: Iterator[Gone]
    tries: int


class JobWorker:
    """Runs jobs by turns until it is told to stop, or has had nothing to do for a while."""

    def __init__(
        self,
        record: Record,
        library: PackLibrary,
        folder: Path,
        *,
        name: str | None = None,
        pace: Pace | None = None,
        keep_days: int = 0,
    ) -> None:
        """
        Args:
            record: brought up to date.
            library: has the packs.
            folder: that the service shares with whoever hands files over.
            name: of the worker; who comes under the name of one that died goes on with its jobs at once. Left out, a new one.
            pace: its times.
            keep_days: how long files stay after a job has ended; 0 for ever.
        """
        self._record, self._library, self._folder = record, library, folder
        self._name, self._pace = name or worker_name(), pace or Pace()
        self._held: deque[_Held] = deque()
        self._keep_days = keep_days
        self._tidying: Iterator[None] | None = None
        self._tidy_at = monotonic()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the part that is under way; what is not ended is gone on with by the next worker."""
        self._stopping.set()

    def run(self, *, for_ever: bool = False) -> None:
        """Work.

        Args:
            for_ever: do not end for want of jobs.
        """
        busy = monotonic()
        with self._renewing():
            while not self._stopping.is_set():
                self._take_up()
                tidying = self._tidy()
                if self._held:
                    self._turn(self._held.popleft())
                    busy = monotonic()
                elif tidying:
                    busy = monotonic()
                elif not for_ever and monotonic() - busy > self._pace.idle:
                    break
                else:
                    self._stopping.wait(self._pace.look)
            self._let_go()

    def _take_up(self) -> None:
        """Claim jobs as long as there is room."""
        while len(self._held) < self._pace.most:
            try:
                now = self._record.clock()
                until = now + datetime.timedelta(seconds=self._pace.lease)
                having = [held.job.id for held in self._held]
                job = jobs.claim(self._record.database, self._name, now, until, having)
            except StoreError as error:
                _log.warning("campaigns_not_looked_for", why=str(error))
                self._stopping.wait(self._pace.look)
                return
            if job is None:
                return
            self._begin(job)

    def _tidy(self) -> bool:
        """Take away some of what is not to stay; whether there may be more."""
        if self._tidying is None:
            if monotonic() < self._tidy_at:
                return False
            self._tidying = tidied(self._record, self._folder, self._keep_days)
        pause = self._pace.look
        try:
            next(self._tidying)
        except StopIteration:
            pass
        except (StoreError, OSError) as error:
            _log.error("campaign_files_not_tidied", exc_info=error)
            pause = self._pace.idle
        else:
            return True
        self._tidying, self._tidy_at = None, monotonic() + pause
        return False

    def _begin(self, job: Job) -> None:
        """Have a job among those that get turns; one that nobody survived is failed."""
        if job.tries >= MOST_TRIES and job.cancelled_by is None:
            self._fail(job.id, gave_up(job.tries, job.problem))
            return
        try:
            run = JobRun(self._record, self._folder, job, self._library.get(job.commissioned.pack))
        except Exception as error:  # noqa: BLE001 - whatever it was, it is this job's
            self._failed(job.id, error, job.tries + 1)
            return
        _log.info("campaign_taken_up", job=job.id, tries=job.tries)
        self._held.append(_Held(job, run, run.steps(), job.tries))

    def _turn(self, held: _Held) -> None:
        """Let a job do its next part."""
        try:
            if not self._is_ours(held, jobs.note(self._record.database, self._name, held.job.id, tries=held.tries + 1)):
                return
            gone = next(held.steps, None)
            if gone is None:
                self._ended(held)
            elif self._is_ours(held, self._noted(held, gone)):
                self._held.append(held)
        except BaseException as error:
            self._close(held)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            self._failed(held.job.id, error, held.tries)

    def _noted(self, held: _Held, gone: Gone) -> Job | None:
        """Note how far a job is. A part that is new has nobody's death on it."""
        further = gone.done.rows > held.job.done.rows
        held.tries = 0 if further else held.tries
        done = gone.done if gone.done.rows >= held.job.done.rows else held.job.done
        return jobs.note(self._record.database, self._name, held.job.id, tries=held.tries, done=done, campaign=gone.campaign)

    def _is_ours(self, held: _Held, found: Job | None) -> bool:
        """Is the job still this worker's; then it is as it was found, with whoever wants it cancelled."""
        if found is None:
            _log.warning("campaign_taken_over", job=held.job.id)
            self._close(held)
            return False
        held.job, held.run.cancelled_by = found, found.cancelled_by
        return True

    def _ended(self, held: _Held) -> None:
        held.run.forget()
        jobs.end(self._record.database, self._name, held.job.id, self._record.clock(), held.run.state)
        done = held.job.done
        _log.info("campaign_ended", job=held.job.id, state=held.run.state, rows=done.rows, decided=done.decided, rejected=done.rejected)

    def _failed(self, job_id: str, error: BaseException, tries: int) -> None:
        """Fail a job; what may pass is tried again."""
        problem = problem_of(error, self._folder)
        if not is_passing(error):
            _log.error("campaign_failed", job=job_id, kind=problem["kind"], exc_info=error)
            self._fail(job_id, problem)
            return
        _log.warning("campaign_tried_again", job=job_id, kind=problem["kind"], why=str(error))
        with contextlib.suppress(StoreError):  # of a folder that an old worker still holds nobody has died
            tried = {"tries": tries} if isinstance(error, CampaignBusy) else {}
            jobs.note(self._record.database, self._name, job_id, problem=problem, **tried)
        self._stopping.wait(self._pace.look)

    def _fail(self, job_id: str, problem: object) -> None:
        try:
            jobs.end(self._record.database, self._name, job_id, self._record.clock(), "failed", problem)  # type: ignore[arg-type]
        except StoreError as error:
            _log.warning("campaign_not_ended", job=job_id, why=str(error))

    def _let_go(self) -> None:
        """Leave every job for another worker."""
        while self._held:
            held = self._held.popleft()
            self._close(held)
            with contextlib.suppress(StoreError):
                jobs.release(self._record.database, self._name, held.job.id)

    def _close(self, held: _Held) -> None:
        """Leave a run: what it has sent is on the record or not when this returns."""
        try:
            held.steps.close()  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 - it is left anyway
            _log.warning("campaign_not_left", job=held.job.id, exc_info=error)

    @contextlib.contextmanager
    def _renewing(self) -> Iterator[None]:
        """Meanwhile keep what the worker has, in a thread: a part may take longer than a lease."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._pace.renewed):
                until = self._record.clock() + datetime.timedelta(seconds=self._pace.lease)
                with contextlib.suppress(StoreError):
                    jobs.renew(self._record.database, self._name, until)

        thread = threading.Thread(target=renew, name="campaign-leases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
