"""Texts filled for many subscribers at once: each different value is written by the one formatter, and put wherever it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from app.campaign.batch import column_type
from app.campaign.wording.wholes import figure_as_text, figure_of
from app.engine.texts import UNKNOWN, Filler, Format, Language, Slot, Template, Text

if TYPE_CHECKING:
    from app.engine.pack.model import Pack
    from app.engine.tree import Type

EACH: Final = object()
"""In place of a value: it is another one in each row."""
Other = Callable[[str], Any]
Said = tuple["Text | None", "Other | None"]
_whole = pl.Int64()


class Cell(NamedTuple):
    """A value that a text tells, by the name of its column, of which type, and what writes it."""

    name: str
    kind: pl.DataType
    form: Format


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Texts that are said in the same rows.

    Attributes:
        texts: how each is put together from columns of what is written for the cells.
        cells: the columns' names.
    """

    texts: Mapping[str, pl.Expr]
    cells: Mapping[Cell, str]


def line_of(pack: Pack, language: Language, texts: Mapping[str, Said]) -> Line:
    """The line of these texts, by name; null where there is none.

    Args:
        pack: whose facts and constants they name.
        language: to be said in.
        texts: each with what gives the values of names that are neither: `EACH` where another one comes with each row.
    """
    cells: dict[Cell, str] = {}
    return Line({name: _put_together(pack, language, text, other, cells) for name, (text, other) in texts.items()}, cells)


def _put_together(pack: Pack, language: Language, text: Text | None, other: Other | None, cells: dict[Cell, str]) -> pl.Expr:
    if text is None:
        return pl.lit(None, pl.String)
    template = text.of(language)
    filler = Filler(template, pack.slots, pack.constants, language, pack.currency)
    said: list[pl.Expr] = []
    fixed = ""
    for (before, place, name, form), slot in zip(filler.pieces, _open_slots(pack, template), strict=True):
        fixed += before
        value = EACH if place is not None else other(name) if other is not None else None
        if value is EACH:
            cell = _cell(pack, slot, form, is_fact=place is not None)
            said += (pl.lit(fixed), pl.col(cells.setdefault(cell, f"{len(cells)}")))
            fixed = ""
        else:
            fixed += UNKNOWN if value is None else form(value, language, pack.currency)
    end = pl.lit(fixed + filler.rest)
    return pl.concat_str([*said, end]) if said else end


def _open_slots(pack: Pack, template: Template) -> list[Slot]:
    """The slots that are no constants."""
    return [slot for slot in template.slots if slot.name not in pack.constants]


def _cell(pack: Pack, slot: Slot, form: Format, *, is_fact: bool) -> Cell:
    if not is_fact:
        return Cell(slot.name, _OWN[slot.name], form)
    figure = figure_of(pack, slot)
    if figure is not None:
        return Cell(figure, pl.String(), figure_as_text)
    return Cell(slot.name, kept(pack.types[slot.name]), form)


_OWN: Mapping[str, pl.DataType] = {"action.valid_until": _whole, "action.concession": _whole, "tariff.saving": pl.Float64()}
"""What texts of actions name that is another one in each row."""


def kept(kind: Type) -> pl.DataType:
    """The type of a column in which a value of a kind is as one case has it."""
    if kind.kind in ("date", "time"):
        return _whole
    if kind.kind == "number" and kind.integral:
        return _whole
    return pl.List(_whole) if kind.kind == "series" and kind.integral else column_type(kind.kind)


_Pool = tuple[pl.DataType, Format]


class Sheet:
    """Lines to be filled together, so that of each format every value is written once."""

    def __init__(self, pack: Pack, language: Language) -> None:
        self._pack, self._language = pack, language
        self._asked: dict[Line, list[tuple[pl.DataFrame, list[pl.Series]]]] = {}

    def add(self, line: Line, rows: pl.DataFrame, value: Callable[[str], pl.Series]) -> None:
        """Say a line in some rows.

        Args:
            line: what is said.
            rows: what tells the rows apart, in columns that are the same wherever the line is said.
            value: the column of a name for these rows.
        """
        self._asked.setdefault(line, []).append((rows, [value(cell.name).cast(cell.kind) for cell in line.cells]))

    def filled(self) -> list[tuple[Line, pl.DataFrame]]:
        """Each line with the rows in which it is said, and its texts beside them."""
        pools: dict[_Pool, list[pl.Series]] = {}
        filled: dict[_Pool, int] = {}
        places: dict[tuple[Line, Cell], int] = {}
        for line, asked in self._asked.items():
            height = sum(rows.height for rows, _ in asked)
            for number, cell in enumerate(line.cells):
                pool = cell.kind, cell.form
                places[line, cell] = filled.get(pool, 0)
                filled[pool] = places[line, cell] + height
                pools.setdefault(pool, []).extend(values[number] for _, values in asked)
        written = {pool: self._written(pl.concat(values), pool[1]) for pool, values in pools.items()}
        found = []
        for line, asked in self._asked.items():
            rows = pl.concat([rows for rows, _ in asked])
            cells = [
                written[cell.kind, cell.form].slice(places[line, cell], rows.height).alias(column) for cell, column in line.cells.items()
            ]
            told = rows.lazy().with_columns(cells)
            found.append(told.select(*rows.columns, *(text.alias(name) for name, text in line.texts.items())))
        return list(zip(self._asked, pl.collect_all(found), strict=True))

    def _written(self, values: pl.Series, form: Format) -> pl.Series:
        """Each value as the formatter writes it."""
        if values.dtype == pl.List:
            return pl.Series([self._word(value, form) for value in values.to_list()], dtype=pl.String)
        different = values.drop_nulls().unique()
        texts = pl.Series([self._word(value, form) for value in different.to_list()], dtype=pl.String)
        return values.replace_strict(different, texts, default=UNKNOWN, return_dtype=pl.String)

    def _word(self, value: Any, form: Format) -> str:
        return UNKNOWN if value is None else form(value, self._language, self._pack.currency)
