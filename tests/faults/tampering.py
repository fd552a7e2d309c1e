"""Every way of tampering with a stored log that must be noticed. Where `witnessed`, only who kept a checkpoint can notice it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import orjson
from sqlalchemy import delete, insert, select
from sqlmodel import col

from app.record.log.merkle import leaf_hash
from app.record.store.tables import CheckpointRow, EntryRow, LeafRow, TileRow, UnsealedRow
from tests.faults import tampering_store as store
from tests.faults.tampering_store import Act, NotHere, Scene
from tests.forging import FORGERIES, Forging, NothingThere

Kind = Literal["edit", "delete", "insert", "reorder", "truncate", "roll_back", "fork", "forge"]


@dataclass(frozen=True, slots=True)
class Tampering:
    """A way of tampering; `what` names it where its function does not."""

    kind: Kind
    act: Act
    witnessed: bool = False
    what: str | None = None

    @property
    def name(self) -> str:
        """What it does."""
        return f"{self.kind}: {self.what or self.act.__name__}"


def delete_entry(scene: Scene) -> None:
    """An entry, whose leaf stays."""
    gone = scene.leaves[scene.index()]["entry_id"]
    scene.connection.execute(delete(EntryRow).where(col(EntryRow.id) == gone))


def delete_leaf(scene: Scene) -> None:
    """A leaf, whose entry stays."""
    scene.connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) == scene.index()))


def delete_both(scene: Scene) -> None:
    """An entry and its leaf, leaving a gap."""
    index = scene.index()
    scene.connection.execute(delete(EntryRow).where(col(EntryRow.id) == scene.leaves[index]["entry_id"]))
    scene.connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) == index))


def delete_everywhere(scene: Scene) -> None:
    """An entry and its leaf, with all others moved up and all hashes made to fit."""
    gone = scene.leaves.pop(scene.index())
    scene.connection.execute(delete(EntryRow).where(col(EntryRow.id) == gone["entry_id"]))
    scene.rebuild()


def delete_waiting(scene: Scene) -> None:
    """An entry before it was sealed, but not its writer's last."""
    waiting = [row for row in scene.entries.values() if store.waits(scene, row["id"])]
    numbers = {row["id"]: (told["writer"], told["sequence"]) for row in waiting for told in [orjson.loads(row["envelope"])]}
    before = [entry_id for entry_id, (writer, number) in numbers.items() if (writer, number + 1) in numbers.values()]
    if not before:
        raise NotHere
    gone = scene.dice.choice(before)
    scene.connection.execute(delete(EntryRow).where(col(EntryRow.id) == gone))
    scene.connection.execute(delete(UnsealedRow).where(col(UnsealedRow.entry_id) == gone))


def delete_checkpoint(scene: Scene) -> None:
    """The newest checkpoint."""
    scene.connection.execute(delete(CheckpointRow).where(col(CheckpointRow.size) == scene.checkpoints[-1]["size"]))


def delete_tile(scene: Scene) -> None:
    """Stored hashes."""
    scene.connection.execute(delete(TileRow).where(col(TileRow.level) == 0, col(TileRow.number) == 0))


def insert_past_the_log(scene: Scene) -> None:
    """An entry that has no leaf."""
    scene.add_entry(store.copied(scene, scene.entry_at(scene.index())))


def insert_at_the_end(scene: Scene) -> None:
    """An entry with a leaf, and a log that is said to be one longer."""
    row = store.copied(scene, scene.entry_at(scene.index()))
    scene.add_entry(row)
    scene.leaves.append({"entry_id": row["id"], "at": row["at"], "hash": leaf_hash(row["envelope"])})
    scene.rebuild()


def insert_in_the_middle(scene: Scene) -> None:
    """An entry with a leaf between two others, with all hashes made to fit."""
    row = store.copied(scene, scene.entry_at(scene.index()))
    scene.add_entry(row)
    scene.leaves.insert(scene.index(), {"entry_id": row["id"], "at": row["at"], "hash": leaf_hash(row["envelope"])})
    scene.rebuild()


def insert_waiting(scene: Scene) -> None:
    """An entry that waits for its leaf, under a number that its writer has used."""
    row = store.copied(scene, scene.entry_at(scene.index()))
    scene.add_entry(row)
    scene.connection.execute(insert(UnsealedRow), {"entry_id": row["id"]})


def insert_tile(scene: Scene) -> None:
    """Stored hashes that the log does not have."""
    scene.connection.execute(insert(TileRow), {"level": 5, "number": 0, "hashes": bytes(32)})


