"""Which of an operator's columns is which fact: the mapping file, read and checked against the vocabulary."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from app.campaign.cells import UNITS, CellReader, Unfit, date_form_problem, history_reader, reader, typed
from app.campaign.problems import TableError
from app.engine.pack.source import Source, read
from app.engine.problems import Place, Problem, nearest, shown
from app.engine.vocabulary import FACTS, DecisionRequest, Fact
from app.engine.vocabulary.types import details

if TYPE_CHECKING:
    from app.engine.pack import Pack
    from app.engine.tree import Type
    from app.engine.vocabulary import Kind

_TAKEN_APART = {"events", "contacts"}
_REQUEST_FACTS = tuple(name.partition(".")[2] for name in FACTS if name.startswith("request."))
_COMMON_MISSING = ("",)

Exact = Annotated[Decimal, Field(allow_inf_nan=False, ge=-(10**12), le=10**12)]
_MAY_HOLD: Mapping[str, frozenset[str]] = {
    "factor": frozenset({"number", "series"}),
    "offset": frozenset({"number", "series"}),
    "unit": frozenset({"number", "series"}),
    "divide_by": frozenset({"number", "series"}),
    "add": frozenset({"number", "series"}),
    "columns": frozenset({"series"}),
    "cycles": frozenset({"series"}),
    "collect": frozenset({"set"}),
    "split": frozenset({"set", "series"}),
    "date": frozenset({"date"}),
    "since": frozenset({"date"}),
}


class MappingError(Exception):
    """The mapping cannot be used. `problems` holds every mistake found, by line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _never(value: Any) -> Any:
    return None if value in ("null", "~") else value


Given = Annotated[str | list[str] | None, BeforeValidator(_never)]
"""A value as the file writes it; `null` is a date that never comes."""
Instead = Annotated[str | None, BeforeValidator(_never)]


