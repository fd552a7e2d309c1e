"""Retention: months that are older than records are kept go as a whole, into a bundle or for good; all proofs of the rest stay."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy import inspect as inspected
from sqlmodel import col

from app.record.erasing.holds import hold
from app.record.erasing.retention import Month, NotArchived, archive, jurisdictions, old_months, years_of
from app.record.export.bundle import verify as verifier
from app.record.export.bundling import BundleProblem
from app.record.export.exporting import Wanted, export
from app.record.keys import Keys
from app.record.log import tree
from app.record.log.merkle import verify_inclusion
from app.record.log.stretches import between
from app.record.store.database import Database, stamp
from app.record.store.months import first_moment_after, ids_of, month_of, months_until, years_before
from app.record.store.partitions import partition_entries
from app.record.store.record import Record
from app.record.store.tables import ContactRow, EntryRow, SubjectLeafRow, SubjectRow
from app.record.verifying import Verdict, verify_log
from tests.logs import NOW, Book, Clock

pytestmark = pytest.mark.unit

OLD = datetime.datetime(2023, 9, 30, 23, 59, 50, tzinfo=datetime.UTC)


@pytest.fixture
def book(database: Database, keys: Keys) -> Book:
    """Entries of September and October 2023 and of November 2026, about three subscribers: old, held and current."""
    if not database.is_sqlite:
        with database.writing() as connection:
            partition_entries(connection, OLD)
    book = Book(database, keys)
    for moment in (OLD, OLD + datetime.timedelta(minutes=2), NOW):
        book.now = moment
        for number in range(6):
            book.decide(("s-old", "s-held", "s-both")[number % 3] if moment != NOW else "s-both")
        book.add("pack_activated", {"digest": "sha256:1", "step": "activated", "by": "pia"})
        book.seal()
    return book


@pytest.fixture
def record(book: Book) -> Iterator[Record]:
    record = Record(book.database, book.keys, clock=Clock(NOW + datetime.timedelta(seconds=1)))
    yield record
    record.close_now()


def months(record: Record) -> list[Month]:
    return record.read_now(lambda connection: old_months(connection, NOW, 3))


def verified(record: Record) -> Verdict:
    return record.read_now(lambda connection: verify_log(connection, record.keys, opening=True))


def test_months_are_those_of_the_ids(book: Book) -> None:
    """To the millisecond, in UTC; borders belong to the later month."""
    with book.database.reading() as connection:
        ids = connection.execute(select(col(EntryRow.id)).order_by(col(EntryRow.id))).scalars().all()
    assert [month_of(ids[0]), month_of(ids[8]), month_of(ids[-1])] == ["2023-09", "2023-10", "2026-11"]
    first, end = ids_of("2023-09")
    assert [entry_id for entry_id in ids if first <= entry_id < end] == list(ids[:8])
    assert list(months_until("2023-11", "2024-01")) == ["2023-11", "2023-12", "2024-01"]
    assert years_before(datetime.datetime(2024, 3, 31, tzinfo=datetime.UTC), 3) == "2021-02"
    assert first_moment_after("2023-12") == "2024-01-01T00:00:00.000000+00:00"


def test_the_longest_law_counts(record: Record) -> None:
    """By the jurisdictions of the packs that were published; three years where nobody says."""
    assert years_of(record.read_now(jurisdictions)) == 3
    Book(record.database, record.keys, "w-3").publish()
    assert record.read_now(jurisdictions) == {"cn"}
    assert years_of([]) == years_of(["somewhere"]) == 3


def test_old_months_are_listed_and_nothing_is_changed(record: Record) -> None:
    """What goes, and what stays: what was in force does."""
    assert months(record) == [Month("2023-09", 7, 1), Month("2023-10", 7, 1)]
    assert verified(record).archived == 0


@pytest.mark.parametrize("archived", [True, False], ids=["archived", "dropped"])
def test_a_month_goes_and_every_proof_of_the_rest_stays(record: Record, tmp_path: Path, archived: bool) -> None:
    """Its leaves are there, what it held is not; the log verifies, and says how many entries went."""
    hold(record, "s-held", reason="court", by="lea")
    before = record.read_now(lambda connection: tree.checkpoint(connection))
    for month in months(record):
        archive(record, month.month, years=3, by="pia", folder=tmp_path if archived else None)
    assert months(record) == []
    verdict = verified(record)
    assert verdict.findings == ()
    assert (verdict.archived, verdict.sealed_for_good) == (10, 0)
    with record.database.reading() as connection:
        rows = connection.execute(select(col(EntryRow.id), col(EntryRow.kind)).order_by(col(EntryRow.id))).all()
        kept = [row.kind for row in rows if month_of(row.id).startswith("2023")]
        assert kept == ["decision", "decision", "pack_activated"] * 2
        assert len(connection.execute(select(SubjectRow)).all()) == 2, "nothing is left of s-old"
        assert before is not None
        assert tree.root(connection, before.size) == before.root
        for row in rows:
            found = tree.inclusion(connection, row.id)
            if found is not None:
                assert verify_inclusion(found.leaf.hash, found.leaf.index, found.checkpoint.size, found.path, found.checkpoint.root)
        told = connection.execute(select(col(EntryRow.envelope)).where(col(EntryRow.kind) == "archived").order_by(col(EntryRow.id)))
        bodies = [orjson.loads(bytes(row.envelope))["body"] for row in told]
    assert [(body["month"], body["entries"], body["kept"], body["by"]) for body in bodies] == [
        ("2023-09", 5, 3, "pia"),
        ("2023-10", 5, 3, "pia"),
    ]
    assert [body.get("bundle", {}).get("file") for body in bodies] == (
        ["wanliu-2023-09.zip", "wanliu-2023-10.zip"] if archived else [None] * 2
    )


def test_the_archive_is_a_bundle_that_anybody_can_check(record: Record, tmp_path: Path) -> None:
    """Written and verified before anything goes; its hash is on the record. A later export says which records are there."""
    archive(record, "2023-09", years=3, by="pia", folder=tmp_path)
    check = verifier.Check(verifier.Archive(str(tmp_path / "wanliu-2023-09.zip")), [], [])
    check.run()
    check.bundle.close()
    assert check.findings == []
    with record.database.reading() as connection:
        export(connection, record.keys, Wanted(between(connection, tree.size(connection))), tmp_path / "whole", NOW)
        export(
            connection,
            record.keys,
            Wanted(between(connection, tree.size(connection), None, stamp(OLD + datetime.timedelta(seconds=5)))),
            tmp_path / "part",
            NOW,
        )
    for name in ("whole", "part"):
        check = verifier.Check(verifier.Folder(str(tmp_path / name)), [], [])
        check.run()
        assert check.findings == []
        assert any("7 archived elsewhere" in line for line in check.told)


def test_more_may_not_go_than_the_record_says(record: Record) -> None:
    """Deleting what was kept of an archived month is found."""
    archive(record, "2023-09", years=3, by="pia")
    with record.database.writing() as connection:
        first, end = ids_of("2023-09")
        connection.execute(delete(EntryRow).where(col(EntryRow.id) >= first, col(EntryRow.id) < end))
    found = verified(record).findings
    assert {finding.what for finding in found} == {"archive", "row"}
    assert [finding.what for finding in found].count("archive") == 1


def test_deleting_a_month_that_nobody_archived_is_found(record: Record) -> None:
    """Without an entry that says so, an entry that is gone was deleted."""
    first, end = ids_of("2023-10")
    with record.database.writing() as connection:
        connection.execute(delete(EntryRow).where(col(EntryRow.id) >= first, col(EntryRow.id) < end))
    found = verified(record).findings
    assert {finding.what for finding in found} == {"record", "row", "sequence"}
    assert found[0].leaf == 8


def test_a_month_with_unsealed_entries_stays(record: Record, book: Book) -> None:
    """All of it must be under a signed checkpoint first."""
    late = Book(book.database, book.keys, "w-2")
    late.now = OLD + datetime.timedelta(minutes=5)
    late.decide("s-old")
    with pytest.raises(NotArchived, match="wait to be sealed"):
        archive(record, "2023-10", years=3, by="pia")
    assert [month.hindered is None for month in months(record)] == [True, False]


def test_an_archive_is_not_written_over(record: Record, tmp_path: Path) -> None:
    """A bundle of this name may be the only copy of a month."""
    (tmp_path / "wanliu-2023-09.zip").write_bytes(b"")
    with pytest.raises(BundleProblem):
        archive(record, "2023-09", years=3, by="pia", folder=tmp_path)
    assert verified(record).archived == 0


def test_what_was_broken_off_goes_on(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry is sealed before anything goes; run again, nothing is said twice."""
    with monkeypatch.context() as patch:
        patch.setattr("app.record.erasing.retention.drop_month", lambda *_: (_ for _ in ()).throw(RuntimeError("cut")))
        with pytest.raises(RuntimeError):
            archive(record, "2023-09", years=3, by="pia")
    assert verified(record).genuine
    archive(record, "2023-09", years=3, by="pia")
    with record.database.reading() as connection:
        told = connection.execute(select(col(EntryRow.id)).where(col(EntryRow.kind) == "archived")).all()
    assert len(told) == 1
    assert verified(record).archived == 7


