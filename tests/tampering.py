"""Random logs, and every way to tamper with one or with a bundle of it; for tests and for the long run of `tests/faults`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlmodel import col

from app.record.canonical import canonical
from app.record.choices import MADE, TAKEN_BACK
from app.record.contacts import STRENGTH
from app.record.export.bundle import verify as verifier
from app.record.export.bundling import Bundle
from app.record.export.exporting import Wanted, export
from app.record.keys import Keys
from app.record.log import tree
from app.record.log.merkle import leaf_hash
from app.record.log.notes import Checkpoint, read_checkpoint, sign_checkpoint
from app.record.log.stretches import between
from app.record.log.tiles import Tiles
from app.record.store.database import Database
from app.record.store.tables import CheckpointRow, EntryRow, LeafRow, SubjectRow, TileRow, TreeRow
from tests.forging import FORGERIES, Forging
from tests.logs import NOW, Book

_ENTRY = EntryRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done, and the checkpoints that somebody kept elsewhere before."""

    what: str
    kept: tuple[Checkpoint, ...] = ()


def random_log(book: Book, chance: Random, entries: int) -> None:
    """Entries of two writers and several kinds about a few subscribers, sealed now and then; some wait at the end, one may be erased."""
    writers = [book, Book(book.database, book.keys, "w-2")]
    book.publish()
    book.step("approved", "pack_approved")
    book.caller("desk", grade="leader")
    decided: list[tuple[str, str]] = []
    for number in range(entries):
        writer = chance.choice(writers)
        writer.now = book.now = max(one.now for one in writers)
        kind = chance.choice(["decision"] * 6 + ["outcome"] * 2 + ["read", "caller", "step", "hold", "choice"])
        subscriber = f"s-{chance.randint(1, 9)}"
        if kind == "decision" or (kind == "outcome" and not decided):
            decided.append((writer.decide(subscriber, explain=chance.choice(["none", "full"])), subscriber))
            writer.claim(f"key-{number}", decided[-1][0])
        elif kind == "outcome":
            writer.tell(*chance.choice(decided), chance.choice(["left", *STRENGTH]), reference=str(chance.random()))
        elif kind == "caller":
            writer.caller(f"c-{chance.randint(1, 3)}", chance.choice(["added", "revoked"]), key=chance.randbytes(4))
        elif kind == "step":
            writer.step("activated", effective_at=chance.choice([None, "2026-12-01T00:00:00.000000+00:00"]))
        elif kind == "hold":
            writer.hold(subscriber, "court")
        elif kind == "choice":
            choice, about = chance.choice(
                [("no_marketing", None), ("no_channel", "sms"), ("no_channel", "app"), ("no_action", "bill_explain")]
            )
            writer.choose(subscriber, choice, about, chance.choice([MADE, MADE, TAKEN_BACK]))
        else:
            writer.add(kind, {"caller": "desk", "what": "decision"})
        if chance.random() < 0.08:
            book.now = max(book.now, writer.now)
            book.seal()
    book.now = max(writer.now for writer in writers)
    book.seal()
    if chance.random() < 0.5:
        book.decide("s-1")
    if chance.random() < 0.3:
        book.erase(f"s-{chance.randint(1, 9)}")


def edit_store(connection: Connection, keys: Keys, kind: str, chance: Random) -> Edit:
    """Tamper with the store, in the way named; what was done."""
    return STORE_EDITS[kind](connection, keys, chance)


def _entry(connection: Connection, chance: Random, *, private: bool = False) -> Any:
    """A sealed entry, drawn."""
    query = select(col(LeafRow.leaf_index), _ENTRY).join(_ENTRY, col(LeafRow.entry_id) == col(EntryRow.id))
    query = query.where(col(EntryRow.private).is_not(None)) if private else query
    return chance.choice(connection.execute(query.order_by(col(LeafRow.leaf_index))).all())


