"""`wanliu record show | explain | replay | proof | verify | export` of a campaign's decision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli import app
from app.record.keys import load_keys
from app.record.store.database import Database
from tests.campaigns import run as campaign_of
from tests.campaigns import some_row
from tests.records import written

pytestmark = pytest.mark.unit


@pytest.fixture
def decision(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A campaign on a record that the command line finds; the id of one of its decisions, with something on its list."""
    monkeypatch.setenv("WANLIU_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("WANLIU_CHUNK_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("WANLIU_PATTERN_ENGINE", "builtin")
    monkeypatch.setenv("COLUMNS", "140")
    database = Database(sqlite_url, chunks=tmp_path / "elsewhere")
    with written(database, load_keys(tmp_path / "wanliu.keys", None)) as made:
        made.publish()
        campaign, _ = campaign_of(made)
        made.seal()
        yield campaign.decision_id(some_row())


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["record", *words])
    assert result.exit_code == code, result.output
    return result


def test_it_is_shown(decision: str) -> None:
    """With everything there is to it, for people and for programs."""
    told = orjson.loads(run("show", decision, "--json", "--by", "me").stdout)
    assert (told["id"], told["state"], told["working"]["faithful"]) == (decision, "readable", True)
    assert decision in run("show", decision.upper(), "--by", "me").stdout


def test_it_is_explained_and_made_again(decision: str) -> None:
    """In words, and to the byte of its codes."""
    assert orjson.loads(run("explain", decision, "--json", "--by", "me").stdout)["explanation"]["phase"]
    assert orjson.loads(run("replay", decision, "--json", "--by", "me").stdout)["replay"]["verdict"] == "same_bytes"


@pytest.mark.parametrize(("locale", "says"), [("en", "root of the part"), ("zh-CN", "分批根哈希")])
def test_it_is_proved(decision: str, locale: str, says: str) -> None:
    """With its place in its part, in both languages."""
    told = orjson.loads(run("proof", decision, "--json").stdout)
    assert (told["id"], orjson.loads(told["row"]["envelope"])["id"]) == (decision, decision)
    shown = run("proof", decision, "--locale", locale).stdout
    assert says in shown
    assert told["row"]["root"] in shown
    assert all(step in shown for step in told["row"]["path"])


def test_it_is_verified_and_handed_out(decision: str, tmp_path: Path) -> None:
    """Verifying counts the decisions of campaigns; a bundle of one has its proof."""
    assert "10 decisions of campaigns in the files of their parts" in run("verify", code=1).stdout
    told = orjson.loads(run("verify", "--json", code=1).stdout)
    assert told["rows"] == 10
    assert all(finding["message"].startswith("pack row") for finding in told["findings"]), "which the helper wrote with another time"
    assert "The record is the one that was sealed." in run("verify", "--decision", decision).stdout
    run("export", str(tmp_path / "bundle"), "--decision", decision, "--by", "me")
    assert (tmp_path / "bundle" / "rows.ndjson").exists()
