"""Facts of whole columns: what the cells of every row say, and which rows have to be read one by one because that is not plain.

A column that is plainly numbers, words, dates or truths is worked out at once. Of the rest each different cell is read by the readers of
cells. A row with a cell that is refused there is left to the reading of rows, which says what is wrong with it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from app.campaign.cells import DATE_FORMS, MISSING, CellReader, Unfit, figure_reader, list_reader, single_reader
from app.campaign.input.distinct import UNFIT, DistinctReader
from app.campaign.input.figures import entry, figure, finished
from app.campaign.input.fitting import bounds, fits, word_fits
from app.campaign.input.natives import instance
from app.campaign.problems import RowRefused
from app.engine.runtime import NEVER
from app.engine.vocabulary import SECTIONS
from app.engine.vocabulary.sections.base import CycleSection
from app.engine.vocabulary.types import LARGEST_SET, LONGEST_SERIES

if TYPE_CHECKING:
    from app.campaign.mapping import ColumnMapping, Origin
    from app.engine.pack import Pack
    from app.engine.vocabulary import Fact

TYPES: Mapping[str, pl.DataType] = {
    "number": pl.Float64(),
    "series": pl.List(pl.Float64()),
    "boolean": pl.Boolean(),
    "date": pl.Int32(),
    "enum": pl.String(),
    "text": pl.String(),
    "set": pl.List(pl.String()),
}
"""Types of what is sent for facts: a date as its ordinal, 0 for null; a set in its order."""
_FIRST_DAY = datetime.date(1900, 1, 1)
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_Way = tuple[pl.Expr, pl.Expr]
"""Values of a column, and whether they surely are what the cells say."""


@dataclass(frozen=True)
class _Unit:
    """One value of a fact: the way by columns, where there is one, and the way by its different cells, where there is one."""

    key: str
    way: _Way | None
    cells: DistinctReader | None
    kind: pl.DataType


@dataclass(frozen=True)
class _Column:
    """A fact: the units it is made of, and how."""

    name: str
    units: tuple[_Unit, ...]
    made: pl.Expr | None


class FactColumns:
    """The facts of a mapping for files with certain columns."""

    def __init__(self, pack: Pack, mapping: ColumnMapping, schema: Mapping[str, pl.DataType], today: datetime.date) -> None:
        """Find the way for each fact.

        Args:
            pack: types the operator's own facts.
            mapping: which column is which fact.
            schema: types of the columns, as `natives.plain` leaves them.
            today: the day that months ago are counted from.
        """
        self._pack, self._schema, self._today = pack, schema, today
        self._missing = tuple(word or "" for word in mapping.document.missing)
        facts = [(mapping.types[name], origin) for name, origin in mapping.document.facts.items() if name in mapping.types]
        self._columns = [self._column(fact, origin) for fact, origin in facts]
        self._lengths = _cycle_lengths(mapping, [fact for fact, _ in facts])
        self.names = tuple(column.name for column in self._columns)

    def read(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """What is sent for each fact, in its type of `TYPES`, null where nothing is; and which rows are plain.

        Args:
            frame: the rows.
        """
        units = [unit for column in self._columns for unit in column.units]
        ways = [expression for unit in units if unit.way for expression in _named(unit.key, unit.way)]
        found = frame.select(ways) if ways else pl.DataFrame()
        values: dict[str, pl.Series] = {}
        good = pl.Series("good", [True] * frame.height, dtype=pl.Boolean)
        for unit in units:
            value, is_sure = self._settled(unit, found, frame)
            values[unit.key] = value.alias(unit.key)
            if not is_sure.all():
                good = good & is_sure
        settled = pl.DataFrame(list(values.values())) if values else pl.DataFrame()
        given = settled.select((pl.col(c.units[0].key) if c.made is None else c.made).alias(c.name) for c in self._columns)
        return given, good & self._same_lengths(given, frame.height)

    def _settled(self, unit: _Unit, found: pl.DataFrame, frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        if unit.way is None:
            if unit.cells is None:
                nothing = pl.Series(unit.key, [None] * frame.height, dtype=unit.kind)
                return nothing, pl.Series("good", [False] * frame.height, dtype=pl.Boolean)
            return unit.cells.values(frame)
        value, sure = found[unit.key], found[f"{unit.key}?"]
        if unit.cells is None or sure.all():
            return value, sure
        places = (~sure).arg_true()
        read, good = unit.cells.values(frame, places)
        return value.scatter(places, read), sure.scatter(places, good)

    def _same_lengths(self, given: pl.DataFrame, height: int) -> pl.Series:
        """Series of one section cover the same cycles."""
        same = [pl.lit(value=True)]
        for known, names in self._lengths:
            lengths = [pl.col(name).list.len() for name in names] + ([] if known is None else [pl.lit(known, pl.UInt32)])
            if len(lengths) > 1:
                equal = pl.max_horizontal(lengths) == pl.min_horizontal(lengths)
                same.append(equal.fill_null(value=True))
        if len(same) == 1:
            return pl.Series("good", [True] * height, dtype=pl.Boolean)
        return given.select(pl.all_horizontal(same).alias("good")).to_series()

    def _column(self, fact: Fact, origin: Origin) -> _Column:
        if origin.columns:
            readers = [self._series_unit(fact, origin, place) for place in range(len(origin.columns))]
            return _Column(fact.name, tuple(readers), _series([unit.key for unit in readers]))
        if fact.kind == "series" and origin.cycles is None:
            return _Column(fact.name, (self._listed_unit(fact, origin),), None)
        unit = self._single_unit(fact, origin)
        if fact.kind == "series":
            repeated = _series([unit.key] * (origin.cycles or 1))
            return _Column(fact.name, (unit,), pl.when(pl.col(unit.key).is_not_null()).then(repeated))
        return _Column(fact.name, (unit,), None)

    def _series_unit(self, fact: Fact, origin: Origin, place: int) -> _Unit:
        """One of the columns that make a series."""
        column = origin.columns[place]
        one = (column,) if origin.divide_by is None else (column, origin.divide_by)
        key, kind = f"{fact.name}.{place}", pl.Float64()
        if len(origin.columns) > LONGEST_SERIES:
            return _Unit(key, None, None, kind)
        read = figure_reader(fact, origin, column, _places(one), self._missing)
        way = self._figured(fact, origin, column)
        check = _of_one(fits(self._pack, fact)) if fact.name in self._pack.custom else None
        return _Unit(key, way, self._by_cells(one, read, check, kind), kind)

    def _single_unit(self, fact: Fact, origin: Origin) -> _Unit:
        columns = tuple(dict.fromkeys(name for _, name in origin.columns_read()))
        kind = pl.Float64() if fact.kind == "series" else TYPES[fact.kind]
        read = single_reader(fact, origin, _places(columns), self._missing, self._today)
        is_number = fact.kind in ("number", "series")
        check = None if is_number and fact.name not in self._pack.custom else fits(self._pack, fact)
        if fact.kind == "series" and check is not None:
            check = _of_one(check)
        return _Unit(fact.name, self._way(fact, origin), self._by_cells(columns, read, check, kind), kind)

    def _by_cells(
        self, columns: Sequence[str], read: CellReader, check: Callable[[Any], bool] | None, kind: pl.DataType
    ) -> DistinctReader | None:
        if any(isinstance(self._schema[column], pl.List) for column in columns):
            return None

        def value(cells: tuple[Any, ...]) -> Any:
            try:
                sent = read(cells)
            except (RowRefused, Unfit):
                return UNFIT
            if sent is MISSING:
                return None
            if check is not None and not check(sent):
                return UNFIT
            return _ordinal(sent) if kind == pl.Int32 else sent

        return DistinctReader(columns, value, kind)

    def _way(self, fact: Fact, origin: Origin) -> _Way | None:
        if fact.kind in ("number", "series"):
            return self._figured(fact, origin, origin.column)
        if origin.column is None or origin.values or origin.collect:
            return None
        column, kind = pl.col(origin.column), self._schema[origin.column]
        absent = set(self._missing) if origin.missing is None else {word or "" for word in origin.missing}
        if fact.kind == "boolean" and kind == pl.Boolean and not absent & {"true", "false"}:
            return _unless_missing(
                column, column.is_null(), pl.lit(value=True), origin, {"true": True, "yes": True, "no": False, "false": False}
            )
        if fact.kind == "date" and kind == pl.Date and origin.date not in DATE_FORMS and not any(map(_is_day, absent)):
            days = column.to_physical().cast(pl.Int32) + _EPOCH
            inside = column.is_between(_FIRST_DAY, datetime.date.max)
            return _unless_missing(days, column.is_null(), inside, origin, {None: NEVER})
        if fact.kind in ("enum", "text") and kind == pl.String and (fit := word_fits(fact)) is not None:
            missing = column.is_null() | column.is_in(sorted(absent)) if absent else column.is_null()
            return _unless_missing(column, missing, fit(column), origin, {})
        if fact.kind == "set" and kind == pl.List(pl.String) and (fit := word_fits(fact)) is not None:
            good = column.list.eval(fit(pl.element()).fill_null(value=False)).list.all() & (column.list.len() <= LARGEST_SET)
            if not isinstance(origin.if_missing, list):
                return _unless_missing(column, column.is_null(), good, origin, {})
            if fits(self._pack, fact)(origin.if_missing):
                instead = pl.lit(origin.if_missing, dtype=TYPES["set"])
                return pl.when(column.is_null()).then(instead).otherwise(column), (column.is_null() | good).fill_null(value=False)
        return None

    def _figured(self, fact: Fact, origin: Origin, column: str | None) -> _Way | None:
        limits = bounds(self._pack, fact)
        return limits and finished(fact, origin, *figure(fact, origin, column, self._schema, self._missing), limits)

    def _listed_unit(self, fact: Fact, origin: Origin) -> _Unit:
        """A series that stands in one column of lists; text with something between is read by its different cells."""
        column = origin.column or ""
        kind, type_ = self._schema[column], TYPES["series"]
        cells = self._by_cells((column,), list_reader(fact, origin, _places((column,)), self._missing), fits(self._pack, fact), type_)
        if not isinstance(kind, pl.List) or origin.if_missing:
            return _Unit(fact.name, None, cells, type_)
        inner = instance(kind.inner)
        each, limits = origin.of_each(), bounds(self._pack, fact)
        way = limits and finished(fact, each, *entry(fact, each, inner, self._missing), limits)
        if not way:
            return _Unit(fact.name, None, cells, type_)
        value, sure = way
        lists = pl.col(column)
        good = lists.list.eval(sure).list.all() & (lists.list.len() <= LONGEST_SERIES)
        values = lists.list.eval(value)
        if isinstance(origin.if_missing, list):
            values = pl.when(lists.is_null()).then(pl.lit([], dtype=type_)).otherwise(values)
        return _Unit(fact.name, (values, good.fill_null(value=True)), cells, type_)


def _named(key: str, way: _Way) -> Iterator[pl.Expr]:
    yield way[0].alias(key)
    yield way[1].alias(f"{key}?")


def _series(keys: Sequence[str]) -> pl.Expr:
    """The columns as a series; by way of an array, which is forty times as fast."""
    return pl.concat_arr(list(keys)).arr.to_list()


def _places(columns: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(columns)}


def _of_one(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: check([value])


def _ordinal(day: str | None) -> int:
    return NEVER if day is None else datetime.date.fromisoformat(day).toordinal()


def _is_day(word: str) -> bool:
    return word[:1].isdigit() and word.count("-") == 2


def _unless_missing(value: pl.Expr, missing: pl.Expr, fit: pl.Expr, origin: Origin, instead: Mapping[Any, Any]) -> _Way | None:
    """The value where it fits; what stands for a missing one is put in where that is plain, else the way is none."""
    if not origin.replaces_missing:
        return pl.when(~missing).then(value), (missing | fit).fill_null(value=False)
    if isinstance(origin.if_missing, list) or origin.if_missing not in instead:
        return None
    return pl.when(missing).then(pl.lit(instead[origin.if_missing])).otherwise(value), (missing | fit).fill_null(value=False)


def _cycle_lengths(mapping: ColumnMapping, facts: Sequence[Fact]) -> list[tuple[int | None, list[str]]]:
    """By section whose series cover the same cycles: the length of its constant ones, and the names of the others."""
    constants = mapping.fixed()["subscriber"]
    found = []
    for section, model in SECTIONS.items():
        if not issubclass(model, CycleSection):
            continue
        known = [len(value) for value in constants.get(section, {}).values() if isinstance(value, list)]
        names = [fact.name for fact in facts if fact.kind == "series" and fact.name.startswith(f"{section}.")]
        found.append((known[0] if known else None, names))
    return found
