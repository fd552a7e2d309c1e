"""Filling the search index: what becomes a leaf of the log is found a moment later. Nobody who stores decisions waits for it long."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, delete, select
from sqlmodel import col

from app.record.log import tree
from app.record.search.indexing import Findable, answered, findable, portions, put_spans, put_terms
from app.record.store.database import Database, fetched
from app.record.store.tables import SearchBlockRow, SearchIndexRow, SearchSpanRow

AT_ONCE = 1_000
"""Leaves that are looked at together: most terms come with each few hundred, and are written once for all of them."""
MOST_TERMS = 150
"""Of one transaction: SQLite has one writer, and decisions wait for it meanwhile."""
LOCK = 0x5EA2
"""Of whoever changes the index."""
_AT_A_STRETCH = 8
_LEAVES = """
SELECT leaf.leaf_index, entry.id, entry.envelope FROM leaf JOIN entry ON entry.id = leaf.entry_id
WHERE leaf.leaf_index >= {first} AND leaf.leaf_index < {end} ORDER BY leaf.leaf_index
"""
_Item = TypeVar("_Item")


class _State(NamedTuple):
    """How many leaves the index has, and how often it was begun anew."""

    leaves: int
    begun: int


class _Overtaken(Exception):
    """Another process filled the index, or began it anew; what this one has put there is right, and is put there again."""


def fill(database: Database, pause: float = 0) -> int:
    """Index the leaves that are not in the index yet; how many.

    The terms of some leaves are put there in several transactions, and can be put there again; then the index has these leaves. Where this
    ends half-way, the next call begins with the same ones.

    Args:
        database: of the record.
        pause: seconds for which others of this process may go on, again and again.

    Raises:
        SQLAlchemyError: the database does not take it.
    """
    added = 0
    while True:
        with database.reading() as connection:
            state, size = _state(connection), tree.size(connection)
            if state.leaves >= size:
                return added
            end = min(size, state.leaves + AT_ONCE)
            leaves = _leaves(connection, state.leaves, end)
        found = findable(with_pauses(leaves, pause))
        with contextlib.suppress(_Overtaken):
            _put(database, state, found, end, pause)
            added += len(leaves)


def fill_anew(database: Database) -> int:
    """Empty the index and fill it again: after a version that finds entries by more, or where the index was lost. How many leaves were
    indexed; those whose entries are archived are not. A service may go on meanwhile, and search finds less until the end.

    Args:
        database: of the record.
    """
    with database.writing() as connection:
        database.lock(connection, LOCK)
        connection.execute(delete(SearchBlockRow))
        connection.execute(delete(SearchSpanRow))
        _note(database, connection, _State(0, _state(connection).begun + 1))
    return fill(database)


def with_pauses(items: Sequence[_Item], pause: float) -> Iterator[_Item]:
    """The items, and a pause before every few: Python runs one thread at a time, and others would hardly go on."""
    for number, item in enumerate(items):
        if number % _AT_A_STRETCH == 0:
            time.sleep(pause)
        yield item


def _put(database: Database, state: _State, found: Findable, end: int, pause: float) -> None:
    with database.reading() as connection:
        told = answered(database, connection, found)
    for block, terms in (*portions(found.places, MOST_TERMS), *portions(told, MOST_TERMS)):
        with _changing(database, state) as connection:
            put_terms(database, connection, block, terms)
        time.sleep(pause)
    with _changing(database, state) as connection:
        put_spans(database, connection, found.spans)
        _note(database, connection, state._replace(leaves=end))


@contextlib.contextmanager
def _changing(database: Database, state: _State) -> Iterator[Connection]:
    """A transaction that changes the index, which is as far as it was.

    Raises:
        _Overtaken: it is not.
    """
    with database.writing() as connection:
        database.lock(connection, LOCK)
        if _state(connection) != state:
            raise _Overtaken
        yield connection


def _state(connection: Connection) -> _State:
    """How far the index is; where the store has lost that, it is filled from the beginning."""
    row = connection.execute(select(col(SearchIndexRow.leaves), col(SearchIndexRow.begun))).first()
    return _State(0, 0) if row is None else _State(row.leaves, row.begun)


def _note(database: Database, connection: Connection, state: _State) -> None:
    database.put(connection, SearchIndexRow, [{"id": 1, **state._asdict()}], replacing=state._fields)


def _leaves(connection: Connection, first: int, end: int) -> Sequence[tuple[int, str, bytes]]:
    return [(index, entry_id, bytes(envelope)) for index, entry_id, envelope in fetched(connection, _LEAVES.format(first=first, end=end))]