def _short(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


class Origin(_Part):
    """Where the value of a fact comes from.

    Exactly one of `column` (a cell), `columns` (a series, a cell a cycle, oldest first), `add` (a sum) and `collect` (a set, a word for
    each column whose cell is `when`). A cell that is one of `missing` is replaced by `if_missing`, or leaves the fact unknown; then
    `values` translate it; a number is multiplied by `factor` or brought from `unit` to the fact's own, divided by the cell of
    `divide_by`, and `offset` is added. `cycles` repeats a number so many times.
    """

    column: str | None = None
    columns: list[str] = []
    add: list[Annotated[Origin, BeforeValidator(_short)]] = []
    collect: dict[str, str] = {}
    when: str = "Yes"
    missing: list[str | None] | None = None
    if_missing: Given = None
    values: dict[str, Instead] = {}
    factor: Exact | None = None
    offset: Exact = Decimal(0)
    unit: str | None = None
    divide_by: str | None = None
    cycles: Annotated[int, Field(ge=1, le=36)] | None = None
    date: str | None = None
    since: str | None = None
    split: Annotated[str, Field(min_length=1, max_length=3)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("column", "columns", "add", "collect") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("exactly one of `column`, `columns`, `add` and `collect` says where the value comes from")
        if self.factor is not None and self.unit is not None:
            raise ValueError("`factor` and `unit` say the same thing; keep one of them")
        if (self.date == "term_end") != (self.since is not None):
            raise ValueError("`date: term_end` and `since:` go together")
        return self

    @property
    def replaces_missing(self) -> bool:
        """Whether something stands for a missing cell; a null does, and means never."""
        return "if_missing" in self.model_fields_set

    def is_listed_in(self, fact: Fact) -> bool:
        """Whether one cell holds the whole of a series."""
        return fact.kind == "series" and self.column is not None and self.cycles is None and self.split is not None

    def of_each(self) -> Origin:
        """The origin as it holds for each entry of a list; what stands for the whole of a missing list stands for none of its entries."""
        if not isinstance(self.if_missing, list):
            return self
        return Origin.model_validate(self.model_dump(exclude_unset=True, exclude={"if_missing"}))

    def columns_read(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The columns it reads, each with the path at which it is named."""
        if self.column is not None:
            yield ("column",), self.column
        yield from ((("columns", index), name) for index, name in enumerate(self.columns))
        yield from ((("collect", name), name) for name in self.collect)
        yield from (((key,), name) for key in ("divide_by", "since") if (name := getattr(self, key)) is not None)
        for index, term in enumerate(self.add):
            yield from ((("add", index, *path), name) for path, name in term.columns_read())


class _Document(_Part):
    """The mapping file. `subscriber` is the column of the id; `facts` come from columns, `constants` are the same for all."""

    subscriber: str
    encoding: Literal["utf-8", "gb18030", "gbk", "big5", "latin-1"] = "utf-8"
    delimiter: Literal[",", ";", "|", "tab"] = ","
    missing: list[str | None] = [*_COMMON_MISSING]
    request: dict[str, str] = {}
    constants: dict[str, Given] = {}
    facts: dict[str, Annotated[Origin, BeforeValidator(_short)]]


@dataclass(frozen=True)
class BoundColumn:
    """A fact with the reader that takes it from a row, and the column that a message names. A history has no field in its section."""

    section: str
    field: str
    column: str
    read: CellReader


@dataclass(frozen=True)
class ColumnMapping:
    """A checked mapping."""

    source: Source
    document: _Document
    types: Mapping[str, Fact]

    @property
    def as_of(self) -> datetime.datetime | None:
        """When the facts hold, where the mapping says so."""
        given = self.document.request.get("as_of")
        return datetime.datetime.fromisoformat(given) if given else None

    @property
    def zone(self) -> str | None:
        """The subscribers' zone, where the mapping says so."""
        given = self.document.constants.get("zone")
        return given if isinstance(given, str) else None

    @property
    def delimiter(self) -> str:
        """What stands between two cells."""
        return "\t" if self.document.delimiter == "tab" else self.document.delimiter

    def fixed(self) -> dict[str, Any]:
        """The body of a request as far as it is the same for all."""
        subscriber: dict[str, Any] = {}
        for name, given in self.document.constants.items():
            if name == "zone" or name in _TAKEN_APART:
                subscriber[name] = given
            else:
                section, _, field = name.partition(".")
                subscriber.setdefault(section, {})[field] = typed(self.types[name], given)
        request: dict[str, Any] = {"explain": "summary", **self.document.request}
        if "max_actions" in request:
            request["max_actions"] = int(request["max_actions"])
        return {**request, "subscriber": subscriber}

    def bind(self, header: Sequence[str], today: datetime.date) -> tuple[int, tuple[BoundColumn, ...]]:
        """The place of the subscriber's id in a row, and a reader for each fact.

        Args:
            header: the columns of the file.
            today: the day that months ago are counted from.

        Raises:
            MappingError: the file lacks columns that the mapping names.
        """
        places = {name: index for index, name in enumerate(header)}
        wanted: list[tuple[tuple[str | int, ...], str]] = [(("subscriber",), self.document.subscriber)]
        for name, origin in self.document.facts.items():
            wanted += [(self._path(name, path), column) for path, column in origin.columns_read()]
        missing = [self._no_column(path, column, header) for path, column in wanted if column not in places]
        if missing:
            raise MappingError(missing)
        general = tuple(word or "" for word in self.document.missing)
        bound = []
        for name, origin in self.document.facts.items():
            section, _, field = name.partition(".")
            label = next(column for _, column in origin.columns_read())
            if name in _TAKEN_APART:
                read = history_reader(name, origin, places[label], general)
            else:
                read = reader(self.types[name], origin, places, general, today)
            bound.append(BoundColumn(section, field, label, read))
        return places[self.document.subscriber], tuple(bound)

    def _path(self, fact: str, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        return ("facts", fact, *path) if ("facts", fact, *path) in self.source.places else ("facts", fact)

    def _no_column(self, path: tuple[str | int, ...], column: str, header: Sequence[str]) -> Problem:
        hint = nearest(column, header) or (
            f"the file has only the column {shown(header[0])}; is the delimiter right?" if len(header) == 1 else ""
        )
        return Problem(self.source.place(*path), "column", f"the file has no column {shown(column)}", hint)


def own_facts(pack: Pack) -> dict[str, Fact]:
    """The operator's own facts, as a mapping is checked against them."""
    return {name: _own_fact(name, kind) for name, kind in pack.custom.items()}


def _own_fact(name: str, kind: Type) -> Fact:
    return Fact(name, cast("Kind", kind.kind), kind.unit, kind.integral, kind.values, None, None, name, name)


def load_mapping(path: Path, custom: Mapping[str, Fact] | None = None) -> ColumnMapping:
    """Read and check a mapping file.

    Args:
        path: the file.
        custom: an operator's own facts by name, as the pack types them.

    Raises:
        TableError: it cannot be read.
        MappingError: with every mistake found.
    """
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise TableError(f"`{path}` is a folder, not a mapping") from None
    except OSError as error:
        raise TableError(f"cannot read `{path}`: {(error.strerror or 'unknown error').lower()}") from None
    return mapping_of(str(path), content, custom)


def mapping_of(name: str, content: bytes, custom: Mapping[str, Fact] | None = None) -> ColumnMapping:
    """Check what a mapping file holds.

    Args:
        name: of the file, for messages.
        content: its bytes.
        custom: an operator's own facts by name, as the pack types them.

    Raises:
        MappingError: with every mistake found.
    """
    source, problems = read(name, content)
    if source is None:
        raise MappingError(problems)
    if not isinstance(source.data, dict):
        raise MappingError(
            [Problem(source.place(), "schema", "the file is not a mapping", "it holds keys such as `subscriber:` and `facts:`")]
        )
    try:
        document = _Document.model_validate(source.data)
    except ValidationError as error:
        raise MappingError([_schema_problem(source, detail) for detail in error.errors(include_url=False)]) from None
    types = {name: fact for name, fact in {**FACTS, **(custom or {})}.items() if not fact.computed}
    checked = [*_checks(source, document, types)]
    if checked:
        raise MappingError(checked)
    return ColumnMapping(source, document, types)


def _checks(source: Source, document: _Document, types: Mapping[str, Fact]) -> Iterator[Problem]:
    for name, given in document.constants.items():
        yield from _constant_problems(source.place("constants", name), name, given, types)
    for name, origin in document.facts.items():
        fact = types.get(name)
        if name in _TAKEN_APART:
            yield from _history_problems(source, name, origin)
        elif fact is None:
            yield _unknown_fact(source.place("facts", name), name, types)
        else:
            yield from _origin_problems(source, ("facts", name), fact, origin)
        if name in document.constants:
            yield Problem(source.place("facts", name), "twice", f"`{name}` is a constant as well", "keep one of them")
    yield from _request_problems(source, document)


def _history_problems(source: Source, name: str, origin: Origin) -> Iterator[Problem]:
    allowed = ("column", "missing", "if_missing")
    for key in sorted(origin.model_fields_set - set(allowed)):
        yield Problem(
            source.place("facts", name, key), "kind", f"`{key}` says nothing of `{name}`", "name the column of a list, or of the API's JSON"
        )
    if origin.replaces_missing and origin.if_missing != []:
        yield Problem(source.place("facts", name, "if_missing"), "value", f"only `[]` can stand for missing {name}")


def _unknown_fact(place: Place, name: str, types: Mapping[str, Fact]) -> Problem:
    computed = name in FACTS
    message = f"`{name}` is computed by the engine" if computed else f"unknown fact {shown(name)}"
    return Problem(place, "fact", message, "leave it out" if computed else nearest(name, [*types, *_TAKEN_APART, "zone"]))


def _constant_problems(place: Place, name: str, given: str | list[str] | None, types: Mapping[str, Fact]) -> Iterator[Problem]:
    if name == "zone":
        return
    if name in _TAKEN_APART:
        if given != []:
            yield Problem(
                place,
                "constant",
                f"`{name}` cannot come from a table as the same for all",
                "write `[]` where the file is known to leave nothing out, or name a column under `facts:`",
            )
    elif name not in types:
        yield _unknown_fact(place, name, types)
    else:
        try:
            typed(types[name], given)
        except Unfit as error:
            yield Problem(place, "constant", f"`{name}`: {error}")


def _origin_problems(source: Source, path: tuple[str | int, ...], fact: Fact, origin: Origin) -> Iterator[Problem]:
    place = source.place(*path)
    for key, kinds in _MAY_HOLD.items():
        if key in origin.model_fields_set and fact.kind not in kinds:
            yield Problem(
                source.place(*path, key), "kind", f"`{key}` makes a {' or a '.join(sorted(kinds))}, and `{fact.name}` is a {fact.kind}"
            )
    whole = bool(origin.columns) or origin.cycles is not None or origin.is_listed_in(fact)
    if fact.kind == "series" and path[:1] == ("facts",) and len(path) == 2 and not whole:
        ways = "name a column a cycle in `columns:`, or repeat one with `cycles: 4`"
        yield Problem(place, "kind", f"`{fact.name}` is a series", f"{ways}; one column of lists needs `split:`")
    if origin.unit is not None and (origin.unit, fact.unit) not in UNITS and origin.unit != fact.unit:
        known = sorted({given for given, own in UNITS if own == fact.unit} | {fact.unit})
        yield Problem(
            source.place(*path, "unit"),
            "unit",
            f"no way from `{origin.unit}` to `{fact.unit or 'a plain number'}`",
            f"known: {', '.join(filter(None, known))}; or give a `factor:`",
        )
    if origin.date is not None and (wrong := date_form_problem(origin.date)):
        yield Problem(source.place(*path, "date"), "date", wrong)
    if fact.kind == "date" and origin.date == "term_end":
        fact = FACTS["account.tenure_months"]
    for cell, value in origin.values.items():
        yield from _value_problems(
            source.place(*path, "values", cell), fact, [value] if fact.kind == "set" and value is not None else value
        )
    if origin.replaces_missing and not origin.values:
        yield from _value_problems(source.place(*path, "if_missing"), fact, origin.if_missing)
    for index, term in enumerate(origin.add):
        yield from _origin_problems(source, (*path, "add", index), fact, term)


def _value_problems(place: Place, fact: Fact, value: str | list[str] | None) -> Iterator[Problem]:
    """What a cell is translated to has the fact's type; numbers are still to be scaled, so bounds come later."""
    if value is None or fact.kind in ("number", "series"):
        if value is None and fact.kind not in ("date", "number"):
            yield Problem(place, "value", "only a date can be null, which means never")
        return
    try:
        typed(fact, value)
    except Unfit as error:
        yield Problem(place, "value", str(error))


def _request_problems(source: Source, document: _Document) -> Iterator[Problem]:
    allowed = [*_REQUEST_FACTS, "as_of", "contact_at", "locale", "max_actions", "explain"]
    for name in document.request:
        if name not in allowed:
            yield Problem(source.place("request", name), "request", f"unknown key {shown(name)}", nearest(name, allowed))
    if "channel" not in document.request and "request.channel" not in document.facts:
        yield Problem(
            source.place("request"), "request", "`request.channel` is missing", "say on which channel the subscribers are to be met"
        )
    given: dict[str, Any] = {
        "channel": "app",
        "subscriber": {"id": "x"},
        **{key: value for key, value in document.request.items() if key in allowed},
    }
    if str(given.get("max_actions", "")).isdigit():
        given["max_actions"] = int(given["max_actions"])
    try:
        DecisionRequest.model_validate(given)
    except ValidationError as error:
        for detail in details(error):
            yield Problem(source.place("request", str(detail["loc"][0])), "request", f"`{detail['loc'][0]}`: {_lower(detail['msg'])}")


def _schema_problem(source: Source, detail: Any) -> Problem:
    location = tuple(step for step in detail["loc"] if step != "[key]")
    place = source.place(*location)
    last = str(location[-1]) if location else "the file"
    if detail["type"] == "extra_forbidden":
        known = Origin.model_fields if len(location) > 1 else _Document.model_fields
        return Problem(place, "schema", f"unknown key {shown(last)}", nearest(last, known))
    name = ".".join(map(str, location)) or "the file"
    if detail["type"] == "missing":
        return Problem(place, "schema", f"`{name}` is missing")
    return Problem(place, "schema", f"`{name}`: {_lower(detail['msg'])}")


def _lower(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return plain[:1].lower() + plain[1:]
