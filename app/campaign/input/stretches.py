"""From the input to subscribers as columns, a stretch of rows at a time, with what cannot be decided put aside.

What a row gives, and whether and why it is refused, is what `app.campaign.table` says of it: a row that is not plain goes through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from app.campaign.batch import PLACE, Batch, batch_of, together
from app.campaign.input import natives
from app.campaign.input.cases import made_cases, no_cases
from app.campaign.input.files import Input, InputFile
from app.campaign.input.mapped import MappedFile, MappedRows, checked_columns
from app.campaign.input.rejects import Reject, twice
from app.campaign.input.seen import Seen
from app.campaign.input.tables import Stretch, csv_stretches, header_of, parquet_stretches
from app.campaign.problems import CellProblem, RowRefused, TableError
from app.campaign.rows import Lines, Row, ndjson_rows, open_table
from app.campaign.table import Asking, RequestReader, ndjson_requests, refused
from app.engine.intake import RequestError, take
from app.record.canonical import canonical

if TYPE_CHECKING:
    from app.campaign.mapping import ColumnMapping
    from app.engine.case import Case
    from app.engine.pack import Pack

_MOST_ONE_BY_ONE = 2_000
"""Cases are large: so many are held at a time."""


@dataclass(frozen=True)
class InputBatch:
    """Some rows of the input.

    Attributes:
        batch: those that are to be decided, in their order.
        rejects: those that are not, in their order.
        read: rows of the input up to here.
        consumed: bytes of the input up to here.
    """

    batch: Batch
    rejects: tuple[Reject, ...]
    read: int
    consumed: int
    _cases: Callable[[], pl.Series] = field(repr=False)

    def cases(self) -> pl.Series:
        """The canonical JSON of each subscriber's case, as bytes in the order of the batch, from which `Case.from_json` makes it again."""
        return self._cases()

    def without_cases(self) -> InputBatch:
        """The same for a run that leaves no trace: less to send to another process."""
        return replace(self, _cases=no_cases)


@dataclass(frozen=True)
class _Taken:
    """A row that was read by itself: a case, or what is wrong with it; without a subscriber it is no request."""

    row: Row
    subscriber: str | None
    case: Case | None
    problems: tuple[CellProblem, ...] = ()


@dataclass(frozen=True)
class _Piece:
    batch: Batch
    rejects: tuple[Reject, ...]
    cases: Callable[[], pl.Series]


def batches(
    pack: Pack, source: Input, asking: Asking, mapping: ColumnMapping | None = None, *, size: int = 50_000, seen: Seen | None = None
) -> Iterator[InputBatch]:
    """The input as batches, each row in one of them: decided or rejected.

    Args:
        pack: what will decide.
        source: from `input_at`.
        asking: who asks, and when; its channel goes before a row's own.
        mapping: which column is which fact; none for NDJSON, whose lines are requests.
        size: rows in a batch.
        seen: who was decided before; it is added to. Left out, nobody was.

    Raises:
        MappingError: the mapping does not fit the files.
        TableError: a file cannot be read, or there is a mapping for requests or none for a table.
    """
    if (mapping is None) != (source.kind == "ndjson"):
        need = "lines of NDJSON are requests and take no mapping" if mapping else "a mapping has to say which column is which fact"
        raise TableError(f"`{source.path}`: {need}")
    reading = _Reading(pack, asking, Seen() if seen is None else seen, size)
    for file in source.files:
        yield from reading.requests(file) if mapping is None else reading.table(file, source.kind, mapping)


