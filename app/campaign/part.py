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
    from app.campaign.input import InputBatch
    from app.campaign.output import Layout, Output
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
    """What a run hands back: where, whose rows, in which language."""

    output: Output
    layout: Layout = "action"
    language: Language = "zh"


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
        singles = decide_singly(self._pack, {place: Case.from_json(orjson.loads(cases[place])) for place in choices})
        with self._watch.on("deciding"):
            decided = decide_batch(self._pack, part.batch)
        with self._watch.on("reasons"):
            worded = word_batch(self._pack, decided, self._wanted.language)
            actions = put_words_among(self._pack, worded.actions, singles, self._wanted.language)
        decided = put_among(self._pack, decided, singles)
        figures = self._write(number, part, decided, actions)
        if self._bodies is None:
            return Done(figures, None)
        with self._watch.on("recording"):
            rows = decided.subscribers["row"].to_list()
            chosen = {rows[place]: some for place, some in choices.items()}
            subscribers = decided.subscribers["subscriber"].to_list()
            bodies = self._bodies.of(part.batch, decided, singles)
            given = ChunkRows(first, part.read, rows, subscribers, bodies, cases, _plain(decided), chosen, conceded=_conceded(decided))
            return Done(figures, given)

    def _cases(self, part: InputBatch, choices: Mapping[int, tuple[Choice, ...]]) -> list[bytes]:
        """The cases as JSON, with what people chose; none where they go on no record."""
        if self._opened is None:
            return []
        with self._watch.on("cases"):
            cases = part.cases()
        for place, chosen in choices.items():
            cases[place] = canonical(replace(Case.from_json(orjson.loads(cases[place])), choices=chosen).as_json())
        return cases

    def _write(self, number: int, part: InputBatch, decided: Decided, actions: pl.DataFrame) -> Figures:
        """Write a part down beside the output; its figures."""
        output = self._wanted.output
        with self._watch.on("writing"):
            figures = Figures()
            figures.add(decided)
            for reject in part.rejects:
                figures.reject(reject.problems)
            lines = b"".join(orjson.dumps(reject.as_json(), option=orjson.OPT_APPEND_NEWLINE) for reject in part.rejects)
            output.part(number, "rejects", "ndjson").write_bytes(lines)
            output.part(number, "figures", "json").write_bytes(orjson.dumps(figures.as_json()))
            output.write(number, "decisions", laid_out(decided, actions, self._ids(decided), self._wanted.layout))
        return figures

    def _ids(self, decided: Decided) -> Sequence[str] | None:
        """The ids of decisions that go on record."""
        if self._opened is None:
            return None
        campaign = self._opened.id
        return [row_id(campaign, row) for row in decided.subscribers["row"]]


def _conceded(decided: Decided) -> list[int]:
    """The largest single concession on each list, in fen."""
    most = decided.ranked.group_by(PLACE).agg(pl.col("concession").max())
    return decided.subscribers.join(most, on=PLACE, how="left", maintain_order="left")["concession"].fill_null(0).to_list()


def _plain(decided: Decided) -> pl.DataFrame:
    """What a decision can be searched by."""
    lists = decided.ranked.sort(PLACE, "rank").group_by(PLACE, maintain_order=True).agg(pl.col("action").alias("actions"))
    found = decided.subscribers.join(lists, on=PLACE, how="left", maintain_order="left")
    return found.select(*(pl.col("actions").fill_null(pl.lit([], pl.List(pl.String))) if name == "actions" else name for name in PLAIN))
