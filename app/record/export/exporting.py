"""Exporting: a bundle with records, the proof that they stand in the signed log, and all that a stranger needs to check it offline."""

from __future__ import annotations

import base64
import contextlib
import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.campaigns.files import held_name_of, name_of
from app.record.campaigns.model import CHUNK, HELD
from app.record.campaigns.stored import StoredRow, stored_rows
from app.record.canonical import canonical
from app.record.export.analysis import Analysis
from app.record.export.bundling import Bundle, bundle_at
from app.record.keys import Keys, public_half
from app.record.log import tree
from app.record.log.stretches import Stretch, joined, of_entries
from app.record.packs.library import stored_content
from app.record.privacy import open_private, unwrap
from app.record.store.database import chunks_of, stamp
from app.record.store.tables import CheckpointRow, EntryRow
from app.record.verifying.opening import wrapped_keys
from app.record.verifying.reading import Entry, Sealed, leaves, waiting

_FORMAT = 1


class NothingSealed(Exception):
    """What is asked for has no leaf in the log, or none yet."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What goes into a bundle.

    `opened` are the tokens of subjects whose private payloads are opened, `asked` says in the bundle what was asked for, `added` are files
    to put beside the others. `rows` are decisions of campaigns, of whose parts the stretches have the entries; `files`: the files of all
    parts of campaigns that the stretches have, and of what limits made of them, go in as they are.
    """

    stretches: Sequence[Stretch]
    opened: Collection[str] = ()
    asked: dict[str, Any] = field(default_factory=dict)
    parquet: bool = False
    added: dict[str, bytes] = field(default_factory=dict)
    rows: Sequence[str] = ()
    files: bool = False


@dataclass(slots=True)
class Exported:
    """What a bundle holds: records, of them opened ones, leaves whose records were archived, and the log's size that it proves them in.

    `rows` decisions of campaigns stand beside the records. `packs` decided them; those of `without` are not in the store, and so not in
    the bundle.
    """

    size: int
    records: int = 0
    opened: int = 0
    archived: int = 0
    rows: int = 0
    packs: set[str] = field(default_factory=set)
    without: set[str] = field(default_factory=set)


def export(connection: Connection, keys: Keys, wanted: Wanted, out: Path, now: datetime.datetime) -> Exported:
    """Write a bundle.

    Args:
        connection: a transaction that sees one state of the database.
        keys: of the log; their public halves go into the bundle, and the newest signs its list of contents.
        wanted: what goes into it.
        out: where it goes: a folder, or a file whose name ends in `.zip`.
        now: the time.

    Raises:
        BundleProblem: there is something at this place already.
        NothingSealed: there is nothing to export.
    """
    newest = tree.checkpoint(connection)
    if newest is None or not wanted.stretches:
        raise NothingSealed("nothing of this is in the log, or not yet: entries are sealed within seconds")
    stretches = joined([*wanted.stretches, *_archives(connection, newest.size)])
    with bundle_at(out) as bundle:
        bundle.write("keys.json", _json(public_half(keys)))
        bundle.write("checkpoint.txt", newest.note.encode())
        _checkpoints(connection, bundle, stretches)
        writer = _Writer(connection, keys, wanted, bundle, Exported(newest.size))
        exported = writer.run(stretches)
        writer.put_rows()
        exported.without = _packs(connection, bundle, exported.packs)
        bundle.write("bundle.json", _json(_about(connection, wanted, stretches, exported, now)))
        for name, content in wanted.added.items():
            bundle.write(name, content)
        bundle.finish(keys)
    return exported


