"""Opening the record that the settings name."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

import pytest

from app.record.entries import NewEntry, Written
from app.record.ids import Ids
from app.record.keys import Keys, KeysProblem, load_keys, text_of
from app.record.store.opening import record_now, record_of
from app.record.store.problems import StoreUnavailable
from app.settings import Settings

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
ids = Ids()


def entry() -> NewEntry:
    return NewEntry(ids.new(NOW), "started", NOW, {})


def clock() -> datetime.datetime:
    return NOW


def test_a_command_opens_and_closes_it(database_url: str, tmp_path: Path) -> None:
    """The first command makes the keys, later ones use them; what one wrote the next one reads."""
    settings = Settings(database_url=database_url, key_file=tmp_path / "k")
    with record_now(settings, clock) as record:
        written = record.write_now(entry())
        assert record.keys == load_keys(tmp_path / "k", None)
    with record_now(settings, clock) as record:
        found = record.read_now(lambda connection: connection.exec_driver_sql("SELECT id FROM entry").scalar_one())
    assert found == written.entry_id


def test_the_service_opens_it_as_it_is_told(tmp_path: Path, database_url: str, keys: Keys) -> None:
    """Deadlines in seconds, keys from the environment, and a spool where one is asked for."""
    told: dict[str, Any] = {"database_url": database_url, "keys": text_of(keys), "store_deadline_ms": 20_000, "read_deadline_ms": 30_000}
    settings = Settings(**told, on_store_failure="spool", spool_dir=tmp_path / "spool", key_file=tmp_path / "none")

    async def work() -> Written:
        record = record_of(settings, clock)
        try:
            await record.open()
            assert (record.deadline, record.read_deadline, record.keys) == (20, 30, keys)
            assert len(list((tmp_path / "spool").iterdir())) == 1
            return await record.write(entry())
        finally:
            await record.close()

    assert not asyncio.run(work()).repeated
    assert list((tmp_path / "spool").iterdir()) == []
    assert not (tmp_path / "none").exists()
    reject = record_of(Settings(**told, spool_dir=tmp_path / "other"), clock)
    reject.prepare()
    reject.close_now()
    assert not (tmp_path / "other").exists()


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """No folder for the file, and keys that are none."""
    with pytest.raises(StoreUnavailable, match="the folder of its file is not there"):
        record_of(Settings(database_url=f"sqlite:///{tmp_path}/no/w.db"), clock)
    with pytest.raises(KeysProblem, match="WANLIU_KEYS"), record_now(Settings(database_url=f"sqlite:///{tmp_path}/w.db", keys="{}"), clock):
        pass
