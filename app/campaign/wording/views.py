"""Rows that are to be worded, and the columns that their texts read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE

if TYPE_CHECKING:
    from app.campaign.deciding import Worked
    from app.campaign.plan import Plan

AT = "at"
"""Where the row's subscriber stands in the columns."""
TEXTS = pl.List(pl.String())


@dataclass(frozen=True, slots=True)
class View:
    """Rows to be worded, of which `at` says where they stand in the columns."""

    plan: Plan
    columns: pl.DataFrame
    rows: pl.DataFrame

    @classmethod
    def of(cls, worked: Worked, rows: pl.DataFrame) -> View:
        """The rows among these of the subscribers who were decided together, with when they are contacted."""
        zone = pl.col("zone") if "zone" in worked.seen.columns else pl.lit(worked.plan.pack.zone).alias("zone")
        places = worked.seen.select(PLACE, "contact_at", "contact_day", zone).with_row_index(AT)
        return cls(worked.plan, worked.seen, rows.join(places, on=PLACE, maintain_order="left"))

    def told(self, rows: pl.DataFrame) -> Callable[[str], pl.Series]:
        """Gives the column of a name for some of the rows."""
        return lambda name: self.columns[name][rows[AT]]

    def holding(self, signal: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of the rows in which a signal holds, at any level."""
        told = self.told(rows)
        return rows.filter(reduce(or_, (told(gate.column).cast(pl.Boolean) for gate in self.plan.levels[signal])))
