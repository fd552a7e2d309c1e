"""Events and contacts of many subscribers at once: what is plainly as the API takes it, entry by entry; the rest is read row by row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from operator import or_
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

import orjson
import polars as pl

from app.campaign.batch import PLACE, history_columns, no_history
from app.campaign.input.fitting import text_fits
from app.campaign.input.natives import instance
from app.campaign.input.texts import date_text, json_text, time_text
from app.engine.intake.placing import reader_at
from app.engine.vocabulary import EVENTS, LONGEST_HISTORY, AnyEvent, Contact, Event, Fact
from app.engine.vocabulary.types import Reader
from app.record.canonical import NotCanonical, canonical

_AT, _TYPE = "at", "type"
_ORDER, _KIND = "order", "kind"
_TIME = r"^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
_DAY = r"^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_FIRST_TIME, _LAST_TIME = -2_208_988_800_000_000, 7_258_118_399_999_999
"""Times from 1900 to 2199 in microseconds since 1970."""
_EPOCH = 719_163
"""The ordinal of 1 January 1970."""
_OF_KIND: Mapping[str, tuple[type, ...]] = {"number": (int, float), "boolean": (bool,), "date": (str,), "enum": (str,), "text": (str,)}


@dataclass(frozen=True, slots=True)
class _Attribute:
    """What may stand in an attribute; `only_in` are the kinds of event that take it so, none for contacts."""

    kind: str
    words: tuple[str, ...]
    least: float | None
    most: float | None
    reader: Reader | None
    only_in: tuple[str, ...] | None


@dataclass(frozen=True)
class Told:
    """What a column says of a history.

    Attributes:
        known: for each row, whether it says anything; an empty history is known.
        good: for each row, whether all of it is plain, and not dated later than it may be.
        entries: of the rows that say something, in their order: `i`, the place of the row; `at` in microseconds; `type`, of events; the
            attributes.
        as_json: makes the JSON for each row that says something, canonical; in another process too.
    """

    known: pl.Series
    good: pl.Series
    entries: pl.DataFrame
    as_json: Callable[[], pl.Series]

    def frames(self, places: pl.Series) -> dict[str | None, pl.DataFrame]:
        """The entries by kind of event, or under none for contacts, of the rows at these places, numbered anew in their order."""
        renamed = pl.DataFrame({PLACE: places.cast(pl.UInt32), "new place": pl.int_range(len(places), dtype=pl.UInt32, eager=True)})
        entries = self.entries.join(renamed, on=PLACE, how="inner", maintain_order="left").with_columns(pl.col("new place").alias(PLACE))
        if _TYPE not in self.entries.columns:
            return {None: _shaped(entries, None)}
        parts = entries.partition_by(_TYPE, as_dict=True, maintain_order=True)
        return {str(kind): _shaped(part, str(kind)) for (kind,), part in parts.items()}


def told(name: str, column: pl.Series, absent: Sequence[str], *, empty_instead: bool, latest: int) -> Told:
    """What a column of `events` or `contacts` says.

    Args:
        name: which of the two.
        column: lists of structures, or the API's JSON as text.
        absent: texts that say nothing.
        empty_instead: a row that says nothing says that nothing happened.
        latest: no entry may be later, in microseconds since 1970.
    """
    if column.dtype == pl.String:
        return _told_in_text(name, column, absent, empty_instead=empty_instead, latest=latest)
    if not isinstance(column.dtype, pl.List) or not isinstance(column.dtype.inner, pl.Struct):
        known = column.is_not_null()
        return Told(known, ~known, _no_entries(name), partial(pl.Series, "json", [None] * len(column), dtype=pl.String))
    lists = column.alias("entry").to_frame().with_row_index(PLACE).filter(pl.col("entry").list.len() > 0)
    long = lists.explode("entry")
    fields = {field.name: field.dtype for field in column.dtype.inner.fields}
    long = long.select(PLACE, *(pl.col("entry").struct.field(field).alias(_own(field)) for field in fields))
    known = column.is_not_null()
    types = {field: instance(kind) for field, kind in fields.items()}
    entries, good = _checked(name, long, types, latest)
    good = _of_rows(long, good, len(column)) & (column.list.len().fill_null(0) <= LONGEST_HISTORY)
    known = known | empty_instead
    return Told(known, good, entries, partial(_json_of_structures, long, types, known))


def _told_in_text(name: str, column: pl.Series, absent: Sequence[str], *, empty_instead: bool, latest: int) -> Told:
    kinds = {field: _OF_KIND[kind] for field, kind in _types(name).items()} | {_AT: (str,), _TYPE: (str,)}
    if name == "contacts":
        del kinds[_TYPE]
    columns: dict[str, list[Any]] = {PLACE: [], **{_own(field): [] for field in kinds}}
    known, good, nothing = list[bool](), list[bool](), frozenset(absent)
    for place, cell in enumerate(column.to_list()):
        text = None if cell is None else cell.strip()
        if text is None or text in nothing:
            known.append(empty_instead)
            good.append(True)
            continue
        entries = _decoded(text, kinds)
        known.append(True)
        good.append(entries is not None)
        for entry in entries or ():
            columns[PLACE].append(place)
            for field in kinds:
                columns[_own(field)].append(entry.get(field))
    schema = {PLACE: pl.UInt32(), **{_own(field): _dtype(name, field) for field in kinds}}
    long = pl.DataFrame({field: pl.Series(field, values, dtype=schema[field], strict=False) for field, values in columns.items()})
    checked, fit = _checked(name, long, {field: _dtype(name, field) for field in kinds}, latest)
    is_good = pl.Series("good", good, dtype=pl.Boolean) & _of_rows(long, fit, len(column))
    is_known = pl.Series("known", known, dtype=pl.Boolean)
    return Told(is_known, is_good, checked, partial(_json_of_texts, column, is_known, nothing))


def _decoded(text: str, kinds: Mapping[str, tuple[type, ...]]) -> list[dict[str, Any]] | None:
    """The entries, where each is an object of known fields with values of their kinds and at most as many as there may be."""
    try:
        data = orjson.loads(text)
        if orjson.dumps(data) != text.encode() and json.loads(text, object_pairs_hook=_once, parse_constant=_refuse) != data:
            return None
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, list) or len(data) > LONGEST_HISTORY:
        return None
    for entry in data:
        if not isinstance(entry, dict):
            return None
        for field, value in entry.items():
            if value is not None and type(value) not in kinds.get(field, ()):
                return None
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(_name: str) -> Any:
    raise ValueError("NaN and infinity are not JSON")


def _checked(name: str, long: pl.DataFrame, fields: Mapping[str, pl.DataType], latest: int) -> tuple[pl.DataFrame, pl.Series]:
    """The entries as a batch has them, and whether each is as the API takes it."""
    known = _attributes(name)
    is_event = name == "events"
    at = _micros(fields.get(_AT))
    good = [at.is_between(_FIRST_TIME, min(latest, _LAST_TIME))]
    taken: dict[str, pl.Expr] = {}
    for field, kind in fields.items():
        if field == _AT or (field == _TYPE and is_event):
            continue
        column = pl.col(_own(field))
        ways = [fit for attribute in known.get(field, ()) if (fit := _fit(column, kind, attribute)) is not None]
        good.append(column.is_null() | reduce(or_, ways, pl.lit(value=False)).fill_null(value=False))
        if ways:
            taken[field] = _value(column, kind)
    if is_event:
        is_text = fields.get(_TYPE) == pl.String
        good.append(pl.col(_own(_TYPE)).is_in(list(EVENTS)) if is_text else pl.lit(value=False))
        taken[_TYPE] = pl.col(_own(_TYPE)) if is_text else pl.lit(None, pl.String)
    all_good = pl.all_horizontal(one.fill_null(value=False) for one in good).alias("good")
    entries = long.select(PLACE, at.alias(_AT), *(value.alias(field) for field, value in taken.items()))
    return entries, long.select(all_good).to_series() if long.height else pl.Series("good", [], dtype=pl.Boolean)


def _micros(kind: pl.DataType | None) -> pl.Expr:
    column = pl.col(_own(_AT))
    if isinstance(kind, pl.Datetime):
        return column.to_physical().cast(pl.Int64)
    if kind == pl.String:
        plain = pl.when(column.str.contains(_TIME)).then(column)
        return plain.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False).to_physical().cast(pl.Int64)
    return pl.lit(None, pl.Int64)


def _fit(column: pl.Expr, kind: pl.DataType, attribute: _Attribute) -> pl.Expr | None:
    """Whether the attribute takes what stands in the column, in the kinds of event that have it; none where it never does."""
    fit: pl.Expr | None = None
    if attribute.kind == "enum" and kind == pl.String:
        fit = column.is_in(list(attribute.words))
    elif attribute.kind == "text" and kind == pl.String and attribute.reader is not None:
        fit = text_fits(attribute.reader)(column)
    elif attribute.kind == "boolean" and kind == pl.Boolean:
        fit = pl.lit(value=True)
    elif attribute.kind == "number" and kind in (pl.Int64, pl.Float64):
        fit = column.is_between(attribute.least, attribute.most) & (column == column.round())
    elif attribute.kind == "date" and kind == pl.Date:
        fit = column.dt.year() >= 1900
    elif attribute.kind == "date" and kind == pl.String:
        fit = column.str.contains(_DAY) & column.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    if fit is None or attribute.only_in is None:
        return fit
    return fit & pl.col(_own(_TYPE)).is_in(list(attribute.only_in))


def _value(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """What stands in the column as a batch has it, once it fits; an attribute that is a date in one kind is text in no other."""
    if kind in (pl.Int64, pl.Float64):
        return column.cast(pl.Float64)
    return (column.to_physical() + _EPOCH).cast(pl.Float64) if kind == pl.Date else column


def _shaped(entries: pl.DataFrame, kind: str | None) -> pl.DataFrame:
    columns = []
    for name, type_ in history_columns(kind).items():
        if name not in entries.columns:
            columns.append(pl.lit(None, type_).alias(name))
        elif type_ == pl.Float64 and entries.schema[name] == pl.String:
            columns.append((pl.col(name).str.to_date("%Y-%m-%d", strict=False).to_physical() + _EPOCH).cast(type_).alias(name))
        else:
            columns.append(pl.col(name).cast(type_))
    return entries.select(columns) if entries.height else no_history(kind)


def _of_rows(long: pl.DataFrame, good: pl.Series, height: int) -> pl.Series:
    """Whether all entries of each row are good."""
    rows = pl.Series("good", [True] * height, dtype=pl.Boolean)
    bad = long[PLACE].filter(~good).unique()
    return rows.scatter(bad, False) if len(bad) else rows


def _json_of_structures(long: pl.DataFrame, fields: Mapping[str, pl.DataType], known: pl.Series) -> pl.Series:
    entries = long.with_row_index(_ORDER)
    alike = [entries] if _TYPE not in fields else entries.with_columns(_kind(fields[_TYPE])).partition_by(_KIND)
    texts = pl.concat([_texts(some, fields) for some in alike or [entries]]).sort(_ORDER)
    lists = texts.group_by(PLACE, maintain_order=True).agg(pl.col("json").str.join(","))
    rows = known.alias("known").to_frame().with_row_index(PLACE).join(lists, on=PLACE, how="left", maintain_order="left")
    whole = pl.concat_str(pl.lit("["), pl.col("json").fill_null(""), pl.lit("]"))
    return rows.select(pl.when("known").then(whole).alias("json")).to_series()


def _kind(type_: pl.DataType) -> pl.Expr:
    """Of which kind an entry is, of the few that there are: entries of one kind have few of the fields."""
    named = pl.col(_own(_TYPE))
    return (pl.when(named.is_in(list(EVENTS))).then(named) if type_ == pl.String else pl.lit(None, pl.String)).alias(_KIND)


def _texts(entries: pl.DataFrame, fields: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The JSON of each entry."""
    held = [field for field in sorted(fields) if entries[_own(field)].null_count() < entries.height]
    parts = [pl.concat_str(pl.lit(f'"{field}":'), _json(pl.col(_own(field)), fields[field]), pl.lit(",")) for field in held]
    inside = pl.concat_str([pl.lit(""), *parts], ignore_nulls=True).str.strip_suffix(",")
    return entries.select(_ORDER, PLACE, pl.concat_str(pl.lit("{"), inside, pl.lit("}")).alias("json"))


