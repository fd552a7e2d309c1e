"""Verifying the record: a clean log has no findings, and whatever was done to it is found, at its leaf."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from app.record.canonical import canonical
from app.record.keys import Keys, SigningKey, rotated
from app.record.log import tree
from app.record.log.merkle import leaf_hash
from app.record.log.notes import Checkpoint, SignerKey, read_checkpoint, sign_checkpoint
from app.record.store.database import Database
from app.record.store.tables import CheckpointRow, EntryRow, LeafRow, SubjectLeafRow, SubjectRow, TileRow, TreeRow, UnsealedRow
from app.record.verifying import Verdict, verify_entry, verify_log
from app.record.verifying.single import NoSuchEntry
from tests.logs import NOW, Book
from tests.tampering import COLUMNS, STRANGE, put_strange

pytestmark = pytest.mark.unit


@pytest.fixture
def book(database: Database, keys: Keys) -> Book:
    """A log of two writers and several rounds of sealing, 41 leaves."""
    return filled(database, keys)


def filled(database: Database, keys: Keys) -> Book:
    book = Book(database, keys)
    for number in range(37):
        book.decide(f"s-{number % 5}")
        if number % 10 == 9:
            book.seal()
    other = Book(database, keys, "w-2")
    other.now = book.now
    for _ in range(3):
        other.decide("s-1")
    assert book.seal() == 41
    return book


def verify(book: Book, edit: Callable[[Connection], Any] = lambda _: None, **options: Any) -> Verdict:
    """The verdict over the log after an edit, which is undone."""
    with book.database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if book.database.is_sqlite else "BEGIN")
        edit(connection)
        verdict = verify_log(connection, book.keys, **options)
        connection.exec_driver_sql("ROLLBACK")
    return verdict


def entry_at(connection: Connection, index: int) -> Any:
    query = select(EntryRow.__table__).join(LeafRow, col(LeafRow.entry_id) == col(EntryRow.id))  # type: ignore[attr-defined]
    return connection.execute(query.where(col(LeafRow.leaf_index) == index)).one()


def change_entry(index: int, **values: Any) -> Callable[[Connection], Any]:
    def edit(connection: Connection) -> None:
        connection.execute(update(EntryRow).where(col(EntryRow.id) == entry_at(connection, index).id).values(**values))

    return edit


def rewrite(connection: Connection, index: int, *, leaf: bool = False, tile: bool = False) -> None:
    """Change an envelope, and, to hide it, its leaf and its tile."""
    row = entry_at(connection, index)
    envelope = bytes(row.envelope).replace(b"stable", b"growth")
    connection.execute(update(EntryRow).where(col(EntryRow.id) == row.id).values(envelope=envelope))
    if leaf:
        connection.execute(update(LeafRow).where(col(LeafRow.leaf_index) == index).values(hash=leaf_hash(envelope)))
    if tile:
        change_tile(connection, lambda hashes: hashes[: 32 * index] + leaf_hash(envelope) + hashes[32 * index + 32 :])


def change_tile(connection: Connection, change: Callable[[bytes], bytes]) -> None:
    """Change the one tile of a small log."""
    hashes = bytes(connection.execute(select(col(TileRow.hashes))).scalar_one())
    connection.execute(update(TileRow).values(hashes=change(hashes)))


def test_a_clean_log_has_no_findings(book: Book) -> None:
    """Everything is counted: leaves, records, checkpoints, writers; nothing is wrong."""
    verdict = verify(book, opening=True)
    assert verdict.findings == ()
    assert verdict.genuine
    assert (verdict.size, verdict.records, verdict.checkpoints, verdict.writers, verdict.opened) == (41, 41, 4, 3, 40)


def test_an_empty_record_is_genuine(database: Database, keys: Keys) -> None:
    """Before anything was written there is nothing to find."""
    with database.reading() as connection:
        assert verify_log(connection, keys).genuine


def test_what_waits_is_told_apart(book: Book) -> None:
    """Entries that have no leaf yet are counted, not missed, and their numbers are no gap."""
    book.decide("s-9")
    verdict = verify(book)
    assert verdict.genuine
    assert verdict.waiting == 1


@pytest.mark.parametrize("first", [1, 20, 40, 41])
def test_a_part_of_the_log_is_verified_from_any_leaf_on(book: Book, first: int) -> None:
    """What came before is held by the root: nothing of it is read, and nothing is wrong."""
    verdict = verify(book, first=first)
    assert verdict.findings == ()
    assert verdict.records == 41 - first


def edits() -> dict[str, tuple[int | None, str, Callable[[Connection], Any]]]:
    """By name: the first bad leaf, what is told of it, and the edit."""
    return {
        "envelope": (17, "record", lambda c: rewrite(c, 17)),
        "envelope and leaf": (17, "tile", lambda c: rewrite(c, 17, leaf=True)),
        "envelope, leaf and tile": (20, "root", lambda c: rewrite(c, 17, leaf=True, tile=True)),
        "entry deleted": (9, "record", lambda c: c.execute(delete(EntryRow).where(col(EntryRow.id) == entry_at(c, 9).id))),
        "leaf deleted": (30, "leaf", lambda c: c.execute(delete(LeafRow).where(col(LeafRow.leaf_index) == 30))),
        "leaf hash": (5, "record", lambda c: c.execute(update(LeafRow).where(col(LeafRow.leaf_index) == 5).values(hash=bytes(32)))),
        "private payload": (7, "private", change_entry(7, private=b"0123456789")),
        "private payload gone": (7, "private", change_entry(7, private=None)),
        "column kind": (3, "entry", change_entry(3, kind="outcome")),
        "column at": (3, "entry", change_entry(3, at="2020-01-01T00:00:00.000000+00:00")),
        "column subject": (3, "entry", change_entry(3, subject="0" * 32)),
        "no envelope": (3, "record", change_entry(3, envelope=b"no JSON")),
        "swapped": (4, "record", swap),
        "truncated": (36, "truncated", lambda c: c.execute(delete(LeafRow).where(col(LeafRow.leaf_index) >= 36))),
        "tree size": (41, "truncated", lambda c: c.execute(update(TreeRow).values(size=50))),
        "tile": (40, "tile", lambda c: change_tile(c, lambda hashes: hashes[:-1] + bytes([hashes[-1] ^ 1]))),
        "tile too long": (41, "tile", lambda c: change_tile(c, lambda hashes: hashes + bytes(32))),
        "another tile": (None, "tile", lambda c: c.execute(insert(TileRow), {"level": 3, "number": 9, "hashes": b""})),
        "newest checkpoint gone": (40, "checkpoint", lambda c: c.execute(delete(CheckpointRow).where(col(CheckpointRow.size) == 41))),
        "checkpoint root": (
            20,
            "checkpoint",
            lambda c: c.execute(update(CheckpointRow).where(col(CheckpointRow.size) == 21).values(root=bytes(32))),
        ),
        "checkpoint unsigned": (
            20,
            "checkpoint",
            lambda c: c.execute(update(CheckpointRow).where(col(CheckpointRow.size) == 21).values(note="no note")),
        ),
        "past the log": (None, "entry", insert_entry),
        "appended without a signature": (41, "checkpoint", append_leaf),
    }


def swap(connection: Connection) -> None:
    """Two entries change places."""
    one, other = entry_at(connection, 4).id, entry_at(connection, 6).id
    for index, entry_id in ((4, "-"), (6, one), (4, other)):
        connection.execute(update(LeafRow).where(col(LeafRow.leaf_index) == index).values(entry_id=entry_id))


def insert_entry(connection: Connection) -> str:
    entry_id = "019ab000-0000-7000-8000-000000000000"
    envelope = {"v": 1, "id": entry_id, "kind": "read", "at": "2026", "writer": "w-9", "sequence": 1, "body": {}}
    connection.execute(insert(EntryRow), {"id": entry_id, "kind": "read", "at": "2026", "envelope": canonical(envelope)})
    return entry_id


def append_leaf(connection: Connection) -> None:
    entry_id = insert_entry(connection)
    hashed = leaf_hash(bytes(connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.id) == entry_id)).scalar_one()))
    connection.execute(insert(LeafRow), {"leaf_index": 41, "entry_id": entry_id, "at": "2026", "hash": hashed})
    connection.execute(update(TreeRow).values(size=42))
    change_tile(connection, lambda hashes: hashes + hashed)


def test_an_edit_is_found_at_its_leaf(book: Book) -> None:
    """The first finding names the first bad leaf and what is wrong there."""
    found = {name: verify(book, edit).findings[:1] for name, (_, _, edit) in edits().items()}
    told = {name: [(finding.leaf, finding.what) for finding in findings] for name, findings in found.items()}
    assert told == {name: [(leaf, what)] for name, (leaf, what, _) in edits().items()}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET hash = 'text' WHERE leaf_index = 12",
        "UPDATE entry SET envelope = 'text' WHERE kind = 'decision'",
        "UPDATE entry SET private = 7 WHERE kind = 'decision'",
        "UPDATE entry SET kind = x'00' WHERE kind = 'decision'",
        "UPDATE checkpoint SET size = 'text' WHERE size = 21",
        "UPDATE checkpoint SET root = 9, note = x'ff'",
        "UPDATE tile SET hashes = 'text'",
        "UPDATE tree SET size = 'text'",
        "UPDATE leaf SET entry_id = '-' WHERE leaf_index = 3",
        "UPDATE entry SET kind = 'archived'",
        "UPDATE unsealed SET tally = 'x', entry_id = 'y'",
        "INSERT INTO unsealed (entry_id) VALUES ('y')",
    ],
)
def test_whatever_stands_in_a_column_verifying_ends_with_a_verdict(sqlite_database: Database, keys: Keys, statement: str) -> None:
    """SQLite keeps anything in any column: what is not of its kind is told, at its place, without a traceback."""
    book = filled(sqlite_database, keys)
    book.decide("s-1")
    verdict = verify(book, lambda connection: connection.exec_driver_sql(statement), opening=True)
    assert not verdict.genuine


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, columns in COLUMNS.items() for column in columns])
def test_what_no_writer_writes_is_damage(sqlite_database: Database, keys: Keys, table: str, column: str) -> None:
    """NULL, negative and huge numbers, other types and what is no text, in a file without constraints: each is told."""
    book, missed = filled(sqlite_database, keys), []
    book.decide("s-1")
    for value in STRANGE:
        for seed in range(3):
            verdict = verify(book, lambda c, value=value, seed=seed: put_strange(c, table, column, value, Random(seed)), opening=True)  # type: ignore[misc]
            if verdict.genuine or not all(finding.message for finding in verdict.findings):
                missed.append((value, seed))
    assert not missed


@pytest.mark.parametrize("column", ["wrapped_key", "wrapped_with"])
@pytest.mark.parametrize("value", STRANGE)
def test_a_strange_key_is_damage(sqlite_database: Database, keys: Keys, column: str, value: str) -> None:
    """Opened, payloads whose subject's key is none are told."""
    book = filled(sqlite_database, keys)
    assert not verify(book, lambda c: put_strange(c, "subject", column, value, Random(1)), opening=True).genuine


