"""The log's hashes, kept in tiles of 256: what a proof needs of a million leaves stands in a handful of them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app.record.log.merkle import HASH_BYTES, root_of
from app.record.store.database import Database, blob, fetched
from app.record.store.tables import TileRow

WIDTH = 256
LEVELS = 8
"""A level of tiles is eight levels of the tree: a tile holds the roots of 256 full subtrees side by side."""


class Tiles:
    """Reads the tiles within one transaction, each once; `append` adds leaves, `changed` are the rows to store then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[tuple[int, int], bytes] = {}
        self._changed: set[tuple[int, int]] = set()

    def subtree(self, level: int, index: int) -> bytes:
        """The root of the full subtree of 2**level leaves that is number `index` from the left.

        Raises:
            LookupError: it is not there, or not whole.
        """
        tier, inside = divmod(level, LEVELS)
        first, count = index << inside, 1 << inside
        number, start = divmod(first, WIDTH)
        hashes = self._tile(tier, number)[start * HASH_BYTES : (start + count) * HASH_BYTES]
        if len(hashes) != count * HASH_BYTES:
            raise LookupError(f"tile {tier}/{number} of the log is missing or too short")
        return root_of(_split(hashes))

    def append(self, size: int, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes to a log of `size` leaves."""
        for index, leaf in enumerate(leaves, size):
            self._put(0, index, leaf)

    @property
    def changed(self) -> list[dict[str, object]]:
        """The rows of `tile` that are new or longer than they were."""
        return [{"level": tier, "number": number, "hashes": self._read[tier, number]} for tier, number in sorted(self._changed)]

    def store(self, database: Database) -> None:
        """Write what `append` changed."""
        if self._changed:
            database.put(self._connection, TileRow, self.changed, replacing=["hashes"])
            self._changed.clear()

    def _put(self, tier: int, index: int, hashed: bytes) -> None:
        number, place = divmod(index, WIDTH)
        tile = self._tile(tier, number)
        if len(tile) != place * HASH_BYTES:
            raise LookupError(f"tile {tier}/{number} of the log does not end where it should")
        self._read[tier, number] = tile + hashed
        self._changed.add((tier, number))
        if place == WIDTH - 1:
            self._put(tier + 1, number, root_of(_split(self._read[tier, number])))

    def _tile(self, tier: int, number: int) -> bytes:
        key = tier, number
        if key not in self._read:
            rows = fetched(self._connection, f"SELECT hashes FROM tile WHERE level = {tier:d} AND number = {number:d}")  # noqa: S608 - numbers
            self._read[key] = blob(rows[0][0] or b"") if rows else b""
        return self._read[key]


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
