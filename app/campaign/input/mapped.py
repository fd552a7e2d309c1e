"""A file whose columns a mapping names: its rows as facts, as far as they are plain, and as requests one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from app.campaign.batch import PLACE, Batch, batch_of, column_type, no_history
from app.campaign.cells import written
from app.campaign.input.cases import HISTORIES, ID, LIMIT, case_texts, no_cases
from app.campaign.input.columns import FactColumns
from app.campaign.input.fitting import text_fits
from app.campaign.input.histories import Told, told
from app.campaign.table import Asking, RequestReader, day_of, table_requests
from app.engine.facts import microseconds
from app.engine.intake import RequestError, parse_request, take
from app.engine.intake.placing import reader_at
from app.engine.intake.taking import DEVELOPMENT
from app.engine.vocabulary import DecisionRequest

if TYPE_CHECKING:
    from app.campaign.mapping import ColumnMapping
    from app.engine.case import Case
    from app.engine.pack import Pack
    from app.engine.vocabulary import Fact

_BETWEEN = "\x1f"
"""No word holds a control character."""


class MappedFile:
    """The files of an input that have the same columns of the same types.

    Attributes:
        requests: makes a request of a row of its columns, in their order, one by one.
    """

    def __init__(self, pack: Pack, mapping: ColumnMapping, schema: Mapping[str, pl.DataType], asking: Asking) -> None:
        """Bind the mapping.

        Args:
            pack: what will decide.
            mapping: which column is which fact.
            schema: the columns that the mapping names, in the types of `natives.plain`.
            asking: who asks, and when.
        """
        self._pack, self._mapping, self._asking = pack, mapping, asking
        self._schema = schema
        self.requests: RequestReader = table_requests(mapping, list(schema), asking, pack.zone)
        self._facts = FactColumns(pack, mapping, schema, day_of(mapping, asking, pack.zone))
        self._id_fits = text_fits(_reader("id"))

    @cached_property
    def _nobody(self) -> Case | None:
        """The case of a row that says nothing; none where no row makes a case."""
        fixed = self._mapping.fixed()
        body = {"channel": "app", **fixed, "subscriber": {**fixed["subscriber"], "id": "nobody"}}
        try:
            request = self._asking.of(parse_request(orjson.dumps(body)))
            return take(self._pack, request, now=self._asking.now, role=self._asking.role)
        except RequestError:
            return None

    @cached_property
    def _same(self) -> pl.DataFrame:
        """One row with what is the same for all."""
        if self._nobody is None:
            raise AssertionError("no row is plain where none makes a case")
        frame = batch_of(self._pack, [self._nobody]).facts
        given = set(self._facts.names)
        return frame.select(name for name in frame.columns if name in given or frame[name].null_count() == 0)

    def read(self, frame: pl.DataFrame) -> MappedRows:
        """What rows say.

        Args:
            frame: with the columns of the schema.
        """
        subscribers = self._subscribers(frame)
        given, good = self._facts.read(frame)
        given = given.with_columns(subscribers) if given.width else subscribers.to_frame()
        histories: dict[str, Told] = {}
        if self._nobody is None:
            good = pl.Series("good", [False] * frame.height, dtype=pl.Boolean)
        else:
            good = good & subscribers.to_frame().select(self._id_fits(pl.col(ID)).fill_null(value=False)).to_series()
            histories = dict(self._histories(frame, self._nobody))
            if "request.channel" in self._facts.names and "channel" not in self._mapping.document.request:
                good = good & given["request.channel"].is_not_null()
            for history in histories.values():
                good = good & history.good
        return MappedRows(self, frame, subscribers, given, histories, good)

    def _subscribers(self, frame: pl.DataFrame) -> pl.Series:
        column = frame[self._mapping.document.subscriber].alias(ID)
        if column.dtype == pl.Float64:
            return column.map_elements(written, return_dtype=pl.String)
        return column if column.dtype == pl.String else column.cast(pl.String)

    def _histories(self, frame: pl.DataFrame, nobody: Case) -> list[tuple[str, Told]]:
        found, general = [], tuple(word or "" for word in self._mapping.document.missing)
        latest = microseconds(nobody.times.as_of)
        for name in HISTORIES:
            origin = self._mapping.document.facts.get(name)
            if origin is not None and origin.column is not None:
                absent = general if origin.missing is None else tuple(word or "" for word in origin.missing)
                history = told(name, frame[origin.column], absent, empty_instead=origin.replaces_missing, latest=latest)
                found.append((name, history))
        return found

    def facts(self, rows: MappedRows, places: pl.Series, numbers: pl.Series) -> pl.DataFrame:
        """The facts of a batch, of the rows at these places.

        Args:
            rows: what the rows say.
            places: of plain rows.
            numbers: of the rows at those places in the input.
        """
        given = rows.given[places]
        made: dict[str, pl.Series] = {
            PLACE: pl.int_range(len(places), dtype=pl.UInt32, eager=True),
            "row": numbers,
            "subscriber": given[ID],
        }
        made |= {f"{name}.known": history.known[places] for name, history in rows.histories.items()}
        for name in self._facts.names:
            if name in self._same.columns and not (name == "request.channel" and self._asking.channel is not None):
                made[name] = self._or_same(name, _as_read(given[name], self._same.schema[name]))
        if "consent.personalised" in self._facts.names:
            made["personalised"] = (given["consent.personalised"] != "no").fill_null(value=True)
        made[LIMIT] = self.limits(rows)[places]
        columns = [
            made[name].alias(name) if name in made else self._same[name].new_from_index(0, len(places)) for name in self._same.columns
        ]
        return pl.DataFrame(columns)

    def _or_same(self, name: str, values: pl.Series) -> pl.Series:
        """A fact of the request that a row does not say is what the mapping says of all."""
        same = self._same[name][0] if name.startswith("request.") else None
        return values if same is None else values.fill_null(same)

    def limits(self, rows: MappedRows) -> pl.Series:
        """What the role may grant each: no more than twelve months leave of its yearly limit, as `engine.intake` takes it."""
        choosing, role = self._pack.choosing, self._asking.role
        cases, years = choosing.concession, choosing.concession_year
        if role == DEVELOPMENT:
            case, year = max(cases.values(), default=0), max(years.values(), default=None)
        else:
            case, year = cases.get(role, 0), years.get(role)
        name = "cases.compensation_12m"
        if year is None or name not in self._facts.names:
            same = self._same[LIMIT][0]
            return pl.Series(LIMIT, [same], dtype=pl.Int64).new_from_index(0, rows.frame.height)
        left = (year - pl.col(name).fill_null(0).cast(pl.Int64)).clip(lower_bound=0, upper_bound=case)
        return rows.given.select(left.alias(LIMIT)).to_series()

    def cases(self, rows: MappedRows, places: pl.Series) -> Callable[[], pl.Series]:
        """Makes the canonical JSON of the cases of plain rows, in another process too."""
        if self._nobody is None or not len(places):
            return no_cases
        histories = {name: history.as_json for name, history in rows.histories.items()}
        facts = {name: self._mapping.types[name] for name in self._facts.names}
        fixed = frozenset(["request.channel"] if self._asking.channel is not None else [])
        return partial(_cases, rows.given.with_columns(self.limits(rows)), histories, places, self._nobody.as_json(), facts, fixed)

    def cells(self, rows: MappedRows, places: pl.Series) -> list[list[Any]]:
        """The cells of rows, as they are read one by one."""
        column = self._mapping.document.subscriber
        frame = rows.frame.with_columns(rows.subscribers.fill_null("").alias(column))[places]
        return [list(cells) for cells in frame.iter_rows()]


@dataclass(frozen=True)
class MappedRows:
    """Rows of a file and what they say; `good` are the plain ones."""

    file: MappedFile
    frame: pl.DataFrame
    subscribers: pl.Series
    given: pl.DataFrame
    histories: Mapping[str, Told]
    good: pl.Series

    def batch(self, places: pl.Series, numbers: pl.Series) -> Batch:
        """The plain rows at these places as a batch."""
        frames = {name: history.frames(places) for name, history in self.histories.items()}
        events = {str(kind): frame for kind, frame in frames.get("events", {}).items() if frame.height}
        contacts = frames.get("contacts", {}).get(None)
        return Batch(self.file.facts(self, places, numbers), events, no_history(None) if contacts is None else contacts)


def _cases(
    given: pl.DataFrame,
    histories: Mapping[str, Callable[[], pl.Series]],
    places: pl.Series,
    case: Mapping[str, Any],
    facts: Mapping[str, Fact],
    fixed: frozenset[str],
) -> pl.Series:
    frame = given.with_columns(as_json().alias(name) for name, as_json in histories.items())[places]
    return case_texts(frame, case, facts, fixed).cast(pl.Binary)


def _as_read(given: pl.Series, kind: pl.DataType) -> pl.Series:
    """What is sent for a fact as the engine reads it."""
    return _sets(given) if kind == column_type("set") else given.cast(kind)


def _sets(lists: pl.Series) -> pl.Series:
    """The lists as sets, in order. Each different one is put in order once: that is slow, and there are few."""
    if not (lists.list.len() > 1).any():
        return lists
    frame = pl.DataFrame({"key": lists.list.join(_BETWEEN), "list": lists})
    once = frame.unique("key").select("key", pl.col("list").list.unique().list.sort())
    return frame.select("key").join(once, on="key", how="left", nulls_equal=True, maintain_order="left")["list"]


def _reader(field: str) -> Any:
    reader = reader_at(DecisionRequest, ("subscriber", field))
    if reader is None:
        raise AssertionError(f"`{field}` is a text of a subscriber")
    return reader


def columns_named(mapping: ColumnMapping) -> tuple[str, ...]:
    """The columns that a mapping reads, each once."""
    origins = mapping.document.facts.values()
    return tuple(dict.fromkeys([mapping.document.subscriber, *(name for origin in origins for _, name in origin.columns_read())]))


def checked_columns(mapping: ColumnMapping, header: Sequence[str], asking: Asking, zone: str) -> tuple[str, ...]:
    """The columns to read of a file with these.

    Raises:
        MappingError: the file lacks columns that the mapping names.
        TableError: the mapping's zone does not exist.
    """
    mapping.bind(header, day_of(mapping, asking, zone))
    return columns_named(mapping)
