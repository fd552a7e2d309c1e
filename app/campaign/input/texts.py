"""JSON of whole columns: values written as the canonical JSON of the record writes them."""

from __future__ import annotations

import polars as pl

from app.record.canonical import canonical

_WRITTEN_ALIKE = (1e-4, 1e15)
"""Floats between these in size are written the same way here and there; the others are written one by one."""


def json_text(column: pl.Expr) -> pl.Expr:
    """Texts without control characters, in quotes."""
    escaped = column.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return pl.concat_str(pl.lit('"'), escaped, pl.lit('"'))


def word_text(column: pl.Expr) -> pl.Expr:
    """Words that hold neither quotes nor backslashes, in quotes."""
    return pl.concat_str(pl.lit('"'), column, pl.lit('"'))


def date_text(column: pl.Expr) -> pl.Expr:
    """Dates."""
    return pl.concat_str(pl.lit('"'), column.dt.to_string("%Y-%m-%d"), pl.lit('"'))


def time_text(column: pl.Expr) -> pl.Expr:
    """Times of UTC, with six decimals where they have any, as Python writes them."""
    whole = column.to_physical() % 1_000_000 == 0
    text = pl.when(whole).then(column.dt.to_string("%Y-%m-%dT%H:%M:%S")).otherwise(column.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f"))
    return pl.concat_str(pl.lit('"'), text, pl.lit('+00:00"'))


def whole_text(column: pl.Expr) -> pl.Expr:
    """Floats that are whole numbers."""
    return column.cast(pl.Int64).cast(pl.String)


def number_text(column: pl.Expr) -> pl.Expr:
    """Floats, whole or not."""
    least, most = _WRITTEN_ALIKE
    is_whole, is_alike = column == column.round(), column.abs().is_between(least, most)
    odd = pl.when(~is_whole & ~is_alike).then(column).map_elements(lambda value: canonical(value).decode(), return_dtype=pl.String)
    return pl.when(is_whole).then(whole_text(column)).when(is_alike).then(column.cast(pl.String)).otherwise(odd)


def truth_text(column: pl.Expr) -> pl.Expr:
    """Truths."""
    return pl.when(column).then(pl.lit("true")).when(~column).then(pl.lit("false"))
