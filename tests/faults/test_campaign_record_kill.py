"""A campaign that is killed while it is recorded, wherever it is, and run again: nothing is missing, nothing is there twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.record.campaigns import stored
from app.record.keys import Keys
from app.record.keys.text import text_of
from app.record.reading.recorded import read_decision
from app.record.store.database import Database
from app.record.store.tables import CampaignChunkRow, EntryRow, SubjectRow
from app.record.verifying import verify_log
from tests.faults import campaigner
from tests.records import written

pytestmark = pytest.mark.faults

ROWS, PART = 14, 5
"""Of the input, and of a part of it; the third is rejected."""


def attempt(url: str, keys: Keys, chunks: Path, moments: int) -> list[str]:
    """Run the campaign, or what is left of it; it is killed at this moment, counted from 1. What it came to."""
    return campaigner.attempt(url, text_of(keys), chunks, moments, ROWS, PART)


def check(url: str, keys: Keys, chunks: Path) -> None:
    """Everything is there once."""
    stored._leaves.cache_clear()
    with written(Database(url, chunks=chunks), keys) as made:
        made.seal()
        verdict = made.record.read_now(lambda connection: verify_log(connection, made.keys, opening=True))
        assert verdict.genuine, verdict.findings
        assert (verdict.rows, verdict.opened) == (ROWS - 1, ROWS - 1)
        with made.database.reading() as connection:
            kinds = list(connection.execute(select(col(EntryRow.kind)).where(col(EntryRow.kind).startswith("campaign"))).scalars())
            assert len(connection.execute(select(SubjectRow)).all()) == ROWS - 1
            tally = connection.exec_driver_sql("SELECT number FROM daily_count WHERE measure = 'decision'").scalar_one()
            found = connection.execute(select(CampaignChunkRow.__table__).order_by(col(CampaignChunkRow.number))).all()  # type: ignore[attr-defined]
        assert sorted(kinds) == ["campaign_chunk"] * 3 + ["campaign_closed", "campaign_held", "campaign_opened"]
        assert [(row.first_row, row.last_row) for row in found] == [(1, 5), (6, 10), (11, 14)]
        assert tally == ROWS - 1
        campaign = found[0].campaign
        assert len(list((chunks / campaign).iterdir())) == 3 + 1 + 1, "three files, that of the limits, and the lock"
        for row in range(1, ROWS + 1):
            decision_id = f"{campaign[:14]}8{campaign[15:26]}{row:010x}"
            read = made.record.read_now(lambda connection, one=decision_id: read_decision(connection, made.keys, one))  # type: ignore[misc]
            assert (read is None) == (row == 3)
            assert read is None or read.private == {"case": {"subscriber": {"id": f"s-{row}"}}, "salt": read.private["salt"]}  # type: ignore[index]


def test_killed_at_every_moment_and_run_again(sqlite_url: str, keys: Keys, tmp_path: Path) -> None:
    """`kill -9` before and after every step, one after the other, each run going on from what the one before left."""
    chunks, moments, said = tmp_path / "chunks", 0, list[str]()
    while "closed" not in said:
        moments += 1
        said = attempt(sqlite_url, keys, chunks, moments)
        assert moments < 100
    check(sqlite_url, keys, chunks)


@pytest.mark.parametrize("stop", [4, 9, 13, 17, 21, 26])
def test_killed_once_and_run_again(database_url: str, keys: Keys, tmp_path: Path, stop: int) -> None:
    """On either database, early and late."""
    chunks = tmp_path / "chunks"
    said = attempt(database_url, keys, chunks, stop)
    assert len(said) == stop
    assert "closed" not in said
    assert attempt(database_url, keys, chunks, 10_000)[-1] == "closed"
    check(database_url, keys, chunks)


def test_a_torn_file_of_a_killed_run_is_written_anew(sqlite_url: str, keys: Keys, tmp_path: Path) -> None:
    """What a crash of the machine may leave under a part's name, and under that of a file on its way."""
    chunks = tmp_path / "chunks"
    assert "closed" not in attempt(sqlite_url, keys, chunks, 20)
    [folder] = chunks.iterdir()
    (folder / "000001-0123456789abcdef.parquet").write_bytes(b"PAR1")
    (folder / "000002-0123456789abcdef.part").write_bytes(b"")
    assert attempt(sqlite_url, keys, chunks, 10_000)[-1] == "closed"
    check(sqlite_url, keys, chunks)
