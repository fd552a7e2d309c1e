"""Patterns over events for many subscribers: our own matcher, asked about those alone whose events could join."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import and_, or_
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import polars as pl

from app.campaign.batch import PLACE, Batch
from app.campaign.histories import history_of
from app.engine.pack.model import CONTACT
from app.engine.vocabulary import EVENTS

if TYPE_CHECKING:
    from app.engine.pack.model import Pack, PatternRule


def join_events(frame: pl.DataFrame, batch: Batch, pack: Pack) -> pl.DataFrame:
    """The frame with a column for each pattern: whose events it joins; null where events, or contacts that it looks at, are unknown.

    Args:
        frame: has a row a subscriber, in the order of `i`, and the patterns' conditions.
        batch: the histories.
        pack: with the patterns.
    """
    found = _matched(frame, batch, pack)
    return frame.with_columns([_column(rule, found.get(rule.id, [])) for rule in pack.patterns])


def _column(rule: PatternRule, places: list[int]) -> pl.Expr:
    known = pl.col("events.known") & pl.col("contacts.known") if CONTACT in rule.kinds else pl.col("events.known")
    joined = pl.col(PLACE).is_in(pl.Series(places, dtype=pl.UInt32).implode()) if places else pl.lit(False)
    return pl.when(known).then(joined).alias(f"joined:{rule.id}")


def _matched(frame: pl.DataFrame, batch: Batch, pack: Pack) -> dict[str, list[int]]:
    """The places of those whose events join, by pattern."""
    matcher = pack.spare_matcher
    histories = {kind: rows for kind in pack.event_kinds if not (rows := history_of(batch, kind)).is_empty()}
    if matcher is None or not histories:
        return {}
    asked = frame.select(PLACE, "as_of", "events.known", *{f"when:{rule.id}" for rule in pack.patterns if rule.when is not None})
    has = {kind: pl.col(PLACE).is_in(rows[PLACE].unique().implode()) for kind, rows in histories.items()}
    possible = [_possible(rule, has) for rule in pack.patterns]
    asked = asked.filter(pl.col("events.known") & reduce(or_, possible)).select(PLACE, "as_of")
    events = _events(asked, histories)
    found: dict[str, list[int]] = {}
    for place, as_of in asked.iter_rows():
        for name in matcher.match(events[place], as_of):
            found.setdefault(name, []).append(place)
    return found


def _possible(rule: PatternRule, has: Mapping[str, pl.Expr]) -> pl.Expr:
    """Could the pattern hold: its condition does not fail, and there is an event of each kind that one of its joins cannot do without."""
    joins = [reduce(and_, [has[kind] for kind in sorted(kinds)]) for kinds in rule.joins if kinds <= has.keys()]
    some = reduce(or_, joins, pl.lit(False))
    return some if rule.when is None else pl.col(f"when:{rule.id}").fill_null(True) & some


def _events(asked: pl.DataFrame, histories: Mapping[str, pl.DataFrame]) -> dict[int, dict[str, list[tuple[int, Any]]]]:
    """The events of those who are asked about, by place and kind."""
    found: dict[int, dict[str, list[tuple[int, Any]]]] = {place: {} for place in asked[PLACE]}
    for kind, rows in histories.items():
        for place, at, event in _each(kind, rows.join(asked.select(PLACE), on=PLACE, how="semi")):
            found[place].setdefault(kind, []).append((at, event))
    return found


def _each(kind: str, rows: pl.DataFrame) -> Iterator[tuple[int, int, Any]]:
    """Each event as an object with the kind's attributes, of the types that one by one they have."""
    facts = EVENTS[kind].attributes
    whole = [name for name, fact in facts.items() if (fact.kind == "number" and fact.integral) or fact.kind == "date"]
    for row in rows.with_columns(pl.col(whole).cast(pl.Int64)).iter_rows(named=True):
        yield row.pop(PLACE), row["at"], SimpleNamespace(**row)
