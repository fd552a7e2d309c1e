"""Webhooks on the command line."""

import json
import re

import pytest
from sqlalchemy import update
from sqlmodel import col
from typer.testing import CliRunner, Result

from app.cli import app
from app.record.outgoing.model import DECIDED
from app.record.store.opening import record_now
from app.record.store.tables import EventRow, WebhookRow
from app.settings import Settings
from tests.outgoing import Telling, now

pytestmark = pytest.mark.unit

URL = "https://crm.example/hooks/key-4711"


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("WANLIU_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("COLUMNS", "200")
    with record_now(Settings(database_url=sqlite_url), now):
        """Makes the keys."""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def waiting(url: str) -> str:
    """One event that waits and one that was given up; the webhook's id."""
    with record_now(Settings(database_url=url), now) as record:
        told = Telling(record)
        added = told.subscribe(URL, (DECIDED,))
        for who in ("s-1", "s-2"):
            told.decide(who)
        told.seal()
        with record.database.writing() as connection:
            connection.execute(update(EventRow).where(col(EventRow.number) % 32 == 16).values(dead_at="2026-11-22"))
        return added.subscription.id


def test_none() -> None:
    """Without webhooks it says how one is made."""
    assert "POST /v1/webhooks" in run("webhook", "list").output
    assert json.loads(run("webhook", "list", "--json").output) == []


def test_list(sqlite_url: str) -> None:
    """Each webhook with its host, never its path, and how it stands."""
    webhook_id = waiting(sqlite_url)
    [line] = [line for line in run("webhook", "list").output.splitlines() if webhook_id in line]
    assert "crm.example" in line
    assert "4711" not in line
    [told] = json.loads(run("webhook", "list", "--json").output)
    assert (told["host"], told["owner"], told["types"]) == ("crm.example", "crm-admin", [DECIDED])
    assert (told["standing"]["waiting"], told["standing"]["given_up"]) == (1, 1)


@pytest.mark.parametrize("columns", ["80", "200"])
def test_what_went_wrong_is_read_in_one_piece(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """However narrow the terminal is: figures and the last problem stand on lines of their own."""
    monkeypatch.setenv("COLUMNS", columns)
    webhook_id = waiting(sqlite_url)
    with record_now(Settings(database_url=sqlite_url), now) as record, record.database.writing() as connection:
        connection.execute(update(WebhookRow).values(problem="broken connection", problem_at="2026-11-22T10:20:30.123456+00:00"))
    head, figures, problem = (line.rstrip() for line in run("webhook", "list").output.splitlines())
    assert head == f"{webhook_id}  crm.example  crm-admin"
    assert re.fullmatch(r"  0 told · 1 waiting \(the oldest for [\d,]+ s\) · 1 given up", figures)
    assert problem == "  last problem: broken connection, 2026-11-22 10:20:30Z"


def test_redrive(sqlite_url: str) -> None:
    """What was given up waits again; an id that there is not is refused."""
    webhook_id = waiting(sqlite_url)
    assert "1 event is tried again" in run("webhook", "redrive", webhook_id).output
    assert "0 events are tried again" in run("webhook", "redrive", webhook_id).output
    [told] = json.loads(run("webhook", "list", "--json").output)
    assert (told["standing"]["waiting"], told["standing"]["given_up"]) == (2, 0)
    unknown = run("webhook", "redrive", "nonsense")
    assert unknown.exit_code == 1
    assert "there is no webhook `nonsense`" in unknown.output
