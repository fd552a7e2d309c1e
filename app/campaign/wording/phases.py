"""Why subscribers are in their phases, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE
from app.campaign.wording.filling import Sheet
from app.campaign.wording.glimpses import glimpsed
from app.campaign.wording.views import AT, TEXTS, View

if TYPE_CHECKING:
    from app.campaign.deciding import Decided
    from app.campaign.wording.lines import Lines
    from app.engine.pack.model import Clause

_TOLD = pl.Schema({PLACE: pl.UInt32(), "number": pl.UInt32(), "place": pl.UInt16(), "text": pl.String()})
"""What a signal says for a clause of a phase: the clause's number, and the signal's place in it."""


def phase_words(decided: Decided, lines: Lines) -> pl.DataFrame:
    """The frame `Worded.phases`."""
    sheet = Sheet(lines.pack, lines.language)
    held = [part for worked in decided.worked for part in _placing(View.of(worked, decided.subscribers.select(PLACE, "phase")))]
    for view, clause, number in held:
        rows = view.rows.select(PLACE, AT, number=pl.lit(number, pl.UInt32))
        for place, name in enumerate(() if clause.gate == "hands_off" else clause.signals):
            holding = view.holding(name, rows)
            where = holding.select(PLACE, "number", place=pl.lit(place, pl.UInt16))
            sheet.add(lines.signal(name), where, view.told(holding))
    told = pl.concat([pl.DataFrame(schema=_TOLD), *(rows.select(*_TOLD) for _, rows in sheet.filled())]).sort(PLACE, "number", "place")
    between = " " if lines.language == "en" else ""
    whole = told.group_by(PLACE, "number").agg(pl.col("text").str.join(between))
    others = [_seen(view, clause, number, whole, lines) for view, clause, number in held]
    reasons = pl.concat([whole, *others]).sort(PLACE, "number").group_by(PLACE).agg(phase_reasons="text")
    phase = pl.col("phase").replace_strict(lines.phases, return_dtype=pl.String).alias("phase_title")
    stage = pl.col("stage").replace_strict(lines.stages, return_dtype=pl.String).alias("stage_title")
    found = decided.subscribers.select(PLACE, phase, stage).join(reasons, on=PLACE, how="left", maintain_order="left")
    return found.with_columns(pl.col("phase_reasons").fill_null(pl.lit([], TEXTS)))


def _placing(view: View) -> Iterator[tuple[View, Clause, int]]:
    """Each clause of each phase that somebody is in, with the rows in which it holds, and its number."""
    for (phase,), rows in view.rows.partition_by("phase", as_dict=True).items():
        for number, gate in enumerate(view.plan.phases[str(phase)]):
            yield replace(view, rows=rows.filter(view.told(rows)(gate.column).cast(pl.Boolean))), gate.clause, number


def _seen(view: View, clause: Clause, number: int, told: pl.DataFrame, lines: Lines) -> pl.DataFrame:
    """What a clause says in the rows in which no signal does."""
    rows = view.rows.select(PLACE, AT, number=pl.lit(number, pl.UInt32)).join(told, on=[PLACE, "number"], how="anti")
    if clause.gate == "hands_off":
        rule = next(rule for rule in lines.pack.hands_off if rule.clause.name == clause.name)
        return rows.select(PLACE, "number", text=pl.lit(rule.title.say(lines.language)))
    return rows.select(PLACE, "number", glimpsed(view.plan, clause, view.told(rows), rows.height, lines.language).alias("text"))
