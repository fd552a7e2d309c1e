"""Decisions as rows to hand back: a row for each action on a list, or one for each subscriber."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE

if TYPE_CHECKING:
    from app.campaign.deciding import Decided
    from app.campaign.output import Layout

_WHO = ("row", "subscriber", "decision_id", "stage", "phase", "moment")
_ACTION = (
    "rank",
    "action",
    "title",
    "kind",
    "duty",
    "category",
    "score",
    "propensity",
    "value",
    "relevance",
    "lever",
    "concession",
    "tariff",
    "text",
    "reasons",
    "approve",
    "confirm",
    "disclose",
    "valid_until",
    "fallback_for",
)
_FIRST = ("action", "title", "score", "tariff", "text", "reasons", "valid_until")
"""What a subscriber's row has of the best action; of the others it has the ids."""


def laid_out(decided: Decided, words: pl.DataFrame, ids: Sequence[str] | None, layout: Layout) -> pl.DataFrame:
    """The rows of a batch.

    Args:
        decided: what became of it.
        words: the actions in words.
        ids: of the decisions, in the order of the batch; none where they are on no record.
        layout: whose rows.
    """
    people = decided.subscribers.with_columns(pl.Series("decision_id", ids, pl.String) if ids is not None else _no_ids())
    actions = decided.ranked.join(words, on=[PLACE, "rank"], suffix=":worded")
    actions = actions.with_columns(pl.from_epoch("valid_until", "us").dt.replace_time_zone("UTC"))
    if layout == "action":
        return people.join(actions, on=PLACE).sort("row", "rank").select(*_WHO, *_ACTION)
    first = actions.filter(pl.col("rank") == 1).select(PLACE, *(pl.col(name).alias(name) for name in _FIRST))
    lists = decided.ranked.sort(PLACE, "rank").group_by(PLACE, maintain_order=True).agg(pl.col("action").alias("actions"))
    signals = decided.signals.group_by(PLACE, maintain_order=True).agg((pl.col("signal") + ":" + pl.col("level")).sort().alias("signals"))
    for others in (first, lists, signals):
        people = people.join(others, on=PLACE, how="left", maintain_order="left")
    empty = pl.lit([], pl.List(pl.String))
    people = people.with_columns(pl.col("actions").fill_null(empty), pl.col("signals").fill_null(empty))
    return people.select(*_WHO, "personalised", "signals", "empty_because", "offered", *_FIRST, "actions")


def _no_ids() -> pl.Expr:
    return pl.lit(None, pl.String).alias("decision_id")