def _flipped(content: bytes, chance: Random) -> bytes:
    """The bytes with one bit turned, or one byte more or less."""
    at, way = chance.randrange(len(content)), chance.random()
    if way < 0.8:
        return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]
    return content[:at] + content[at + 1 :] if way < 0.9 else content[:at] + bytes([chance.randrange(256)]) + content[at:]


def _edit_envelope(connection: Connection, keys: Keys, chance: Random) -> Edit:
    row = _entry(connection, chance)
    changed = _flipped(bytes(row.envelope), chance)
    connection.execute(update(EntryRow).where(col(EntryRow.id) == row.id).values(envelope=changed))
    return Edit(f"envelope of leaf {row.leaf_index}")


def _edit_hidden(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """An envelope, its leaf, and, half of the time, every tile above it."""
    row, leaves = _entry(connection, chance), _hashes(connection)
    envelope = _flipped(bytes(row.envelope), chance)
    connection.execute(update(EntryRow).where(col(EntryRow.id) == row.id).values(envelope=envelope))
    leaves[row.leaf_index] = leaf_hash(envelope)
    connection.execute(update(LeafRow).where(col(LeafRow.leaf_index) == row.leaf_index).values(hash=leaves[row.leaf_index]))
    if chance.random() < 0.5:
        _tile_anew(connection, leaves)
    return Edit(f"envelope and leaf {row.leaf_index}")


def _edit_private(connection: Connection, keys: Keys, chance: Random) -> Edit:
    row = _entry(connection, chance, private=True)
    changed = None if chance.random() < 0.3 else _flipped(bytes(row.private), chance)
    connection.execute(update(EntryRow).where(col(EntryRow.id) == row.id).values(private=changed))
    return Edit(f"private payload of leaf {row.leaf_index}")


def _edit_column(connection: Connection, keys: Keys, chance: Random) -> Edit:
    row, name = _entry(connection, chance), chance.choice(["kind", "at", "subject"])
    connection.execute(update(EntryRow).where(col(EntryRow.id) == row.id).values(**{name: f"x{chance.randrange(1000)}"}))
    return Edit(f"column {name} of leaf {row.leaf_index}")


def _edit_leaf(connection: Connection, keys: Keys, chance: Random) -> Edit:
    row = _entry(connection, chance)
    connection.execute(update(LeafRow).where(col(LeafRow.leaf_index) == row.leaf_index).values(hash=chance.randbytes(32)))
    return Edit(f"leaf {row.leaf_index}")


def _edit_tile(connection: Connection, keys: Keys, chance: Random) -> Edit:
    tile = chance.choice(connection.execute(select(TileRow).order_by(col(TileRow.level), col(TileRow.number))).all())
    place = (col(TileRow.level) == tile.level, col(TileRow.number) == tile.number)
    if chance.random() < 0.2:
        connection.execute(delete(TileRow).where(*place))
    else:
        connection.execute(update(TileRow).where(*place).values(hashes=_flipped(bytes(tile.hashes), chance)))
    return Edit(f"tile {tile.level}/{tile.number}")


def _edit_checkpoint(connection: Connection, keys: Keys, chance: Random) -> Edit:
    row = chance.choice(connection.execute(select(CheckpointRow).order_by(col(CheckpointRow.size))).all())
    text, _, signature = row.note.rpartition("\n\n")
    values: Mapping[str, Any] = chance.choice(
        [
            {"root": chance.randbytes(32)},
            {"note": f"{text}0\n\n{signature}"},
            {"note": f"{text}\n\n{signature.replace('+', '-').rstrip()[:-3]}!=\n"},
            {"note": f"{text}\n\n\ud800".encode(errors="surrogatepass").decode(errors="replace")},
            {"note": ""},
            {"size": row.size + 1_000},
        ]
    )
    connection.execute(update(CheckpointRow).where(col(CheckpointRow.size) == row.size).values(**values))
    return Edit(f"checkpoint of {row.size}: {next(iter(values))}")


STRANGE = ("NULL", "-1", "9223372036854775807", "1.5", "9e999", "'x'", "''", "x'ff00'", "x''", "CAST(x'ff41' AS TEXT)", "zeroblob(70000)")
"""What no writer of ours writes, as SQL."""
COLUMNS = {
    "tree": ("size", "heartbeat", "heartbeats"),
    "leaf": ("leaf_index", "entry_id", "at", "hash"),
    "tile": ("level", "number", "hashes"),
    "checkpoint": ("size", "root", "at", "note"),
    "entry": ("id", "kind", "at", "subject", "envelope", "private"),
    "unsealed": ("entry_id",),
}
"""What verifying reads, by table."""


def put_strange(connection: Connection, table: str, column: str, value: str, chance: Random) -> None:
    """Put it into some row of a table of SQLite, which is made anew without constraints."""
    for statement in (f"CREATE TABLE loose AS SELECT * FROM {table}", f"DROP TABLE {table}", f"ALTER TABLE loose RENAME TO {table}"):  # noqa: S608
        connection.exec_driver_sql(statement)
    rows = connection.exec_driver_sql(f"SELECT rowid FROM {table} WHERE {column} IS NOT {value}").scalars().all()  # noqa: S608
    connection.exec_driver_sql(f"UPDATE {table} SET {column} = {value} WHERE rowid = {chance.choice(rows)}")  # noqa: S608


def _edit_strangely(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """What no writer of ours has written, in a column that takes anything."""
    table, value = chance.choice([name for name in COLUMNS if name != "unsealed"]), chance.choice(STRANGE)
    column = chance.choice(COLUMNS[table])
    put_strange(connection, table, column, value, chance)
    return Edit(f"{table}.{column} = {value}")


def _delete_entry(connection: Connection, keys: Keys, chance: Random) -> Edit:
    row = _entry(connection, chance)
    connection.execute(delete(EntryRow).where(col(EntryRow.id) == row.id))
    if chance.random() < 0.5:
        connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) == row.leaf_index))
    return Edit(f"entry of leaf {row.leaf_index} deleted")


