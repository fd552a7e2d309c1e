"""Checkpoints: each signed by a key of the log, each with the root that the leaves have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, select
from sqlmodel import col

from app.record.keys import Keys
from app.record.log.merkle import Frontier
from app.record.log.notes import BadNote, Checkpoint, read_checkpoint
from app.record.log.tree import StoredCheckpoint
from app.record.store.database import blob
from app.record.store.tables import CheckpointRow
from app.record.verifying.verdict import Findings

_BATCH = 1_000
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", re.ASCII)


class Checkpoints:
    """The stored checkpoints and those that were kept elsewhere, compared with the tree as it grows."""

    def __init__(self, connection: Connection, keys: Keys, first: int, kept: Sequence[Checkpoint], findings: Findings) -> None:
        """
        Args:
            connection: a transaction that reads.
            keys: of the log; its public halves are enough.
            first: the index of the first leaf that is read; smaller trees are not compared.
            kept: checkpoints whose signatures were checked.
            findings: where differences go.
        """
        self._connection, self._keys, self._first, self._findings = connection, keys, first, findings
        self._stored = _stored(connection, first)
        self._next = next(self._stored, None)
        self._kept: dict[int, list[Checkpoint]] = {}
        for checkpoint in kept:
            self._kept.setdefault(checkpoint.size, []).append(checkpoint)
        self._agreed = True
        self.count = self.compared = self.last = 0

    def compare(self, tree: Frontier) -> None:
        """The tree has grown by a leaf; its root is only made where a checkpoint has it."""
        while self._next is not None and self._next.size == tree.size:
            self._look_at(self._next, tree.root)
            self._next = next(self._stored, None)
        for checkpoint in self._kept.pop(tree.size, ()):
            self._look_at_kept(checkpoint, tree.root)

    def finish(self, size: int) -> None:
        """The log has no more leaves."""
        if self._next is not None:
            self._findings.add("truncated", f"a checkpoint was signed over {self._next.size} leaves, and the log has {size}", size)
        elif not self._first and (others := self._stored_count() - self.count):
            self._findings.add("checkpoint", f"{others} checkpoints are stored whose size is none")
        elif self.last < size:
            self._findings.add("checkpoint", f"no checkpoint signs the leaves from {self.last} on", size - 1)
        for kept in self._kept:
            if kept > size:
                told = f"a checkpoint of {kept} leaves was kept elsewhere, and the log has {size}: it was rolled back"
                self._findings.add("truncated", told, size)
            else:
                self._findings.add("checkpoint", f"the checkpoint of {kept} leaves that was kept lies before what was read")

    def _stored_count(self) -> int:
        return self._connection.execute(select(func.count()).select_from(CheckpointRow)).scalar_one()

    def _look_at(self, stored: StoredCheckpoint, root: bytes) -> None:
        where = f"the checkpoint of {stored.size} leaves"
        self.count, self.last = self.count + 1, stored.size
        if not _TIME.fullmatch(str(stored.at)):
            self._findings.add("checkpoint", f"{where}: its row does not say when it was signed", stored.size - 1)
        try:
            signed = read_checkpoint(stored.note, self._keys.verifiers)
        except BadNote as error:
            self._findings.add("checkpoint", f"{where}: {error}", stored.size - 1)
            return
        if signed != Checkpoint(self._keys.origin, stored.size, stored.root):
            self._findings.add("checkpoint", f"{where}: its row says something else than what is signed", stored.size - 1)
        elif signed.root != root and self._agreed:
            self._agreed = False
            told = f"{where}: the leaves do not have the root that was signed; those before it were changed, added, taken away or moved"
            self._findings.add("root", told, stored.size - 1)

    def _look_at_kept(self, checkpoint: Checkpoint, root: bytes) -> None:
        self.compared += 1
        where = f"the checkpoint of {checkpoint.size} leaves that was kept elsewhere"
        if checkpoint.origin != self._keys.origin:
            self._findings.add("checkpoint", f"{where} is of another log, {checkpoint.origin}")
        elif checkpoint.root != root:
            self._findings.add("root", f"{where} has another root: the log was changed after it was signed", checkpoint.size - 1)


def _stored(connection: Connection, first: int) -> Iterator[StoredCheckpoint]:
    last = first - 1
    while True:
        query = select(col(CheckpointRow.size), col(CheckpointRow.root), col(CheckpointRow.at), col(CheckpointRow.note))
        rows = connection.execute(query.where(col(CheckpointRow.size) > last).order_by(col(CheckpointRow.size)).limit(_BATCH)).all()
        if not rows:
            return
        yield from (StoredCheckpoint(row.size, blob(row.root), row.at, row.note) for row in rows)
        last = rows[-1].size