@pytest.mark.parametrize("value", [value for value in STRANGE if value != "9223372036854775807"])
def test_the_size_of_the_log_is_named(sqlite_database: Database, keys: Keys, value: str) -> None:
    """Where the store does not say how many leaves there are, the whole log and one entry are damaged for that reason."""
    book = filled(sqlite_database, keys)
    with book.database.reading() as connection:
        entry_id = entry_at(connection, 3).id
    with book.database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        put_strange(connection, "tree", "size", value, Random(1))
        for verdict in (verify_log(connection, keys), verify_entry(connection, keys, entry_id)):
            [finding] = verdict.findings
            assert finding.what == "damaged"
            assert "size" in finding.message
        connection.exec_driver_sql("ROLLBACK")


def test_what_was_taken_away_before_it_was_sealed_leaves_a_gap(database: Database, keys: Keys) -> None:
    """Every writer counts: a number that never came is told, with the leaf after it."""
    book = Book(database, keys)
    book.decide("s-1")
    book.add("read", {}, skip=True)
    book.decide("s-1")
    book.seal()
    found = verify(book).findings
    assert [(finding.what, finding.leaf) for finding in found] == [("sequence", 1)]
    assert "number 2 of the writer w-1" in found[0].message


def test_numbers_may_come_in_another_order_and_none_twice(database: Database, keys: Keys) -> None:
    """Neighbours may change places, as two rounds of sealing may have them; a number used twice is told."""
    book = Book(database, keys)
    for number in (1, 3, 2, 5, 4):
        book.sequence = number - 1
        book.decide("s-1")
        book.seal()
    assert verify(book).genuine
    book.sequence = 2
    book.decide("s-1")
    book.seal()
    assert [finding.what for finding in verify(book).findings] == ["sequence"]


