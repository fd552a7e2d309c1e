"""Callers on the command line, and decisions that remember contacts."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlmodel import col
from typer.testing import CliRunner, Result

from app.cli import app
from app.cli.callers import _now
from app.record.callers import hash_of
from app.record.entries import SUBJECT, NewEntry, NewRow
from app.record.ids import Ids
from app.record.reading.recorded import read_decision
from app.record.store.database import stamp
from app.record.store.opening import record_now
from app.record.store.record import Record
from app.record.store.tables import CallerRow, EntryRow
from app.settings import Settings
from tests.packs_in_force import content, version, write
from tests.pipeline import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("WANLIU_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("WANLIU_PACK", str(ROOT))
    monkeypatch.setenv("COLUMNS", "120")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def rows(url: str, table: type) -> list[Any]:
    with record_now(Settings(database_url=url), _now) as record:
        return list(record.read_now(lambda connection: connection.execute(select(table)).all()))


def test_a_caller_is_added(sqlite_url: str) -> None:
    """The key stands alone on standard output, once; the store has its hash, the record who did it."""
    result = run("caller", "add", "desk", "--role", "agent", "--grade", "leader")
    assert result.exit_code == 0
    key = result.stdout.strip()
    assert result.stdout == f"{key}\n"
    assert "shown once" in result.stderr
    (caller,) = rows(sqlite_url, CallerRow)
    assert (caller.name, caller.role, caller.grade, caller.secret_hash) == ("desk", "agent", "leader", hash_of(key))
    (entry,) = rows(sqlite_url, EntryRow)
    assert orjson.loads(entry.envelope)["body"]["by"].startswith("cli")
    assert key.encode() not in entry.envelope


def test_a_caller_is_revoked_and_listed(sqlite_url: str) -> None:
    """The name stays on the list; it may come back with another key."""
    first = run("caller", "add", "desk", "--role", "agent").stdout
    assert "two seconds" in run("caller", "revoke", "desk").stderr
    (listed,) = json.loads(run("caller", "list", "--json").stdout)
    assert (listed["name"], listed["revoked_at"] is not None) == ("desk", True)
    assert run("caller", "add", "desk", "--role", "campaign").stdout != first
    table = run("caller", "list").stdout
    assert "desk" in table
    assert "campaign" in table
    assert len(rows(sqlite_url, CallerRow)) == 1


def test_a_grade_that_nothing_can_be_held_against_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no pack is to be had it is taken, with a word on what an unknown one may concede."""
    monkeypatch.setenv("WANLIU_PACK", str(tmp_path))
    result = run("caller", "add", "desk", "--role", "agent", "--grade", "nope")
    assert result.exit_code == 0
    assert "one that it does not know concedes nothing" in " ".join(result.stderr.split())


def test_the_pack_in_force_says_which_grades_there_are(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the folder, where a store has a pack in force."""
    monkeypatch.setenv("WANLIU_PACK", str(write(tmp_path / "pack", version("1.0.0"))))
    assert run("pack", "publish", "--author", "ann").exit_code == 0
    assert run("pack", "approve", content("1.0.0").digest, "--by", "bob").exit_code == 0
    assert run("pack", "activate", content("1.0.0").digest, "--by", "bob").exit_code == 0
    monkeypatch.setenv("WANLIU_PACK", str(ROOT))
    result = run("caller", "add", "desk", "--role", "agent", "--grade", "leader")
    assert result.exit_code == 1
    assert "`leader` is no grade under `arbitration.concession` of small 1.0.0; " in " ".join(result.stderr.split())


def test_times_have_their_zone() -> None:
    """In the table, for who was added and revoked."""
    run("caller", "add", "desk", "--role", "agent")
    run("caller", "revoke", "desk")
    assert len(re.findall(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ", run("caller", "list").stdout)) == 2


def test_nobody_is_development_mode() -> None:
    """An empty list says what that means."""
    result = run("caller", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "development mode" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("add", "Desk", "--role", "agent"), 1, "expected 1 to 64 small letters"),
        (("add", "desk", "--role", "agents"), 2, "`agents` is not one of agent, self_service,"),
        (("add", "desk", "--role", "agnt"), 2, "did you mean `agent`?"),
        (("add", "desk", "--role", "agent", "--grade", "leadr"), 1, "telco-reference"),
        (("add", "desk", "--role", "agent", "--grade", "leadr"), 1, "did you mean `leader`?"),
        (("add", "desk", "--role", "agent", "--grade", "nope"), 1, "; there are leader, retention_desk, manager, city"),
        (("add", "desk", "--role", "agent", "--grade", "agent"), 1, "--grade: `agent` is a role, and no grade under"),
        (("add", "desk"), 2, "--role"),
        (("add", "desk", "--role", "campaign", "--grade", "leader"), 1, "only the role agent has grades"),
        (("revoke", "desk"), 1, "there is no caller `desk`"),
    ],
)
def test_mistakes_are_told(arguments: tuple[str, ...], code: int, says: str) -> None:
    """Without a traceback, and nothing is changed."""
    result = run("caller", *arguments)
    assert result.exit_code == code
    assert says in result.stderr
    assert json.loads(run("caller", "list", "--json").stdout) == []


def test_no_store_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store that cannot be opened ends the command."""
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder.db")
    monkeypatch.setenv("WANLIU_KEY_FILE", str(tmp_path / "keys"))
    result = run("caller", "list")
    assert result.exit_code == 1
    assert "cannot be opened" in result.stderr


def test_a_decision_remembers_contacts(sqlite_url: str, tmp_path: Path) -> None:
    """`history: record` decides with the contacts on the record, where the decision goes there too."""
    file = tmp_path / "request.json"
    body = json.loads((ROOT / "examples" / "02-high-tariff.json").read_bytes())
    del body["as_of"]
    file.write_text(json.dumps(body | {"history": "record", "agent": "a-17"}))
    assert "live decisions only" in run("decide", file).stderr
    with record_now(Settings(database_url=sqlite_url), _now) as record:
        refuse(record, body["subscriber"]["id"])
    result = run("decide", file, "--record", "--json")
    answer = json.loads(result.stdout)
    with record_now(Settings(database_url=sqlite_url), _now) as record:
        found = record.read_now(lambda connection: read_decision(connection, record.keys, answer["decision_id"]))
    assert found is not None
    assert found.case is not None
    assert [contact.action for contact in found.case.subscriber.contacts or ()] == ["tariff_pack"]
    assert (found.body["history"], found.body["agent"], found.body["caller"]) == ("record", "a-17", "cli")


def refuse(record: Record, subscriber: str) -> None:
    """Put a refusal of the subscriber's on the record."""
    now, row = _now(), {"channel": "app", "kind": "offer", "action": "tariff_pack", "result": "refused", "decision_id": "d"}
    entry = NewEntry(Ids().new(now), "outcome", now, {"outcome": "refused", "action": "tariff_pack"}, subscriber=subscriber)
    record.write_now(replace(entry, rows=(NewRow("contact", row | {"id": "c", "subject": SUBJECT, "at": stamp(now)}),)))
    assert record.read_now(lambda connection: connection.execute(select(col(EntryRow.id))).all())
