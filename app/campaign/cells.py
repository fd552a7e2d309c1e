"""From the cells of a row to the values of facts, exactly: no floats in between, and nothing guessed."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from app.campaign.problems import CellProblem, RowRefused
from app.engine.problems import nearest, shown

if TYPE_CHECKING:
    from app.campaign.mapping import Origin
    from app.engine.vocabulary import Fact


class _Nothing(Enum):
    MISSING = "missing"


MISSING: Final = _Nothing.MISSING
"""What a reader gives where the row says nothing: the fact is unknown."""

Cell = Any
"""A cell: text, or what a file with types has there: a number, a truth, a date, a list, none."""
CellReader = Callable[[Sequence[Cell]], Any]
_Missing = Literal[_Nothing.MISSING]
_Amount = Callable[[Sequence[Cell]], "Fraction | _Missing"]

UNITS: Mapping[tuple[str, str], Fraction] = {
    ("KB", "MB"): Fraction(1, 1024),
    ("GB", "MB"): Fraction(1024),
    ("TB", "MB"): Fraction(1024 * 1024),
    ("fen", "money"): Fraction(1),
    ("yuan", "money"): Fraction(100),
    ("seconds", "minutes"): Fraction(1, 60),
    ("hours", "minutes"): Fraction(60),
    ("days", "hours"): Fraction(24),
    ("weeks", "days"): Fraction(7),
    ("years", "months"): Fraction(12),
    ("percent", "share"): Fraction(1, 100),
}
"""What a number in one unit is multiplied by to be in another."""


class Unfit(ValueError):
    """A cell does not fit its fact. `kind` says so without the cell's own words."""

    def __init__(self, kind: str, detail: str = "") -> None:
        self.kind = kind
        super().__init__(f"{kind}{detail}")


_number = re.compile(r"^[+-]?(?:\d{1,3}(?:,\d{3}){1,7}|\d{1,25})(?:\.\d{1,25})?$")
"""Floats that were written with all their digits are longer than fifteen."""
_day = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_year = re.compile(r"%[YyGcx]")
_NOT_SEVERAL = "expected one value, not a list"
_TRUE = frozenset({"true", "yes", "y", "1", "是"})
_FALSE = frozenset({"false", "no", "n", "0", "否"})
_TOO_LARGE = 2**53
"""An operator's own numbers have bounds of the pack's; what readers of JSON would round is refused here already."""
_LARGEST_SHOWN = Fraction(10**300)
DATE_FORMS = ("months_ago", "days_ago", "term_end")


def date_form_problem(form: str) -> str:
    """What is wrong with the way a column writes dates, or nothing."""
    if form in DATE_FORMS:
        return ""
    try:
        day = datetime.date(2026, 11, 22)
        fits = bool(_year.search(form)) and datetime.datetime.strptime(day.strftime(form), form).date() == day  # noqa: DTZ007 - a day has no zone
    except ValueError:
        fits = False
    return "" if fits else f"expected {', '.join(f'`{name}`' for name in DATE_FORMS)} or a form such as `%d/%m/%Y` with year, month and day"


def number(cell: str | float | list[str]) -> Fraction:
    """The number a cell holds. One that came as a float is the shortest decimal that reads as that float: 65.6, not what is nearest to it.

    Raises:
        Unfit: it holds something else.
    """
    if isinstance(cell, int | float):
        return Fraction(repr(cell))
    if isinstance(cell, list):
        raise Unfit(_NOT_SEVERAL)
    if not _number.match(cell):
        raise Unfit("expected a number", f", not {shown(cell, 40)}")
    return Fraction(cell.replace(",", ""))


def written(cell: Cell) -> str:
    """What a cell says as text, without blanks around it: numbers and dates as a file of text has them, none as the empty cell.

    Raises:
        Unfit: it holds several values.
    """
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{Decimal(repr(cell)):f}"
    if isinstance(cell, list | tuple | dict):
        raise Unfit(_NOT_SEVERAL)
    return str(cell)


def _said(cell: Cell, words: Iterable[str]) -> str:
    """What a cell says; a truth of a file with types in whichever of the words means it."""
    if isinstance(cell, bool):
        own = _TRUE if cell else _FALSE
        return next((word for word in words if word.lower() in own), written(cell))
    return written(cell)


