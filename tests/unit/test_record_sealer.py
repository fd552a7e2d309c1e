"""Sealing: what waits becomes leaves, whatever happens in between."""

from __future__ import annotations

import datetime
import sys
import threading

import pytest
from sqlalchemy import delete, func, insert, select
from sqlmodel import col

from app.record.canonical import canonical
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log import tree
from app.record.log.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from app.record.log.notes import Checkpoint, read_checkpoint
from app.record.log.sealer import Overtaken, Round, Sealer, SealerThread
from app.record.store.database import Database, stamp
from app.record.store.tables import CheckpointRow, DailyCountRow, EntryRow, LeafRow, SubjectLeafRow, TreeRow, UnsealedRow

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
IDS = Ids()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON + datetime.timedelta(seconds=1)

    def __call__(self) -> datetime.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sealer(database: Database, keys: Keys, clock: Clock) -> Sealer:
    return Sealer(database, keys, clock)


def put(database: Database, count: int, *, subject: str | None = None, tally: bytes | None = None) -> list[str]:
    """Entries that wait to be sealed; their ids."""
    ids = [str(IDS.new(NOON)) for _ in range(count)]
    with database.writing() as connection:
        for entry_id in ids:
            envelope = canonical({"v": 1, "id": entry_id, "kind": "started", "at": stamp(NOON), "writer": "w", "sequence": 1, "body": {}})
            row = {"id": entry_id, "kind": "started", "at": stamp(NOON), "subject": subject, "envelope": envelope}
            connection.execute(insert(EntryRow), row)
            connection.execute(insert(UnsealedRow), {"entry_id": entry_id, "tally": tally})
    return ids


def envelopes(database: Database) -> list[bytes]:
    """The envelopes in the order of the log."""
    with database.reading() as connection:
        query = select(col(EntryRow.envelope)).join(LeafRow, col(LeafRow.entry_id) == col(EntryRow.id)).order_by(col(LeafRow.leaf_index))
        return [bytes(envelope) for envelope in connection.execute(query).scalars()]


def test_everything_gets_a_leaf(database: Database, sealer: Sealer) -> None:
    """Each entry that waits gets the next index, oldest first, after the heartbeat of a new log or before it."""
    ids = put(database, 5)
    assert sealer.seal() == Round(6, 6)
    with database.reading() as connection:
        found = [tree.leaf_of(connection, entry_id) for entry_id in ids]
        assert [leaf.index for leaf in found if leaf] == [0, 1, 2, 3, 4]
        assert connection.execute(select(func.count()).select_from(UnsealedRow)).scalar() == 0


def test_nothing_to_do(database: Database, sealer: Sealer) -> None:
    """A round without anything waiting changes nothing: no leaf, no checkpoint."""
    sealer.seal()
    assert sealer.seal() == Round(0, 1)
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(CheckpointRow)).scalar() == 1


def test_heartbeat(database: Database, sealer: Sealer, clock: Clock) -> None:
    """A log whose heart last beat a minute ago beats again; before, it does not."""
    sealer.seal()
    clock.now += datetime.timedelta(seconds=59)
    assert sealer.seal().added == 0
    clock.now += datetime.timedelta(seconds=1)
    assert sealer.seal() == Round(1, 2)
    assert [b'"sequence":1' in envelopes(database)[0], b'"sequence":2' in envelopes(database)[1]] == [True, True]


