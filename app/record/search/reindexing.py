"""Making the search index anew: after a version that finds entries by more, or where the index was lost. No proof rests on it."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select
from sqlmodel import col

from app.record.log import tree
from app.record.log.sealer import LOCK
from app.record.search.indexing import BLOCK, findable, index_leaves
from app.record.store.database import Database
from app.record.store.tables import EntryRow, LeafRow, SearchBlockRow, SearchSpanRow


def index_anew(database: Database) -> int:
    """Empty the index and fill it again, a block of leaves at a time; a service may go on meanwhile, and search finds less until the end.

    Args:
        database: of the record.

    Returns:
        How many leaves were indexed; those whose entries are archived are not.
    """
    with database.writing() as connection:
        database.lock(connection, LOCK)
        connection.execute(delete(SearchBlockRow))
        connection.execute(delete(SearchSpanRow))
        size = tree.size(connection)
    return sum(_block(database, first) for first in range(0, size, BLOCK))


def _block(database: Database, first: int) -> int:
    with database.writing() as connection:
        database.lock(connection, LOCK)
        leaves = _leaves(connection, first)
        if leaves:
            index_leaves(database, connection, findable(leaves))
    return len(leaves)


def _leaves(connection: Connection, first: int) -> list[tuple[int, str, bytes]]:
    query = (
        select(col(LeafRow.leaf_index), col(EntryRow.id), col(EntryRow.envelope))
        .join(EntryRow, col(EntryRow.id) == col(LeafRow.entry_id))
        .where(col(LeafRow.leaf_index) >= first, col(LeafRow.leaf_index) < first + BLOCK)
        .order_by(col(LeafRow.leaf_index))
    )
    return [(row.leaf_index, row.id, bytes(row.envelope)) for row in connection.execute(query)]
