"""What a part keeps aside until everybody is decided: who contends for what is limited, and what lists and the watch need of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE
from app.campaign.limits import Limits, contenders
from app.campaign.lists import masked
from app.campaign.watch import Watched

if TYPE_CHECKING:
    from app.campaign.deciding import Decided
    from app.campaign.wording import Worded
    from app.engine.pack import Pack

CONTENDING, GOING, SIGNS, PEOPLE, SIGNALS = "contending", "going", "signs", "people", "signals"
_NO_WORDS = {PLACE: pl.UInt32(), "signal": pl.String(), "level": pl.String(), "text": pl.String()}


@dataclass(frozen=True, slots=True)
class Aside:
    """What is kept aside of each part, as frames by name. It depends on nothing but the part.

    Attributes:
        limits: say which facts tell teams, households and numbers.
        lists: whether lists for local teams will be written.
        watched: what is watched; none where nothing is.
    """

    limits: Limits
    lists: bool
    watched: Watched | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the frames."""
        return (CONTENDING, *((GOING, SIGNS) if self.lists else ()), *((PEOPLE, SIGNALS) if self.watched else ()))

    def facts(self, facts: pl.DataFrame, cases: Callable[[], pl.Series]) -> pl.DataFrame:
        """The facts of a part, with those that tell groups apart and that nothing in the pack reads: they stand in the cases alone.

        Args:
            facts: of its subscribers.
            cases: gives the cases of the same as JSON.
        """
        limits, watched = self.limits, self.watched
        named = [limits.team, limits.household.fact if limits.household else None, limits.number if self.lists else None]
        named += [watched.tier, watched.region] if watched else []
        absent = [name for name in dict.fromkeys(named) if name is not None and name not in facts.columns]
        if not absent:
            return facts
        told = cases().cast(pl.String).alias("case").to_frame()
        paths = (pl.col("case").str.json_path_match(f"$.subscriber.{name}").alias(name) for name in absent)
        return facts.hstack(told.select(paths))

    def of(self, pack: Pack, facts: pl.DataFrame, decided: Decided, worded: Worded, ids: Sequence[str] | None) -> dict[str, pl.DataFrame]:
        """The frames of a part.

        Args:
            pack: what decided.
            facts: of its subscribers.
            decided: the decisions.
            worded: the same in words, the signals too where lists are wanted.
            ids: of the decisions, in the order of the subscribers; none where they are on no record.
        """
        found = {CONTENDING: contenders(decided, facts, self.limits)}
        if self.lists:
            found[GOING] = self._going(pack, facts, decided, worded.actions, ids)
            found[SIGNS] = _signs(decided, worded)
        if self.watched is not None:
            told = [name for name in (self.watched.tier, self.watched.region) if name in facts.columns]
            found[PEOPLE] = facts.select(PLACE, "row", "subscriber", *told)
            found[SIGNALS] = decided.signals.filter(self.watched.covers())
        return found

    def _going(self, pack: Pack, facts: pl.DataFrame, decided: Decided, words: pl.DataFrame, ids: Sequence[str] | None) -> pl.DataFrame:
        """What would go out, as lists have it, but for day and team; of numbers nothing but what lists show."""
        number = self.limits.number if self.limits.number in facts.columns else "subscriber"
        decisions = pl.Series("decision", list(ids) if ids is not None else [None] * decided.subscribers.height, dtype=pl.String)
        numbers = facts.select(PLACE, number=masked(pl.col(number).cast(pl.String)))
        people = decided.subscribers.select(PLACE, "row").with_columns(decisions).join(numbers, on=PLACE, how="left")
        until = pl.from_epoch("valid_until", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(pack.zone).dt.date()
        return words.select(PLACE, "rank", "action", words="text", until=until).join(people, on=PLACE, how="left").drop(PLACE)


def aside_for(limits: Limits | None, *, lists: bool, watched: bool) -> Aside | None:
    """What has to be kept aside of each part; none where nothing has."""
    if limits is None and not lists and not watched:
        return None
    return Aside(limits or Limits(), lists, Watched() if watched else None)


def _signs(decided: Decided, worded: Worded) -> pl.DataFrame:
    """The signals that hold of those who have something on their list, with the figures behind them in words."""
    listed = decided.signals.join(decided.ranked.select(PLACE).unique(), on=PLACE, how="semi")
    told = pl.DataFrame(schema=_NO_WORDS) if worded.signals is None else worded.signals.select(PLACE, "signal", "level", "text")
    rows = decided.subscribers.select(PLACE, "row")
    found = listed.join(told, on=[PLACE, "signal", "level"], how="left").join(rows, on=PLACE, how="left")
    return found.select("row", "signal", "level", figure="text")