@pytest.mark.parametrize("rounds", [[1, 2, 3], [255, 1, 1], [300, 300], [520]])
def test_roots_and_proofs(database: Database, sealer: Sealer, keys: Keys, rounds: list[int]) -> None:
    """Every checkpoint is signed and has the root of the leaves before it; the last goes on from each, and proves every leaf."""
    for count in rounds:
        put(database, count)
        sealer.seal()
    hashes = [leaf_hash(envelope) for envelope in envelopes(database)]
    with database.reading() as connection:
        newest = tree.checkpoint(connection)
        assert newest is not None
        assert newest.size == len(hashes) == sum(rounds) + 1
        made = connection.execute(select(col(CheckpointRow.size), col(CheckpointRow.root), col(CheckpointRow.note))).all()
        for size, root, note in made:
            assert bytes(root) == root_of(hashes[:size])
            assert read_checkpoint(note, keys.verifiers) == Checkpoint(keys.origin, size, bytes(root))
            proof = tree.consistency(connection, size, newest.size)
            assert verify_consistency(size, newest.size, bytes(root), newest.root, proof)
        for index in (0, len(hashes) // 2, len(hashes) - 1):
            leaf = tree.leaf_at(connection, index)
            assert leaf is not None
            proven = tree.inclusion(connection, leaf.entry_id)
            assert proven is not None
            assert verify_inclusion(hashes[index], index, newest.size, list(proven.path), newest.root)


def test_many_sealers(database: Database, keys: Keys, clock: Clock) -> None:
    """Processes that seal at once make one log: every entry once, no index twice, the root that of all."""
    ids = put(database, 400)
    sealers = [Sealer(database, keys, clock) for _ in range(4)]
    threads = [threading.Thread(target=sealer.seal) for sealer in sealers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert tree.size(connection) == len(ids) + 1
        newest = tree.checkpoint(connection)
        assert newest is not None
        assert newest.root == root_of([leaf_hash(envelope) for envelope in envelopes(database)])


def test_overtaken(database: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds the tree grown since it looked changes nothing and looks again."""
    put(database, 3)
    taken = iter([Overtaken()])
    real = Sealer._round

    def once(self: Sealer) -> Round:
        for failure in taken:
            raise failure
        return real(self)

    monkeypatch.setattr(Sealer, "_round", once)
    assert sealer.seal().added == 4


def test_a_failed_round_leaves_nothing(database: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that fails at its end is undone as a whole, and made up for later."""
    put(database, 3)
    monkeypatch.setattr(Sealer, "_count", _fail)
    with pytest.raises(ZeroDivisionError):
        sealer.seal()
    with database.reading() as connection:
        assert tree.size(connection) == 0
        assert tree.checkpoint(connection) is None
        assert connection.execute(select(col(TreeRow.heartbeats))).scalar() == 0
    monkeypatch.undo()
    assert sealer.seal() == Round(4, 4)


def test_a_gone_entry_keeps_waiting(database: Database, sealer: Sealer) -> None:
    """An entry that was deleted before it was sealed goes on waiting, where the verifier finds it; the others are sealed."""
    gone, *rest = put(database, 3)
    with database.writing() as connection:
        connection.execute(delete(EntryRow).where(col(EntryRow.id) == gone))
    assert sealer.seal().added == len(rest) + 1
    with database.reading() as connection:
        assert connection.execute(select(col(UnsealedRow.entry_id))).scalars().all() == [gone]


def test_counts_and_subjects(database: Database, sealer: Sealer) -> None:
    """What entries add to the anonymous counts is added up, and a subject's leaves are noted."""
    tally = b'{"day":"2026-11-22","pack":"sha256:1","counts":[["offers","{}",2],["offers","{\\"tier\\":\\"gold\\"}",1]]}'
    put(database, 3, subject="t1", tally=tally)
    sealer.seal()
    put(database, 1, tally=tally)
    sealer.seal()
    with database.reading() as connection:
        counts = connection.execute(select(col(DailyCountRow.grouped), col(DailyCountRow.number))).all()
        leaves = connection.execute(select(col(SubjectLeafRow.leaf_index))).scalars().all()
    assert dict(map(tuple, counts)) == {"{}": 8, '{"tier":"gold"}': 4}
    assert sorted(leaves) == [0, 1, 2]


def test_others_go_on_while_it_works(sealer: Sealer) -> None:
    """A process with a thread that seals lets its other threads take turns sooner than Python would: they store decisions."""
    usual = sys.getswitchinterval()
    thread = SealerThread(sealer, every=60)
    try:
        thread.start()
        assert sys.getswitchinterval() < usual
    finally:
        thread.stop()
        sys.setswitchinterval(usual)


def _fail(*_: object) -> None:
    raise ZeroDivisionError
