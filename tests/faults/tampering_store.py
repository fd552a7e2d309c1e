"""What somebody can do to a stored log who can write the database: from one byte to all hashes made to fit, signed with the log's key."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from app.record.canonical import canonical
from app.record.keys import Keys
from app.record.log.merkle import leaf_hash, root_of
from app.record.log.notes import Checkpoint, SignerKey, sign_checkpoint
from app.record.log.tiles import Tiles
from app.record.store.database import Database
from app.record.store.tables import CheckpointRow, EntryRow, LeafRow, TileRow, TreeRow, UnsealedRow

Row = dict[str, Any]


class NotHere(Exception):
    """This log has nothing that could be tampered with in this way."""


@dataclass
class Scene:
    """A log within a transaction that will be given up, and somebody with dice."""

    database: Database
    connection: Connection
    keys: Keys
    dice: random.Random

    def __post_init__(self) -> None:
        self.leaves: list[Row] = self._rows(LeafRow, "leaf_index")
        self.entries: dict[str, Row] = {row["id"]: row for row in self._rows(EntryRow, "id")}
        self.checkpoints: list[Row] = self._rows(CheckpointRow, "size")

    def _rows(self, table: Any, by: str) -> list[Row]:
        found = self.connection.execute(select(table.__table__).order_by(getattr(table, by)))
        return [{name: bytes(value) if isinstance(value, memoryview) else value for name, value in row._mapping.items()} for row in found]

    def index(self) -> int:
        """Some leaf."""
        return self.dice.randrange(len(self.leaves))

    def two(self) -> tuple[int, int]:
        """Two leaves."""
        if len(self.leaves) < 2:
            raise NotHere
        one, other = self.dice.sample(range(len(self.leaves)), 2)
        return one, other

    def entry_at(self, index: int) -> Row:
        """The entry of a leaf."""
        return self.entries[self.leaves[index]["entry_id"]]

    def store_entry(self, row: Row) -> None:
        """Put an entry's row back as it is now."""
        values = {name: value for name, value in row.items() if name != "id"}
        self.connection.execute(update(EntryRow).where(col(EntryRow.id) == row["id"]).values(**values))

    def add_entry(self, row: Row) -> None:
        """Another entry."""
        self.connection.execute(insert(EntryRow), row)

    def store_leaves(self) -> None:
        """Put the leaves back, numbered as they stand."""
        self.connection.execute(delete(LeafRow))
        rows = [{**leaf, "leaf_index": index} for index, leaf in enumerate(self.leaves)]
        if rows:
            self.connection.execute(insert(LeafRow), rows)

    def rebuild(self, signer: SignerKey | None = None) -> None:
        """Make tiles, size and roots those of the leaves; sign each checkpoint anew where there is a key, else leave the old notes."""
        self.store_leaves()
        hashes = [leaf["hash"] for leaf in self.leaves]
        self.connection.execute(delete(TileRow))
        tiles = Tiles(self.connection)
        tiles.append(0, hashes)
        tiles.store(self.database)
        self.connection.execute(update(TreeRow).values(size=len(hashes)))
        self.connection.execute(delete(CheckpointRow))
        for size, row in {min(row["size"], len(hashes)): row for row in self.checkpoints}.items():
            root = root_of(hashes[:size])
            note = sign_checkpoint(Checkpoint(self.keys.origin, size, root), signer) if signer else row["note"]
            self.connection.execute(insert(CheckpointRow), {**row, "size": size, "root": root, "note": note})


Act = Callable[[Scene], None]


def edit_envelope(scene: Scene) -> None:
    """A byte of what was sealed."""
    row = scene.entry_at(scene.index())
    scene.store_entry(row | {"envelope": flipped(row["envelope"], scene.dice)})


def edit_envelope_and_leaf(scene: Scene) -> None:
    """Another meaning, with its leaf's hash made to fit."""
    rewrite(scene)
    scene.store_leaves()


def edit_everything(scene: Scene) -> None:
    """Another meaning, with all hashes made to fit; only the signature cannot be made."""
    rewrite(scene)
    scene.rebuild()