def _json(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == pl.String:
        return json_text(column)
    if isinstance(kind, pl.Datetime):
        return time_text(column)
    if kind == pl.Date:
        return date_text(column)
    return column.cast(pl.Int64, strict=False).cast(pl.String) if kind == pl.Float64 else column.cast(pl.String)


def _json_of_texts(column: pl.Series, known: pl.Series, nothing: frozenset[str]) -> pl.Series:
    made: list[str | None] = []
    for cell, is_known in zip(column.to_list(), known.to_list(), strict=True):
        text = "" if cell is None else cell.strip()
        if not is_known:
            made.append(None)
        elif cell is None or text in nothing:
            made.append("[]")
        else:
            try:
                made.append(canonical(orjson.loads(text)).decode())
            except (orjson.JSONDecodeError, NotCanonical):
                made.append(None)
    return pl.Series("json", made, dtype=pl.String)


def _own(field: str) -> str:
    """The name of a field's column: a field may be called as the column of places is."""
    return f"entry {field}"


def _no_entries(name: str) -> pl.DataFrame:
    schema: dict[str, pl.DataType] = {PLACE: pl.UInt32(), _AT: pl.Int64()}
    return pl.DataFrame(schema=schema | ({_TYPE: pl.String()} if name == "events" else {}))


@cache
def _attributes(name: str) -> Mapping[str, tuple[_Attribute, ...]]:
    """For each attribute the ways in which kinds of event take it, or contacts do."""
    found: dict[str, dict[_Attribute, list[str]]] = {}
    for kind, field, attribute in _event_attributes() if name == "events" else _contact_attributes():
        found.setdefault(field, {}).setdefault(attribute, []).append(kind)
    return {field: tuple(_within(attribute, kinds, name) for attribute, kinds in ways.items()) for field, ways in found.items()}


def _within(attribute: _Attribute, kinds: list[str], name: str) -> _Attribute:
    only_in = tuple(kinds) if name == "events" else None
    return _Attribute(attribute.kind, attribute.words, attribute.least, attribute.most, attribute.reader, only_in)


def _event_attributes() -> Iterator[tuple[str, str, _Attribute]]:
    for model in cast("tuple[type[Event], ...]", get_args(get_args(AnyEvent)[0])):
        (kind,) = get_args(model.model_fields[_TYPE].annotation)
        for field, fact in EVENTS[kind].attributes.items():
            yield kind, field, _attribute(fact, reader_at(model, (field,)))


def _attribute(fact: Fact, reader: Reader | None) -> _Attribute:
    return _Attribute(fact.kind, fact.values, fact.least, fact.most, reader if fact.kind == "text" else None, None)


def _contact_attributes() -> Iterator[tuple[str, str, _Attribute]]:
    for field, info in Contact.model_fields.items():
        if field == _AT:
            continue
        words = _words(info.annotation)
        yield "", field, _Attribute("enum" if words else "text", words, None, None, None if words else reader_at(Contact, (field,)), None)


def _words(annotation: Any) -> tuple[str, ...]:
    """The words of an enumeration that may be none."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return next((words for option in options if (words := _words(option))), ())


@cache
def _types(name: str) -> Mapping[str, str]:
    """The kind of each attribute; where kinds of event differ, they are of the same type in JSON."""
    return {field: ways[0].kind for field, ways in _attributes(name).items()}


def _dtype(name: str, field: str) -> pl.DataType:
    kind = _types(name).get(field, "text")
    return pl.Float64() if kind == "number" else pl.Boolean() if kind == "boolean" else pl.String()
