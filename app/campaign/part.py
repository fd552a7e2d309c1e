"""A part of a campaign: a batch of the input decided, worded, and written beside the output, ready for the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

import orjson
import polars as pl

from app.campaign.batch import PLACE
from app.campaign.counting import daily_counts
from app.campaign.deciding import Decided, decide_batch
from app.campaign.figures import Figures
from app.campaign.layout import laid_out
from app.campaign.single import decide_singly, put_among, put_words_among
from app.campaign.wording import word_batch
from app.engine.case import Case
from app.record.campaigns.bodies import Bodies
from app.record.campaigns.ids import row_id
from app.record.campaigns.model import PLAIN, CampaignHead, ChunkRows
from app.record.canonical import canonical

if TYPE_CHECKING:
    from app.campaign.aside import Aside
    from app.campaign.input import InputBatch
    from app.campaign.output import Layout, Output
    from app.campaign.wording import Worded
    from app.engine.pack import Pack
    from app.engine.texts import Language
    from app.engine.vocabulary.choices import Choice


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
    """What a run hands back: where, whose rows, in which language; and what is kept aside of each part until everybody is decided."""

    output: Output
    layout: Layout = "action"
    language: Language = "zh"
    aside: Aside | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The frames of a part that is done."""
        return ("decisions", *(self.aside.names if self.aside else ()))


@dataclass(frozen=True, slots=True)
class Opened:
    """The campaign on the record that a part belongs to: its id, and what it was opened with."""

    id: str
    head: CampaignHead


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a part: its figures, and what goes on the record; none of a run that leaves no trace."""

    figures: Figures
    chunk: ChunkRows | None


class PartWork:
    """How the parts of one run are done: in any order, each as often as wanted, with the same result."""

    def __init__(self, pack: Pack, wanted: Wanted, opened: Opened | None, watch: Stopwatch | None = None) -> None:
        """
        Args:
            pack: what decides.
            wanted: what is handed back.
            opened: the campaign on the record; left out, the run leaves no trace.
            watch: counts what took how long.
        """
        self._pack, self._wanted, self._opened, self._watch = pack, wanted, opened, watch or Stopwatch()
        self._bodies = None if opened is None else Bodies(opened.head, pack)

    def do(self, number: int, first: int, part: InputBatch, choices: Mapping[int, tuple[Choice, ...]]) -> Done:
        """Decide a part, and write it down beside the output.

        Args:
            number: of the part, from 1.
            first: number of its first row in the input.
            part: the rows.
            choices: what people of it chose for good, by their place in it.
        """
        cases = self._cases(part, choices)
        singles = decide_singly(self._pack, {place: _case(cases, place) for place in choices})
        with self._watch.on("deciding"):
            decided = decide_batch(self._pack, part.batch)
        with self._watch.on("reasons"):
            told = word_batch(self._pack, decided, self._wanted.language, signals=bool(self._wanted.aside and self._wanted.aside.lists))
            worded = replace(told, actions=put_words_among(self._pack, told.actions, singles, self._wanted.language))
        decided = put_among(self._pack, decided, singles)
        figures = self._write(number, part, cases, decided, worded)
        if self._bodies is None:
            return Done(figures, None)
        with self._watch.on("recording"):
            rows = decided.subscribers["row"].to_list()
            chosen = {rows[place]: some for place, some in choices.items()}
            subscribers = decided.subscribers["subscriber"].to_list()
            bodies = self._bodies.of(part.batch, decided, singles)
            counts = daily_counts(self._pack, part.batch.facts, cases, decided, figures)
            given = ChunkRows(first, part.read, rows, subscribers, bodies, cases, _plain(decided), chosen, counts, _conceded(decided))
            return Done(figures, given)

    def _cases(self, part: InputBatch, choices: Mapping[int, tuple[Choice, ...]]) -> pl.Series:
        """The cases as JSON, with what people chose; none where they go on no record."""
        if self._opened is None:
            return pl.Series("case", [], dtype=pl.Binary())
        with self._watch.on("cases"):
            cases = part.cases()
        said = [canonical(replace(_case(cases, place), choices=chosen).as_json()) for place, chosen in choices.items()]
        return cases.scatter(list(choices), pl.Series(said, dtype=pl.Binary())) if choices else cases

    def _write(self, number: int, part: InputBatch, cases: pl.Series, decided: Decided, worded: Worded) -> Figures:
        """Write a part down beside the output, the decisions last: where they are, all is; its figures."""
        output, ids = self._wanted.output, self._ids(decided)
        with self._watch.on("writing"):
            figures = Figures()
            figures.add(decided)
            for reject in part.rejects:
                figures.reject(reject.problems)
            lines = b"".join(orjson.dumps(reject.as_json(), option=orjson.OPT_APPEND_NEWLINE) for reject in part.rejects)
            output.put(number, "rejects", "ndjson", lines)
            output.put(number, "figures", "json", orjson.dumps(figures.as_json()))
            if (aside := self._wanted.aside) is not None:
                facts = aside.facts(part.batch.facts, lambda: cases if len(cases) else part.cases())
                for name, frame in aside.of(self._pack, facts, decided, worded, ids).items():
                    output.write(number, name, frame)
            output.write(number, "decisions", laid_out(decided, worded.actions, ids, self._wanted.layout))
        return figures

    def _ids(self, decided: Decided) -> Sequence[str] | None:
        """The ids of decisions that go on record."""
        if self._opened is None:
            return None
        campaign = self._opened.id
        return [row_id(campaign, row) for row in decided.subscribers["row"]]


def _case(cases: pl.Series, place: int) -> Case:
    return Case.from_json(orjson.loads(cases[place]))


def _conceded(decided: Decided) -> list[int]:
    """The largest single concession on each list, in fen."""
    most = decided.ranked.group_by(PLACE).agg(pl.col("concession").max())
    return decided.subscribers.join(most, on=PLACE, how="left", maintain_order="left")["concession"].fill_null(0).to_list()


def _plain(decided: Decided) -> pl.DataFrame:
    """What a decision can be searched by."""
    lists = decided.ranked.sort(PLACE, "rank").group_by(PLACE, maintain_order=True).agg(pl.col("action").alias("actions"))
    found = decided.subscribers.join(lists, on=PLACE, how="left", maintain_order="left")
    return found.select(*(pl.col("actions").fill_null(pl.lit([], pl.List(pl.String))) if name == "actions" else name for name in PLAIN))
