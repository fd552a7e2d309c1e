"""Decisions of the first release go onto the record, each once, whatever stops it in between; nothing of them stays in the clear."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from app.api.answers import answer_bytes
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import take
from app.engine.pack import Pack
from app.engine.view import view
from app.engine.vocabulary import DecisionRequest
from app.record.decisions import Asked, decision_entry
from app.record.ids import Ids
from app.record.keys import Keys, text_of
from app.record.privacy import open_private, unwrap
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.migrate import upgrade
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import DecisionRow, EntryRow, SubjectRow, UnsealedRow
from tests.databases import using
from tests.pipeline import bodies, shipped

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
ROLE = "development"
ids = Ids()
pytestmark = pytest.mark.unit


def decided(pack: Pack, body: dict[str, Any]) -> tuple[dict[str, Any], Any, Case]:
    """A row as the first release stored it, and the body of an entry of today for the same decision."""
    request = DecisionRequest.model_validate(body)
    case = take(pack, request, now=NOW, role=ROLE)
    decision, decision_id = decide(pack, case), ids.new(NOW)
    answer = answer_bytes(view(explain(pack, case, decision, request.explain), pack.restricted, ROLE), pack, NOW, decision_id)
    row = {
        "id": decision_id,
        "decided_at": NOW.isoformat(),
        "pack_digest": pack.digest,
        "engine": "1.0.0",
        "case": orjson.dumps(case.as_json(), option=orjson.OPT_SORT_KEYS),
        "answer": answer,
    }
    entry = decision_entry(decision_id, NOW, pack, case, decision, answer, Asked("development", ROLE, explain=request.explain))
    return row, entry, case


@pytest.fixture(scope="module")
def pack() -> Pack:
    return shipped()


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Database]:
    """A store of the first release, without rows."""
    with using(f"sqlite:///{tmp_path}/wanliu.db") as database:
        with database.writing() as connection:
            upgrade(connection, "0001")
        yield database


def fill(database: Database, rows: list[dict[str, Any]]) -> None:
    with database.writing() as connection:
        connection.execute(insert(DecisionRow), rows)


def rows(database: Database, table: Any) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(table)))


def prepare(database: Database, keys: Keys) -> None:
    record = Record(Database(str(database.url)), keys, clock=lambda: NOW)
    try:
        record.prepare()
    finally:
        record.close_now()


def simple(number: int) -> dict[str, Any]:
    answer = {"stage": "stable", "phase": {"id": "normal", "reasons": []}, "moment": "none", "personalised": True, "signals": []}
    answer |= {"actions": [], "not_offered": None, "unknown": [], "empty_because": "unknown"}
    case = {"subscriber": {"id": f"secret-{number}"}, "asker": {"role": ROLE}, "channel": "app", "locale": "en"}
    told = {"id": ids.new(NOW), "decided_at": NOW.isoformat(), "pack_digest": "sha256:0", "engine": "1.0.0"}
    return {**told, "case": orjson.dumps(case), "answer": orjson.dumps(answer)}


@pytest.mark.parametrize("detail", ["none", "summary", "full"])
def test_decisions_are_on_the_record_as_if_made_today(old: Database, pack: Pack, keys: Keys, detail: str) -> None:
    """Id, time, case and answer are as they were; the envelope says what one of today says, as far as the answer tells it."""
    made = [decided(pack, body) for body in bodies(7, 25, explain=detail)]
    fill(old, [row for row, _, _ in made])
    prepare(old, keys)
    assert rows(old, DecisionRow) == []
    assert len(rows(old, UnsealedRow)) == len(made)
    found = {row.id: row for row in rows(old, EntryRow)}
    subjects = {row.token: row for row in rows(old, SubjectRow)}
    for row, today, case in made:
        entry = found[row["id"]]
        subject = subjects[entry.subject]
        private = open_private(unwrap(keys, subject.wrapped_key, subject.wrapped_with), entry.private, entry.id.encode())
        body = orjson.loads(entry.envelope)["body"]
        assert entry.at == "2026-11-22T02:00:00.000000+00:00"
        assert Case.from_json(private["case"]) == case
        assert private["answer"].encode() == row["answer"]
        untold = {"outcomes"} if detail != "full" else set()
        untold |= {"signals"} if detail == "none" else set()
        assert _but(_sorted(body), untold) == _but(_sorted(today.body), untold | {"test_line"})


def _sorted(body: Any) -> Any:
    """The body with the actions of each clause in one order, and without the cases that they open: the first release knew none."""
    outcomes = {cause: {clause: sorted(actions) for clause, actions in clauses.items()} for cause, clauses in body["outcomes"].items()}
    offered = [{name: value for name, value in item.items() if name != "opens"} for item in body["offered"]]
    return {**body, "outcomes": outcomes, "offered": offered}


def _but(body: Any, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def test_nothing_stays_in_the_clear(old: Database, keys: Keys, tmp_path: Path) -> None:
    """Neither the file nor its log has the decisions' contents afterwards."""
    fill(old, [simple(number) for number in range(300)])
    old.dispose()
    assert b"secret-" in b"".join(path.read_bytes() for path in tmp_path.glob("wanliu.db*"))
    with old.engine.connect():  # somebody else has it open, so that its log stays
        prepare(old, keys)
        assert b"secret-" not in b"".join(path.read_bytes() for path in tmp_path.glob("wanliu.db*"))
    assert len(rows(old, EntryRow)) == 300


