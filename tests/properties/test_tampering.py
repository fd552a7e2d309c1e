"""Whatever is done to a log or a bundle is found: random edits of every kind, a few hundred; and clean logs raise no alarm."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from app.record.keys import Keys
from app.record.verifying import verify_log
from tests.databases import migrated, using
from tests.logs import Book
from tests.tampering import BUNDLE_EDITS, STORE_EDITS, edit_bundle, edit_store, findings_in, make_bundle, random_log

pytestmark = pytest.mark.properties

EDITS = 10
"""Of each kind."""
CLEAN = 8


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A log over two tiles, sealed in many rounds, with an archived month's worth of every kind of entry."""
    file = tmp_path_factory.mktemp("log") / "wanliu.db"
    migrated(f"sqlite:///{file}")
    with using(f"sqlite:///{file}") as database:
        random_log(Book(database, keys), random.Random(7), 300)
    return file


@pytest.mark.parametrize("kind", STORE_EDITS)
def test_every_edit_of_the_store_is_found(file: Path, keys: Keys, kind: str) -> None:
    """Edit, delete, insert, reorder and truncate, of entries, payloads, leaves, tiles, checkpoints and the tree."""
    missed = []
    with using(f"sqlite:///{file}") as database, database.engine.connect() as connection:
        for seed in range(EDITS):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            told = edit_store(connection, keys, kind, random.Random(seed))
            verdict = verify_log(connection, keys, kept=told.kept)
            connection.exec_driver_sql("ROLLBACK")
            if verdict.genuine:
                missed.append((seed, told.what))
    assert not missed


@pytest.mark.parametrize("resign", [False, True], ids=["as it is", "signed anew"])
@pytest.mark.parametrize("kind", BUNDLE_EDITS)
def test_every_edit_of_a_bundle_is_found(file: Path, keys: Keys, tmp_path: Path, kind: str, resign: bool) -> None:
    """By the signed list of contents; and by the tree even where the list was signed anew."""
    with using(f"sqlite:///{file}") as database:
        make_bundle(database, keys, tmp_path / "made")
    missed = []
    for seed in range(EDITS // 2):
        shutil.copytree(tmp_path / "made", tmp_path / "copy")
        what = edit_bundle(tmp_path / "copy", kind, random.Random(seed), keys if resign else None)
        if not findings_in(tmp_path / "copy"):
            missed.append((seed, what))
        shutil.rmtree(tmp_path / "copy")
    assert not missed


@pytest.mark.parametrize("seed", range(CLEAN))
def test_a_clean_log_raises_no_alarm(tmp_path: Path, keys: Keys, seed: int) -> None:
    """Whatever its size, writers, rounds, kinds and erased subjects."""
    chance = random.Random(seed)
    migrated(f"sqlite:///{tmp_path}/wanliu.db")
    with using(f"sqlite:///{tmp_path}/wanliu.db") as database:
        random_log(Book(database, keys), chance, chance.randint(1, 90))
        with database.reading() as connection:
            assert verify_log(connection, keys, opening=True).findings == ()
            size = verify_log(connection, keys).size
            assert verify_log(connection, keys, first=chance.randint(0, size)).findings == ()
        make_bundle(database, keys, tmp_path / "made")
    assert findings_in(tmp_path / "made") == []