def frame_batches(
    pack: Pack, frames: Iterable[pl.DataFrame], asking: Asking, mapping: ColumnMapping, *, numbered_by: str
) -> Iterator[InputBatch]:
    """Rows that are in memory as batches, one a frame, as `batches` gives those of a file.

    Args:
        pack: what will decide.
        frames: with the columns that the mapping names, as a file with types has them, and a column of numbers.
        asking: who asks, and when.
        mapping: which column is which fact.
        numbered_by: the column with each row's number: no two alike, and those of a later frame higher.

    Raises:
        MappingError: the mapping does not fit the frames.
        TableError: a column holds what no cell can.
    """
    reading, file, read = _Reading(pack, asking, Seen(), 0), InputFile(Path(), 0), 0
    for frame in frames:
        columns = checked_columns(mapping, frame.columns, asking, pack.zone)
        read += frame.height
        cells = natives.plain(frame.select(columns), ZoneInfo(mapping.zone or pack.zone))
        yield reading.stretch(Stretch(file, cells, frame[numbered_by], None, (), read, 0), mapping)


class _Reading:
    """Goes over the files in turn; it knows how many rows and bytes came before."""

    def __init__(self, pack: Pack, asking: Asking, seen: Seen, size: int) -> None:
        self._pack, self._asking, self._seen, self._size = pack, asking, seen, size
        self._rows = self._bytes = 0
        self._mapped: dict[tuple[tuple[str, str], ...], MappedFile] = {}

    def table(self, file: InputFile, kind: str, mapping: ColumnMapping) -> Iterator[InputBatch]:
        """A file of cells."""
        columns = checked_columns(mapping, header_of(file, mapping, kind=kind), self._asking, self._pack.zone)
        zone = ZoneInfo(mapping.zone or self._pack.zone)
        if kind == "parquet":
            stretches = parquet_stretches(file, columns, zone, self._size)
        else:
            stretches = csv_stretches(file, columns, mapping, self._size)
        read = 0
        for stretch in stretches:
            yield self.stretch(stretch, mapping)
            read = stretch.read
        self._ended(file, read)

    def stretch(self, stretch: Stretch, mapping: ColumnMapping) -> InputBatch:
        """Rows of cells."""
        rows = self._file(mapping, stretch.frame).read(stretch.frame)
        return self._made(self._pieces(stretch.file, stretch, rows), stretch.read, stretch.consumed)

    def requests(self, file: InputFile) -> Iterator[InputBatch]:
        """A file of requests."""
        with closing(open_table(file.path)) as opened:
            lines, reader, read = Lines(opened), ndjson_requests(), 0
            rows = ndjson_rows(lines)
            pieces: list[_Piece] = []
            waiting = 0
            while some := list(islice(rows, min(_MOST_ONE_BY_ONE, self._size - waiting))):
                pieces.append(self._piece(file, [self._taken(row, reader) for row in some], with_lines=True))
                read, waiting = some[-1].number, waiting + len(some)
                if waiting >= self._size:
                    yield self._made(pieces, read, lines.consumed)
                    pieces, waiting = [], 0
            if pieces:
                yield self._made(pieces, read, lines.consumed)
        self._ended(file, read)

    def _ended(self, file: InputFile, rows: int) -> None:
        self._rows += rows
        self._bytes += file.size

    def _made(self, pieces: Sequence[_Piece], read: int, consumed: int) -> InputBatch:
        batch = pieces[0].batch if len(pieces) == 1 else together([piece.batch for piece in pieces])
        rejects = tuple(reject for piece in pieces for reject in piece.rejects)
        cases = [piece.cases for piece in pieces]
        return InputBatch(batch, rejects, self._rows + read, self._bytes + consumed, partial(_all_of, cases))

    def _file(self, mapping: ColumnMapping, frame: pl.DataFrame) -> MappedFile:
        """The same for files of the same columns and types, so that what was read of cells is kept."""
        key = tuple((name, str(kind)) for name, kind in frame.schema.items())
        if key not in self._mapped:
            self._mapped[key] = MappedFile(self._pack, mapping, frame.schema, self._asking)
        return self._mapped[key]

    def _pieces(self, file: InputFile, stretch: Stretch, rows: MappedRows) -> list[_Piece]:
        """The rows of a stretch, in parts that have not too many rows to be read by themselves."""
        odd = (~rows.good).arg_true()
        cuts = [*odd.gather_every(_MOST_ONE_BY_ONE)[1:].to_list(), rows.frame.height]
        pieces, start = [], 0
        unread = list(stretch.unread)
        for end in cuts:
            last = None if end == rows.frame.height else stretch.numbers[end]
            part = [row for row in unread if last is None or row.number < last]
            del unread[: len(part)]
            pieces.append(self._part(file, stretch, rows, start, end, part))
            start = end
        return pieces

    def _part(self, file: InputFile, stretch: Stretch, rows: MappedRows, start: int, end: int, unread: Sequence[Row]) -> _Piece:
        places = pl.int_range(start, end, dtype=pl.UInt32, eager=True)
        good = rows.good[start:end]
        plain, odd = places.filter(good), places.filter(~good)
        numbers, lines = stretch.numbers[odd].to_list(), None if stretch.lines is None else stretch.lines[odd].to_list()
        taken = [_Taken(row, None, None, (row.wrong,)) for row in unread if row.wrong is not None]
        for place, cells in enumerate(rows.file.cells(rows, odd)):
            row = Row(numbers[place], lines[place] if lines else 0, cells)
            taken.append(self._taken(row, rows.file.requests))
        return self._piece(file, taken, rows, plain, stretch.numbers[plain], with_lines=stretch.lines is not None, all_lines=stretch.lines)

    def _taken(self, row: Row, requests: RequestReader) -> _Taken:
        """A row by itself: as `decide_rows` takes it, but for whether its subscriber stands in the input already."""
        subscriber: str | None = None
        bare = Row(row.number, row.line)
        try:
            if row.wrong is not None:
                raise RowRefused(row.wrong)
            request = self._asking.of(requests.read(row))
            subscriber = request.subscriber.id
            try:
                return _Taken(bare, subscriber, take(self._pack, request, now=self._asking.now, role=self._asking.role))
            except RequestError as error:
                raise refused(error, requests.columns) from None
        except RowRefused as error:
            return _Taken(bare, subscriber, None, error.problems)

    def _piece(
        self,
        file: InputFile,
        taken: Sequence[_Taken],
        rows: MappedRows | None = None,
        plain: pl.Series | None = None,
        numbers: pl.Series | None = None,
        *,
        with_lines: bool,
        all_lines: pl.Series | None = None,
    ) -> _Piece:
        """Plain rows and those read by themselves, without whoever stands in the input already."""
        people = _people(taken, rows, plain, numbers)
        first = self._first_rows(people)
        rejects: list[Reject] = []
        kept = people.filter(first.is_null() & people["good"])
        again = people.with_columns(first.alias("first")).filter(pl.col("first").is_not_null())
        by_number = {item.row.number: item for item in taken}
        twice_rows = dict(zip(again["number"].to_list(), again["first"].to_list(), strict=True))
        places = dict(zip(again["number"].to_list(), again["place"].to_list(), strict=True))
        names = dict(zip(again["number"].to_list(), again["subscriber"].to_list(), strict=True))

        def reject(number: int, line: int | None, subscriber: str | None, problems: tuple[CellProblem, ...]) -> None:
            rejects.append(Reject(self._rows + number, file.path.name, line if with_lines else None, subscriber, problems))

        for number, item in by_number.items():
            if number not in twice_rows and item.case is None:
                reject(number, item.row.line, item.subscriber, item.problems)
        for number, earlier in twice_rows.items():
            if number in by_number:
                line = by_number[number].row.line
            else:
                line = all_lines[places[number]] if all_lines is not None else 0
            reject(number, line, names[number], (twice(earlier),))
        rejects.sort(key=lambda one: one.row)
        self._seen.add(kept["subscriber"], kept["number"] + self._rows)
        return self._assembled(kept, by_number, rows, tuple(rejects))

    def _first_rows(self, people: pl.DataFrame) -> pl.Series:
        """In which row of the input each was decided before; null for who was not."""
        earlier = self._seen.rows(people["subscriber"])
        if earlier.null_count() == len(earlier) and people["subscriber"].n_unique() == people.height:
            return earlier
        new = people.with_columns(earlier.alias("earlier"))
        good = new.filter(pl.col("good") & pl.col("earlier").is_null())
        firsts = good.group_by("subscriber").agg(pl.col("number").min().alias("own"))
        told = new.join(firsts, on="subscriber", how="left", maintain_order="left")
        own = pl.when(pl.col("own") < pl.col("number")).then(pl.col("own") + self._rows)
        return told.select(pl.coalesce("earlier", own).alias("first")).to_series()

    def _assembled(self, kept: pl.DataFrame, by_number: dict[int, _Taken], rows: MappedRows | None, rejects: tuple[Reject, ...]) -> _Piece:
        parts: list[Batch] = []
        texts: list[Callable[[], pl.Series]] = []
        plain = kept.filter(pl.col("place").is_not_null())
        if rows is not None and plain.height:
            parts.append(rows.batch(plain["place"], plain["number"] + self._rows))
            texts.append(rows.file.cases(rows, plain["place"]))
        alone = kept.filter(pl.col("place").is_null())["number"].to_list()
        if alone or not parts:
            cases = [case for number in alone if (case := by_number[number].case) is not None]
            parts.append(batch_of(self._pack, cases, [number + self._rows for number in alone]))
            texts.append(partial(made_cases, [canonical(case.as_json()) for case in cases]))
        if len(parts) == 1:
            return _Piece(parts[0], rejects, texts[0])
        whole = together(parts)
        order = whole.facts["row"].arg_sort()
        return _Piece(_in_order(whole, order), rejects, partial(_sorted, texts, order))


