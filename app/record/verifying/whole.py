"""The log from one leaf to its end, with the rows that restate its entries, in one pass with constant memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.keys import Keys
from app.record.log import tree
from app.record.log.merkle import Frontier, leaf_hash
from app.record.log.notes import Checkpoint
from app.record.log.sealer import SEALER
from app.record.log.tiles import Tiles
from app.record.store.tables import EntryRow, LeafRow, TreeRow, UnsealedRow
from app.record.verifying.archives import Archives
from app.record.verifying.damage import damage_in
from app.record.verifying.opening import Opening
from app.record.verifying.reading import BATCH, Entry, Sealed, leaves, waiting
from app.record.verifying.rows import Rows
from app.record.verifying.sequences import Sequences
from app.record.verifying.signing import Checkpoints
from app.record.verifying.tiling import Tiling
from app.record.verifying.verdict import MOST_FINDINGS, Finding, Findings, Verdict

Progress = Callable[[int, int], None]
"""Told how many leaves were read, and how many there are."""


def verify_log(
    connection: Connection,
    keys: Keys,
    *,
    first: int = 0,
    kept: Sequence[Checkpoint] = (),
    opening: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Verdict:
    """Read the log again and compare it with everything that was signed.

    Args:
        connection: a transaction that sees one state of the database.
        keys: of the log.
        first: the first leaf to read; those before it are held together by the root that the checkpoint of that size signs.
        kept: checkpoints that were kept elsewhere, by a witness or in a file, whose signatures were checked.
        opening: open private payloads too, where that is still possible.
        progress: told after each batch.
    """
    try:
        reading = _Pass(connection, keys, first, kept, opening=opening)
    except Exception as error:
        told = damage_in(error)
        if told is None:
            raise
        return Verdict(keys.origin, 0, findings=(Finding("damaged", f"the store cannot be read: {told}"),))
    return reading.run(progress)


class _Pass:
    """One reading of the log."""

    def __init__(self, connection: Connection, keys: Keys, first: int, kept: Sequence[Checkpoint], *, opening: bool) -> None:
        self.connection, self.keys, self.first = connection, keys, first
        self.findings = Findings()
        self.size = tree.size(connection)
        self.tree = self._begin()
        self.tiling = Tiling(connection, first, self.findings)
        self.checkpoints = Checkpoints(connection, keys, first, kept, self.findings)
        self.sequences = Sequences(from_start=first == 0)
        self.archives = Archives.read(connection)
        self.opening = Opening(connection, keys, self.findings) if opening else None
        self.records = self.waiting = 0
        self.rows: Rows | None = None

    def run(self, progress: Progress) -> Verdict:
        try:
            self._read(progress)
        except Exception as error:
            told = damage_in(error)
            if told is None:
                raise
            self.findings.add("damaged", f"the store cannot be read on from here: {told}", self.tree.size)
        return self._verdict()

    def _read(self, progress: Progress) -> None:
        self.checkpoints.compare(self.tree)
        self.rows = rows = Rows(self.connection, self.keys, self.first, self.archives, self.findings, self.opening)
        for batch in leaves(self.connection, self.first):
            if not all(self._leaf(sealed) for sealed in batch):
                return
            self._compare(rows, [(sealed.index, sealed.entry) for sealed in batch if sealed.entry])
            progress(self.tree.size, self.size)
        self._end(rows)

    def _compare(self, rows: Rows, entries: Sequence[tuple[int | None, Entry]]) -> None:
        """Hold what hangs on a batch of entries against them: the rows that restate them, and their payloads."""
        rows.look(entries)
        if self.opening:
            self.opening.look(entries)

    def _begin(self) -> Frontier:
        if not self.first:
            return Frontier()
        try:
            return Frontier.read(self.first, Tiles(self.connection).subtree)
        except LookupError as error:
            self.findings.add("tile", str(error), self.first)
            return Frontier.read(self.first, lambda _level, _index: bytes(32))

    def _leaf(self, sealed: Sealed) -> bool:
        """Take the next leaf; false where one before it is not there, so that nothing after it can be compared."""
        if sealed.index != self.tree.size:
            self.findings.add("leaf", f"the leaf is not there; the next one is {sealed.index}", self.tree.size)
            return False
        if sealed.entry is not None:
            self._entry(sealed, sealed.entry)
        elif not self.archives.allows(sealed.index, sealed.entry_id):
            self.findings.add("record", "the entry was deleted: its month was not archived", sealed.index, sealed.entry_id)
        self.tree.append(sealed.hash)
        self.tiling.add(sealed.hash)
        self.checkpoints.compare(self.tree)
        return True

    def _entry(self, sealed: Sealed, entry: Entry) -> None:
        self.records += 1
        if leaf_hash(entry.envelope) != sealed.hash:
            self.findings.add("record", "the entry is not the one that was sealed: it or its leaf was changed", sealed.index, entry.id)
        self._look_into(entry, sealed.index)
        if sealed.at != entry.at:
            self.findings.add("leaf", "the leaf has another time than its entry: by dates it is not found", sealed.index, entry.id)

    def _look_into(self, entry: Entry, leaf: int | None) -> None:
        told = entry.told
        for what, message in entry.faults(told):
            self.findings.add(what, message, leaf, entry.id)
        writer, number = (told or {}).get("writer"), (told or {}).get("sequence")
        if not isinstance(writer, str) or not isinstance(number, int):
            self.findings.add("sequence", "the envelope does not say which writer wrote it, as which number", leaf, entry.id)
        elif not self.sequences.see(writer, number, leaf):
            self.findings.add("sequence", f"the writer {writer} has used the number {number} twice", leaf, entry.id)

    def _end(self, rows: Rows) -> None:
        if self.tree.size != self.size:
            self.findings.add("truncated", f"the log ends here, and is said to have {self.size} leaves", self.tree.size)
        self.tiling.finish()
        self.checkpoints.finish(self.tree.size)
        self._waiting(rows)
        rows.finish()
        self.archives.finish(self.findings)
        self.findings.extend(self.sequences.missing(self.archives.explains))
        self._without_leaf()
        self._heartbeats()

    def _waiting(self, rows: Rows) -> None:
        found = waiting(self.connection)
        while batch := list(islice(found, BATCH)):
            self.waiting += len(batch)
            for entry_id, entry in batch:
                if entry is None:
                    self.findings.add("record", "an entry that waits for its leaf was deleted", None, entry_id)
                else:
                    self._look_into(entry, None)
            self._compare(rows, [(None, entry) for _, entry in batch if entry])

    def _without_leaf(self) -> None:
        query = (
            select(col(EntryRow.id))
            .join(LeafRow, col(LeafRow.entry_id) == col(EntryRow.id), isouter=True)
            .join(UnsealedRow, col(UnsealedRow.entry_id) == col(EntryRow.id), isouter=True)
            .where(col(LeafRow.entry_id).is_(None), col(UnsealedRow.entry_id).is_(None))
        )
        for (entry_id,) in self.connection.execute(query.limit(MOST_FINDINGS)):
            self.findings.add("entry", "an entry has no leaf, and waits for none: it was put there past the log", None, entry_id)

    def _heartbeats(self) -> None:
        """What the store says of heartbeats is where the sealer goes on counting."""
        row = self.connection.execute(select(col(TreeRow.heartbeat), col(TreeRow.heartbeats))).one()
        last, whole = self.sequences.last_of(SEALER), self.first == 0 and not self.archives.count
        counted = type(row.heartbeats) is int and (last or 0) <= row.heartbeats and (not whole or row.heartbeats == (last or 0))
        newest = select(col(EntryRow.at)).where(col(EntryRow.kind) == "heartbeat").order_by(col(EntryRow.id).desc()).limit(1)
        if not counted or row.heartbeat != (self.connection.execute(newest).scalar() or row.heartbeat):
            self.findings.add("damaged", "the store says something else of the log's heartbeats (`tree.heartbeat`) than their entries")

    def _verdict(self) -> Verdict:
        return Verdict(
            origin=self.keys.origin,
            size=self.tree.size,
            first=self.first,
            checkpoints=self.checkpoints.count,
            records=self.records,
            rows=self.rows.decisions_of_campaigns if self.rows else 0,
            archived=self.archives.count,
            waiting=self.waiting,
            writers=len(self.sequences),
            opened=self.opening.opened if self.opening else 0,
            sealed_for_good=self.opening.erased if self.opening else 0,
            kept=self.checkpoints.compared,
            findings=self.findings.sorted(),
        )
