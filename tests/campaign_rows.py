"""The rows of an input as they are taken one by one: what the columns of `app.campaign.input` are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from app.campaign.batch import Batch, batch_of, together
from app.campaign.cells import written
from app.campaign.input import batches, input_at
from app.campaign.input.mapped import columns_named
from app.campaign.input.natives import plain
from app.campaign.mapping import ColumnMapping, load_mapping
from app.campaign.problems import RowRefused
from app.campaign.rows import CsvTable, Lines, Row, ndjson_rows, open_table
from app.campaign.table import Asking, ndjson_requests, refused, table_requests
from app.engine.case import Case
from app.engine.intake import RequestError, take
from app.engine.pack import Pack
from app.engine.vocabulary import Fact
from app.record.canonical import canonical


@dataclass(frozen=True)
class Outcome:
    """What became of an input: who is decided, as columns and as the bytes of their cases, and who is refused."""

    batch: Batch
    cases: list[bytes]
    rejects: list[dict[str, Any]]


def by_columns(
    pack: Pack, path: Path, asking: Asking, mapping: Path | None, size: int = 50_000, custom: Mapping[str, Fact] | None = None
) -> Outcome:
    """Read as campaigns read."""
    read = list(batches(pack, input_at(path), asking, mapping and load_mapping(mapping, custom), size=size))
    cases = [case for part in read for case in part.cases()]
    rejects = [reject.as_json() for part in read for reject in part.rejects]
    return Outcome(together([part.batch for part in read]) if read else batch_of(pack, []), cases, rejects)


def by_rows(pack: Pack, path: Path, asking: Asking, mapping: Path | None, custom: Mapping[str, Fact] | None = None) -> Outcome:
    """Read one by one, as `wanliu decide --table` does."""
    cases, numbers, rejects = list[Case](), list[int](), list[dict[str, Any]]()
    seen: dict[str, int] = {}
    start = 0
    for file in input_at(path).files:
        loaded = mapping and load_mapping(mapping, custom)
        rows, header = _rows(pack, file.path, loaded)
        reader = ndjson_requests() if loaded is None else table_requests(loaded, header, asking, pack.zone)
        row = Row(0, 0)
        for row in rows:
            subscriber = None
            try:
                if row.wrong is not None:
                    raise RowRefused(row.wrong)
                request = asking.of(reader.read(row))
                subscriber = request.subscriber.id
                if subscriber in seen:
                    message = f"the subscriber stands in row {seen[subscriber]} already"
                    rejects.append(_reject(file.path, start, row, subscriber, [{"column": None, "field": None, "message": message}]))
                    continue
                try:
                    cases.append(take(pack, request, now=asking.now, role=asking.role))
                except RequestError as error:
                    raise refused(error, reader.columns) from None
                numbers.append(start + row.number)
                seen[subscriber] = start + row.number
            except RowRefused as error:
                problems = [{"column": one.column, "field": one.field, "message": one.message} for one in error.problems]
                rejects.append(_reject(file.path, start, row, subscriber, problems))
        start += row.number
    return Outcome(batch_of(pack, cases, numbers), [canonical(case.as_json()) for case in cases], rejects)


def _reject(path: Path, start: int, row: Row, subscriber: str | None, problems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    line = row.line or None
    return {"row": start + row.number, "file": path.name, "line": line, "subscriber": subscriber, "problems": list(problems)}


def _rows(pack: Pack, path: Path, mapping: ColumnMapping | None) -> tuple[list[Row], list[str]]:
    if path.suffix == ".parquet":
        assert mapping is not None
        columns = columns_named(mapping)
        frame = plain(pl.read_parquet(path).select(columns), ZoneInfo(mapping.zone or pack.zone))
        return [Row(number, 0, [written(cells[0]), *cells[1:]]) for number, cells in enumerate(frame.iter_rows(), 1)], list(columns)
    with open_table(path) as file:
        if mapping is None:
            return list(ndjson_rows(Lines(file))), []
        table = CsvTable(path, Lines(file), encoding=mapping.document.encoding, delimiter=mapping.delimiter)
        return list(table), table.header


def differences(one: Outcome, other: Outcome) -> list[str]:
    """Where two outcomes differ: the column first, and both values."""
    found = [f"rejects: {left} {right}" for left, right in zip(one.rejects, other.rejects, strict=False) if left != right]
    if len(one.rejects) != len(other.rejects):
        found.append(f"rejects: {len(one.rejects)} and {len(other.rejects)}")
    if one.batch.facts["row"].to_list() != other.batch.facts["row"].to_list():
        return [*found, f"rows: {one.batch.facts['row'].to_list()} {other.batch.facts['row'].to_list()}"]
    found += _frames("facts", one.batch.facts, other.batch.facts, may_lack=True)
    for kind in {*one.batch.events, *other.batch.events}:
        found += _frames(kind, one.batch.events.get(kind), other.batch.events.get(kind))
    found += _frames("contacts", one.batch.contacts, other.batch.contacts)
    return found + [f"case: {left!r} {right!r}" for left, right in zip(one.cases, other.cases, strict=True) if left != right]


def _frames(name: str, one: pl.DataFrame | None, other: pl.DataFrame | None, *, may_lack: bool = False) -> list[str]:
    if one is None or other is None:
        return [] if (one is None or one.is_empty()) and (other is None or other.is_empty()) else [f"{name}: {one} {other}"]
    found = []
    for column in dict.fromkeys([*one.columns, *other.columns]):
        left, right = (frame[column] if column in frame.columns else None for frame in (one, other))
        if left is None or right is None:
            lone = right if left is None else left
            if not may_lack or lone is None or lone.null_count() < len(lone):
                found.append(f"{name}.{column}: only one has it")
        elif left.dtype != right.dtype or left.to_list() != right.to_list():
            found.append(f"{name}.{column}: {left.dtype} {left.to_list()} {right.dtype} {right.to_list()}")
    return found