def _people(taken: Sequence[_Taken], rows: MappedRows | None, plain: pl.Series | None, numbers: pl.Series | None) -> pl.DataFrame:
    """Whoever a row is about: number of the row in the file, id, whether it makes a case, and the place of a plain row."""
    schema = {"number": pl.Int64(), "subscriber": pl.String(), "good": pl.Boolean(), "place": pl.UInt32()}
    known = [(item.row.number, item.subscriber, item.case is not None, None) for item in taken if item.subscriber is not None]
    people = pl.DataFrame(known, schema=schema, orient="row")
    if rows is None or plain is None or numbers is None:
        return people
    yes = pl.Series("good", [True], dtype=pl.Boolean).new_from_index(0, len(plain))
    of_plain = pl.DataFrame([numbers.alias("number"), rows.subscribers[plain].alias("subscriber"), yes, plain.alias("place")])
    return pl.concat([of_plain, people]).sort("number") if known else of_plain


def _in_order(batch: Batch, order: pl.Series) -> Batch:
    """The batch with its subscribers in this order."""
    renamed = pl.DataFrame({PLACE: order.cast(pl.UInt32), "new place": pl.int_range(len(order), dtype=pl.UInt32, eager=True)})
    facts = batch.facts[order].with_columns(pl.int_range(len(order), dtype=pl.UInt32, eager=True).alias(PLACE))
    return Batch(facts, {kind: _moved(frame, renamed) for kind, frame in batch.events.items()}, _moved(batch.contacts, renamed))


def _moved(frame: pl.DataFrame, renamed: pl.DataFrame) -> pl.DataFrame:
    joined = (
        frame.join(renamed, on=PLACE, how="left", maintain_order="left").with_columns(pl.col("new place").alias(PLACE)).drop("new place")
    )
    return joined.sort(PLACE, maintain_order=True)


def _all_of(texts: Sequence[Callable[[], pl.Series]]) -> pl.Series:
    return pl.concat([text() for text in texts])


def _sorted(texts: Sequence[Callable[[], pl.Series]], order: pl.Series) -> pl.Series:
    return _all_of(texts)[order]
