"""The words of the actions on lists: what is said, until when it holds, and why."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from app.campaign.batch import PLACE
from app.campaign.wording.filling import Sheet
from app.campaign.wording.glimpses import glimpsed
from app.campaign.wording.views import AT, TEXTS, View
from app.engine.facts import microseconds
from app.engine.words import phrase

if TYPE_CHECKING:
    from app.campaign.deciding import Decided, Worked
    from app.campaign.wording.lines import Lines
    from app.engine.pack.model import Pack

_ROW = "n"
"""Which row of the lists."""
_LAST = 60_000
"""The place of an action's own reason: after those of its signals."""
_REASON = pl.Schema({_ROW: pl.UInt32(), "place": pl.UInt16(), "code": pl.String(), "text": pl.String(), "customer": pl.String()})
_SAID = pl.Schema(
    {
        _ROW: pl.UInt32(),
        "saving": pl.Float64(),
        "form": pl.String(),
        **dict.fromkeys(("text", "disclose", "tariff_disclose", "action", "reason", "customer"), pl.String()),
    }
)
_COLUMNS = (
    PLACE,
    "rank",
    "action",
    "title",
    "kind",
    "category",
    "text",
    "form",
    "reasons",
    "reason_codes",
    "customer_reasons",
    "approve",
    "confirm",
    "disclose",
    "tariff",
    "tariff_name",
    "tariff_disclose",
    "saving",
    "valid_until",
    "fallback_for",
)
_epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def action_words(pack: Pack, decided: Decided, lines: Lines, *, customers: bool) -> pl.DataFrame:
    """The frame `Worded.actions`."""
    return _Actions(pack, decided, lines, customers=customers).worded()


