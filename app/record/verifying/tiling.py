"""The tiles of the log, made again from its leaves and compared with those that are stored."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.log.merkle import HASH_BYTES, root_of
from app.record.log.tiles import WIDTH
from app.record.store.database import blob
from app.record.store.tables import TileRow
from app.record.verifying.verdict import Findings

_AHEAD = 64


class Tiling:
    """Takes leaf hashes in their order and compares each tile as it fills up."""

    def __init__(self, connection: Connection, first: int, findings: Findings) -> None:
        """
        Args:
            connection: a transaction that reads.
            first: the index of the first leaf to come; the hashes of those before it, in tiles that are not full, are taken as stored.
            findings: where differences go.
        """
        self._connection, self._findings = connection, findings
        self._size = first
        self._read: dict[tuple[int, int], bytes] = {}
        self._open: list[list[bytes]] = []
        self._begin(first)

    def add(self, hashed: bytes) -> None:
        """The next leaf."""
        self._put(0, hashed)
        self._size += 1

    def finish(self) -> None:
        """Compare the tiles that are not full, and see that there are no others."""
        expected = 0
        for tier, hashes in enumerate(self._open):
            whole = self._size >> 8 * (tier + 1)
            expected += whole + bool(hashes)
            if hashes:
                self._compare(tier, whole, hashes)
        there = self._connection.execute(select(func.count()).select_from(TileRow)).scalar_one()
        if there > expected:
            self._findings.add("tile", f"{there - expected} tiles are stored that the log does not have")

    def _begin(self, size: int) -> None:
        tier = 0
        while size >> 8 * tier:
            number, held = divmod(size >> 8 * tier, WIDTH)
            self._open.append(_split(self._stored(tier, number)[: held * HASH_BYTES]) if held else [])
            tier += 1

    def _put(self, tier: int, hashed: bytes) -> None:
        if tier == len(self._open):
            self._open.append([])
        hashes = self._open[tier]
        hashes.append(hashed)
        if len(hashes) == WIDTH:
            self._compare(tier, self._size >> 8 * (tier + 1), hashes)
            self._open[tier] = []
            self._put(tier + 1, root_of(hashes))

    def _compare(self, tier: int, number: int, hashes: list[bytes]) -> None:
        stored = self._stored(tier, number)
        if stored == b"".join(hashes):
            return
        at = next((at for at, hashed in enumerate(hashes) if stored[at * HASH_BYTES :][:HASH_BYTES] != hashed), len(hashes))
        last = ((number * WIDTH + at + 1) << 8 * tier) - 1
        where = f"tile {tier}/{number}"
        if at == len(hashes):
            self._findings.add("tile", f"{where} goes on after the log's last leaf", self._size)
        else:
            kept = "another hash" if len(stored) > at * HASH_BYTES else "no hash"
            self._findings.add("tile", f"{where} has {kept} for what ends here: the leaf or the tile was changed", last)

    def _stored(self, tier: int, number: int) -> bytes:
        if (tier, number) not in self._read:
            self._read = {key: hashes for key, hashes in self._read.items() if key[0] != tier}
            query = select(col(TileRow.number), col(TileRow.hashes)).where(
                col(TileRow.level) == tier, col(TileRow.number) >= number, col(TileRow.number) < number + _AHEAD
            )
            self._read.update({(tier, row.number): blob(row.hashes) for row in self._connection.execute(query)})
        return self._read.get((tier, number), b"")


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
