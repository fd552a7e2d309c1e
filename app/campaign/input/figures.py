"""Numbers of whole columns, as cells are read one by one: exactly, or not at all.

Cells are read in fractions, columns in floats. A float is taken where it can only come to the one right number: where it is far from what
would be rounded the other way or be out of bounds, or is exact. Whatever is nearer is unsure, and is left to the reading of cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.cells import UNITS, Unfit, number, written

if TYPE_CHECKING:
    from app.campaign.mapping import Origin
    from app.engine.vocabulary import Fact

Limits = tuple[float | None, float | None]
_DECIMALS = 10**6
_LARGEST_READ = 10**9
"""Numbers with six decimals below this have at most fifteen digits, so that a float tells them from all others."""
_SLACK = 2.0**-44
"""How far floats may be from the right number, as a share of all that went into it: some hundred roundings."""
_MOST_BULK = 2.0**43
_EXACT, _SMALL_UNDER = 2**53, 2**40
_PLAIN = r"^[+-]?[0-9]{1,9}(\.[0-9]{1,6})?$"
_NO = pl.lit(value=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number for each row.

    Attributes:
        near: the number as a float, a few roundings off; null or anything where the row says none.
        bulk: the sizes of all that was added up in it.
        known: whether the row says one.
        unread: whether something there is not plainly a number; then nothing else is right.
        untouched: whether it is the float of a cell, to which nothing was done.
        factor: what an untouched one was multiplied by, where that is all; none where more was done.
    """

    near: pl.Expr
    bulk: pl.Expr
    known: pl.Expr
    unread: pl.Expr
    untouched: bool = False
    factor: Fraction | None = None

    def times(self, factor: Fraction) -> Figure:
        """Multiplied by a constant."""
        only = factor if self.untouched else None
        by = float(factor)
        return replace(self, near=self.near * by, bulk=self.bulk * abs(by), untouched=False, factor=only)

    def plus(self, other: Figure) -> Figure:
        """The sum; it is known where both are."""
        return Figure(self.near + other.near, self.bulk + other.bulk, self.known & other.known, self.unread | other.unread)

    def by(self, other: Figure) -> Figure:
        """The quotient; by zero it is not known."""
        known = self.known & other.known & (other.near != 0)
        return Figure(self.near / other.near, self.bulk / other.near.abs(), known, self.unread | other.unread)

    def rounded(self, limits: Limits) -> tuple[pl.Expr, pl.Expr]:
        """The nearest whole number, null where it is not known, and whether it surely is that and within the limits."""
        least, most = limits
        slack = self.bulk * _SLACK
        sure = (self.bulk < _MOST_BULK) & ((self.near - self.near.floor() - 0.5).abs() > slack)
        sure = sure if least is None else sure & (self.near >= slack + least)
        sure = sure if most is None else sure & (self.near <= pl.lit(most) - slack)
        return self._settled(self.near.round() + 0.0, sure)

    def as_it_is(self, limits: Limits, *, integral: bool) -> tuple[pl.Expr, pl.Expr]:
        """An untouched number, and whether it is within the limits, and whole where it has to be."""
        least, most = limits
        sure = self.near.abs() < _EXACT
        sure = sure if least is None else sure & (self.near >= least)
        sure = sure if most is None else sure & (self.near <= most)
        return self._settled(self.near + 0.0, sure & (self.near == self.near.round()) if integral else sure)

    def scaled(self, cell: Figure, limits: Limits) -> tuple[pl.Expr, pl.Expr]:
        """The float nearest to an untouched cell times a constant: one division of whole numbers that floats hold exactly."""
        factor = self.factor or Fraction(1)
        under = _DECIMALS * factor.denominator
        read = (cell.near * float(_DECIMALS)).round()
        over = read * float(factor.numerator)
        value = _quotient(over, under)
        exact = (_quotient(read, _DECIMALS) == cell.near) & (cell.near.abs() < _LARGEST_READ) & (over.abs() < _EXACT)
        least, most = limits
        sure = exact & pl.lit(under < _SMALL_UNDER)
        sure = sure if least is None else sure & (value >= least)
        sure = sure if most is None else sure & (value <= most)
        return self._settled(value + 0.0, sure)

    def _settled(self, value: pl.Expr, sure: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
        return pl.when(self.known & ~self.unread).then(value), (~self.unread & (~self.known | sure)).fill_null(value=False)


def finished(fact: Fact, origin: Origin, cell: Figure | None, made: Figure | None, limits: Limits) -> tuple[pl.Expr, pl.Expr] | None:
    """A number as a fact takes it, null where it is not known, and whether it surely is; none where this is not the way.

    Args:
        fact: says whether it has to be whole.
        origin: says whether it is worked out; then it is rounded, half to even, where it has to be whole.
        cell: the cell that it comes from, where it is one.
        made: what was made of it.
        limits: within which the fact takes it.
    """
    if made is None:
        return None
    if fact.integral and is_scaled(origin):
        return made.rounded(limits)
    if made.untouched:
        return made.as_it_is(limits, integral=fact.integral)
    return made.scaled(cell, limits) if cell is not None and made.factor is not None and not fact.integral else None


def figure(
    fact: Fact, origin: Origin, column: str | None, schema: Mapping[str, pl.DataType], missing: Sequence[str]
) -> tuple[Figure | None, Figure | None]:
    """The cell of an origin and what is made of it, before that is held against the fact; none where this is not the way.

    Args:
        fact: gives the unit.
        origin: where the number comes from.
        column: the column, none for a sum.
        schema: types of the columns.
        missing: cells that say nothing, unless the origin has its own.
    """
    if column is not None:
        cell = _cell(pl.col(column), schema[column], origin, missing)
        return cell, _worked(fact, origin, cell, schema)
    terms = [figure(fact, term, term.column, schema, missing)[1] for term in origin.add]
    known = [term for term in terms if term is not None]
    return None, _worked(fact, origin, reduce(Figure.plus, known), schema) if len(known) == len(terms) else None


def entry(fact: Fact, origin: Origin, kind: pl.DataType, missing: Sequence[str]) -> tuple[Figure | None, Figure | None]:
    """The same for the entries of a list, inside `list.eval`."""
    cell = _cell(pl.element(), kind, origin, missing)
    return cell, None if origin.divide_by is not None else _worked(fact, origin, cell, {})


def is_scaled(origin: Origin) -> bool:
    """Whether a number is worked out, and may have to be rounded."""
    return bool(origin.add) or origin.factor is not None or origin.unit is not None or origin.divide_by is not None


def _worked(fact: Fact, origin: Origin, base: Figure | None, schema: Mapping[str, pl.DataType]) -> Figure | None:
    if base is None:
        return None
    factor = Fraction(origin.factor) if origin.factor is not None else UNITS.get((origin.unit or "", fact.unit), Fraction(1))
    made = base if factor == 1 else base.times(factor)
    if origin.divide_by is not None:
        divisor = _read(pl.col(origin.divide_by), schema[origin.divide_by], nothing="")
        if divisor is None:
            return None
        made = made.by(divisor)
    return made.plus(_constant(Fraction(origin.offset))) if origin.offset else made


def _cell(column: pl.Expr, kind: pl.DataType, origin: Origin, missing: Sequence[str]) -> Figure | None:
    """The cells of one column as numbers, after what is missing was replaced."""
    read = None if origin.values or isinstance(origin.if_missing, list) else _read(column, kind)
    if read is None:
        return None
    absent = set(missing) if origin.missing is None else {word or "" for word in origin.missing}
    said = _is_any(column, kind, absent)
    is_missing = column.is_null() if said is None else column.is_null() | said
    if not origin.replaces_missing or origin.if_missing is None:
        return replace(read, known=read.known & ~is_missing, unread=read.unread & ~is_missing)
    instead = _number(origin.if_missing)
    if instead is None:
        return None
    near = pl.when(is_missing).then(float(instead)).otherwise(read.near)
    return replace(read, near=near, bulk=near.abs(), known=read.known | is_missing, unread=read.unread & ~is_missing)


def _number(text: str | list[str]) -> Fraction | None:
    try:
        return number(text)
    except Unfit:
        return None


def _read(column: pl.Expr, kind: pl.DataType, nothing: str | None = None) -> Figure | None:
    """The cells as numbers. Text that is not plainly one is unread, unless it is what says nothing."""
    if kind in (pl.Int64, pl.Float64):
        near = column.cast(pl.Float64) if kind == pl.Int64 else column
        return Figure(near, near.abs(), column.is_not_null(), _NO, untouched=True)
    if kind != pl.String:
        return None
    is_plain = column.str.contains(_PLAIN).fill_null(value=False)
    near = pl.when(is_plain).then(column).cast(pl.Float64, strict=False)
    empty = column.is_null() if nothing is None else column.is_null() | (column == nothing)
    return Figure(near, near.abs(), is_plain, ~is_plain & ~empty, untouched=True)


def _is_any(column: pl.Expr, kind: pl.DataType, words: set[str]) -> pl.Expr | None:
    """Whether a cell, as text, is one of the words; none where that cannot be."""
    if kind == pl.String:
        return column.is_in(sorted(words)) if words else None
    of = int if kind == pl.Int64 else float
    values = [value for word in words if (value := _as(of, word)) is not None and written(value) == word]
    return column.is_in(values) if values else None


def _as(of: type[int] | type[float], word: str) -> int | float | None:
    try:
        value = of(word)
    except ValueError:
        return None
    return value if abs(value) < _EXACT else None


def _constant(value: Fraction) -> Figure:
    return Figure(pl.lit(float(value)), pl.lit(abs(float(value))), pl.lit(value=True), _NO)


def _quotient(over: pl.Expr, under: int) -> pl.Expr:
    """The float nearest to a fraction of whole numbers below 2**53.

    Polars multiplies by the reciprocal of a constant instead of dividing by it, which gives another float now and then: it gets a column.
    """
    return over / (over * 0.0 + float(under))
