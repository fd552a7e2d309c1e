"""Columns of a file with types, in the few types that cells are read from."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import polars as pl
from polars.datatypes import DataTypeClass

from app.campaign.problems import TableError

_AS_TEXT = (pl.Categorical, pl.Enum, pl.Time, pl.Null)
_LARGEST = 2**63 - 1
_DAYS = (datetime.date.min, datetime.date.max)
"""Files can hold dates that no calendar here has; they are as good as none."""
_TIMES = (-62_000_000_000_000_000, 253_000_000_000_000_000)
"""Likewise times, in microseconds since 1970: the years 5 to 9987."""


def plain(frame: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """The columns as text, whole numbers, floats, truths, dates, and lists and structures of them.

    Floats of 32 bits and decimals become the floats nearest to what is written (65.6, not 65.5999984741); NaN and infinity become null;
    a time becomes its date in the zone, and inside a structure a time of UTC.

    Args:
        frame: as it was read.
        zone: the subscribers'.

    Raises:
        TableError: a column holds what no cell can.
    """
    try:
        return frame.select(_plain(pl.col(name), name, kind, zone).alias(name) for name, kind in frame.schema.items())
    except pl.exceptions.PolarsError as error:
        raise TableError(f"a column cannot be read: {str(error).partition(chr(10))[0].lower()}") from None


def _plain(column: pl.Expr, name: str, kind: pl.DataType, zone: ZoneInfo, *, inside: bool = False) -> pl.Expr:
    """A column in one of those types; `inside` a structure, times stay times."""
    if isinstance(kind, pl.Array):
        column, kind = column.arr.to_list(), pl.List(kind.inner)
    if isinstance(kind, pl.List):
        inner = kind.inner
        if inner in (pl.String, pl.Int64, pl.Boolean):
            return column
        return column.list.eval(_plain(pl.element(), name, instance(inner), zone, inside=True))
    if isinstance(kind, pl.Struct):
        if not inside:
            raise TableError(f"the column `{name}` holds structures, of which no fact is made; a list of them can be a history")
        fields = [_plain(column.struct.field(field.name), name, instance(field.dtype), zone, inside=True) for field in kind.fields]
        return pl.when(column.is_not_null()).then(pl.struct(fields))
    if kind == pl.Date:
        return _dated(column)
    if isinstance(kind, pl.Datetime):
        there = _there(column.dt.cast_time_unit("us"), kind, zone)
        return _timed(there.dt.convert_time_zone("UTC")) if inside else _dated(there.dt.date())
    return _scalar(column, name, kind)


def instance(kind: pl.DataType | DataTypeClass) -> pl.DataType:
    """A type as polars tells it of the inside of another: sometimes only its class."""
    return kind if isinstance(kind, pl.DataType) else kind()


def _scalar(column: pl.Expr, name: str, kind: pl.DataType) -> pl.Expr:
    if kind in (pl.String, pl.Boolean, pl.Date, pl.Int64):
        return column
    if kind.is_integer():
        bounded = column.clip(-_LARGEST, _LARGEST) if kind == pl.Int128 else column.clip(0, _LARGEST) if kind == pl.UInt64 else column
        return bounded.cast(pl.Int64)
    if kind.is_numeric():
        exact = column if kind == pl.Float64 else column.cast(pl.String).cast(pl.Float64)
        return pl.when(exact.is_finite()).then(exact)
    if kind == pl.Binary or kind.base_type() in _AS_TEXT:
        return column.cast(pl.String)
    raise TableError(f"the column `{name}` is of the type {kind}, which no cell can be")


def _dated(column: pl.Expr) -> pl.Expr:
    return pl.when(column.is_between(*_DAYS)).then(column)


def _timed(column: pl.Expr) -> pl.Expr:
    return pl.when(column.to_physical().is_between(*_TIMES)).then(column)


def _there(column: pl.Expr, kind: pl.Datetime, zone: ZoneInfo) -> pl.Expr:
    """A time in the zone; one that was told without a zone is taken as the zone's own."""
    if kind.time_zone is None:
        return column.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")
    return column.dt.convert_time_zone(zone.key)
