"""What limits over everybody made of a campaign, on the record: written once, read beside each decision, verified, archived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select

from app.engine.decide import decide
from app.engine.vocabulary import OutcomeReport
from app.record.callers import Caller
from app.record.campaigns import campaign as at_work
from app.record.campaigns.campaign import Campaign, left_open, open_campaign
from app.record.campaigns.complaints import Reached, reached_by
from app.record.campaigns.files import HELD_SCHEMA, held_name_of
from app.record.campaigns.held import WithinLimits, held_of
from app.record.campaigns.model import HeldEntry, HeldRows
from app.record.campaigns.problems import CampaignProblem
from app.record.erasing.retention import archive
from app.record.export.bundle.verify import Archive, Check
from app.record.keys import Keys
from app.record.outcomes import Told, answerable, outcome_entry
from app.record.store.database import Database
from app.record.store.tables import CampaignHeldRow, EntryRow
from app.record.verifying.whole import verify_log
from tests.campaigns import head, part, people, run, some_row
from tests.pipeline import shipped
from tests.records import Written, written

pytestmark = pytest.mark.unit

LIMITS = "sha256:" + "2" * 64


def rows(last: int = 12, rejected: tuple[int, ...] = (2, 9)) -> pl.DataFrame:
    """Of every list the first action goes out on the first day, the others are held."""
    found: list[tuple[Any, ...]] = []
    for row in range(1, last + 1):
        for item in decide(shipped(), people()[row - 1]).ranked if row not in rejected else ():
            goes = item.rank == 1
            found.append((row, item.rank, item.action, 1 if goes else None, None if goes else "capacity", None if goes else "all"))
    return pl.DataFrame(found, HELD_SCHEMA, orient="row")


def held_rows(frame: pl.DataFrame | None = None, **changes: Any) -> HeldRows:
    return HeldRows(
        **{"limits": LIMITS, "rows": rows() if frame is None else frame, "kept": 5, "emptied": 0, "beyond": {"all": 1}}
        | {"given": 100, "cost": 350, **changes}
    )


def held(made: Written, given: HeldRows | None = None) -> tuple[Campaign, HeldEntry]:
    """A campaign of twelve rows in two parts, with what limits made of it, closed and sealed."""
    campaign, _ = run(made, close=False)
    entry = campaign.hold(given or held_rows())
    campaign.close(campaign.standing.counts)
    made.publish()
    made.seal()
    return campaign, entry


def findings(made: Written) -> list[str]:
    with made.database.reading() as connection:
        found = verify_log(connection, made.keys).findings
    return [finding.message for finding in found if not finding.message.startswith("pack row")]


def entries(made: Written, kind: str) -> list[Any]:
    with made.database.reading() as connection:
        return [orjson.loads(row) for row in connection.execute(select(EntryRow.envelope).where(col(EntryRow.kind) == kind)).scalars()]


@pytest.fixture
def made(sqlite_url: str, keys: Keys, tmp_path: Path) -> Iterator[Written]:
    with written(Database(sqlite_url, chunks=tmp_path / "chunks"), keys) as record:
        yield record


@pytest.fixture
def made_anywhere(database_url: str, keys: Keys, tmp_path: Path) -> Iterator[Written]:
    with written(Database(database_url, chunks=tmp_path / "chunks"), keys) as record:
        yield record


def test_the_entry_says_what_the_file_says_and_the_record_adds_up(made_anywhere: Written) -> None:
    """Counts by cause, limit and action; nothing of a person; and verifying finds nothing wrong."""
    made = made_anywhere
    campaign, entry = held(made)
    [told] = entries(made, "campaign_held")
    body, frame = told["body"], rows()
    kept_back = frame.filter(pl.col("cause").is_not_null())
    assert (body["job"], body["limits"], body["campaign"]) == (campaign.id, LIMITS, "spring")
    assert (body["actions"], body["going"]) == (frame.height, frame.height - kept_back.height)
    assert sum(item["count"] for item in body["held"]) == kept_back.height
    assert body["held"] == sorted(body["held"], key=lambda item: item["action"])
    assert (body["kept"], body["emptied"], body["given"], body["cost"], body["beyond"]) == (5, 0, 100, 350, {"all": 1})
    file = campaign.folder / held_name_of(entry.file)
    assert pl.read_parquet(file).equals(frame)
    assert file.stat().st_mode & 0o777 == 0o600
    assert findings(made) == []


def test_each_action_of_a_decision_is_told_what_limits_made_of_it(made: Written) -> None:
    """By the decision's id, in the order of its list; of a campaign without limits nothing is told."""
    campaign, _ = held(made)
    without, _ = run(made, name="autumn")
    row = some_row()
    with made.database.reading() as connection:
        found = held_of(connection, campaign.decision_id(row))
        assert held_of(connection, without.decision_id(row)) is None
        assert held_of(connection, campaign.id) is None
    assert found is not None
    assert found[0] == WithinLimits(1, decide(shipped(), people()[row - 1]).ranked[0].action, 1, None, None)
    assert all(item == WithinLimits(item.rank, item.action, None, "capacity", "all") for item in found[1:])