class _Actions:
    """The words of the actions on all lists."""

    def __init__(self, pack: Pack, decided: Decided, lines: Lines, *, customers: bool) -> None:
        self.pack, self.lines, self.customers = pack, lines, customers
        ranked = decided.ranked.select(PLACE, "rank", "action", "tariff", "concession", "fallback_for")
        self.ranked = ranked.with_row_index(_ROW).join(lines.actions, on="action", how="left", maintain_order="left")
        self.views = [view for worked in decided.worked for view in self._views(worked)]

    def worded(self) -> pl.DataFrame:
        """The frame `Worded.actions`."""
        said = self._said()
        found = self.ranked
        for more in (said.drop("action", "reason", "customer"), self._reasons(said), self._until()):
            found = found.join(more, on=_ROW, how="left", maintain_order="left")
        names = pl.col("tariff").replace_strict(self.lines.tariffs, default=None, return_dtype=pl.String)
        lists = pl.col("reasons", "reason_codes", "customer_reasons").fill_null(pl.lit([], TEXTS))
        return found.with_columns(names.alias("tariff_name"), lists).select(
            name for name in _COLUMNS if self.customers or name != "customer_reasons"
        )

    def _views(self, worked: Worked) -> Iterator[View]:
        """The rows of those who were decided together, marketing apart where it may look at less."""
        view = View.of(worked, self.ranked)
        if worked.open is worked.seen:
            yield view
            return
        is_marketing = pl.col("action").is_in([action.id for action in self.pack.actions if action.marketing])
        yield replace(view, rows=view.rows.filter(~is_marketing))
        yield replace(view, rows=view.rows.filter(is_marketing), columns=worked.open)

    def _said(self) -> pl.DataFrame:
        """What is said of each action, with its own reason, if any."""
        sheet = Sheet(self.pack, self.lines.language)
        for view in self.views:
            for (name, tariff), rows in view.rows.partition_by("action", "tariff", as_dict=True).items():
                self._say(sheet, view, rows, str(name), tariff)
        return pl.concat([pl.DataFrame(schema=_SAID), *(rows.select(*_SAID) for _, rows in sheet.filled())])

    def _say(self, sheet: Sheet, view: View, rows: pl.DataFrame, name: str, tariff: str | None) -> None:
        action, told, cost = self.pack.by_id[name], view.told(rows), view.plan.costs.get(tariff or "")
        own = {
            "action.valid_until": rows["contact_day"] + rows["valid_days"],
            "action.concession": rows["concession"],
            "tariff.saving": _nothing(rows.height) if cost is None else told("plan.cost_now") - told(cost),
        }
        line = self.lines.action(action, view.plan.channel, tariff, customers=self.customers)
        form = pl.lit(action.channels[view.plan.channel][0]).alias("form")
        where = rows.select(_ROW, "action", form, own["tariff.saving"].cast(pl.Float64).alias("saving"))
        sheet.add(line, where, lambda name: own[name] if name in own else told(name))

    def _reasons(self, said: pl.DataFrame) -> pl.DataFrame:
        """The reasons for each action, in lists: those of signals that hold, or why it stands in; then its own, else what its gates saw."""
        resting = self._resting()
        own = said.lazy().filter(pl.col("reason").is_not_null())
        own = own.select(_ROW, place=_LAST, code="action", text="reason", customer="customer").cast(_REASON)
        told = self._with_words_for_customers(resting, said) if self.customers else resting
        found = pl.concat([told, self._standing_in(), *self._glimpses(resting)]).lazy()
        lists = {"reasons": "text", "reason_codes": "code", "customer_reasons": "customer"}
        return pl.concat([found, own]).sort(_ROW, "place").group_by(_ROW).agg(**lists).collect()

    def _with_words_for_customers(self, resting: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
        """The signals that actions rest on, the first of an action without a reason of its own in the action's words for customers where it
        has none."""
        instead = said.filter(pl.col("reason").is_null()).select(_ROW, instead="customer")
        found = resting.sort(_ROW, "place").join(instead, on=_ROW, how="left", maintain_order="left")
        is_first = pl.col(_ROW).is_first_distinct()
        customer = pl.when(is_first & pl.col("customer").is_null()).then("instead").otherwise("customer").alias("customer")
        return found.select(_ROW, "place", "code", "text", customer)

    def _resting(self) -> pl.DataFrame:
        """The signals that hold of those that actions rest on. Who stands in rests on none."""
        sheet = Sheet(self.pack, self.lines.language)
        for view in self.views:
            rows = view.rows.filter(pl.col("fallback_for").is_null()).select(_ROW, AT, "action").join(self.lines.resting, on="action")
            for (name,), asked in rows.partition_by("code", as_dict=True).items():
                held = view.holding(str(name), asked)
                sheet.add(self.lines.signal(str(name), customers=self.customers), held.select(_ROW, "place", "code"), view.told(held))
        return pl.concat([pl.DataFrame(schema=_REASON), *(rows.select(*_REASON) for _, rows in sheet.filled())])

    def _standing_in(self) -> pl.DataFrame:
        """Why fallbacks stand in."""
        rows = self.ranked.filter(pl.col("fallback_for").is_not_null())
        phrases = {cause: phrase(f"fallback.{cause}", self.lines.language) for cause in rows["fallback_for"].unique()}
        text = pl.col("fallback_for").replace_strict(phrases, default=None, return_dtype=pl.String)
        return rows.select(_ROW, place=0, code=pl.format("fallback.{}", "fallback_for"), text=text, customer=text).cast(_REASON)

    def _glimpses(self, resting: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """What its gates saw of an action that has no reason of its own and rests on no signal that holds."""
        silent = [action.id for action in self.pack.actions if action.reason is None]
        for view in self.views:
            rows = view.rows.filter(pl.col("fallback_for").is_null() & pl.col("action").is_in(silent)).join(resting, on=_ROW, how="anti")
            for (name,), asked in rows.partition_by("action", as_dict=True).items():
                gates = self.pack.by_id[str(name)].gates
                for place, clause in enumerate([clause for clause in gates if clause.gate == "applicable"] or gates):
                    text = glimpsed(view.plan, clause, view.told(asked), asked.height, self.lines.language)
                    seen = asked.select(_ROW, place=place, code=pl.lit(clause.name), text=text, customer=pl.lit(None))
                    yield seen.cast(_REASON)

    def _until(self) -> pl.DataFrame:
        """Until when each action holds: so many days later by the clock of where the person is."""
        rows = pl.concat([view.rows.select(_ROW, "contact_at", "zone", "valid_days") for view in self.views])
        different = rows.select("contact_at", "zone", "valid_days").unique()
        until = pl.Series("valid_until", [days_on(at, zone, days) for at, zone, days in different.iter_rows()], pl.Int64)
        return rows.join(different.hstack([until]), on=different.columns, nulls_equal=True).select(_ROW, "valid_until")


def days_on(at: int, zone: str | None, days: int) -> int:
    """The same time of the day so many days later, in microseconds since 1970; without a zone a day has 24 hours.

    What the clocks go over is told by those of before, what they go over twice by the first of both: as a `datetime` does.
    """
    there = _epoch + datetime.timedelta(microseconds=at)
    if zone is not None:
        there = there.astimezone(ZoneInfo(zone))
    return microseconds(there + datetime.timedelta(days=days))


def _nothing(height: int) -> pl.Series:
    return pl.Series([None], dtype=pl.Float64).new_from_index(0, height)
