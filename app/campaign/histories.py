"""Events and contacts counted for many subscribers at once: what `count`, `since`, `contacted` and `refused` come to, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby
from operator import and_

import polars as pl

from app.campaign.batch import PLACE, Batch, no_history
from app.engine.pack.model import CONTACT
from app.engine.runtime import DAY
from app.engine.to_polars import Counted

_CLOCKS = ("as_of", "contact_at")


def history_of(batch: Batch, kind: str) -> pl.DataFrame:
    """The events of a kind; our own contacts are events too."""
    found = batch.events.get(kind, no_history(kind))
    if kind != CONTACT or batch.contacts.is_empty():
        return found
    return pl.concat([found, batch.contacts.select(found.columns)])


def count_histories(frame: pl.DataFrame, batch: Batch, wanted: Sequence[Counted], categories: Mapping[str, str]) -> pl.DataFrame:
    """The frame with a column for each that is wanted: a number, null where the history or what is asked of it is unknown.

    Args:
        frame: has a row a subscriber, in the order of `i`, with the clocks and the columns that filters read.
        batch: the histories.
        wanted: what is counted.
        categories: of actions, for contacts.
    """
    for kind, group in groupby(sorted(wanted, key=_kind), key=_kind):
        specs = list(group)
        rows = history_of(batch, kind) if kind else _with_categories(batch.contacts, categories)
        frame = _counted(frame, rows, specs, f"{'events' if kind else 'contacts'}.known")
    return frame


def _kind(spec: Counted) -> str:
    return spec.kind or ""


def _with_categories(contacts: pl.DataFrame, categories: Mapping[str, str]) -> pl.DataFrame:
    """A contact's category is that of its action in this pack."""
    if not categories:
        return contacts.with_columns(pl.lit(None, pl.String).alias("category"))
    return contacts.with_columns(pl.col("action").replace_strict(dict(categories), default=None, return_dtype=pl.String).alias("category"))


def _counted(frame: pl.DataFrame, rows: pl.DataFrame, specs: Sequence[Counted], known: str) -> pl.DataFrame:
    if rows.is_empty():
        return frame.with_columns([_finished(spec, known, None) for spec in specs])
    rows = rows.join(frame.select(PLACE, *(pl.col(name).alias(f"now:{name}") for name in _CLOCKS), *_read(specs)), on=PLACE)
    rows = rows.with_columns([_met(spec).alias(spec.name) for spec in specs])
    plain = [spec for spec in specs if not _of_groups(spec) and not _by_message(spec)]
    found = [rows.group_by(PLACE).agg([_gathered(spec) for spec in plain])] if plain else []
    found += [_largest_group(rows, spec) for spec in specs if _of_groups(spec)]
    if any(map(_by_message, specs)):
        found.append(_messages(rows, [spec for spec in specs if _by_message(spec)]))
    places = frame.select(PLACE)
    aligned = [places.join(counted, on=PLACE, how="left", maintain_order="left").drop(PLACE) for counted in found]
    frame = frame.hstack([column for counted in aligned for column in counted])
    return frame.with_columns([_finished(spec, known, pl.col(spec.name)) for spec in specs])


def _read(specs: Iterable[Counted]) -> Iterator[pl.Expr]:
    """What filters compare attributes with, under names that no attribute has."""
    for spec in specs:
        for name, value in spec.filters:
            yield value.alias(f"{spec.name}:{name}")


def _met(spec: Counted) -> pl.Expr:
    """Does an event or contact lie in the window and match? What it does not say matches nothing."""
    at, now = pl.col("at"), pl.col(f"now:{spec.clock}")
    tests = [at <= now]
    if spec.days is not None:
        tests.append(at > now - spec.days * DAY)
    if spec.function == "refused":
        tests.append(pl.col("result") == "refused")
    tests += [pl.col(name) == pl.col(f"{spec.name}:{name}") for name, _ in spec.filters]
    return reduce(and_, tests).fill_null(False)


def _of_groups(spec: Counted) -> bool:
    return spec.same is not None


def _by_message(spec: Counted) -> bool:
    return spec.kind is None


def _gathered(spec: Counted) -> pl.Expr:
    """How many events, or the time of the last."""
    return pl.col("at").filter(pl.col(spec.name)).max().alias(spec.name) if spec.function == "since" else pl.col(spec.name).sum()


def _largest_group(rows: pl.DataFrame, spec: Counted) -> pl.DataFrame:
    same = str(spec.same)
    groups = rows.filter(pl.col(spec.name) & pl.col(same).is_not_null()).group_by(PLACE, same).agg(pl.len().alias(spec.name))
    return groups.group_by(PLACE).agg(pl.col(spec.name).max())


def _messages(rows: pl.DataFrame, specs: Sequence[Counted]) -> pl.DataFrame:
    """Contacts, those of one message once."""
    names = [spec.name for spec in specs]
    alone = rows.filter(pl.col("message").is_null()).select(PLACE, *names)
    grouped = rows.filter(pl.col("message").is_not_null())
    if grouped.is_empty():
        return alone.group_by(PLACE).agg(pl.col(names).sum())
    told = grouped.group_by(PLACE, "message").agg(pl.col(names).any()).select(PLACE, *names)
    return pl.concat([alone, told]).group_by(PLACE).agg(pl.col(names).sum())


def _finished(spec: Counted, known: str, counted: pl.Expr | None) -> pl.Expr:
    """What was gathered as the number that the language has, for those of whom the history and what filters ask for are known."""
    if spec.function == "since":
        now = pl.col(spec.clock)
        value = pl.lit(None, pl.Float64) if counted is None else ((now - counted) // DAY).cast(pl.Float64)
    else:
        value = pl.lit(0.0) if counted is None else counted.fill_null(0).cast(pl.Float64)
    asked = [value.is_not_null() for _, value in spec.filters]
    return pl.when(reduce(and_, [pl.col(known), *asked])).then(value).alias(spec.name)