def _delete_moved(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """An entry deleted and all leaves after it moved up, tiles and tree size with them."""
    row, leaves = _entry(connection, chance), _hashes(connection)
    connection.execute(delete(EntryRow).where(col(EntryRow.id) == row.id))
    connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) == row.leaf_index))
    for index in range(row.leaf_index + 1, len(leaves)):
        connection.execute(update(LeafRow).where(col(LeafRow.leaf_index) == index).values(leaf_index=index - 1))
    del leaves[row.leaf_index]
    _tile_anew(connection, leaves)
    connection.execute(update(TreeRow).values(size=len(leaves)))
    return Edit(f"leaf {row.leaf_index} cut out")


def _insert(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """An entry that the writer never wrote, with a leaf at the end or without one."""
    entry_id = f"01a202b2-c500-7{chance.randrange(16**3):03x}-8aa3-{chance.randrange(16**12):012x}"
    envelope = canonical({"v": 1, "id": entry_id, "kind": "read", "at": "2026", "writer": "w-1", "sequence": 10_000, "body": {}})
    connection.execute(insert(EntryRow), {"id": entry_id, "kind": "read", "at": "2026", "envelope": envelope})
    if chance.random() < 0.7:
        leaves = [*_hashes(connection), leaf_hash(envelope)]
        row = {"leaf_index": len(leaves) - 1, "entry_id": entry_id, "at": "2026", "hash": leaves[-1]}
        connection.execute(insert(LeafRow), row)
        connection.execute(update(TreeRow).values(size=len(leaves)))
        _tile_anew(connection, leaves)
    return Edit("an entry put in")


def _reorder(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """Two leaves change places, and their hashes with them, in the leaves or in leaves and tiles."""
    one = _entry(connection, chance)
    other = next(row for row in iter(lambda: _entry(connection, chance), None) if row.id != one.id)
    leaves = _hashes(connection)
    leaves[one.leaf_index], leaves[other.leaf_index] = leaves[other.leaf_index], leaves[one.leaf_index]
    for index, entry_id in ((one.leaf_index, "-"), (other.leaf_index, one.id), (one.leaf_index, other.id)):
        connection.execute(update(LeafRow).where(col(LeafRow.leaf_index) == index).values(entry_id=entry_id, hash=leaves[index]))
    if chance.random() < 0.5:
        _tile_anew(connection, leaves)
    return Edit(f"leaves {one.leaf_index} and {other.leaf_index} exchanged")


def _truncate(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """The end cut off, more or less carefully; the checkpoints of it stay."""
    leaves = _hashes(connection)
    size = chance.randrange(1, len(leaves))
    _cut(connection, leaves[:size], checkpoints=False)
    return Edit(f"cut to {size}")


def _roll_back(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """Everything brought back to an earlier checkpoint, as a restored backup would; somebody kept the newest one."""
    kept = _newest(connection, keys)
    sizes = connection.execute(select(col(CheckpointRow.size)).where(col(CheckpointRow.size) < kept.size)).scalars().all()
    size = chance.choice(list(sizes))
    _cut(connection, _hashes(connection)[:size], checkpoints=True)
    return Edit(f"rolled back to {size}", (kept,))


def _fork(connection: Connection, keys: Keys, chance: Random) -> Edit:
    """An entry changed, and everything above it made and signed anew with the log's own key; somebody kept a checkpoint above it."""
    kept, leaves = _newest(connection, keys), _hashes(connection)
    row = _entry(connection, chance)
    envelope = bytes(row.envelope).replace(b'"v":1', b'"v":2')
    connection.execute(update(EntryRow).where(col(EntryRow.id) == row.id).values(envelope=envelope))
    leaves[row.leaf_index] = leaf_hash(envelope)
    connection.execute(update(LeafRow).where(col(LeafRow.leaf_index) == row.leaf_index).values(hash=leaves[row.leaf_index]))
    _tile_anew(connection, leaves)
    for size in connection.execute(select(col(CheckpointRow.size)).where(col(CheckpointRow.size) > row.leaf_index)).scalars().all():
        root = tree.root(connection, size)
        note = sign_checkpoint(Checkpoint(keys.origin, size, root), keys.signer)
        connection.execute(update(CheckpointRow).where(col(CheckpointRow.size) == size).values(root=root, note=note))
    return Edit(f"forked at {row.leaf_index}", (kept,))


def _forged(forging: Forging) -> Callable[[Connection, Keys, Random], Edit]:
    return lambda connection, _keys, chance: Edit(forging(connection, chance))


STORE_EDITS: Mapping[str, Callable[[Connection, Keys, Random], Edit]] = {
    "edit an envelope": _edit_envelope,
    "edit and hide it": _edit_hidden,
    "edit a payload": _edit_private,
    "edit a column": _edit_column,
    "edit a leaf": _edit_leaf,
    "edit a tile": _edit_tile,
    "edit a checkpoint": _edit_checkpoint,
    "edit strangely": _edit_strangely,
    "delete": _delete_entry,
    "delete and move up": _delete_moved,
    "insert": _insert,
    "reorder": _reorder,
    "truncate": _truncate,
    "roll back": _roll_back,
    "fork": _fork,
    **{name: _forged(forging) for name, forging in FORGERIES.items()},
}
"""Ways to tamper with a store, by name."""


def _hashes(connection: Connection) -> list[bytes]:
    return [bytes(row.hash) for row in connection.execute(select(col(LeafRow.hash)).order_by(col(LeafRow.leaf_index)))]


def _tile_anew(connection: Connection, leaves: list[bytes]) -> None:
    connection.execute(delete(TileRow))
    tiles = Tiles(connection)
    tiles.append(0, leaves)
    for row in tiles.changed:
        connection.execute(insert(TileRow), row)


def _cut(connection: Connection, leaves: list[bytes], *, checkpoints: bool) -> None:
    gone = select(col(LeafRow.entry_id)).where(col(LeafRow.leaf_index) >= len(leaves))
    connection.execute(delete(EntryRow).where(col(EntryRow.id).in_(gone)))
    connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) >= len(leaves)))
    _tile_anew(connection, leaves)
    connection.execute(update(TreeRow).values(size=len(leaves)))
    if checkpoints:
        connection.execute(delete(CheckpointRow).where(col(CheckpointRow.size) > len(leaves)))


def _newest(connection: Connection, keys: Keys) -> Checkpoint:
    size = connection.execute(select(func.max(col(CheckpointRow.size)))).scalar_one()
    note = connection.execute(select(col(CheckpointRow.note)).where(col(CheckpointRow.size) == size)).scalar_one()
    return read_checkpoint(note, keys.verifiers)


def make_bundle(database: Database, keys: Keys, out: Path) -> None:
    """A bundle of the whole log with somebody's payloads opened."""
    with database.reading() as connection:
        token = connection.execute(select(col(SubjectRow.token)).order_by(col(SubjectRow.token)).limit(1)).scalar()
        opened = (token,) if token else ()
        export(connection, keys, Wanted(between(connection, tree.size(connection)), opened), out, NOW)


def findings_in(place: Path) -> list[str]:
    """What the verifier of the bundle finds."""
    check = verifier.Check(verifier.Folder(str(place)), [], [])
    try:
        check.run()
    except Exception as error:  # noqa: BLE001 - as its own main does: a damaged bundle is a finding
        check.findings.append(str(error) or type(error).__name__)
    return check.findings


def edit_bundle(place: Path, kind: str, chance: Random, keys: Keys | None) -> str:
    """Tamper with a bundle, in the way named, and sign its list of contents anew where there are keys; what was done."""
    what = BUNDLE_EDITS[kind](place, chance)
    if keys is not None:
        (place / "contents.txt").unlink()
        Bundle(place).finish(keys)
    return what


def _lines(place: Path, name: str) -> list[bytes]:
    return (place / name).read_bytes().splitlines(keepends=True)


def _edit_record(place: Path, chance: Random) -> str:
    lines = _lines(place, "records.ndjson")
    at = chance.randrange(len(lines))
    lines[at] = _flipped(lines[at][:-1], chance) + b"\n"
    (place / "records.ndjson").write_bytes(b"".join(lines))
    return f"record {at}"


def _edit_record_and_leaf(place: Path, chance: Random) -> str:
    lines, leaves = _lines(place, "records.ndjson"), _lines(place, "leaves.csv")
    at = chance.randrange(len(lines))
    lines[at] = lines[at].replace(b'"v":1', b'"v":2')
    leaves[at + 1] = f"{at},{leaf_hash(lines[at][:-1]).hex()},\n".encode()
    (place / "records.ndjson").write_bytes(b"".join(lines))
    (place / "leaves.csv").write_bytes(b"".join(leaves))
    return f"record and leaf {at}"


def _drop_record(place: Path, chance: Random) -> str:
    """A record left out, the rest numbered anew and the stretch made shorter."""
    lines, leaves = _lines(place, "records.ndjson"), _lines(place, "leaves.csv")
    at = chance.randrange(len(lines))
    entry_id = json.loads(lines.pop(at))["id"]
    hashes = [line.split(b",")[1] for line in leaves[1:]]
    hashes.pop(at)
    (place / "records.ndjson").write_bytes(b"".join(lines))
    (place / "leaves.csv").write_bytes(leaves[0] + b"".join(b"%d,%s,\n" % item for item in enumerate(hashes)))
    for name in ("private.ndjson", "opened.ndjson"):
        if (place / name).exists():
            kept = [line for line in _lines(place, name) if json.loads(line)["id"] != entry_id]
            (place / name).write_bytes(b"".join(kept))
    about = json.loads((place / "bundle.json").read_bytes())
    about["stretches"][0]["last"] -= 1
    if chance.random() < 0.5:
        about["stretches"][0]["right"] = [leaf_hash(b"").hex()]
    (place / "bundle.json").write_text(json.dumps(about), "utf-8")
    return f"record {at} left out"


def _exchange_records(place: Path, chance: Random) -> str:
    lines, leaves = _lines(place, "records.ndjson"), _lines(place, "leaves.csv")
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    if chance.random() < 0.5:
        hashes = [leaf_hash(line[:-1]).hex().encode() for line in lines]
        (place / "leaves.csv").write_bytes(leaves[0] + b"".join(b"%d,%s,\n" % item for item in enumerate(hashes)))
    (place / "records.ndjson").write_bytes(b"".join(lines))
    return f"records {one} and {other} exchanged"


def _add_record(place: Path, chance: Random) -> str:
    lines, leaves = _lines(place, "records.ndjson"), _lines(place, "leaves.csv")
    lines.append(chance.choice(lines).replace(b'"v":1', b'"v":2'))
    leaves.append(f"{len(lines) - 1},{leaf_hash(lines[-1][:-1]).hex()},\n".encode())
    about = json.loads((place / "bundle.json").read_bytes())
    about["stretches"][0]["last"] += 1
    (place / "bundle.json").write_text(json.dumps(about), "utf-8")
    (place / "records.ndjson").write_bytes(b"".join(lines))
    (place / "leaves.csv").write_bytes(b"".join(leaves))
    return "a record more"


def _edit_payload(place: Path, chance: Random) -> str:
    lines = _lines(place, "private.ndjson")
    at = chance.randrange(len(lines))
    payload = json.loads(lines[at])
    payload["ciphertext"] = base64.b64encode(_flipped(base64.b64decode(payload["ciphertext"]), chance)).decode()
    lines[at] = json.dumps(payload).encode() + b"\n"
    (place / "private.ndjson").write_bytes(b"".join(lines))
    return f"payload {at}"


def _edit_opened(place: Path, chance: Random) -> str:
    """What the leaf commits to; the answer beside it is bound by the encrypted payload only."""
    lines = _lines(place, "opened.ndjson")
    at = chance.randrange(len(lines))
    payload = json.loads(lines[at])
    payload["committed"] += " "
    lines[at] = json.dumps(payload).encode() + b"\n"
    (place / "opened.ndjson").write_bytes(b"".join(lines))
    return f"opened payload {at}"


def _edit_pack(place: Path, chance: Random) -> str:
    file = chance.choice(sorted(path for path in place.glob("packs/**/*") if path.is_file()))
    file.write_bytes(_flipped(file.read_bytes(), chance))
    return f"pack file {file.name}"


def _edit_signed(place: Path, chance: Random) -> str:
    """The checkpoint or a key: the text that is signed, or what it is signed with."""
    name = chance.choice(["checkpoint.txt", "keys.json"])
    text = (place / name).read_text("utf-8")
    begin = text.index('"key"') if name == "keys.json" else 0
    at = chance.choice([at for at, letter in enumerate(text) if letter.isdigit() and at > begin])
    (place / name).write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :], "utf-8")
    return f"{name} at {at}"


BUNDLE_EDITS: Mapping[str, Callable[[Path, Random], str]] = {
    "edit a record": _edit_record,
    "edit a record and its leaf": _edit_record_and_leaf,
    "leave a record out": _drop_record,
    "exchange records": _exchange_records,
    "add a record": _add_record,
    "edit a payload": _edit_payload,
    "edit what was opened": _edit_opened,
    "edit a pack": _edit_pack,
    "edit what is signed": _edit_signed,
}
"""Ways to tamper with a bundle, by name."""
