"""Rows of campaigns by what they say: looked for in the files of their parts, newest part first, a few files at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, select
from sqlmodel import col

from app.record.campaigns.files import name_of, read_columns
from app.record.campaigns.ids import row_id
from app.record.search.query import Query
from app.record.search.terms import gate_and_clause, outcome_terms, terms_of
from app.record.store.database import blob, chunks_of
from app.record.store.tables import CampaignChunkRow, CampaignRow, EntryRow, LeafRow, OutcomeRow

MOST_FILES = 20
"""Files of parts that one page looks into: it may end there, with a cursor to go on."""
_AT_ONCE = 2_000
_OF_ALL = ("kind", "caller", "role", "agent", "pack", "campaign")
"""Filters that all rows of a campaign answer alike."""
_COLUMNS: Mapping[str, str] = {"stage": "stage", "phase": "phase", "moment": "moment", "empty": "empty_because", "offered": "actions"}
"""Filters that the files have columns for."""
_OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a campaign.

    Attributes:
        leaf: of the log; none while it waits to be sealed.
        campaign: the campaign's id.
        at: when that was opened, the time of its decisions.
        first_row: of the input.
        last_row: of the input.
        path: of its file.
        file: SHA-256 of the file.
        entry_id: of its entry.
        entry: what the part's entry says.
    """

    leaf: int | None
    campaign: str
    at: str
    first_row: int
    last_row: int
    path: Path
    file: str
    entry_id: str
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A row that was found: its number, the id of the decision, and its envelope."""

    row: int
    id: str
    envelope: Mapping[str, Any]


def parts_below(connection: Connection, end: int, query: Query) -> Iterator[Part]:
    """The parts whose leaves come before `end` and that may have rows which a search finds, newest leaf first.

    Args:
        connection: a reading transaction.
        end: the first leaf that is not looked at.
        query: what is searched for.
    """
    asked = _parts().join(LeafRow, col(LeafRow.entry_id) == col(CampaignChunkRow.entry_id)).add_columns(col(LeafRow.leaf_index))
    asked = asked.where(col(LeafRow.leaf_index) < end).order_by(col(LeafRow.leaf_index).desc())
    if query.since is not None:
        asked = asked.where(col(CampaignRow.at) >= query.since)
    if query.until is not None:
        asked = asked.where(col(CampaignRow.at) < query.until)
    groups = [set(group) for group in query.groups() if _name(group) in _OF_ALL]
    for part in _made(connection, asked):
        body = {name: part.entry[name] for name in _OF_ALL if name in part.entry}
        same = set(terms_of({"kind": "decision", "body": body}))
        if all(group & same for group in groups):
            yield part


def parts_before(connection: Connection, before: str | None) -> Iterator[Part]:
    """The parts of all campaigns that have decisions with ids below one, sealed or not, highest ids first.

    Args:
        connection: a reading transaction.
        before: the id of a decision; none for all.
    """
    order = (col(CampaignChunkRow.campaign).desc(), col(CampaignChunkRow.number).desc())
    for part in _made(connection, _parts().order_by(*order)):
        if before is None or row_id(part.campaign, part.first_row) < before:
            yield part


def rows_of(part: Part, subject: str) -> list[str]:
    """Ids of the decisions of a part about a subject, highest first.

    Raises:
        DamagedEntry: the file is missing, or is not what was written.
    """
    found = read_columns(part.path, part.file, ["subject", "id"]).filter(pl.col("subject") == subject)
    return sorted(found["id"], reverse=True)


def matching(connection: Connection, part: Part, query: Query, below: int) -> Iterator[Found]:
    """The rows of a part that a search finds, highest first.

    Args:
        connection: a reading transaction.
        part: one of `parts_below`.
        query: what is searched for.
        below: the first row that is not looked at.

    Raises:
        DamagedEntry: the file is missing, or is not what was written.
    """
    groups = [group for group in query.groups() if _name(group) not in _OF_ALL]
    told = _outcomes(connection, part) if any(_name(group) == _OUTCOME for group in groups) else None
    rows = _candidates(part, query, groups, told)
    numbers = rows.filter(rows < below).sort(descending=True).to_list()
    for start in range(0, len(numbers), _AT_ONCE):
        read = read_columns(part.path, part.file, ["row", "id", "envelope"], numbers[start : start + _AT_ONCE])
        for row, decision, written in read.sort("row", descending=True).iter_rows():
            envelope = orjson.loads(written)
            terms = {*terms_of(envelope), *((told or {}).get(decision, ()))}
            if all(not terms.isdisjoint(group) for group in groups):
                yield Found(row, decision, envelope)


def _candidates(part: Part, query: Query, groups: Sequence[Sequence[str]], told: Mapping[str, set[str]] | None) -> pl.Series:
    """Numbers of the rows that may be found, by what the file has in columns and by words that their envelopes hold."""
    tests = [] if query.subject is None else [pl.col("subject") == query.subject]
    wanted = {"row"} | ({"subject"} if tests else set())
    if told is not None:
        tests.append(pl.col("id").is_in(sorted(told)))
        wanted.add("id")
    for group in groups:
        name, values = _name(group), [item.partition("=")[2] for item in group]
        if name in _COLUMNS:
            column = pl.col(_COLUMNS[name])
            tests.append(column.list.set_intersection(values).list.len() > 0 if name == "offered" else column.is_in(values))
            wanted.add(_COLUMNS[name])
        elif name != _OUTCOME:
            words = [_word(name, value) for value in values]
            tests.append(pl.col("envelope").cast(pl.String).str.contains_any(words))
            wanted.add("envelope")
    frame = read_columns(part.path, part.file, sorted(wanted)).lazy()
    for test in tests:
        frame = frame.filter(test)
    return frame.select("row").collect()["row"]


def _name(group: Sequence[str]) -> str:
    """Which filter a group of terms is of."""
    return group[0].partition("=")[0]


def _word(name: str, value: str) -> str:
    """What an envelope holds that has the term."""
    found = value.partition(":")[0] if name == "signal" else gate_and_clause(value)[1] if name == "clause" else value
    return f'"{found}"'


def _outcomes(connection: Connection, part: Part) -> dict[str, set[str]]:
    """The terms of what became of the part's decisions, as the entries of outcomes tell it."""
    answers = col(OutcomeRow.decision_id)
    query = (
        select(col(EntryRow.envelope))
        .join(OutcomeRow, col(OutcomeRow.entry_id) == col(EntryRow.id))
        .where(answers >= row_id(part.campaign, part.first_row), answers <= row_id(part.campaign, part.last_row))
    )
    found: dict[str, set[str]] = {}
    for envelope in connection.execute(query.where(col(EntryRow.kind) == "outcome")).scalars():
        body = orjson.loads(bytes(envelope))["body"]
        found.setdefault(body["decision"], set()).update(outcome_terms(body["outcome"], body.get("action")))
    return found


def _parts() -> Select[*tuple[Any, ...]]:
    chunk = CampaignChunkRow
    named = (
        col(chunk.campaign),
        col(chunk.number),
        col(chunk.first_row),
        col(chunk.last_row),
        col(chunk.file),
        col(chunk.entry_id),
        col(CampaignRow.at),
    )
    same: ColumnElement[bool] = col(CampaignRow.id) == col(chunk.campaign)
    entry = col(EntryRow.id) == col(chunk.entry_id)
    return select(*named, col(EntryRow.envelope)).select_from(chunk).join(CampaignRow, same).join(EntryRow, entry)


def _made(connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterator[Part]:
    folder = chunks_of(connection)
    for found in connection.execute(query):
        path = folder / found.campaign / name_of(found.number, found.file)
        entry = orjson.loads(blob(found.envelope))["body"]
        leaf = getattr(found, "leaf_index", None)
        yield Part(leaf, found.campaign, found.at, found.first_row, found.last_row, path, found.file, found.entry_id, entry)
