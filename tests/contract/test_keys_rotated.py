"""Rotating the wrapping key under two processes: the one that was not started anew meets persons whose keys the other has wrapped."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.api.application import create_app
from app.api.services import Services
from app.record.keys import Keys, load_keys, rotate_file
from app.record.log.sealer import Sealer
from app.record.rotating import rewrap_subjects
from app.record.store.database import Database
from app.record.store.record import Record
from app.settings import Settings
from tests.contract.conftest import ROOT

pytestmark = pytest.mark.contract

SMS: Any = json.loads((ROOT / "examples" / "02-high-tariff.json").read_bytes())
START = datetime.datetime(2026, 11, 20, 2, 0, tzinfo=datetime.UTC)
KEYED = {"idempotency-key": "k-1"}


@dataclass
class Process:
    """A service with keys of its own age."""

    http: TestClient
    record: Record

    def decide(self, subscriber: str, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx2.Response:
        person = {**SMS["subscriber"], "id": subscriber}
        body = {name: value for name, value in SMS.items() if name != "as_of"} | {**fields, "subscriber": person}
        return self.http.post("/v1/decisions", json=body, headers=headers)


@contextlib.contextmanager
def process(packs: Any, url: str, keys: Keys) -> Iterator[Process]:
    record = Record(Database(url), keys, clock=lambda: START, deadline=30)

    @contextlib.asynccontextmanager
    async def services(_: Settings) -> AsyncIterator[Services]:
        await record.open()
        yield Services(packs, record, clock=lambda: START)
        await record.close()

    with TestClient(create_app(Settings(), services), base_url="http://wanliu") as client:
        yield Process(client, record)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    load_keys(tmp_path / "wanliu.keys", None)
    return tmp_path / "wanliu.keys"


def ways(old: Process, decision: str, action: str) -> dict[str, Callable[[], httpx2.Response]]:
    """Every call that needs a person's key, as the older process is asked it."""
    at = f"/v1/decisions/{decision}"
    person = {"x-subscriber-id": "s-new"}
    return {
        "decide": lambda: old.decide("s-new"),
        "decide with the record's history": lambda: old.decide("s-new", history="record"),
        "the same request again": lambda: old.decide("s-new", headers=KEYED),
        "tell an outcome": lambda: old.http.post(f"{at}/responses", json={"action": action, "outcome": "refused"}),
        "read the answer": lambda: old.http.get(at),
        "read the record": lambda: old.http.get(f"{at}/record"),
        "explain": lambda: old.http.get(f"{at}/explanation"),
        "replay": lambda: old.http.get(f"{at}/replay"),
        "prove": lambda: old.http.get(f"{at}/proof"),
        "pairs": lambda: old.http.get("/v1/records/pairs"),
        "access": lambda: old.http.get("/v1/subscribers/-/record", headers=person),
        "export": lambda: old.http.post("/v1/records/export", json={"decisions": [decision], "open": ["s-new"]}),
    }


WITHOUT_KEY: dict[str, Callable[[Process], httpx2.Response]] = {
    "search": lambda old: old.http.get("/v1/decisions", headers={"x-subscriber-id": "s-new"}),
    "figures": lambda old: old.http.get("/v1/records/figures"),
    "decide about another": lambda old: old.decide("s-old"),
    "erase": lambda old: old.http.post("/v1/subscribers/-/erasure", json={"basis": "request"}, headers={"x-subscriber-id": "s-new"}),
}


def meet(new: Process) -> tuple[str, str]:
    """Somebody whom the newer process meets first: a decision and an action of it, and a contact."""
    answer = new.decide("s-new", headers=KEYED).json()
    action = answer["actions"][0]["action"]
    assert new.http.post(f"/v1/decisions/{answer['decision_id']}/responses", json={"action": action, "outcome": "shown"}).status_code == 200
    Sealer(new.record.database, new.record.keys, new.record.clock).seal()
    return answer["decision_id"], action


def test_a_key_that_was_added_to_the_file_is_found(http: TestClient, database_url: str, file: Path) -> None:
    """By every call of a process that was not started anew; and it stays ready."""
    packs = http.app.state.services.packs  # type: ignore[attr-defined]
    with process(packs, database_url, load_keys(file, None)) as old:
        assert old.decide("s-old").status_code == 200
        rotate_file(file, "wrapping", START)
        with process(packs, database_url, load_keys(file, None)) as new:
            decision, action = meet(new)
            assert {what: call().status_code for what, call in ways(old, decision, action).items() if call().status_code != 200} == {}
            assert rewrap_subjects(new.record, new.record.keys) == 1
            assert {what: status for what, call in WITHOUT_KEY.items() if (status := call(old).status_code) != 200} == {}
            assert old.http.get("/readyz").status_code == 200


def test_a_key_of_the_environment_is_asked_for_by_its_id(http: TestClient, database_url: str, file: Path) -> None:
    """What is about a person whose key it wraps is 503, never 500; the process is not ready, and the log says which key is wanted."""
    packs = http.app.state.services.packs  # type: ignore[attr-defined]
    with process(packs, database_url, load_keys(None, file.read_text("utf-8"))) as old:
        key = rotate_file(file, "wrapping", START).wrapping[-1].id
        with process(packs, database_url, load_keys(None, file.read_text("utf-8"))) as new:
            decision, action = meet(new)
            assert old.http.get("/readyz").status_code == 200
            with capture_logs() as logs:
                answers = {what: call() for what, call in ways(old, decision, action).items()}
                ready = old.http.get("/readyz")
            assert {what: (answer.status_code, answer.headers.get("retry-after")) for what, answer in answers.items()} == dict.fromkeys(
                answers, (503, "1")
            )
            assert (ready.status_code, ready.headers["retry-after"]) == (503, "1")
            [unknown] = [entry for entry in logs if entry["event"] == "wrapping_key_unknown"]
            assert (unknown["key"], unknown["log_level"]) == (key, "error")
            assert "set WANLIU_KEYS to" in unknown["why"]
            assert "start this process anew" in unknown["why"]
            assert "s-new" not in str(logs)
            assert {what: status for what, call in WITHOUT_KEY.items() if (status := call(old).status_code) != 200} == {}
