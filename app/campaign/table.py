"""Rows to decisions: each row becomes a request, a case and a decision, or is refused by itself with what is wrong."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from app import __version__
from app.campaign.cells import MISSING
from app.campaign.problems import CellProblem, RowRefused, TableError
from app.engine.answer import Explanation
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import RequestError, parse_request, take
from app.engine.view import sees_evidence, view
from app.engine.vocabulary import DecisionRequest

if TYPE_CHECKING:
    from app.campaign.mapping import BoundColumn, ColumnMapping
    from app.campaign.rows import Row
    from app.engine.case import Case
    from app.engine.decision import Decision
    from app.engine.pack import Pack


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Makes a request of a row, or raises RowRefused. `columns` names the column of a field of the request, for messages."""

    read: Callable[[Row], DecisionRequest]
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asking:
    """How a run asks: the role it answers to, the clock it started at, and what overrides each row's own wish."""

    role: str
    now: datetime.datetime
    mode: Literal["live", "what_if"] = "what_if"
    channel: str | None = None
    explain: Literal["none", "summary", "full"] | None = None
    locale: str | None = None
    contact_at: datetime.datetime | None = None

    def of(self, request: DecisionRequest) -> DecisionRequest:
        """The request, asked this way."""
        given = {
            "mode": self.mode,
            "channel": self.channel,
            "explain": self.explain,
            "locale": self.locale,
            "contact_at": self.contact_at,
        }
        return request.model_copy(update={name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Decided:
    """A row and what was decided."""

    row: Row
    request: DecisionRequest
    case: Case
    decision: Decision
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not decided, and why."""

    row: Row
    subscriber: str | None
    problems: tuple[CellProblem, ...]

    def as_json(self) -> dict[str, Any]:
        """The refusal as a line for people and programs."""
        problems = [{"column": problem.column, "field": problem.field, "message": problem.message} for problem in self.problems]
        return {"row": self.row.number, "line": self.row.line, "subscriber": self.subscriber, "problems": problems}


def table_requests(mapping: ColumnMapping, header: Sequence[str], asking: Asking, zone: str) -> RequestReader:
    """What makes a request of a row of a table.

    Args:
        mapping: which column is which fact.
        header: the columns of the file.
        asking: gives the day that months ago are counted from, where the mapping has no `as_of`.
        zone: the pack's zone, where the mapping has none.

    Raises:
        MappingError: the file lacks columns that the mapping names.
        TableError: the mapping's zone does not exist.
    """
    id_place, bound = mapping.bind(header, day_of(mapping, asking, zone))
    fixed = mapping.fixed()
    columns = {_field(column): column.column for column in bound} | {"subscriber.id": mapping.document.subscriber}

    def request(row: Row) -> DecisionRequest:
        body = {**fixed, "subscriber": {**fixed["subscriber"], "id": row.cells[id_place].strip()}}
        subscriber, own, wrong = body["subscriber"], set(), list[CellProblem]()
        for column in bound:
            try:
                value = column.read(row.cells)
            except RowRefused as error:
                wrong += error.problems
                continue
            if value is MISSING:
                continue
            if column.section == "request" or not column.field:
                (body if column.field else subscriber)[column.field or column.section] = value
                continue
            if column.section not in own:
                own.add(column.section)
                subscriber[column.section] = dict(subscriber.get(column.section, ()))
            subscriber[column.section][column.field] = value
        if wrong:
            raise RowRefused(*wrong)
        return _parsed(orjson.dumps(body), columns)

    return RequestReader(request, columns)


def _field(column: BoundColumn) -> str:
    """The field of a request that a column says."""
    return column.field if column.section == "request" else ".".join(filter(None, ("subscriber", column.section, column.field)))


def day_of(mapping: ColumnMapping, asking: Asking, zone: str) -> datetime.date:
    """The subscribers' day that months ago are counted from.

    Raises:
        TableError: the mapping's zone does not exist.
    """
    try:
        return (mapping.as_of or asking.now).astimezone(ZoneInfo(mapping.zone or zone)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TableError(f"the mapping's zone `{mapping.zone}` does not exist") from None


def ndjson_requests() -> RequestReader:
    """What makes a request of a line of NDJSON."""
    return RequestReader(lambda row: _parsed(row.body, {}), {})


def _parsed(body: bytes, columns: Mapping[str, str]) -> DecisionRequest:
    try:
        return parse_request(body)
    except RequestError as error:
        raise refused(error, columns) from None


def refused(error: RequestError, columns: Mapping[str, str]) -> RowRefused:
    """A request that cannot be taken as a row that is refused.

    Args:
        error: what is wrong with the request.
        columns: names the column of a field.
    """
    return RowRefused(
        *(CellProblem(problem.message, _column(problem.field, columns), problem.field, problem.message) for problem in error.problems)
    )


def _column(field: str, columns: Mapping[str, str]) -> str | None:
    steps = field.split(".")
    return columns.get(field) or columns.get(".".join(steps[:3])) or columns.get(".".join(steps[:2]))


def decide_rows(pack: Pack, rows: Iterable[Row], requests: RequestReader, asking: Asking) -> Iterator[Decided | Refused]:
    """Decide row by row, as they are read. A subscriber who was decided already is refused the second time.

    Args:
        pack: what decides.
        rows: the rows of the file.
        requests: makes a request of a row.
        asking: who asks, and when.
    """
    seen: dict[str, int] = {}
    for row in rows:
        subscriber: str | None = None
        try:
            if row.wrong is not None:
                raise RowRefused(row.wrong)
            request = asking.of(requests.read(row))
            subscriber = request.subscriber.id
            if subscriber in seen:
                raise RowRefused(
                    CellProblem(
                        f"the subscriber stands in row {seen[subscriber]} already", kind="the subscriber stands in the file already"
                    )
                )
            yield _decided(pack, row, request, asking, requests.columns)
            seen[subscriber] = row.number
        except RowRefused as error:
            yield Refused(row, subscriber, error.problems)


def _decided(pack: Pack, row: Row, request: DecisionRequest, asking: Asking, columns: Mapping[str, str]) -> Decided:
    try:
        case = take(pack, request, now=asking.now, role=asking.role)
    except RequestError as error:
        raise refused(error, columns) from None
    decision = decide(pack, case)
    explanation = explain(pack, case, decision, request.explain, evidence=sees_evidence(asking.role))
    return Decided(row, request, case, decision, view(explanation, pack.restricted, asking.role))


def answer_line(pack: Pack, done: Decided) -> bytes:
    """A decision as a line of NDJSON, the same bytes in every run."""
    head = {
        "row": done.row.number,
        "subscriber": done.request.subscriber.id,
        "as_of": done.case.times.as_of,
        "channel": done.case.channel,
        "pack": {"name": pack.name, "version": pack.version, "digest": pack.digest},
        "engine": __version__,
    }
    return orjson.dumps({**head, **_shallow(done.explanation)}, option=orjson.OPT_APPEND_NEWLINE, default=dict)


def _shallow(explanation: Explanation) -> dict[str, Any]:
    return {name: getattr(explanation, name) for name in Explanation.__dataclass_fields__}
