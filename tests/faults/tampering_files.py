"""What can be done to the files of an export, each named for what it does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from app.record.log.merkle import leaf_hash
from tests.faults.tampering_store import NotHere, flipped

Files = dict[str, bytes]
RECORDS, LEAVES, PRIVATE = "records.ndjson", "leaves.csv", "private.ndjson"


def _lines(files: Files, name: str) -> list[bytes]:
    if name not in files:
        raise NotHere
    return files[name].splitlines(keepends=True)


def edit_record(files: Files, dice: random.Random) -> None:
    lines = _lines(files, RECORDS)
    at = dice.randrange(len(lines))
    lines[at] = flipped(lines[at][:-1], dice) + b"\n"
    files[RECORDS] = b"".join(lines)


def edit_record_and_leaf(files: Files, dice: random.Random) -> None:
    lines, leaves = _lines(files, RECORDS), _lines(files, LEAVES)
    at = dice.randrange(len(lines))
    told = json.loads(lines[at])
    told["at"] = "2025" + told["at"][4:]
    lines[at] = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    leaves[at + 1] = f"{at},{leaf_hash(lines[at][:-1]).hex()},\n".encode()
    files[RECORDS], files[LEAVES] = b"".join(lines), b"".join(leaves)


def edit_leaf(files: Files, dice: random.Random) -> None:
    lines = _lines(files, LEAVES)
    at = dice.randrange(1, len(lines))
    index, hashed, state = lines[at].decode().split(",")
    lines[at] = f"{index},{flipped(bytes.fromhex(hashed), dice).hex()},{state}".encode()
    files[LEAVES] = b"".join(lines)


def edit_private(files: Files, dice: random.Random) -> None:
    lines = _lines(files, PRIVATE)
    at = dice.randrange(len(lines))
    told = json.loads(lines[at])
    told["ciphertext"] = told["ciphertext"][:20] + ("A" if told["ciphertext"][20] != "A" else "B") + told["ciphertext"][21:]
    lines[at] = json.dumps(told).encode() + b"\n"
    files[PRIVATE] = b"".join(lines)


def edit_pack(files: Files, dice: random.Random) -> None:
    name = dice.choice([name for name in files if name.startswith("packs/")])
    files[name] = flipped(files[name], dice)


def edit_checkpoint(files: Files, dice: random.Random) -> None:
    text, _, signed = files["checkpoint.txt"].decode().partition("\n\n")
    origin, size, root = text.split("\n")
    files["checkpoint.txt"] = f"{origin}\n{int(size) + 1}\n{root}\n\n{signed}".encode()


def delete_record(files: Files, dice: random.Random) -> None:
    lines = _lines(files, RECORDS)
    lines.pop(dice.randrange(len(lines)))
    files[RECORDS] = b"".join(lines)


def delete_record_and_leaf(files: Files, dice: random.Random) -> None:
    lines, leaves = _lines(files, RECORDS), _lines(files, LEAVES)
    at = dice.randrange(len(lines))
    lines.pop(at)
    hashes = [leaf.decode().split(",")[1] for leaf in leaves[1:]]
    hashes.pop(at)
    files[RECORDS] = b"".join(lines)
    files[LEAVES] = leaves[0] + b"".join(f"{index},{hashed},\n".encode() for index, hashed in enumerate(hashes))


def delete_private(files: Files, dice: random.Random) -> None:
    lines = _lines(files, PRIVATE)
    lines.pop(dice.randrange(len(lines)))
    files[PRIVATE] = b"".join(lines)


def delete_pack(files: Files, dice: random.Random) -> None:
    for name in [name for name in files if name.startswith("packs/")]:
        del files[name]


def insert_record(files: Files, dice: random.Random) -> None:
    lines = _lines(files, RECORDS)
    lines.insert(dice.randrange(len(lines) + 1), dice.choice(lines))
    files[RECORDS] = b"".join(lines)


def insert_record_and_leaf(files: Files, dice: random.Random) -> None:
    lines, leaves = _lines(files, RECORDS), _lines(files, LEAVES)
    lines.append(lines[dice.randrange(len(lines))])
    leaves.append(f"{len(leaves) - 1},{leaf_hash(lines[-1][:-1]).hex()},\n".encode())
    files[RECORDS], files[LEAVES] = b"".join(lines), b"".join(leaves)


def reorder_records(files: Files, dice: random.Random) -> None:
    lines = _lines(files, RECORDS)
    one, other = dice.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    files[RECORDS] = b"".join(lines)


def reorder_records_and_leaves(files: Files, dice: random.Random) -> None:
    lines, leaves = _lines(files, RECORDS), _lines(files, LEAVES)
    one, other = dice.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    files[RECORDS] = b"".join(lines)
    made = (f"{index},{leaf_hash(line[:-1]).hex()},\n".encode() for index, line in enumerate(lines))
    files[LEAVES] = leaves[0] + b"".join(made)


def truncate_records(files: Files, dice: random.Random) -> None:
    lines, leaves = _lines(files, RECORDS), _lines(files, LEAVES)
    at = dice.randrange(len(lines))
    files[RECORDS], files[LEAVES] = b"".join(lines[:at]), b"".join(leaves[: at + 1])


ACTS: tuple[Callable[[Files, random.Random], None], ...] = (
    *(edit_record, edit_record_and_leaf, edit_leaf, edit_private, edit_pack, edit_checkpoint),
    *(delete_record, delete_record_and_leaf, delete_private, delete_pack, insert_record, insert_record_and_leaf),
    *(reorder_records, reorder_records_and_leaves, truncate_records),
)