def typed(fact: Fact, given: str | list[str] | None) -> Any:
    """A value as a mapping file or a cell writes it, as JSON for a request.

    Raises:
        Unfit: it is not of the fact's type.
    """
    if given is None:
        if fact.kind != "date":
            raise Unfit("only a date can be null, which means never")
        return None
    if isinstance(given, list) or fact.kind in ("set", "series"):
        if fact.kind not in ("set", "series") or not isinstance(given, list):
            raise Unfit(_NOT_SEVERAL if isinstance(given, list) else "expected a list")
        return [_word(fact, word) if fact.kind == "set" else finished(fact, number(word)) for word in given]
    if fact.kind == "number":
        return finished(fact, number(given))
    if fact.kind == "boolean":
        return _boolean(given)
    if fact.kind == "date":
        return _date(given, "%Y-%m-%d")
    return _word(fact, given)


def _word(fact: Fact, text: str) -> str:
    if fact.values and text not in fact.values:
        raise Unfit(
            "is not one of its words", f": {shown(text, 40)}; {nearest(text, fact.values) or 'expected one of ' + ', '.join(fact.values)}"
        )
    return text


def _boolean(text: str) -> bool:
    if (word := text.lower()) in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Unfit("expected yes or no", f", not {shown(text, 40)}; other words are translated by `values:`")


def _date(text: str, form: str) -> str:
    try:
        if form == "%Y-%m-%d" and not _day.match(text):
            raise ValueError
        return datetime.datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        example = datetime.date(2026, 11, 22).strftime(form)
        raise Unfit(f"expected a date such as {example}", f", not {shown(text, 40)}") from None


def finished(fact: Fact, value: Fraction, *, scaled_from: str = "") -> int | float:
    """A number as the fact takes it: whole where it must be, within its bounds.

    Args:
        fact: the fact.
        value: the number.
        scaled_from: what it was worked out from, for messages; it is then rounded, half to even, where it must be whole.

    Raises:
        Unfit: it cannot be.
    """
    for bound, side, words in ((fact.least, -1, "at least"), (fact.most, 1, "at most")):
        if bound is not None and (value - Fraction(bound)) * side > 0:
            limit = f"expected {words} {bound:,.0f}"
            raise Unfit(limit, f": {scaled_from} comes to {_plain(value, fact)}" if scaled_from else f", not {_plain(value, fact)}")
    if abs(value) >= _TOO_LARGE:
        raise Unfit(f"expected at most {_TOO_LARGE:,} in size")
    if fact.integral and not scaled_from and value.denominator != 1:
        raise Unfit("expected a whole number", f", not {_plain(value, fact)}")
    return round(value) if fact.integral or value.denominator == 1 else float(value)


def _plain(value: Fraction, fact: Fact) -> str:
    unit = {"money": " fen", "MB": " MB"}.get(fact.unit, "")
    return f"{float(max(min(value, _LARGEST_SHOWN), -_LARGEST_SHOWN)):,.10g}{unit}"


def reader(fact: Fact, origin: Origin, places: Mapping[str, int], missing: tuple[str, ...], today: datetime.date) -> CellReader:
    """The function that takes the fact from a row of cells; it gives `MISSING` where the row does not say.

    Args:
        fact: the fact and its type.
        origin: where it comes from.
        places: the columns' places in a row.
        missing: cells that say nothing, unless the origin has its own.
        today: the day that months ago are counted from.
    """
    if origin.collect:
        return _collected(origin, places, missing)
    if origin.columns:
        one = [figure_reader(fact, origin, column, places, missing) for column in origin.columns]
        return lambda cells: [None if (value := read(cells)) is MISSING else value for read in one]
    if origin.is_listed_in(fact):
        return list_reader(fact, origin, places, missing)
    first = _one(fact, origin, origin.column, places, missing, today)
    if origin.cycles is None:
        return first
    times = origin.cycles
    return lambda cells: MISSING if (value := first(cells)) is MISSING else [value] * times


def single_reader(fact: Fact, origin: Origin, places: Mapping[str, int], missing: tuple[str, ...], today: datetime.date) -> CellReader:
    """What reads the one value of an origin, before `cycles` repeats it."""
    if origin.collect:
        return _collected(origin, places, missing)
    return _one(fact, origin, origin.column, places, missing, today)


def _one(
    fact: Fact, origin: Origin, column: str | None, places: Mapping[str, int], missing: tuple[str, ...], today: datetime.date
) -> CellReader:
    if fact.kind in ("number", "series"):
        return figure_reader(fact, origin, column, places, missing)
    if column is None:
        raise AssertionError("checked when the mapping was read")
    cell = _cell(origin, places[column], missing)
    if fact.kind == "date":
        return _named(column, _dates(origin, cell, places[column], places, today), fact)
    if fact.kind == "set":
        return _named(column, _several(fact, origin, places[column], missing), fact)
    return _named(column, lambda cells: MISSING if (text := cell(cells)) is MISSING else typed(fact, text), fact)


