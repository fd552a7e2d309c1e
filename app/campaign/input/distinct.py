"""Cells read one by one, but each combination of them only once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

_MOST_KEPT = 100_000
UNFIT = object()
"""What a reader gives for cells that have to be refused."""


class DistinctReader:
    """Reads the cells of some columns; what was read is kept for the next batch."""

    def __init__(self, columns: Sequence[str], read: Callable[[tuple[Any, ...]], Any], kind: pl.DataType) -> None:
        """How to read.

        Args:
            columns: the columns whose cells are read together; none of lists.
            read: from the cells to the value, none for what is not known, or `UNFIT`.
            kind: of the values.
        """
        self._columns, self._read, self._kind = list(columns), read, kind
        self._kept: dict[tuple[Any, ...], Any] = {}

    def values(self, frame: pl.DataFrame, places: pl.Series | None = None) -> tuple[pl.Series, pl.Series]:
        """The values of the rows, or of those at some places, and whether each may be sent."""
        asked = frame.select(self._columns) if places is None else frame.select(self._columns)[places]
        once = asked.unique()
        found = [self._value(cells) for cells in once.iter_rows()]
        good = [value is not UNFIT for value in found]
        values = pl.Series(
            "value", [value if fit else None for value, fit in zip(found, good, strict=True)], dtype=self._kind, strict=False
        )
        known = once.with_columns(values, pl.Series("good", good, dtype=pl.Boolean))
        names = {name: f"cell {place}" for place, name in enumerate(self._columns)}
        told = asked.rename(names).join(known.rename(names), on=list(names.values()), how="left", nulls_equal=True, maintain_order="left")
        return told["value"], told["good"]

    def _value(self, cells: tuple[Any, ...]) -> Any:
        if cells in self._kept:
            return self._kept[cells]
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        value = self._kept[cells] = self._read(cells)
        return value
