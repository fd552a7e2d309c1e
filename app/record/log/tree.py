"""Reading the log: where an entry stands, checkpoints, and proofs that it is there and that nothing before was changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, select
from sqlmodel import col

from app.record.log import merkle
from app.record.log.tiles import Tiles
from app.record.store.database import blob
from app.record.store.tables import CheckpointRow, LeafRow, TreeRow


class DamagedTree(Exception):
    """The store does not say how many leaves the log has."""

    def __init__(self) -> None:
        super().__init__("the store does not say how many leaves the log has (`tree.size`)")


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry's place in the log."""

    index: int
    entry_id: str
    at: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed statement: the first `size` leaves have this root. `note` is the signed text."""

    size: int
    root: bytes
    at: str
    note: str


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Proof that a leaf is among those of a checkpoint."""

    leaf: Leaf
    checkpoint: StoredCheckpoint
    path: Sequence[bytes]


def size(connection: Connection) -> int:
    """How many leaves the log has.

    Raises:
        DamagedTree: that is not said.
    """
    sizes = connection.execute(select(col(TreeRow.size))).scalars().all()
    if len(sizes) != 1 or type(sizes[0]) is not int or sizes[0] < 0:
        raise DamagedTree
    return sizes[0]


def leaf_of(connection: Connection, entry_id: str) -> Leaf | None:
    """The leaf of an entry; none while it waits to be sealed."""
    return _leaf(connection.execute(_leaves().where(col(LeafRow.entry_id) == entry_id)).first())


def leaf_at(connection: Connection, index: int) -> Leaf | None:
    """The leaf with an index, from 0; none beyond the end, or where its month was dropped."""
    return _leaf(connection.execute(_leaves().where(col(LeafRow.leaf_index) == index)).first())


def checkpoint(connection: Connection, *, by: str | None = None, covering: int | None = None) -> StoredCheckpoint | None:
    """The newest checkpoint.

    Args:
        connection: a transaction.
        by: not newer than this time.
        covering: instead, the first one that has the leaf with this index.
    """
    query = select(col(CheckpointRow.size), col(CheckpointRow.root), col(CheckpointRow.at), col(CheckpointRow.note))
    if covering is not None:
        query = query.where(col(CheckpointRow.size) > covering).order_by(col(CheckpointRow.size))
    else:
        query = query.order_by(col(CheckpointRow.size).desc())
    if by is not None:
        query = query.where(col(CheckpointRow.at) <= by)
    row = connection.execute(query.limit(1)).first()
    return None if row is None else StoredCheckpoint(row.size, blob(row.root), row.at, row.note)


def root(connection: Connection, leaves: int) -> bytes:
    """The root of the first leaves.

    Raises:
        LookupError: tiles are missing.
    """
    return merkle.root(leaves, Tiles(connection).subtree)


def inclusion(connection: Connection, entry_id: str) -> Inclusion | None:
    """Proof that an entry is in the log, against the newest checkpoint; none while it waits to be sealed."""
    leaf, newest = leaf_of(connection, entry_id), checkpoint(connection)
    if leaf is None or newest is None or leaf.index >= newest.size:
        return None
    return Inclusion(leaf, newest, merkle.inclusion_proof(leaf.index, newest.size, Tiles(connection).subtree))


def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """Proof that the log of `new` leaves begins with that of `old` leaves.

    Raises:
        ValueError: the log never had so many leaves, or `old` is more than `new`.
        LookupError: tiles are missing.
    """
    if new > size(connection):
        raise ValueError(f"the log has no {new} leaves")
    return merkle.consistency_proof(old, new, Tiles(connection).subtree)


def _leaves() -> Select[int, str, str, bytes]:
    return select(col(LeafRow.leaf_index), col(LeafRow.entry_id), col(LeafRow.at), col(LeafRow.hash))


def _leaf(row: Row[int, str, str, bytes] | None) -> Leaf | None:
    return None if row is None else Leaf(row.leaf_index, row.entry_id, row.at, blob(row.hash))