def test_an_entry_that_waited_may_not_vanish(book: Book) -> None:
    """What was written and not sealed yet is missed too, by its own place in the queue and by its number."""
    entry_id = book.decide("s-1")
    verdict = verify(book, lambda c: c.execute(delete(EntryRow).where(col(EntryRow.id) == entry_id)))
    assert ("record", entry_id) in [(finding.what, finding.entry) for finding in verdict.findings]
    silently = verify(book, lambda c: (c.execute(delete(EntryRow).where(col(EntryRow.id) == entry_id)), c.execute(delete(UnsealedRow))))
    assert silently.genuine, "the last entries before sealing are the limit of what can be seen"


def checkpoint_of(book: Book) -> Checkpoint:
    with book.database.reading() as connection:
        newest = tree.checkpoint(connection)
    assert newest is not None
    return read_checkpoint(newest.note, book.keys.verifiers)


def roll_back(connection: Connection) -> None:
    """Bring everything back to 21 leaves, as a backup would."""
    ids = connection.execute(select(col(LeafRow.entry_id)).where(col(LeafRow.leaf_index) >= 21)).scalars().all()
    connection.execute(delete(EntryRow).where(col(EntryRow.id).in_(ids)))
    connection.execute(delete(LeafRow).where(col(LeafRow.leaf_index) >= 21))
    connection.execute(delete(SubjectLeafRow).where(col(SubjectLeafRow.leaf_index) >= 21))
    connection.execute(delete(CheckpointRow).where(col(CheckpointRow.size) > 21))
    change_tile(connection, lambda hashes: hashes[: 21 * 32])
    connection.execute(update(TreeRow).values(size=21))


