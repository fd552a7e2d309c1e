"""The database: migrations on both kinds, from empty and from the previous release, and what it needs now and then."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from app.record.ids import Ids
from app.record.store.database import Database, stamp
from app.record.store.migrate import bring_up_to_date, upgrade
from app.record.store.tables import EntryRow, IdempotencyRow
from app.record.store.upkeep import keep_up
from tests.databases import Server, using

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)

DECISION = {
    "id": "a",
    "decided_at": "2026-11-22T02:00:00+00:00",
    "pack_digest": "sha256:0",
    "engine": "1.0.0",
    "case": b"{}",
    "answer": b"{}",
}


def rows(database: Database, query: str) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(text(query)))


class TestMigrations:
    def test_they_make_the_tables_of_the_code(self, database: Database) -> None:
        """From empty, migrations lead to what the rows say."""
        with database.reading() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _no_partition})
            assert compare_metadata(context, SQLModel.metadata) == []

    def test_a_second_time_they_do_nothing(self, database: Database) -> None:
        """Opening a store that is up to date leaves what is in it."""
        with database.writing() as connection:
            connection.execute(text("UPDATE tree SET size = 5"))
        bring_up_to_date(database)
        assert rows(database, "SELECT size FROM tree") == [(5,)]

    def test_one_that_is_up_to_date_is_opened_beside_a_writer(self, tmp_path: Any) -> None:
        """Opening it takes no turn of the one writer."""
        with using(f"sqlite:///{tmp_path}/kept.db") as database, using(f"sqlite:///{tmp_path}/kept.db") as other:
            bring_up_to_date(database)
            with database.writing():
                bring_up_to_date(other)

    @pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
    def test_decisions_of_the_previous_release_stay(self, request: pytest.FixtureRequest, tmp_path: Any, kind: str) -> None:
        """A store made by the first migration, with rows, is brought up to date with all of them."""
        server: Server | None = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
        url = server.empty() if server else f"sqlite:///{tmp_path}/old.db"
        with using(url) as database:
            with database.writing() as connection:
                upgrade(connection, "0001")
                connection.execute(text("INSERT INTO decision VALUES (:id, :decided_at, :pack_digest, :engine, :case, :answer)"), DECISION)
            bring_up_to_date(database)
            assert rows(database, "SELECT id, answer FROM decision") == [("a", b"{}")]
            assert rows(database, "SELECT count(*) FROM entry") == [(0,)]
        if server:
            server.drop(url)

    def test_a_month_has_a_partition(self, postgres_database: Database) -> None:
        """On PostgreSQL this month and the next ones have partitions, and there is one for whatever fits in no other."""
        names = [
            name for (name,) in rows(postgres_database, "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1")
        ]
        assert len(names) == 5
        assert names[-1] == "entry_other"

    def test_an_entry_stands_in_one_piece(self, postgres_database: Database) -> None:
        """On PostgreSQL what fits on a page is neither compressed nor put elsewhere, nor in later partitions; what does not fit, is."""
        keep_up(postgres_database, NOW.replace(year=2027, month=6))
        now = {month: Ids().new(NOW.replace(year=2027, month=month)) for month in (6, 7)}
        with postgres_database.writing() as connection:
            for entry_id, size in ((now[6], 3_000), (now[7], 9_000)):
                row = {"id": entry_id, "kind": "k", "at": "", "envelope": b"{" * 3_000, "private": b"x" * size}
                connection.execute(insert(EntryRow), row)
        kept = "SELECT pg_column_size(envelope), length(private), pg_relation_size(reltoastrelid) > 0"
        found = rows(postgres_database, f"{kept} FROM entry JOIN pg_class ON pg_class.oid = entry.tableoid ORDER BY id")
        assert [(length, elsewhere) for _, length, elsewhere in found] == [(3_000, False), (9_000, True)]
        assert found[0][0] >= 3_000


def _no_partition(name: str | None, kind: str, parents: Any) -> bool:
    return not (kind == "table" and name and name.startswith("entry_"))


class TestUpkeep:
    def test_expired_keys_are_forgotten(self, database: Database) -> None:
        """A key whose time is over is deleted, the others stay."""
        with database.writing() as connection:
            for key, expires in (("old", NOW), ("young", NOW + datetime.timedelta(seconds=1))):
                row = {"caller": "desk", "key": key, "body_hash": b"", "entry_id": "x", "expires_at": stamp(expires)}
                connection.execute(insert(IdempotencyRow), row)
        keep_up(database, NOW)
        assert rows(database, "SELECT key FROM idempotency") == [("young",)]

    def test_the_months_to_come_have_partitions(self, postgres_database: Database) -> None:
        """As time goes by partitions are made; entries of a month without one are taken too, and keep that month from getting one."""
        far = NOW.replace(year=2027, month=8)
        with postgres_database.writing() as connection:
            connection.execute(insert(EntryRow), {"id": Ids().new(far), "kind": "k", "at": "", "envelope": b""})
        keep_up(postgres_database, NOW.replace(year=2027, month=6))
        keep_up(postgres_database, NOW.replace(year=2027, month=6))
        names = {name for (name,) in rows(postgres_database, "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")}
        assert {"entry_2027_06", "entry_2027_07", "entry_2027_09"} <= names
        assert "entry_2027_08" not in names

    def test_nobody_waits_for_it_long(self, postgres_database: Database) -> None:
        """Where somebody reads entries for long, it gives up, and writers go on."""
        with postgres_database.reading() as connection:
            connection.execute(select(EntryRow)).all()
            with pytest.raises(OperationalError, match="lock timeout"):
                keep_up(postgres_database, NOW.replace(year=2027, month=6))


def test_a_file_that_is_gone_is_not_made_again(sqlite_database: Database) -> None:
    """Who connects after the file was taken away gets an error, and what is put back still has what its log had."""
    file = sqlite_database.file
    assert file is not None
    with sqlite_database.writing() as connection:
        connection.execute(text("UPDATE tree SET size = 5"))
    away = file.rename(file.with_name("away.db"))
    with sqlite_database.engine.connect() as held:
        with pytest.raises(OperationalError, match="unable to open"):
            sqlite_database.engine.connect()
        assert not file.exists()
        away.rename(file)
        assert held.execute(text("SELECT size FROM tree")).scalar() == 5
    assert rows(sqlite_database, "SELECT size FROM tree") == [(5,)]