def test_contacts_and_links_go_with_their_month(record: Record) -> None:
    """Contacts of old months no longer count; of subjects of whom nothing is left, nothing points anywhere."""
    with record.database.writing() as connection:
        tokens = connection.execute(select(col(SubjectRow.token))).scalars().all()
        rows = [
            {"id": f"{at}{token[:8]}", "subject": token, "at": stamp(moment), "decision_id": "1"}
            for at, moment in (("o", OLD), ("n", NOW))
            for token in tokens
        ]
        connection.execute(insert(ContactRow), rows)
    archive(record, "2023-09", years=3, by="pia")
    archive(record, "2023-10", years=3, by="pia")
    with record.database.reading() as connection:
        assert {row.at for row in connection.execute(select(col(ContactRow.at)))} == {stamp(NOW)}
        subjects = set(connection.execute(select(col(SubjectRow.token))).scalars())
        assert {row.subject for row in connection.execute(select(col(SubjectLeafRow.subject)))} == subjects


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_on_postgresql_the_partition_of_the_month_is_gone(record: Record) -> None:
    """Dropped as a whole; the others stand."""
    archive(record, "2023-09", years=3, by="pia")
    with record.database.reading() as connection:
        names = set(inspected(connection).get_table_names())
    assert "entry_2023_09" not in names
    assert "entry_2023_10" in names