def test_it_is_written_once(made: Written) -> None:
    """A campaign that is gone on with holds the same, and nothing is stored twice; something else is refused, and so is another part."""
    campaign, _ = run(made, close=False)
    first = campaign.hold(held_rows())
    campaign.leave()
    [left] = left_open(made.record, head())
    assert left.held == first
    with open_campaign(made.record, head(), campaign.id) as again:
        assert again.hold(held_rows(rows().sample(fraction=1, shuffle=True, seed=3))) == first
        for other in (held_rows(cost=351), held_rows(rows().with_columns(day=pl.lit(2, pl.UInt8)).with_columns(cause=None, limit=None))):
            with pytest.raises(CampaignProblem, match="came to something else before"):
                again.hold(other)
        with pytest.raises(CampaignProblem, match="no part after that"):
            again.write(part(13, 14))
        again.close(again.standing.counts)
    assert len(entries(made, "campaign_held")) == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda frame: frame.head(frame.height - 1),
        lambda frame: pl.concat([frame, frame.tail(1).with_columns(row=pl.lit(99, pl.Int64))]),
        lambda frame: frame.with_columns(action=pl.lit("no_such_action")),
        lambda frame: pl.concat([frame, frame.head(1)]),
    ],
    ids=["one is missing", "of no row", "another action", "one twice"],
)
def test_it_is_about_the_lists_of_the_parts(made: Written, other: Any) -> None:
    """What is not exactly every action on every list is not put on the record."""
    campaign, _ = run(made, close=False)
    with pytest.raises(CampaignProblem, match="does not fit what is on the record"):
        campaign.hold(held_rows(other(rows())))
    assert entries(made, "campaign_held") == []
    campaign.leave()


def _changed(campaign: Campaign, entry: HeldEntry) -> None:
    path = campaign.folder / held_name_of(entry.file)
    frame = pl.read_parquet(path)
    frame.with_columns(day=pl.lit(7, pl.UInt8)).write_parquet(path)


def _missing(campaign: Campaign, entry: HeldEntry) -> None:
    (campaign.folder / held_name_of(entry.file)).unlink()


@pytest.mark.parametrize(("harm", "says"), [(_changed, "not the one that was recorded"), (_missing, "cannot be read")])
def test_a_file_that_was_changed_or_taken_away_is_told(made: Written, harm: Any, says: str) -> None:
    """By whoever verifies, with the campaign; and nothing of it is shown beside a decision."""
    campaign, entry = held(made)
    harm(campaign, entry)
    [told] = findings(made)
    assert told.startswith(f"the campaign {campaign.id}: what its limits made of it")
    assert says in told


