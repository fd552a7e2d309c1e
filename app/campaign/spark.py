"""Campaigns on Apache Spark: the compiled pack over Arrow batches (`mapInArrow`), on as many machines as there are.

It needs the extra `spark`. Nothing is put on the record from there: docs/scale.md says how that is done, and what it takes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
from pyspark.sql import functions

from app import __version__
from app.campaign.batch import batch_of
from app.campaign.commission import SIZE, channel_of
from app.campaign.deciding import decide_batch
from app.campaign.input import frame_batches
from app.campaign.input.mapped import checked_columns
from app.campaign.layout import laid_out
from app.campaign.mapping import load_mapping, mapping_of, own_facts
from app.campaign.problems import TableError
from app.campaign.table import Asking
from app.campaign.wording import word_batch
from app.engine.pack import assembled, parts_of, read_folder
from app.engine.texts import language_of

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from app.campaign.input import InputBatch
    from app.campaign.output import Layout
    from app.engine.pack import Pack
    from app.engine.texts import Language

REJECTED = "rejected"
"""The column that says why a row was not decided; null in the rows of decisions."""
_NUMBER = "wanliu row"
_BLANKS = r"^[\s\u001c-\u001f]+|[\s\u001c-\u001f]+$"
_types: Mapping[Any, tuple[str, pa.DataType]] = {
    pl.String: ("string", pa.string()),
    pl.Boolean: ("boolean", pa.bool_()),
    pl.Float64: ("double", pa.float64()),
    pl.Int64: ("bigint", pa.int64()),
    pl.Datetime("us", "UTC"): ("timestamp", pa.timestamp("us", "UTC")),
    pl.List(pl.String): ("array<string>", pa.list_(pa.string())),
}


def decide_frame(
    frame: DataFrame,
    *,
    pack: Path,
    mapping: Path,
    at: datetime.datetime,
    channel: str | None = None,
    contact_at: datetime.datetime | None = None,
    locale: str | None = None,
    per: Layout = "action",
    numbered_by: str | None = None,
    partitions: int | None = None,
    size: int = SIZE,
) -> DataFrame:
    """Decide for everybody in a frame, as a what-if: the rows that `wanliu campaign run --what-if` writes, in no order.

    Rows that cannot be decided, those of a subscriber who was decided in an earlier row among them, are there too: `rejected` lists what is
    wrong with each, and is null in every other row. The machines need the same release of Wanliu with the extra `spark`; pack and
    mapping are sent to them.

    Args:
        frame: the subscribers, a row each.
        pack: the folder with `rules/` and `policies/`.
        mapping: the file that says which column is which fact.
        at: the time of all decisions.
        channel: on which the subscribers are met; left out, the mapping's.
        contact_at: when they will be contacted; left out, `at`.
        locale: of the texts; left out, the mapping's, or `zh-CN`.
        per: a row for each action, or for each subscriber.
        numbered_by: the column with each row's number, no two alike. Of a subscriber's rows the lowest is decided. Left out, Spark numbers
            the rows, which is the same in another run only if it reads the frame in the same partitions.
        partitions: how many; left out, as Spark is set.
        size: rows that are decided together.

    Raises:
        PackError, MappingError: the pack or the mapping is wrong, or the mapping does not fit the frame.
        CommissionRefused: the channel is wrong.
        TableError: the mapping cannot be read, or `numbered_by` names no column of whole numbers.
    """
    files = tuple(read_folder(pack).items())
    built = _pack_of(files)
    read = load_mapping(mapping, own_facts(built))
    request = read.document.request
    told = locale or request.get("locale", "zh-CN")
    asking = Asking("campaign", at, "what_if", channel_of(channel or request.get("channel")), "summary", told, contact_at)
    columns = checked_columns(read, frame.columns, asking, built.zone)
    held = numbered(frame, numbered_by).select(*map(_named, columns), _named(_NUMBER))
    met = by_subscriber(held, read.document.subscriber, partitions).sortWithinPartitions(_named(_NUMBER))
    work = _Work(__version__, files, str(mapping), mapping.read_bytes(), asking, per, language_of(told), size)
    schema = {**_nothing(built, work).schema, REJECTED: pl.List(pl.String)}
    return met.mapInArrow(work, ", ".join(f"{name} {_types[_wide(kind)][0]}" for name, kind in schema.items()))


def by_subscriber(frame: DataFrame, subscriber: str, partitions: int | None = None) -> DataFrame:
    """The frame with all rows of a subscriber in one partition, so that who stands there twice is found.

    Args:
        frame: the subscribers.
        subscriber: the column with their ids.
        partitions: how many; left out, as Spark is set.
    """
    key = functions.regexp_replace(_named(subscriber).cast("string"), f"(?U){_BLANKS}", "")
    return frame.repartition(key) if partitions is None else frame.repartition(partitions, key)


def numbered(frame: DataFrame, by: str | None) -> DataFrame:
    """The frame with a column of row numbers.

    Raises:
        TableError: the column is not there, or not of whole numbers.
    """
    if by is None:
        return frame.withColumn(_NUMBER, functions.monotonically_increasing_id() + 1)
    kinds = dict(frame.dtypes)
    if kinds.get(by) not in ("bigint", "int"):
        raise TableError(f"`numbered_by`: expected a column of whole numbers, and `{by}` is {kinds.get(by, 'not there')}")
    return frame.withColumn(_NUMBER, _named(by).cast("bigint"))


def _named(column: str) -> Column:
    """A column by its name, whatever signs it holds."""
    return functions.col(f"`{column.replace('`', '``')}`")


@dataclass(frozen=True)
class _Work:
    """What is done with a partition, on whichever machine has it."""

    release: str
    files: tuple[tuple[str, bytes], ...]
    mapping_name: str
    mapping: bytes
    asking: Asking
    per: Layout
    language: Language
    size: int

    def __call__(self, arriving: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows of a partition's subscribers."""
        if self.release != __version__:
            raise RuntimeError(f"this machine has Wanliu {__version__}, and the campaign was begun with {self.release}")
        pack = _pack_of(self.files)
        mapping = mapping_of(self.mapping_name, self.mapping, own_facts(pack))
        for part in frame_batches(pack, _gathered(arriving, self.size), self.asking, mapping, numbered_by=_NUMBER):
            yield from _as_arrow(self.rows(pack, part))

    def rows(self, pack: Pack, part: InputBatch) -> pl.DataFrame:
        """The rows of a batch, those that were rejected among them."""
        decided = decide_batch(pack, part.batch)
        words = word_batch(pack, decided, self.language)
        rows = laid_out(decided, words.actions, None, self.per).with_columns(pl.lit(None, pl.List(pl.String)).alias(REJECTED))
        rejects = {
            "row": pl.Series([reject.row for reject in part.rejects], dtype=pl.Int64()),
            "subscriber": pl.Series([reject.subscriber for reject in part.rejects], dtype=pl.String()),
            REJECTED: pl.Series([[str(problem) for problem in reject.problems] for reject in part.rejects], dtype=pl.List(pl.String())),
        }
        return pl.concat([rows, pl.DataFrame(rejects)], how="diagonal")