def test_a_roll_back_is_seen_with_a_checkpoint_that_was_kept(book: Book) -> None:
    """Without one it is a clean, shorter log; with one it is told."""
    kept = checkpoint_of(book)
    assert verify(book, roll_back).genuine
    verdict = verify(book, roll_back, kept=[kept])
    assert [finding.what for finding in verdict.findings] == ["truncated"]
    assert "rolled back" in verdict.findings[0].message
    assert verify(book, kept=[kept]).kept == 1


def fork(keys: Keys) -> Callable[[Connection], None]:
    """Rewrite a leaf, everything above it and the signatures, with the log's own key."""

    def edit(connection: Connection) -> None:
        rewrite(connection, 17, leaf=True, tile=True)
        for (size,) in connection.execute(select(col(CheckpointRow.size)).where(col(CheckpointRow.size) > 17)).all():
            root = tree.root(connection, size)
            note = sign_checkpoint(Checkpoint(keys.origin, size, root), keys.signer)
            connection.execute(update(CheckpointRow).where(col(CheckpointRow.size) == size).values(root=root, note=note))

    return edit


def test_a_fork_is_seen_with_a_checkpoint_that_was_kept(book: Book) -> None:
    """Who holds the keys can write another log that is clean in itself; a checkpoint kept elsewhere tells them apart."""
    kept = checkpoint_of(book)
    assert verify(book, fork(book.keys)).genuine
    assert [finding.what for finding in verify(book, fork(book.keys), kept=[kept]).findings] == ["root"]


def test_a_checkpoint_of_another_log_does_not_count(book: Book) -> None:
    """A checkpoint is compared by its log's name too."""
    kept = dataclasses.replace(checkpoint_of(book), origin="wanliu/other")
    assert [finding.what for finding in verify(book, kept=[kept]).findings] == ["checkpoint"]