def test_what_is_no_decision_stays(old: Database, keys: Keys) -> None:
    """A row that cannot be read as a decision does not keep the others out, and is not deleted."""
    bad = [{**simple(0), "answer": answer} for answer in (b"\xff", b"{}", b"[]", b"null")]
    good = [simple(number) for number in range(3)]
    fill(old, [*bad, *good])
    prepare(old, keys)
    prepare(old, keys)
    assert {row.id for row in rows(old, DecisionRow)} == {row["id"] for row in bad}
    assert {row.id for row in rows(old, EntryRow)} == {row["id"] for row in good}


@pytest.mark.parametrize("happened", [True, False])
def test_a_commit_that_breaks_loses_nothing(old: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch, happened: bool) -> None:
    """When the store breaks in the middle, the next start goes on where it was."""
    given = [simple(number) for number in range(10)]
    fill(old, given)
    monkeypatch.setattr("app.record.store.adoption._SOME", 3)
    original, commits = Committer._finish, [0]

    def finish(self: Committer, connection: Any) -> None:
        commits[0] += 1
        if commits[0] != 2 or happened:
            original(self, connection)
        if commits[0] == 2:
            raise OperationalError("COMMIT", None, ConnectionError("the connection broke"))

    monkeypatch.setattr(Committer, "_finish", finish)
    with pytest.raises(StoreUnavailable, match="the connection broke"):
        prepare(old, keys)
    assert len(rows(old, EntryRow)) == (6 if happened else 3)
    assert len(rows(old, EntryRow)) + len(rows(old, DecisionRow)) == 10
    prepare(old, keys)
    assert {row.id for row in rows(old, EntryRow)} == {row["id"] for row in given}
    assert rows(old, DecisionRow) == []


ADOPTING = """
import datetime, sys
from app.record.store.record import Record
from app.record.store import adoption
from app.record.store.database import Database
from app.record.keys import keys_of

adoption._SOME = 3
record = Record(Database(sys.argv[1]), keys_of(sys.argv[2], "keys"), clock=lambda: datetime.datetime.now(datetime.UTC))
record.prepare()
"""


@pytest.mark.faults
def test_a_kill_in_between_loses_nothing(old: Database, keys: Keys) -> None:
    """Killed again and again while it takes over, it has each decision once in the end."""
    given = [simple(number) for number in range(600)]
    fill(old, given)
    for _ in range(3):
        before = len(rows(old, DecisionRow))
        with subprocess.Popen([sys.executable, "-c", ADOPTING, str(old.url), text_of(keys)]) as process:
            while len(rows(old, DecisionRow)) > before - 30:
                assert process.poll() is None
                time.sleep(0.005)
            os.kill(process.pid, signal.SIGKILL)
        assert len(rows(old, EntryRow)) + len(rows(old, DecisionRow)) == 600
    prepare(old, keys)
    assert {row.id for row in rows(old, EntryRow)} == {row["id"] for row in given}
    assert rows(old, DecisionRow) == []