def test_a_count_that_is_wrong_is_told(made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was counted is counted again from the file."""
    counts = at_work.HeldRows.body
    monkeypatch.setattr(at_work.HeldRows, "body", lambda *given: counts(*given) | {"going": 1})
    held(made)
    [told] = findings(made)
    assert "counted otherwise than its file says: going" in told


def test_rows_that_are_not_of_its_lists_are_told(made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that says something of actions that nobody was offered does not add up with the parts."""
    monkeypatch.setattr(at_work, "unlike_lists", lambda *_given: None)
    held(made, held_rows(rows().with_columns(action=pl.lit("no_such_action"))))
    [told] = findings(made)
    assert f"is not about its lists: row {rows()[0, 0]} has another list in part 1" in told


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        (update(CampaignHeldRow).values(file="sha256:" + "0" * 64), "campaign_held row"),
        (delete(CampaignHeldRow), "it is missing"),
        (update(CampaignHeldRow).values(entry_id="01a00000-0000-7000-8000-000000000000"), "there are no such limits"),
    ],
    ids=["another file", "no row", "of no entry"],
)
def test_a_row_that_was_changed_is_told(made: Written, forged: Any, says: str) -> None:
    """The row by which the file is found is held against the entry."""
    held(made)
    with made.database.writing() as connection:
        connection.execute(forged)
    assert any(says in message for message in findings(made))


def test_a_month_that_goes_takes_the_file_with_it(made: Written, tmp_path: Path) -> None:
    """Into the bundle, which proves it; the row and the file are gone, and what is left, that of a later campaign too, verifies."""
    campaign, entry = held(made)
    made.clock.ahead(days=5 * 365)
    later, _ = run(made, name="later", close=False)
    later.hold(held_rows())
    later.close(later.standing.counts)
    made.seal()
    archive(made.record, "2026-11", years=3, by="me", folder=tmp_path)
    assert not (campaign.folder / held_name_of(entry.file)).exists()
    with made.database.reading() as connection:
        assert list(connection.execute(select(CampaignHeldRow.campaign)).scalars()) == [later.id]
    check = Check(Archive(str(tmp_path / "wanliu-2026-11.zip")), [], [])
    check.run()
    check.bundle.close()
    assert check.findings == []
    assert "what limits made of 1 campaign, each the file that its record names" in check.told
    made.seal()
    assert findings(made) == []


def test_people_reached_and_complaints_are_counted_by_name(made_anywhere: Written) -> None:
    """Each person once, of every run of the name; a complaint is an outcome with the reason `unsolicited` or `harassment`."""
    made = made_anywhere
    runs = [run(made, name=name)[0] for name in ("spring", "spring", "autumn")]
    lists = {row: decide(shipped(), people()[row - 1]).ranked for row in range(1, 13) if row not in (2, 9)}
    some = [row for row, ranked in lists.items() if ranked][:3]
    _tell(made, runs[0], some[0], "refused", "unsolicited")
    _tell(made, runs[1], some[0], "refused", "unsolicited")
    _tell(made, runs[0], some[1], "refused", "price")
    _tell(made, runs[0], some[2], "left", "unsolicited")
    _tell(made, runs[2], some[2], "refused", "harassment")
    with made.database.reading() as connection:
        assert reached_by(connection, "spring") == Reached(2, 1)
        assert reached_by(connection, "autumn") == Reached(1, 1)
        assert reached_by(connection, "winter") == Reached(0, 0)
    assert runs[0].reached() == Reached(2, 1)


def _tell(made: Written, campaign: Campaign, row: int, outcome: str, reason: str | None) -> None:
    now = made.clock.ahead(seconds=1)
    with made.database.reading() as connection:
        decision = answerable(connection, campaign.decision_id(row))
    assert decision is not None
    report = OutcomeReport.model_validate({"action": decision.body["offered"][0]["action"], "outcome": outcome, "reason": reason})
    made.record.write_now(outcome_entry(Told(made.ids.new(now), now, decision, report, Caller("desk", "agent")), b"{}"))
