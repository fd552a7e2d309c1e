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
from app.engine.patterns import BuiltinMatcher
from app.engine.patterns.comparison import Own
from app.engine.patterns.plan import Plan as PatternPlan
from app.engine.runtime import DAY
from app.engine.to_polars import Columns
from app.engine.tree import Ref, substitute, walk
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
    asked = frame.select(PLACE, "as_of", "events.known", *{f"when:{rule.id}" for rule in pack.patterns if rule.when is not None})
    asked = asked.filter(pl.col("events.known"))
    histories = {kind: _dated(rows, asked) for kind in pack.event_kinds if not (rows := history_of(batch, kind)).is_empty()}
    if not isinstance(matcher, BuiltinMatcher) or not histories:
        return {}
    whens = {rule.id: pl.lit(True) if rule.when is None else pl.col(f"when:{rule.id}").fill_null(True) for rule in pack.patterns}
    meeting = [(plan, _meeting(plan, histories)) for plan in matcher.plans]
    possible = [asked.filter(whens[plan.pattern]).join(some, on=PLACE, how="semi") for plan, some in meeting if some is not None]
    if not possible:
        return {}
    asked = pl.concat(possible).select(PLACE, "as_of").unique()
    events = _events(asked, {kind: rows.filter(_matters(matcher, kind)) for kind, rows in histories.items()})
    found: dict[str, list[int]] = {}
    for place, as_of in asked.iter_rows():
        for name in matcher.match(events[place], as_of):
            found.setdefault(name, []).append(place)
    return found


def _dated(rows: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The events up to `as_of` of those who are asked about, with their age in whole days."""
    dated = rows.join(asked.select(PLACE, "as_of"), on=PLACE).filter(pl.col("at") <= pl.col("as_of"))
    return dated.with_columns(((pl.col("as_of") - pl.col("at")) // DAY).cast(pl.Float64).alias("days"))


def _meeting(plan: PatternPlan, histories: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """Those who have an event for each fact of a join, by the tests that concern one fact alone; none where there is no such kind."""
    found: pl.DataFrame | None = None
    for slot in plan.slots[: plan.joined]:
        if slot.kind not in histories:
            return None
        fitting = histories[slot.kind].filter(*(_meets(own) for own in slot.own)).select(PLACE).unique()
        found = fitting if found is None else found.join(fitting, on=PLACE, how="semi")
    return found


def _matters(matcher: BuiltinMatcher, kind: str) -> pl.Expr:
    """Could an event of a kind be any fact of any join, one that must be absent among them?"""
    slots = {slot.own: slot for plan in matcher.plans for slot in plan.slots if slot.kind == kind}
    return reduce(or_, [reduce(and_, map(_meets, own), pl.lit(True)) for own in slots])


def _meets(own: Own) -> pl.Expr:
    """A test of one fact as an expression over the columns of its kind; what is missing does not meet it."""
    names = {node.name: Ref(node.name.rpartition(".")[2], node.type) for node in walk(own.test) if isinstance(node, Ref)}
    test = Columns({}, {}, {}).expression(substitute(own.test, names))
    return test if own.holds else ~test


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
    for row in rows.drop("as_of", "days").with_columns(pl.col(whole).cast(pl.Int64)).iter_rows(named=True):
        yield row.pop(PLACE), row["at"], SimpleNamespace(**row)