@lru_cache(maxsize=2)
def _pack_of(files: tuple[tuple[str, bytes], ...]) -> Pack:
    """The pack, checked and compiled once for each process; campaigns join events with our own matcher."""
    return assembled(parts_of(dict(files)), dict(files))


def _gathered(arriving: Iterator[pa.RecordBatch], size: int) -> Iterator[pl.DataFrame]:
    """The rows as frames of so many or some more: Spark sends few at a time, and many are decided faster together."""
    waiting: list[pa.RecordBatch] = []
    for batch in arriving:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= size:
            yield _frame(waiting)
            waiting = []
    if waiting:
        yield _frame(waiting)


def _frame(batches: list[pa.RecordBatch]) -> pl.DataFrame:
    found = pl.from_arrow(pa.Table.from_batches(batches))
    if not isinstance(found, pl.DataFrame):
        raise AssertionError("a table is a frame")
    return found


def _nothing(pack: Pack, work: _Work) -> pl.DataFrame:
    """The rows of nobody, which have the columns that all have."""
    decided = decide_batch(pack, batch_of(pack, []))
    return laid_out(decided, word_batch(pack, decided, work.language).actions, None, work.per)


def _as_arrow(rows: pl.DataFrame) -> list[pa.RecordBatch]:
    schema = pa.schema([(name, _types[_wide(kind)][1]) for name, kind in rows.schema.items()])
    wide = rows.select(pl.col(name).cast(_wide(kind)) for name, kind in rows.schema.items())
    batches: list[pa.RecordBatch] = wide.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema).to_batches()
    return batches


def _wide(kind: pl.DataType) -> pl.DataType:
    """Whole numbers of any size as the one that Spark has."""
    return pl.Int64() if kind.is_integer() else kind
