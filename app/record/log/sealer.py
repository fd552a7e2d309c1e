"""Sealing: entries that wait become leaves of the log, whose new root is signed. Every second, by one process at a time."""

from __future__ import annotations

import datetime
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import structlog
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from app.record.canonical import canonical
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.merkle import leaf_hash, root
from app.record.log.notes import Checkpoint, sign_checkpoint
from app.record.log.tiles import Tiles
from app.record.outgoing.outbox import Leaf, put_out
from app.record.search.filling import fill, with_pauses
from app.record.store.database import Database, cause, changed, fetched, run, stamp
from app.record.store.tables import CheckpointRow, DailyCountRow, EntryRow, LeafRow, SubjectLeafRow, TreeRow

EVERY = 1.0
"""Seconds between two rounds."""
MOST_LEAVES = 250
"""Of one transaction: SQLite has one writer, and decisions wait for it meanwhile."""
HEARTBEAT = datetime.timedelta(minutes=1)
"""A log that says nothing for longer was stopped, or what it said was taken away."""
SEALER = "sealer"
"""The writer of heartbeats."""
PAUSE = 0.0005
"""Seconds, of a sealer beside others who store."""
_SWITCH_SECONDS = 0.0005
LOCK = 0x5EA1
"""Of whoever adds to the log."""
_WAITING = """
SELECT entry.id, entry.at, entry.kind, entry.subject, entry.envelope, unsealed.tally
FROM unsealed JOIN {entry} ON entry.id = unsealed.entry_id ORDER BY unsealed.entry_id LIMIT {most}
"""
_ONE_BY_ONE = "LATERAL (SELECT * FROM entry WHERE entry.id = unsealed.entry_id OFFSET 0) AS entry"
"""The entries of what waits on PostgreSQL, which cannot know how little that is: it would read all entries to join them."""
_log = structlog.get_logger("wanliu.record")


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of sealing did: how many leaves it added, and how many the log has now."""

    added: int
    size: int


class _Waiting(NamedTuple):
    """An entry that waits for its leaf."""

    id: str
    at: str
    kind: str
    subject: str | None
    envelope: bytes
    tally: bytes | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What waits, and all of its leaves that can be worked out before anybody has to wait for it: `size` is the log's before them."""

    size: int
    waiting: Sequence[_Waiting]
    hashes: Sequence[bytes]
    counts: Mapping[tuple[str, str, str, str], int]

    @classmethod
    def of(cls, size: int, waiting: Sequence[_Waiting], pause: float) -> _Prepared:
        """Work it out, with pauses, in seconds."""
        hashes = [leaf_hash(entry.envelope) for entry in waiting]
        return cls(size, waiting, hashes, _summed(with_pauses(waiting, pause)))


class Overtaken(Exception):
    """Another process sealed in the meantime; nothing was changed."""