def list_reader(fact: Fact, origin: Origin, places: Mapping[str, int], missing: tuple[str, ...]) -> CellReader:
    """What reads a series in one cell: a list of a file with types, or text with something between the figures."""
    column = origin.column or ""
    absent, place, between = _absent(origin, missing), places[column], origin.split
    figure = figure_reader(fact, origin.of_each(), column, {**places, column: -1}, missing)
    instead = origin.if_missing

    def listed(cells: Sequence[Cell]) -> Any:
        given = cells[place]
        if given is None or (isinstance(given, str) and given.strip() in absent):
            return [finished(fact, number(entry)) for entry in instead] if isinstance(instead, list) else MISSING
        entries = given if isinstance(given, list) else written(given).split(between)
        return [None if (value := figure([*cells, entry])) is MISSING else value for entry in entries]

    return _named(column, listed, fact)


def figure_reader(fact: Fact, origin: Origin, column: str | None, places: Mapping[str, int], missing: tuple[str, ...]) -> CellReader:
    """What reads a number, of a column or a sum: read, scaled, brought within what the fact takes."""
    amount = _amount(fact, origin, column, places, missing)
    scaled = bool(origin.add) or origin.factor is not None or origin.unit is not None or origin.divide_by is not None
    place = places[column] if column is not None else None

    def read(cells: Sequence[Cell]) -> Any:
        value = amount(cells)
        if value is MISSING:
            return MISSING
        cell = "the sum" if place is None else shown(written(cells[place]), 40)
        return finished(fact, value, scaled_from=cell if scaled else "")

    return _named(column or next(name for _, name in origin.columns_read()), read, fact)


def _named(column: str, read: CellReader, fact: Fact) -> CellReader:
    """The reader, with its complaints put to the column."""

    def named(cells: Sequence[Cell]) -> Any:
        try:
            return read(cells)
        except Unfit as error:
            raise RowRefused(CellProblem(str(error), column, fact.name, error.kind)) from None

    return named


def _cell(origin: Origin, place: int, general: tuple[str, ...], *, figure: bool = False) -> CellReader:
    """The cell's word after what is missing was replaced and `values` translated it; a `figure` that came as a number stays one."""
    absent = _absent(origin, general)
    values, replaces, instead = origin.values, origin.replaces_missing, origin.if_missing

    def cell(cells: Sequence[Cell]) -> Any:
        given = cells[place]
        text = given.strip() if isinstance(given, str) else _said(given, values)
        if text in absent or (given is None and "" not in values):
            return instead if replaces else MISSING
        if figure and not values and isinstance(given, int | float) and not isinstance(given, bool):
            return given
        return _translated(text, values)

    return cell


def _amount(fact: Fact, origin: Origin, column: str | None, places: Mapping[str, int], missing: tuple[str, ...]) -> _Amount:
    base = (
        _sum([_amount(fact, term, term.column, places, missing) for term in origin.add])
        if column is None
        else _figure(_cell(origin, places[column], missing, figure=True))
    )
    factor = Fraction(origin.factor) if origin.factor is not None else UNITS.get((origin.unit or "", fact.unit), Fraction(1))
    offset = Fraction(origin.offset)
    if origin.divide_by is None:
        return lambda cells: MISSING if (value := base(cells)) is MISSING else value * factor + offset
    divisor = _figure(_plain_cell(places[origin.divide_by]))

    def divided(cells: Sequence[Cell]) -> Fraction | _Missing:
        value, by = base(cells), divisor(cells)
        return MISSING if value is MISSING or by is MISSING or by == 0 else value * factor / by + offset

    return divided


def _plain_cell(place: int) -> CellReader:
    """The cell as it is; an empty one says nothing."""

    def cell(cells: Sequence[Cell]) -> Any:
        given = cells[place]
        return given if isinstance(given, int | float) and not isinstance(given, bool) else written(given) or MISSING

    return cell


def _figure(cell: CellReader) -> _Amount:
    return lambda cells: MISSING if (text := cell(cells)) is MISSING or text is None else number(text)


def _sum(terms: Sequence[_Amount]) -> _Amount:
    def total(cells: Sequence[Cell]) -> Fraction | _Missing:
        found = Fraction(0)
        for term in terms:
            value = term(cells)
            if value is MISSING:
                return MISSING
            found += value
        return found

    return total


