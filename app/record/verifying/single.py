"""One entry: its envelope against its leaf, the leaf against the newest checkpoint, the rows around it against the entry."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.campaigns.ids import is_row
from app.record.campaigns.stored import stored_row
from app.record.damage import DamagedEntry
from app.record.keys import Keys
from app.record.log import tree
from app.record.log.merkle import leaf_hash, verify_inclusion
from app.record.log.notes import BadNote, Checkpoint, read_checkpoint
from app.record.store.tables import EntryRow
from app.record.verifying.damage import damage_in
from app.record.verifying.opening import Opening
from app.record.verifying.reading import Entry, columns, entry_of
from app.record.verifying.rows import rows_of_entry
from app.record.verifying.verdict import Finding, Findings, Verdict

_NONE = "the record has no entry of this id"


class NoSuchEntry(LookupError):
    """The record has no entry of this id."""


def verify_entry(connection: Connection, keys: Keys, entry_id: str, *, kept: Sequence[Checkpoint] = (), opening: bool = False) -> Verdict:
    """Check one entry by its proof, and the rows around it, without reading the rest of the log.

    Args:
        connection: a transaction that sees one state of the database.
        keys: of the log.
        entry_id: a decision, or any other entry.
        kept: checkpoints that were kept elsewhere; those that have the leaf must go on to the newest one.
        opening: open its private payload too.

    Raises:
        NoSuchEntry: there is neither an entry nor a leaf of this id.
    """
    try:
        return _verified(connection, keys, entry_id, kept, opening=opening)
    except NoSuchEntry:
        raise
    except Exception as error:
        told = damage_in(error)
        if told is None:
            raise
        return Verdict(keys.origin, 0, findings=(Finding("damaged", f"the entry cannot be verified: {told}", None, entry_id),))


def _verified(connection: Connection, keys: Keys, entry_id: str, kept: Sequence[Checkpoint], *, opening: bool) -> Verdict:
    if is_row(entry_id):
        return _verified_row(connection, keys, entry_id, kept, opening=opening)
    found = connection.execute(select(*columns()).where(col(EntryRow.id) == entry_id)).first()
    leaf = tree.leaf_of(connection, entry_id)
    if found is None and leaf is None:
        raise NoSuchEntry(_NONE)
    findings = Findings()
    entry = None if found is None else entry_of(found)
    index = None if leaf is None else leaf.index
    if entry is None:
        findings.add("record", "the entry is gone; its leaf is there", index, entry_id)
    else:
        for what, message in entry.faults(entry.told):
            findings.add(what, message, index, entry_id)
    if leaf is not None:
        _prove(connection, keys, leaf, entry, findings)
    if entry is not None:
        rows_of_entry(connection, keys, index, entry, findings)
    opened = Opening(connection, keys, findings)
    if opening and entry is not None:
        opened.look([(index, entry)])
    compared = _compare(connection, keys, kept, findings)
    return Verdict(
        origin=keys.origin,
        size=tree.size(connection),
        first=index or 0,
        checkpoints=int(leaf is not None),
        records=int(entry is not None),
        waiting=int(leaf is None),
        opened=opened.opened,
        sealed_for_good=opened.erased,
        kept=compared,
        findings=findings.sorted(),
    )


def _verified_row(connection: Connection, keys: Keys, decision_id: str, kept: Sequence[Checkpoint], *, opening: bool) -> Verdict:
    """A decision of a campaign: it is one of its part, and the part's leaf is in the log."""
    try:
        row = stored_row(connection, decision_id)
    except DamagedEntry as error:
        return Verdict(keys.origin, tree.size(connection), findings=(Finding("chunk", str(error), None, decision_id),))
    if row is None:
        raise NoSuchEntry(_NONE)
    findings, leaf = Findings(), tree.leaf_of(connection, row.chunk.entry_id)
    part = connection.execute(select(*columns()).where(col(EntryRow.id) == row.chunk.entry_id)).first()
    if leaf is not None:
        _prove(connection, keys, leaf, None if part is None else entry_of(part), findings)
    told = orjson.loads(row.envelope)
    entry = Entry(row.id, "decision", told["at"], row.subject, row.envelope, row.private)
    for what, message in entry.faults(told):
        findings.add(what, message, None if leaf is None else leaf.index, row.id)
    rows_of_entry(connection, keys, None, entry, findings)
    opened = Opening(connection, keys, findings)
    if opening:
        opened.look([(None if leaf is None else leaf.index, entry)])
    return Verdict(
        origin=keys.origin,
        size=tree.size(connection),
        first=0 if leaf is None else leaf.index,
        checkpoints=int(leaf is not None),
        rows=1,
        waiting=int(leaf is None),
        opened=opened.opened,
        sealed_for_good=opened.erased,
        kept=_compare(connection, keys, kept, findings),
        findings=findings.sorted(),
    )


def _prove(connection: Connection, keys: Keys, leaf: tree.Leaf, entry: Entry | None, findings: Findings) -> None:
    if entry is not None and leaf_hash(entry.envelope) != leaf.hash:
        findings.add("record", "the entry is not the one that was sealed: it or its leaf was changed", leaf.index, leaf.entry_id)
    try:
        proof = tree.inclusion(connection, leaf.entry_id)
        if proof is None:
            findings.add("checkpoint", "no checkpoint signs this leaf", leaf.index, leaf.entry_id)
            return
        signed = read_checkpoint(proof.checkpoint.note, keys.verifiers)
    except (BadNote, LookupError) as error:
        findings.add("checkpoint", f"the newest checkpoint: {error}", leaf.index, leaf.entry_id)
        return
    if signed.origin != keys.origin or not verify_inclusion(leaf.hash, leaf.index, signed.size, proof.path, signed.root):
        findings.add("root", "the leaf is not in the log that the newest checkpoint signs", leaf.index, leaf.entry_id)


def _compare(connection: Connection, keys: Keys, kept: Sequence[Checkpoint], findings: Findings) -> int:
    """See that the log goes on from each checkpoint that was kept."""
    size = tree.size(connection)
    for checkpoint in kept:
        where = f"the checkpoint of {checkpoint.size} leaves that was kept elsewhere"
        if checkpoint.origin != keys.origin:
            findings.add("checkpoint", f"{where} is of another log, {checkpoint.origin}")
        elif checkpoint.size > size:
            findings.add("truncated", f"{where} has more leaves than the log, which has {size}: it was rolled back", size)
        elif _root(connection, checkpoint.size) != checkpoint.root:
            findings.add("root", f"{where} has another root: the log was changed after it was signed", checkpoint.size - 1)
    return len(kept)


def _root(connection: Connection, size: int) -> bytes | None:
    try:
        return tree.root(connection, size)
    except LookupError:
        return None