def test_old_checkpoints_verify_with_old_keys(book: Book, keys: Keys) -> None:
    """After a rotation both keys count, and a key that nobody knows does not."""
    book.keys = rotated(keys, "signing", NOW)
    book.decide("s-1")
    book.seal()
    assert verify(book).genuine
    stranger = SigningKey(SignerKey(keys.origin, bytes(32)).verifier.id.hex(), bytes(32), NOW)
    book.keys = dataclasses.replace(keys, signing=(stranger,))
    assert verify(book).findings[0].what == "checkpoint"


def test_a_payload_of_another_entry_does_not_open(book: Book) -> None:
    """Opened, a payload must be the entry's own and say what the leaf commits to; of subjects who are gone it stays closed."""

    def exchange(connection: Connection) -> None:
        one, other = entry_at(connection, 1), entry_at(connection, 6)
        connection.execute(update(SubjectRow).where(col(SubjectRow.token) == one.subject).values(wrapped_key=bytes(60)))
        connection.execute(delete(SubjectRow).where(col(SubjectRow.token) == entry_at(connection, 2).subject))
        assert other.subject == one.subject

    verdict = verify(book, exchange, opening=True)
    assert {finding.what for finding in verdict.findings} == {"private", "row"}
    assert verdict.findings[0].leaf == 1
    assert verdict.sealed_for_good == 7
    [finding] = verify(book, exchange).findings
    assert (finding.what, finding.leaf) == ("row", 2)
    assert "no entry says that the person was erased" in finding.message


class TestOneEntry:
    """One entry by its proof."""

    def test_a_clean_entry_is_genuine(self, book: Book) -> None:
        """Its envelope, leaf, proof, checkpoint and, opened, its commitment agree."""
        entry_id = book.decide("s-2")
        with book.database.reading() as connection:
            assert verify_entry(connection, book.keys, entry_id).waiting == 1
        book.seal()
        with book.database.reading() as connection:
            verdict = verify_entry(connection, book.keys, entry_id, kept=[checkpoint_of(book)], opening=True)
        assert verdict.genuine
        assert (verdict.opened, verdict.kept, verdict.first) == (1, 1, 41)

    def test_an_edit_is_found(self, book: Book) -> None:
        """What is wrong with the entry, its leaf or its proof is told."""
        edits: list[tuple[Callable[[Connection], Any], str]] = [
            (lambda c: rewrite(c, 17), "record"),
            (lambda c: rewrite(c, 17, leaf=True), "root"),
            (lambda c: rewrite(c, 17, leaf=True, tile=True), "root"),
            (change_entry(17, private=None), "private"),
            (lambda c: c.execute(delete(EntryRow).where(col(EntryRow.id) == entry_at(c, 17).id)), "record"),
            (lambda c: c.execute(delete(TileRow)), "checkpoint"),
            (lambda c: c.execute(delete(CheckpointRow)), "checkpoint"),
            (lambda c: c.execute(update(CheckpointRow).values(note="x")), "checkpoint"),
        ]
        assert [self.first_after(book, edit) for edit, _ in edits] == [what for _, what in edits]

    def first_after(self, book: Book, edit: Callable[[Connection], Any]) -> str:
        with book.database.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if book.database.is_sqlite else "BEGIN")
            entry_id = entry_at(connection, 17).id
            edit(connection)
            verdict = verify_entry(connection, book.keys, entry_id)
            connection.exec_driver_sql("ROLLBACK")
        return verdict.findings[0].what

    def test_a_kept_checkpoint_must_agree(self, book: Book) -> None:
        """A checkpoint from elsewhere that this log does not go on from is told."""
        newest = checkpoint_of(book)
        bad = [dataclasses.replace(newest, root=bytes(32)), dataclasses.replace(newest, size=99), dataclasses.replace(newest, origin="x")]
        with book.database.reading() as connection:
            entry_id = entry_at(connection, 17).id
            found = [verify_entry(connection, book.keys, entry_id, kept=[kept]).findings[0].what for kept in bad]
        assert found == ["root", "truncated", "checkpoint"]

    def test_an_unknown_id_is_no_entry(self, book: Book) -> None:
        """Nothing is said about what is not there."""
        with book.database.reading() as connection, pytest.raises(NoSuchEntry):
            verify_entry(connection, book.keys, "019ab000-0000-7000-8000-000000000000")