class _Writer:
    """Writes records, leaves and private payloads side by side, a batch at a time."""

    def __init__(self, connection: Connection, keys: Keys, wanted: Wanted, bundle: Bundle, exported: Exported) -> None:
        self._connection, self._keys, self._wanted, self._bundle, self._exported = connection, keys, wanted, bundle, exported
        self._subject_keys = {token: unwrap(keys, *found) for token, found in wrapped_keys(connection, wanted.opened).items()}

    def run(self, stretches: Iterable[Stretch]) -> Exported:
        with contextlib.ExitStack() as stack:
            names = ("leaves.csv", "records.ndjson", "private.ndjson", "opened.ndjson")
            self._leaves, self._records, self._private, self._opened = (stack.enter_context(self._bundle.open(name)) for name in names)
            analysis = stack.enter_context(Analysis(self._bundle.folder / "parquet")) if self._wanted.parquet else None
            self._leaves.add(b"index,hash,record")
            for stretch in stretches:
                for batch in leaves(self._connection, stretch.first, stretch.last + 1):
                    for sealed in batch:
                        self._leaf(sealed, analysis)
        return self._exported

    def _leaf(self, sealed: Sealed, analysis: Analysis | None) -> None:
        state = "archived" if sealed.entry is None else ""
        self._leaves.add(f"{sealed.index},{sealed.hash.hex()},{state}".encode())
        if sealed.entry is None:
            self._exported.archived += 1
            return
        self._exported.records += 1
        self._records.add(sealed.entry.envelope)
        told = sealed.entry.told or {}
        if sealed.entry.kind in ("decision", CHUNK):
            self._exported.packs.add(told["body"]["pack"])
        if sealed.entry.kind in (CHUNK, HELD) and self._wanted.files:
            self._put_file(told["body"])
        if sealed.entry.private is not None:
            self._private.add(orjson.dumps({"id": sealed.entry.id, "ciphertext": base64.b64encode(sealed.entry.private).decode()}))
            if sealed.entry.subject in self._subject_keys:
                self._opened.add(orjson.dumps(self._open(sealed.entry, self._subject_keys[sealed.entry.subject])))
                self._exported.opened += 1
        if analysis:
            analysis.add(told)

    def put_rows(self) -> None:
        """Decisions of campaigns, each with the path to the root of its part."""
        with self._bundle.open("rows.ndjson") as lines:
            for row in sorted(stored_rows(self._connection, self._wanted.rows).values(), key=lambda row: row.id):
                place = {"chunk": row.chunk.entry_id, "position": row.position, "path": [step.hex() for step in row.path]}
                opened = None
                if row.subject in self._subject_keys:
                    opened = self._open(row, self._subject_keys[row.subject])
                    self._exported.opened += 1
                said = {"envelope": row.envelope.decode(), "ciphertext": base64.b64encode(row.private).decode(), "opened": opened}
                lines.add(orjson.dumps(place | said))
                self._exported.rows += 1

    def _put_file(self, body: Mapping[str, Any]) -> None:
        """The file of a part, or with what limits made of its campaign, under the name by which its hash is found."""
        name = name_of(body["number"], body["file"]) if "number" in body else held_name_of(body["file"])
        self._bundle.copy(chunks_of(self._connection) / body["job"] / name, f"chunks/{body['job']}/{name}")

    def _open(self, entry: Entry | StoredRow, key: bytes) -> dict[str, Any]:
        """The payload: what the leaf commits to as the exact text, and the rest."""
        payload = open_private(key, entry.private or b"", entry.id.encode())
        salt = payload.pop("salt")
        committed, beside = (payload.pop("case"), payload) if "case" in payload else (payload, {})
        return {"id": entry.id, "salt": salt, "committed": canonical(committed).decode(), **beside}


def _archives(connection: Connection, size: int) -> list[Stretch]:
    """The entries that say which months were archived: without them leaves without a record would be nobody's word."""
    return of_entries(connection, size, connection.execute(select(col(EntryRow.id)).where(col(EntryRow.kind) == "archived")).scalars())


def _checkpoints(connection: Connection, bundle: Bundle, stretches: Iterable[Stretch]) -> None:
    """The last checkpoint of each day, as far as the leaves that are exported show its root."""
    for stretch in stretches:
        query = select(func.max(col(CheckpointRow.size))).where(
            col(CheckpointRow.size) >= max(stretch.first, 1), col(CheckpointRow.size) <= stretch.last + 1
        )
        sizes = connection.execute(query.group_by(func.substr(col(CheckpointRow.at), 1, 10))).scalars().all()
        for size in sizes:
            found = tree.checkpoint(connection, covering=size - 1)
            if found is not None:
                bundle.write(f"checkpoints/{size:012}.txt", found.note.encode())


def _packs(connection: Connection, bundle: Bundle, digests: Iterable[str]) -> set[str]:
    """Put the packs into the bundle; those that the store does not have."""
    without = set()
    for digest in digests:
        content = stored_content(connection, digest)
        if content is None:
            without.add(digest)
            continue
        for path, text in content.files.items():
            bundle.write(f"packs/{digest.removeprefix('sha256:')}/{path}", text)
    return without


def _about(
    connection: Connection, wanted: Wanted, stretches: Sequence[Stretch], exported: Exported, now: datetime.datetime
) -> dict[str, Any]:
    whole = list(stretches) == [Stretch(0, exported.size - 1)]
    return {
        "format": _FORMAT,
        "made": stamp(now),
        "asked": wanted.asked,
        "size": exported.size,
        "stretches": [_stretch(connection, stretch, exported.size) for stretch in stretches],
        "records": exported.records,
        "opened": exported.opened,
        "rows": exported.rows,
        "archived": exported.archived,
        "without_packs": sorted(exported.without),
        "whole": whole,
        "waiting": _waiting(connection) if whole else [],
    }


def _stretch(connection: Connection, stretch: Stretch, size: int) -> dict[str, Any]:
    left, right = ([found.hex() for found in edge] for edge in stretch.edges(connection, size))
    return {"first": stretch.first, "last": stretch.last, "left": left, "right": right}


def _waiting(connection: Connection) -> list[dict[str, Any]]:
    """Which numbers of which writers have no leaf yet."""
    found = (entry.told for _, entry in waiting(connection) if entry is not None)
    return [{"writer": told["writer"], "sequence": told["sequence"]} for told in found if told]


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