def edit_private(scene: Scene) -> None:
    """A byte of what is encrypted."""
    row = with_private(scene)
    scene.store_entry(row | {"private": flipped(row["private"], scene.dice)})


def drop_private(scene: Scene) -> None:
    """What is encrypted is taken away."""
    scene.store_entry(with_private(scene) | {"private": None})


def edit_column(scene: Scene) -> None:
    """What the row says beside its envelope, by which it is found."""
    row, name = scene.entry_at(scene.index()), scene.dice.choice(("kind", "at", "subject"))
    scene.store_entry(row | {name: ("x" + (row[name] or ""))[:30]})


def edit_leaf_hash(scene: Scene) -> None:
    """A leaf's hash."""
    leaf = scene.leaves[scene.index()]
    leaf["hash"] = flipped(leaf["hash"], scene.dice)
    scene.store_leaves()


def edit_leaf_time(scene: Scene) -> None:
    """The time by which a leaf is found."""
    leaf = scene.leaves[scene.index()]
    leaf["at"] = "2025" + leaf["at"][4:]
    scene.store_leaves()


def edit_tile(scene: Scene) -> None:
    """A byte of the stored hashes."""
    tiles = scene.connection.execute(select(TileRow.__table__)).all()  # type: ignore[attr-defined]
    tile = scene.dice.choice(tiles)
    where = (col(TileRow.level) == tile.level, col(TileRow.number) == tile.number)
    scene.connection.execute(update(TileRow).where(*where).values(hashes=flipped(bytes(tile.hashes), scene.dice)))


def edit_root(scene: Scene) -> None:
    """The root of a checkpoint."""
    row = scene.dice.choice(scene.checkpoints)
    change_checkpoint(scene, row, root=flipped(row["root"], scene.dice))


def edit_note(scene: Scene) -> None:
    """A character of a signed checkpoint."""
    row = scene.dice.choice(scene.checkpoints)
    note = row["note"]
    at = scene.dice.randrange(len(note))
    change_checkpoint(scene, row, note=note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :])


def edit_size(scene: Scene) -> None:
    """How many leaves the log is said to have."""
    scene.connection.execute(update(TreeRow).values(size=len(scene.leaves) + scene.dice.choice((-1, 1, 5))))


def rewrite(scene: Scene) -> None:
    """Let an entry say something else, in perfect form, and its leaf with it."""
    index = scene.index()
    row = scene.entry_at(index)
    told = orjson.loads(row["envelope"])
    told["body"]["agent"] = f"a-{scene.dice.randrange(10**9)}"
    row["envelope"] = canonical(told)
    scene.store_entry(row)
    scene.leaves[index]["hash"] = leaf_hash(row["envelope"])


def with_private(scene: Scene) -> Row:
    """An entry that has a private payload."""
    return scene.dice.choice([row for row in scene.entries.values() if row["private"]])


def change_checkpoint(scene: Scene, row: Row, **values: Any) -> None:
    """Other values for a checkpoint."""
    scene.connection.execute(update(CheckpointRow).where(col(CheckpointRow.size) == row["size"]).values(**values))


def flipped(data: bytes, dice: random.Random) -> bytes:
    """With one bit changed."""
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def copied(scene: Scene, row: Row) -> Row:
    """A new entry in the likeness of another, as if its writer had written it next."""
    told = orjson.loads(row["envelope"])
    new_id = told["id"][:-4] + f"{scene.dice.randrange(16**4):04x}"
    if new_id in scene.entries:
        raise NotHere
    return {**row, "id": new_id, "envelope": canonical({**told, "id": new_id})}


def mallory(scene: Scene) -> SignerKey:
    """Somebody else's key, under the log's own name."""
    return replace(scene.keys.signer, seed=bytes(scene.dice.randrange(256) for _ in range(32)))


def waits(scene: Scene, entry_id: str) -> bool:
    """Has the entry no leaf yet."""
    return scene.connection.execute(select(col(UnsealedRow.entry_id)).where(col(UnsealedRow.entry_id) == entry_id)).first() is not None