class Sealer:
    """Seals the entries of one database. Any number of processes may have one; they take turns."""

    def __init__(self, database: Database, keys: Keys, clock: Callable[[], datetime.datetime], *, pause: float = 0) -> None:
        """
        Args:
            database: what is sealed.
            keys: sign the log.
            clock: what time it is.
            pause: seconds for which others of this process may go on, again and again: they would wait for Python's one lock.
        """
        self._database, self._keys, self._clock, self._pause = database, keys, clock, pause
        self._ids = Ids()

    def seal(self) -> Round:
        """Seal everything that waits, put a heartbeat on the log when the last is a minute old, and make what was sealed findable.

        Raises:
            SQLAlchemyError: the database does not take it; nothing is lost, the next round seals it.
        """
        added = 0
        while True:
            try:
                done = self._round()
            except Overtaken:
                continue
            added += done.added
            if done.added < MOST_LEAVES:
                break
        fill(self._database, self._pause)
        return Round(added, done.size)

    def _round(self) -> Round:
        """One transaction's leaves. What they are is worked out before it, since on SQLite all who write wait for it."""
        now = self._clock()
        with self._database.reading() as connection:
            tree = connection.execute(select(col(TreeRow.size), col(TreeRow.heartbeat), col(TreeRow.heartbeats))).one()
            waiting = _waiting(self._database, connection)
        beat = self._beat(now, tree.heartbeats + 1) if tree.heartbeat <= stamp(now - HEARTBEAT) else None
        leaves = waiting if beat is None else [*waiting, beat]
        if leaves:
            prepared = _Prepared.of(tree.size, leaves, self._pause)
            with self._database.writing() as connection:
                self._database.lock(connection, LOCK)
                self._add(connection, prepared, now)
                if beat is not None:
                    self._put_beat(connection, beat, tree.heartbeats + 1)
        return Round(len(leaves), tree.size + len(leaves))

    def _beat(self, now: datetime.datetime, number: int) -> _Waiting:
        """A heartbeat, beside the entries that wait: `sealer` is the writer of these, one a minute, counted without a gap."""
        entry_id = self._ids.new(now)
        envelope = {"v": 1, "id": entry_id, "kind": "heartbeat", "at": stamp(now), "writer": SEALER, "sequence": number, "body": {}}
        return _Waiting(entry_id, stamp(now), "heartbeat", None, canonical(envelope), None)

    def _put_beat(self, connection: Connection, beat: _Waiting, number: int) -> None:
        row = {"id": beat.id, "kind": beat.kind, "at": beat.at, "envelope": beat.envelope}
        connection.execute(insert(EntryRow), row)
        connection.execute(update(TreeRow).values(heartbeat=beat.at, heartbeats=number))

    def _add(self, connection: Connection, made: _Prepared, now: datetime.datetime) -> None:
        """Make leaves of what waits, extend the tree, sign it, count, and put out what is told."""
        size, waiting, new = made.size, made.waiting, made.size + len(made.waiting)
        if changed(connection.execute(update(TreeRow).where(col(TreeRow.size) == size).values(size=new))) != 1:
            raise Overtaken
        leaves = [
            {"leaf_index": index, "entry_id": entry.id, "at": entry.at, "hash": hashed}
            for index, (entry, hashed) in enumerate(zip(waiting, made.hashes, strict=True), size)
        ]
        self._database.append(connection, LeafRow, leaves)
        self._sign(connection, size, made.hashes, now)
        put_out(self._database, connection, [_leaf(index, entry) for index, entry in enumerate(waiting, size)])
        self._note_subjects(connection, size, waiting)
        self._count(connection, made.counts)
        among, values = self._database.is_one_of([entry.id for entry in waiting])
        run(connection, f"DELETE FROM unsealed WHERE entry_id {among}", values)  # noqa: S608 - it has marks for the values

    def _sign(self, connection: Connection, size: int, hashes: Sequence[bytes], now: datetime.datetime) -> None:
        tiles, new = Tiles(connection), size + len(hashes)
        tiles.append(size, hashes)
        made = root(new, tiles.subtree)
        tiles.store(self._database)
        note = sign_checkpoint(Checkpoint(self._keys.origin, new, made), self._keys.signer)
        connection.execute(insert(CheckpointRow), {"size": new, "root": made, "at": stamp(now), "note": note})

    def _note_subjects(self, connection: Connection, size: int, waiting: Sequence[_Waiting]) -> None:
        rows = [{"subject": entry.subject, "leaf_index": index} for index, entry in enumerate(waiting, size) if entry.subject]
        self._database.append(connection, SubjectLeafRow, rows)

    def _count(self, connection: Connection, sums: Mapping[tuple[str, str, str, str], int]) -> None:
        """Add the anonymous counts of what waits, in one order, so that two who count never wait for each other."""
        columns = ("day", "pack", "measure", "grouped")
        rows: list[dict[str, Any]] = [{**dict(zip(columns, key, strict=True)), "number": sums[key]} for key in sorted(sums)]
        self._database.add_up(connection, DailyCountRow, rows, column="number")


class SealerThread:
    """Seals every second until it is stopped. What fails is logged, and tried again."""

    def __init__(self, sealer: Sealer, *, every: float = EVERY) -> None:
        self._sealer, self._every = sealer, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def start(self) -> None:
        """Begin. From now on who works long in this process lets others go on sooner than Python would: they store decisions meanwhile."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._thread.start()

    def stop(self) -> None:
        """End after a last round."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            self._seal()
        self._seal()

    def _seal(self) -> None:
        try:
            self._sealer.seal()
        except SQLAlchemyError as error:
            _log.warning("not_sealed", cause=cause(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round may go well
            _log.error("not_sealed", exc_info=error)


def _waiting(database: Database, connection: Connection) -> list[_Waiting]:
    """The first entries that wait, oldest first. One that is gone from `entry` keeps waiting, for the verifier to find."""
    entry = "entry" if database.is_sqlite else _ONE_BY_ONE
    return [_Waiting(*row) for row in fetched(connection, _WAITING.format(entry=entry, most=MOST_LEAVES))]


def _leaf(index: int, entry: _Waiting) -> Leaf:
    return Leaf(index, entry.id, entry.kind, entry.at, entry.subject, entry.envelope)


def _summed(waiting: Iterable[_Waiting]) -> Mapping[tuple[str, str, str, str], int]:
    sums: dict[tuple[str, str, str, str], int] = {}
    for key, number in _counts(waiting):
        sums[key] = sums.get(key, 0) + number
    return sums


def _counts(waiting: Iterable[_Waiting]) -> Iterator[tuple[tuple[str, str, str, str], int]]:
    for tally in (orjson.loads(entry.tally) for entry in waiting if entry.tally is not None):
        for measure, grouped, number in tally["counts"]:
            yield (tally["day"], tally["pack"], measure, grouped), number