def reorder_leaves(scene: Scene) -> None:
    """Two leaves change places."""
    one, other = scene.two()
    scene.leaves[one], scene.leaves[other] = scene.leaves[other], scene.leaves[one]
    scene.store_leaves()


def reorder_everywhere(scene: Scene) -> None:
    """Two leaves change places, with all hashes made to fit."""
    one, other = scene.two()
    scene.leaves[one], scene.leaves[other] = scene.leaves[other], scene.leaves[one]
    scene.rebuild()


def exchange_envelopes(scene: Scene) -> None:
    """Two entries exchange what they say."""
    one, other = (scene.entry_at(index) for index in scene.two())
    scene.store_entry(one | {"envelope": other["envelope"]})
    scene.store_entry(other | {"envelope": one["envelope"]})


def exchange_private(scene: Scene) -> None:
    """Two entries exchange what is encrypted."""
    one, other = scene.dice.sample([row for row in scene.entries.values() if row["private"]], 2)
    scene.store_entry(one | {"private": other["private"]})
    scene.store_entry(other | {"private": one["private"]})


def truncate_leaves(scene: Scene) -> None:
    """The last leaves are taken away."""
    scene.connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) >= scene.index()))


def truncate_everywhere(scene: Scene) -> None:
    """The last leaves and their entries are taken away, with all hashes made to fit; the newest checkpoint cannot be signed."""
    cut(scene, scene.index())
    scene.rebuild()


def roll_back(scene: Scene) -> None:
    """The store as it was at an earlier checkpoint, perfectly."""
    if len(scene.checkpoints) < 2:
        raise NotHere
    earlier = scene.dice.choice(scene.checkpoints[:-1])
    scene.checkpoints = [row for row in scene.checkpoints if row["size"] <= earlier["size"]]
    cut(scene, earlier["size"])
    scene.rebuild()


def fork(scene: Scene) -> None:
    """Another history, signed with the log's own key."""
    store.rewrite(scene)
    scene.rebuild(scene.keys.signer)


def fork_shorter(scene: Scene) -> None:
    """Another history that leaves an entry out, signed with the log's own key."""
    gone = scene.leaves.pop(scene.index())
    scene.connection.execute(delete(EntryRow).where(col(EntryRow.id) == gone["entry_id"]))
    scene.rebuild(scene.keys.signer)


def fork_with_another_key(scene: Scene) -> None:
    """Another history, signed with a key that is not the log's."""
    store.rewrite(scene)
    scene.rebuild(store.mallory(scene))


def cut(scene: Scene, size: int) -> None:
    """Take the leaves from an index on away, with their entries and all that waits."""
    kept = {leaf["entry_id"] for leaf in scene.leaves[:size]}
    scene.leaves = scene.leaves[:size]
    for entry_id in scene.connection.execute(select(col(EntryRow.id))).scalars().all():
        if entry_id not in kept:
            scene.connection.execute(delete(EntryRow).where(col(EntryRow.id) == entry_id))
    scene.connection.execute(delete(UnsealedRow))


def forged(forging: Forging) -> Act:
    """Rows that restate entries, forged."""

    def act(scene: Scene) -> None:
        try:
            forging(scene.connection, scene.dice)
        except NothingThere:
            raise NotHere from None

    return act


WAYS = (
    *(Tampering("forge", forged(forging), what=name) for name, forging in FORGERIES.items()),
    *(Tampering("edit", act) for act in (store.edit_envelope, store.edit_envelope_and_leaf, store.edit_everything, store.edit_private)),
    *(Tampering("edit", act) for act in (store.drop_private, store.edit_column, store.edit_leaf_hash, store.edit_leaf_time)),
    *(Tampering("edit", act) for act in (store.edit_tile, store.edit_root, store.edit_note, store.edit_size)),
    *(Tampering("delete", act) for act in (delete_entry, delete_leaf, delete_both, delete_everywhere, delete_waiting)),
    *(Tampering("delete", act) for act in (delete_checkpoint, delete_tile)),
    *(Tampering("insert", act) for act in (insert_past_the_log, insert_at_the_end, insert_in_the_middle, insert_waiting, insert_tile)),
    *(Tampering("reorder", act) for act in (reorder_leaves, reorder_everywhere, exchange_envelopes, exchange_private)),
    *(Tampering("truncate", act) for act in (truncate_leaves, truncate_everywhere)),
    Tampering("roll_back", roll_back, witnessed=True),
    Tampering("fork", fork, witnessed=True),
    Tampering("fork", fork_shorter, witnessed=True),
    Tampering("fork", fork_with_another_key),
)
