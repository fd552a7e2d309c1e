"""A run of a campaign: the input part by part, decided and put on the record; and gone on with where it was left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Self

import orjson

from app.campaign.crew import Crew, Dealt, Doing, Job, Orders, Together
from app.campaign.figures import Figures, figures_of
from app.campaign.output import as_they_are
from app.campaign.part import Opened, PartWork, Stopwatch, Wanted
from app.campaign.problems import TableError
from app.engine.pack import digest_of
from app.record.campaigns.campaign import Campaign
from app.record.campaigns.model import CampaignHead, Counts
from app.record.campaigns.problems import RowsRefused
from app.record.campaigns.subjects import Known

if TYPE_CHECKING:
    from app.campaign.finishing import Finishing
    from app.campaign.input import InputBatch
    from app.engine.pack import Pack
    from app.engine.vocabulary.choices import Choice


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: rows and bytes of the input so far, and what became of the rows."""

    rows: int
    consumed: int
    decided: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a run is put on the record."""

    campaign: Campaign
    head: CampaignHead


def run_campaign(
    pack: Pack,
    parts: Iterable[InputBatch],
    wanted: Wanted,
    recording: Recording | None = None,
    *,
    finishing: Finishing | None = None,
    told: Callable[[Progress], None] = lambda _progress: None,
    watch: Stopwatch | None = None,
    together: Together | None = None,
) -> Figures:
    """Decide for the whole input, write what became of it, and put it on the record, part by part.

    Args:
        pack: what decides.
        parts: the input from its beginning, in batches of the same size each time.
        wanted: what is handed back.
        recording: of a campaign that was opened, or is gone on with: what it has on the record is not decided again.
        finishing: what is done when everybody is decided, within limits over everybody, for lists and for a watch.
        told: of each part that is done.
        watch: counts what took how long, in all processes together.
        together: how several processes do it, with the same result; left out, this one does.

    Raises:
        TableError: there is nobody in the input.
        CampaignProblem: limits came to something else than is on the record.
        StoreError, OSError: something could not be kept; run it again, and it goes on from there.
    """
    with CampaignRun(pack, wanted, recording, watch, finishing, together) as run:
        for progress in run.steps(parts):
            told(progress)
        return run.finish()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A part on its way to the record, and its figures, which count once it is there."""

    number: int
    first: int
    part: InputBatch
    figures: Figures


