"""The database: migrations on both kinds, from empty and from the previous release."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

from app.record.database import Database
from app.record.migrate import bring_up_to_date, upgrade
from tests.databases import Server, using

pytestmark = pytest.mark.unit

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


def _no_partition(name: str | None, kind: str, parents: Any) -> bool:
    return not (kind == "table" and name and name.startswith("entry_"))
