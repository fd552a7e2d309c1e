"""A run of a campaign: the input batch by batch, decided, worded, written and put on the record; and gone on with where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import orjson
import polars as pl

from app.campaign.batch import PLACE
from app.campaign.deciding import Decided, decide_batch
from app.campaign.figures import Figures, figures_of
from app.campaign.layout import laid_out
from app.campaign.problems import TableError
from app.campaign.single import decide_singly, put_among, put_words_among
from app.campaign.wording import word_batch
from app.engine.case import Case
from app.record.campaigns.bodies import Bodies
from app.record.campaigns.campaign import Campaign
from app.record.campaigns.model import PLAIN, CampaignHead, ChunkRows, Counts
from app.record.campaigns.problems import RowsRefused
from app.record.canonical import canonical

if TYPE_CHECKING:
    from app.campaign.input import InputBatch
    from app.campaign.output import Layout, Output
    from app.engine.pack import Pack
    from app.engine.texts import Language
    from app.engine.vocabulary.choices import Choice


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: rows and bytes of the input so far, and what became of the rows."""

    rows: int
    consumed: int
    decided: int
    rejected: int


@dataclass(slots=True)
class Stopwatch:
    """Seconds that each part of the work took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Count the time of what is done meanwhile."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - began


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run hands back: where, whose rows, in which language."""

    output: Output
    layout: Layout = "action"
    language: Language = "zh"


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
    run = _Run(pack, wanted, recording, watch or Stopwatch())
    wanted.output.begin(run.done)
    for number, part in enumerate(run.each(parts), 1):
        run.take(number, part)
        told(Progress(part.read, part.consumed, run.figures.decided, run.figures.rejected))
    return run.finish()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A part on its way to the record, and its figures, which count once it is there."""

    number: int
    first: int
    part: InputBatch
    figures: Figures


class _Run:
    """One run, as far as it is."""

    def __init__(self, pack: Pack, wanted: Wanted, recording: Recording | None, watch: Stopwatch) -> None:
        self.pack, self.wanted, self.recording, self.watch = pack, wanted, recording, watch
        self.done = len(recording.campaign.standing.chunks) if recording else 0
        self.bodies = None if recording is None else Bodies(recording.head, pack)
        self.figures = Figures()
        self.sent: _Sent | None = None
        self.read = 0

    def each(self, parts: Iterable[InputBatch]) -> Iterator[InputBatch]:
        """The parts, with the time that reading takes."""
        waiting = iter(parts)
        while True:
            with self.watch.on("reading"):
                part = next(waiting, None)
            if part is None:
                return
            yield part

    def take(self, number: int, part: InputBatch) -> None:
        """Decide a part, write it down, then send it to the record; what an earlier run did is not done again."""
        first, self.read = self.read + 1, part.read
        if number <= self.done and self.wanted.output.has(number, "decisions"):
            self.figures.merge(figures_of(orjson.loads(self.wanted.output.part(number, "figures", "json").read_bytes())))
            return
        chunk, figures = self.decide(number, first, part)
        self.settle()
        if self.recording is None or chunk is None or number <= self.done:
            self.figures.merge(figures)
            return
        with self.watch.on("recording"):
            self.recording.campaign.send(chunk)
        self.sent = _Sent(number, first, part, figures)

    def settle(self) -> None:
        """Wait until what was sent is on the record. Where people chose something meanwhile it is decided again, with that."""
        sent, self.sent = self.sent, None
        if sent is None or self.recording is None:
            return
        figures = sent.figures
        with self.watch.on("recording"):
            settled = _settled(self.recording.campaign.finish)
        while not settled:
            chunk, figures = self.decide(sent.number, sent.first, sent.part)
            settled = chunk is not None and _settled(partial(self.recording.campaign.write, chunk))
        self.figures.merge(figures)

    def decide(self, number: int, first: int, part: InputBatch) -> tuple[ChunkRows | None, Figures]:
        """Decide a part with what people chose so far, and write it down."""
        choices = self.choices(part)
        cases = self.cases(part, choices)
        singles = decide_singly(self.pack, {place: Case.from_json(orjson.loads(cases[place])) for place in choices})
        with self.watch.on("deciding"):
            decided = decide_batch(self.pack, part.batch)
        with self.watch.on("reasons"):
            worded = word_batch(self.pack, decided, self.wanted.language)
            actions = put_words_among(self.pack, worded.actions, singles, self.wanted.language)
        decided = put_among(self.pack, decided, singles)
        figures = self.write(number, part, decided, actions)
        if self.bodies is None:
            return None, figures
        with self.watch.on("recording"):
            rows = decided.subscribers["row"].to_list()
            chosen = {rows[place]: some for place, some in choices.items()}
            subscribers = decided.subscribers["subscriber"].to_list()
            bodies = self.bodies.of(part.batch, decided, singles)
            given = ChunkRows(first, part.read, rows, subscribers, bodies, cases, _plain(decided), chosen, conceded=_conceded(decided))
            return given, figures

    def choices(self, part: InputBatch) -> dict[int, tuple[Choice, ...]]:
        """What people of a part chose for good, by place."""
        if self.recording is None:
            return {}
        subscribers = part.batch.facts["subscriber"].to_list()
        found = self.recording.campaign.choices_of(subscribers)
        return {place: found[subscriber] for place, subscriber in enumerate(subscribers) if subscriber in found} if found else {}

    def cases(self, part: InputBatch, choices: Mapping[int, tuple[Choice, ...]]) -> list[bytes]:
        """The cases as JSON, with what people chose; none where they go on no record."""
        if self.recording is None:
            return []
        with self.watch.on("cases"):
            cases = part.cases()
        for place, chosen in choices.items():
            cases[place] = canonical(replace(Case.from_json(orjson.loads(cases[place])), choices=chosen).as_json())
        return cases

    def write(self, number: int, part: InputBatch, decided: Decided, actions: pl.DataFrame) -> Figures:
        """Write a part down beside the output; its figures."""
        output = self.wanted.output
        with self.watch.on("writing"):
            figures = Figures()
            figures.add(decided)
            for reject in part.rejects:
                figures.reject(reject.problems)
            lines = b"".join(orjson.dumps(reject.as_json(), option=orjson.OPT_APPEND_NEWLINE) for reject in part.rejects)
            output.part(number, "rejects", "ndjson").write_bytes(lines)
            output.part(number, "figures", "json").write_bytes(orjson.dumps(figures.as_json()))
            output.write(number, "decisions", laid_out(decided, actions, self.ids(decided), self.wanted.layout))
        return figures

    def ids(self, decided: Decided) -> Sequence[str] | None:
        """The ids of decisions that go on record."""
        if self.recording is None:
            return None
        return list(map(self.recording.campaign.decision_id, decided.subscribers["row"]))

    def finish(self) -> Figures:
        """Close the record, then put the output together."""
        self.settle()
        if self.recording is not None:
            self.recording.campaign.close(Counts(self.figures.read, self.figures.decided, self.figures.rejected))
        if not self.figures.read:
            raise TableError("the input has no rows")
        with self.watch.on("writing"):
            self.wanted.output.finish()
        return self.figures


def _settled(keep: Callable[[], object]) -> bool:
    """Was it kept, and did nobody choose something meanwhile?"""
    try:
        keep()
    except RowsRefused:
        return False
    return True


def _conceded(decided: Decided) -> list[int]:
    """The largest single concession on each list, in fen."""
    most = decided.ranked.group_by(PLACE).agg(pl.col("concession").max())
    return decided.subscribers.join(most, on=PLACE, how="left", maintain_order="left")["concession"].fill_null(0).to_list()


def _plain(decided: Decided) -> pl.DataFrame:
    """What a decision can be searched by."""
    lists = decided.ranked.sort(PLACE, "rank").group_by(PLACE, maintain_order=True).agg(pl.col("action").alias("actions"))
    found = decided.subscribers.join(lists, on=PLACE, how="left", maintain_order="left")
    return found.select(*(pl.col("actions").fill_null(pl.lit([], pl.List(pl.String))) if name == "actions" else name for name in PLAIN))