class CampaignRun:
    """One run, as far as it is: `steps` takes it from part to part, and between two of them it can be left; `finish` ends it."""

    def __init__(
        self,
        pack: Pack,
        wanted: Wanted,
        recording: Recording | None = None,
        watch: Stopwatch | None = None,
        finishing: Finishing | None = None,
        together: Together | None = None,
    ) -> None:
        """As `run_campaign`. With several processes it is to be left by `with`, which ends them."""
        self._wanted, self._recording, self._watch = wanted, recording, watch or Stopwatch()
        self._finishing = finishing
        opened = None if recording is None else Opened(recording.campaign.id, recording.head)
        self._work = PartWork(pack, wanted, opened, self._watch)
        apart = together is not None and together.processes > 1 and digest_of(together.files) == pack.digest
        self._opened, self._together = opened, together if apart else None
        self._crew: Crew | None = None
        self._dealt: deque[Dealt] = deque()
        self._done = len(recording.campaign.standing.chunks) if recording else 0
        self._figures = Figures()
        self._sent: _Sent | None = None
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._dismiss()

    def steps(self, parts: Iterable[InputBatch]) -> Iterator[Progress]:
        """Decide the parts one after the other, until complaints stop it; how far it is after each."""
        self._wanted.output.begin(self._done)
        for number, part in enumerate(self._shared(self._each(parts)), 1):
            if number > self._done and self._finishing is not None and self._finishing.stopped():
                return
            self._take(number, part)
            yield Progress(part.read, part.consumed, self._figures.decided, self._figures.rejected)

    def finish(self) -> Figures:
        """Do what is done when everybody is decided, put the output together, close the record; broken off anywhere, it is done again."""
        self._settle()
        self._dismiss()
        stopped = self._is_stopped()
        if self._figures.read or stopped:
            with self._watch.on("finishing"):
                beside = self._finishing.finish(self._figures) if self._finishing is not None else as_they_are
            with self._watch.on("writing"):
                self._wanted.output.put_together(beside)
            stopped = self._is_stopped()
        if self._recording is not None:
            counts = Counts(self._figures.read, self._figures.decided, self._figures.rejected)
            self._recording.campaign.close(counts, *(("stopped", "complaints") if stopped else ()))
        if not self._figures.read and not stopped:
            raise TableError("the input has no rows")
        self._wanted.output.clear()
        return self._figures

    def _is_stopped(self) -> bool:
        """Did complaints stop it?"""
        return self._finishing is not None and self._finishing.found.stopped is not None

    def _each(self, parts: Iterable[InputBatch]) -> Iterator[InputBatch]:
        """The parts, with the time that reading takes."""
        waiting = iter(parts)
        while True:
            with self._watch.on("reading"):
                part = next(waiting, None)
            if part is None:
                return
            yield part

    def _shared(self, parts: Iterator[InputBatch]) -> Iterator[InputBatch]:
        """The parts. Where there are several, and large ones, others begin to help before the first."""
        together, waiting = self._together, deque(islice(parts, 2) if self._together else ())
        if together is not None and len(waiting) > 1 and waiting[0].batch.size >= together.least:
            filing = None if self._recording is None else self._recording.campaign.filing
            doing = Doing(self._work, filing, self._watch)
            self._crew = Crew(Orders(together.files, self._wanted, self._opened, filing), together.processes, doing)
        while waiting:
            yield waiting.popleft()
        yield from parts

    def _dismiss(self) -> None:
        """End those who help."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()

    def _take(self, number: int, part: InputBatch) -> None:
        """Decide a part, then send it to the record; what an earlier run did is not done again."""
        first, self._read = self._read + 1, part.read
        if number <= self._done and self._wanted.output.has(number, *self._wanted.names):
            self._figures.merge(figures_of(orjson.loads(self._wanted.output.part(number, "figures", "json").read_bytes())))
            return
        if self._crew is not None and number > self._done:
            self._deal(self._crew, number, first, part)
            return
        done = self._work.do(number, first, part, self._choices(part))
        self._settle()
        if self._recording is None or done.chunk is None or number <= self._done:
            self._figures.merge(done.figures)
            return
        with self._watch.on("recording"):
            self._recording.campaign.send(done.chunk)
        self._sent = _Sent(number, first, part, done.figures)

    def _deal(self, crew: Crew, number: int, first: int, part: InputBatch) -> None:
        """Have a part done side by side with others; what is done by now goes on the record, in order."""
        choices: Mapping[int, tuple[Choice, ...]] = {}
        subjects: list[Known] = []
        if self._recording is not None:
            with self._watch.on("recording"):
                subjects = self._recording.campaign.subjects_of(part.batch.facts["subscriber"].to_list())
                choices = self._recording.campaign.choices_among(subjects)
        given = part.without_cases() if self._recording is None and self._wanted.aside is None else part
        self._dealt.append(crew.deal(Job(number, first, given, choices, subjects)))
        while self._dealt and self._dealt[0].finished.done():
            self._enter(self._dealt.popleft())

    def _enter(self, dealt: Dealt) -> None:
        """Wait for a part, and put it on the record."""
        found = dealt.finished.result()
        for name, seconds in found.seconds.items():
            self._watch.seconds[name] = self._watch.seconds.get(name, 0.0) + seconds
        figures = found.done.figures
        if self._recording is not None and found.filed is not None:
            with self._watch.on("recording"):
                settled = _settled(partial(self._recording.campaign.enter, found.filed, dealt.subjects))
            if not settled:
                figures = self._again(self._recording, dealt.number, dealt.job.first, dealt.job.part)
        self._figures.merge(figures)

    def _settle(self) -> None:
        """Wait until what was sent is on the record. Where people chose something meanwhile it is decided again, with that."""
        if self._crew is not None:
            self._dealt = deque(map(self._crew.relieved, self._dealt))
        while self._dealt:
            self._enter(self._dealt.popleft())
        sent, self._sent = self._sent, None
        if sent is None or self._recording is None:
            return
        with self._watch.on("recording"):
            settled = _settled(self._recording.campaign.finish)
        self._figures.merge(sent.figures if settled else self._again(self._recording, sent.number, sent.first, sent.part))

    def _again(self, recording: Recording, number: int, first: int, part: InputBatch) -> Figures:
        """Decide a part until it is on the record, with what people of it choose meanwhile; its figures."""
        while True:
            done = self._work.do(number, first, part, self._choices(part))
            if done.chunk is not None and _settled(partial(recording.campaign.write, done.chunk)):
                return done.figures

    def _choices(self, part: InputBatch) -> Mapping[int, tuple[Choice, ...]]:
        """What people of a part chose for good, by place."""
        if self._recording is None:
            return {}
        subscribers = part.batch.facts["subscriber"].to_list()
        found = self._recording.campaign.choices_of(subscribers)
        return {place: found[subscriber] for place, subscriber in enumerate(subscribers) if subscriber in found} if found else {}


def _settled(keep: Callable[[], object]) -> bool:
    """Was it kept, and did nobody choose something meanwhile?"""
    try:
        keep()
    except RowsRefused:
        return False
    return True