def _collected(origin: Origin, places: Mapping[str, int], general: tuple[str, ...]) -> CellReader:
    """The words whose columns say so. A row in which every one of the columns is missing says nothing."""
    absent = _absent(origin, general)
    words = [(places[column], word) for column, word in origin.collect.items()]
    when, replaces, instead = origin.when, origin.replaces_missing, origin.if_missing

    def collected(cells: Sequence[Cell]) -> Any:
        if all(cells[place] is None or written(cells[place]) in absent for place, _ in words):
            return instead if replaces else MISSING
        return [word for place, word in words if _said(cells[place], (when,)) == when]

    return collected


def _several(fact: Fact, origin: Origin, place: int, general: tuple[str, ...]) -> CellReader:
    """The words of a cell that holds several, each translated by `values`."""
    absent, between, values = _absent(origin, general), origin.split, origin.values
    replaces, instead = origin.replaces_missing, origin.if_missing

    def several(cells: Sequence[Cell]) -> Any:
        given = cells[place]
        if isinstance(given, list):
            words = [written(part) for part in given]
        else:
            text = written(given)
            if given is None or text in absent:
                return instead if replaces else MISSING
            words = [part.strip() for part in (text.split(between) if between else [text])]
        return [_word(fact, _translated(word, values) or "") for word in words if word]

    return several


def history_reader(name: str, origin: Origin, place: int, general: tuple[str, ...]) -> CellReader:
    """What takes a history from a cell: a list of structures of a file with types, or the API's own JSON as text.

    Args:
        name: `events` or `contacts`.
        origin: names the column.
        place: of that column.
        general: cells that say nothing, unless the origin has its own.
    """
    absent, column = _absent(origin, general), origin.column

    def history(cells: Sequence[Cell]) -> Any:
        given = cells[place]
        if given is None or (isinstance(given, str) and given.strip() in absent):
            return [] if origin.replaces_missing else MISSING
        if isinstance(given, list):
            return [_entry(entry) for entry in given]
        return _as_json(given, name, column)

    return history


def _entry(given: Any) -> Any:
    """An entry of a history as JSON has it; what is null there is not known."""
    if not isinstance(given, dict):
        return given
    return {name: _plain_json(value) for name, value in given.items() if value is not None}


def _plain_json(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_json(given: Cell, name: str, column: str | None) -> orjson.Fragment:
    text = given.strip() if isinstance(given, str) else ""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        kind = f"expected the {name} as a JSON array"
        raise RowRefused(CellProblem(f"{kind}, such as `[]` for none", column, name, kind)) from None
    return orjson.Fragment(text)


def _absent(origin: Origin, general: tuple[str, ...]) -> frozenset[str]:
    """The cells that say nothing, for this origin."""
    return frozenset(general if origin.missing is None else (word or "" for word in origin.missing))


def _translated(text: str, values: Mapping[str, str | None]) -> str | None:
    if not values:
        return text
    if text not in values:
        raise Unfit("is not among the `values` of the mapping", f": {shown(text, 40)}; expected one of {', '.join(map(shown, values))}")
    return values[text]


def _dates(origin: Origin, cell: CellReader, place: int, places: Mapping[str, int], today: datetime.date) -> CellReader:
    form, values = origin.date or "%Y-%m-%d", origin.values
    since = places[origin.since] if origin.since is not None else None

    def date(cells: Sequence[Cell]) -> Any:
        text = cell(cells)
        if text is MISSING or text is None:
            return text
        if form not in DATE_FORMS:
            return _date(text, "%Y-%m-%d" if isinstance(cells[place], datetime.date) and not values else form)
        count = _whole(text)
        if since is None:
            return (months_after(today, -count) if form == "months_ago" else _days_before(today, count)).isoformat()
        return months_after(today, -_whole(written(cells[since])) % count).isoformat() if count else None

    return date


def _whole(text: str) -> int:
    value = number(text)
    if value.denominator != 1 or not 0 <= value <= 36_500:
        raise Unfit("expected a whole number from 0 to 36,500", f", not {shown(text, 40)}")
    return int(value)


def _days_before(day: datetime.date, days: int) -> datetime.date:
    return day - datetime.timedelta(days=days)


def months_after(day: datetime.date, months: int) -> datetime.date:
    """The same day so many months later, or the month's last where it is shorter."""
    total = day.year * 12 + day.month - 1 + months
    if total < 12:
        raise Unfit("expected fewer months: the date would be before the year 1")
    year, month = divmod(total, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
