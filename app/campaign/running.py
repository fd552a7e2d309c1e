"""A run of a campaign: the input part by part, decided and put on the record; and gone on with where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson

from app.campaign.figures import Figures, figures_of
from app.campaign.part import Opened, PartWork, Stopwatch, Wanted
from app.campaign.problems import TableError
from app.record.campaigns.campaign import Campaign
from app.record.campaigns.model import CampaignHead, Counts
from app.record.campaigns.problems import RowsRefused

if TYPE_CHECKING:
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
    told: Callable[[Progress], None] = lambda _progress: None,
    watch: Stopwatch | None = None,
) -> Figures:
    """Decide for the whole input, write what became of it, and put it on the record, part by part.

    Args:
        pack: what decides.
        parts: the input from its beginning, in batches of the same size each time.
        wanted: what is handed back.
        recording: of a campaign that was opened, or is gone on with: what it has on the record is not decided again.
        told: of each part that is done.
        watch: counts what took how long.

    Raises:
        TableError: there is nobody in the input.
        StoreError, OSError: something could not be kept; run it again, and it goes on from there.
    """
    run = CampaignRun(pack, wanted, recording, watch)
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

    def __init__(self, pack: Pack, wanted: Wanted, recording: Recording | None = None, watch: Stopwatch | None = None) -> None:
        """As `run_campaign`."""
        self._wanted, self._recording, self._watch = wanted, recording, watch or Stopwatch()
        opened = None if recording is None else Opened(recording.campaign.id, recording.head)
        self._work = PartWork(pack, wanted, opened, self._watch)
        self._done = len(recording.campaign.standing.chunks) if recording else 0
        self._figures = Figures()
        self._sent: _Sent | None = None
        self._read = 0

    def steps(self, parts: Iterable[InputBatch]) -> Iterator[Progress]:
        """Decide the parts one after the other; how far it is after each."""
        self._wanted.output.begin(self._done)
        for number, part in enumerate(self._each(parts), 1):
            self._take(number, part)
            yield Progress(part.read, part.consumed, self._figures.decided, self._figures.rejected)

    def finish(self) -> Figures:
        """Close the record, then put the output together."""
        self._settle()
        if self._recording is not None:
            self._recording.campaign.close(Counts(self._figures.read, self._figures.decided, self._figures.rejected))
        if not self._figures.read:
            raise TableError("the input has no rows")
        with self._watch.on("writing"):
            self._wanted.output.finish()
        return self._figures

    def _each(self, parts: Iterable[InputBatch]) -> Iterator[InputBatch]:
        """The parts, with the time that reading takes."""
        waiting = iter(parts)
        while True:
            with self._watch.on("reading"):
                part = next(waiting, None)
            if part is None:
                return
            yield part

    def _take(self, number: int, part: InputBatch) -> None:
        """Decide a part, then send it to the record; what an earlier run did is not done again."""
        first, self._read = self._read + 1, part.read
        if number <= self._done and self._wanted.output.has(number, "decisions"):
            self._figures.merge(figures_of(orjson.loads(self._wanted.output.part(number, "figures", "json").read_bytes())))
            return
        done = self._work.do(number, first, part, self._choices(part))
        self._settle()
        if self._recording is None or done.chunk is None or number <= self._done:
            self._figures.merge(done.figures)
            return
        with self._watch.on("recording"):
            self._recording.campaign.send(done.chunk)
        self._sent = _Sent(number, first, part, done.figures)

    def _settle(self) -> None:
        """Wait until what was sent is on the record. Where people chose something meanwhile it is decided again, with that."""
        sent, self._sent = self._sent, None
        if sent is None or self._recording is None:
            return
        figures = sent.figures
        with self._watch.on("recording"):
            settled = _settled(self._recording.campaign.finish)
        while not settled:
            done = self._work.do(sent.number, sent.first, sent.part, self._choices(sent.part))
            figures = done.figures
            settled = done.chunk is not None and _settled(partial(self._recording.campaign.write, done.chunk))
        self._figures.merge(figures)

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
