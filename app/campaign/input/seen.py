"""Who was decided already: so that a subscriber who stands in the input twice is refused the second time, among tens of millions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import polars as pl

_KEYS = ("one", "two")


class Seen:
    """Subscribers and the rows they were decided in. It takes 24 bytes each: two hashes of 64 bits stand for the id.

    The hashes are salted anew in every run, so that nobody can make up ids that are taken for another's.
    """

    def __init__(self) -> None:
        self._seeds = (secrets.randbits(63), secrets.randbits(63))
        self._runs: list[pl.DataFrame] = []

    def rows(self, subscribers: pl.Series) -> pl.Series:
        """In which row each was decided; null for who was not."""
        asked = self._keyed(subscribers)
        found = pl.Series("row", [None] * len(subscribers), dtype=pl.Int64)
        for run in self._runs:
            places = run["one"].search_sorted(asked["one"]).clip(0, run.height - 1)
            near = run[places]
            hit = (near["one"] == asked["one"]) & (near["two"] == asked["two"])
            found = pl.select(pl.coalesce(found, pl.when(hit).then(near["row"])).alias("row")).to_series()
        return found

    def add(self, subscribers: pl.Series, rows: Iterable[int] | pl.Series) -> None:
        """Subscribers that were decided, none of them seen before, and their rows."""
        if not len(subscribers):
            return
        run = self._keyed(subscribers).with_columns(pl.Series("row", rows, dtype=pl.Int64)).sort("one")
        while self._runs and self._runs[-1].height <= 2 * run.height:
            run = pl.concat([self._runs.pop(), run], rechunk=True).sort("one")
        self._runs.append(run)

    def _keyed(self, subscribers: pl.Series) -> pl.DataFrame:
        return pl.DataFrame({key: subscribers.hash(seed) for key, seed in zip(_KEYS, self._seeds, strict=True)})
