"""Deciding over HTTP: what is answered, what is stored, and what becomes of it when something breaks."""

import asyncio
import contextlib
import datetime
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, select
from sqlmodel import col
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.api.application import create_app
from app.api.services import Services, open_services
from app.engine.case import Case
from app.engine.pack import Pack
from app.engine.vocabulary.examples import EXAMPLES
from app.record.entries import NewEntry
from app.record.keys import Keys
from app.record.privacy import open_private, unwrap
from app.record.store.database import Database
from app.record.store.problems import StoreBusy, StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import EntryRow, SubjectRow
from app.settings import Settings

pytestmark = pytest.mark.contract

LIVE: Any = EXAMPLES[0]
WHAT_IF: Any = EXAMPLES[1]


@pytest.fixture
def pack(http: TestClient) -> Pack:
    return services_of(http).packs.current


def services_of(http: TestClient) -> Services:
    services: Services = http.app.state.services  # type: ignore[attr-defined]
    return services


def call(http: TestClient, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call something asynchronous in the application's event loop."""
    assert http.portal is not None
    return http.portal.call(function, *arguments)


class Broken(Record):
    """A record that fails in a way that nobody foresaw."""

    async def write(self, entry: NewEntry) -> Any:
        raise RuntimeError("secret of s-1001")


class Full(Record):
    """A record whose queue is always full."""

    async def write(self, entry: NewEntry) -> Any:
        raise StoreBusy("too many entries wait to be stored")


class Stuck(Record):
    """A record whose disk does not answer."""

    async def open(self) -> None:
        await super().open()
        self._writer._store = lambda batch: None  # type: ignore[method-assign]


@pytest.fixture
def with_store(http: TestClient, tmp_path: Path, keys: Keys) -> Any:
    """The application on a record of some kind, with the pack that is loaded already."""
    packs = services_of(http).packs

    @contextlib.contextmanager
    def using(kind: type[Record], **options: Any) -> Iterator[TestClient]:
        @contextlib.asynccontextmanager
        async def services(_: Settings) -> AsyncIterator[Services]:
            record = kind(Database(f"sqlite:///{tmp_path}/other.db"), keys, clock=services_of(http).clock, **options)
            await record.open()
            yield Services(packs, record)
            await record.close()

        with TestClient(create_app(Settings(), services), raise_server_exceptions=False) as client:
            yield client

    return using


def private_of(http: TestClient, decision_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The envelope of a decision, and what is private about it."""
    record = services_of(http).record
    found: tuple[dict[str, Any], dict[str, Any]] = call(
        http, record.read, lambda connection: read_private(record.keys, connection, decision_id)
    )
    return found


def read_private(keys: Keys, connection: Connection, decision_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    entry = connection.execute(select(EntryRow).where(col(EntryRow.id) == decision_id)).one()
    subject = connection.execute(select(SubjectRow).where(col(SubjectRow.token) == entry.subject)).one()
    key = unwrap(keys, subject.wrapped_key, subject.wrapped_with)
    return json.loads(entry.envelope), open_private(key, entry.private, decision_id.encode())


def test_a_decision_is_answered_and_on_record(http: TestClient) -> None:
    """A live decision says who decided, and reads back byte for byte."""
    response = http.post("/v1/decisions", json=LIVE)
    answer = response.json()
    assert response.status_code == 200
    assert (answer["record"], answer["engine"]) == ({"state": "durable"}, "1.0.0")
    assert answer["pack"]["digest"].startswith("sha256:")
    assert datetime.datetime.fromisoformat(answer["decided_at"]).utcoffset() == datetime.timedelta()
    assert answer["actions"]
    assert http.get(f"/v1/decisions/{answer['decision_id']}").content == response.content


def test_the_case_on_record_is_the_one_decided(http: TestClient) -> None:
    """What is stored beside the answer makes the same case again."""
    answer = http.post("/v1/decisions", json=LIVE).json()
    envelope, private = private_of(http, answer["decision_id"])
    case = Case.from_json(private["case"])
    assert (case.subscriber.id, case.channel, case.asker.role) == ("s-1001", "call_centre", "development")
    assert case.times.as_of == datetime.datetime.fromisoformat(answer["decided_at"])
    assert envelope["body"]["pack"] == answer["pack"]["digest"]
    assert datetime.datetime.fromisoformat(envelope["at"]) == datetime.datetime.fromisoformat(answer["decided_at"])


def test_what_if_leaves_no_trace(http: TestClient) -> None:
    """A what-if decision has no id and no record, and the same question has the same answer."""
    first, second = (http.post("/v1/decisions", json=WHAT_IF).json() for _ in range(2))
    assert (first["decision_id"], first["record"]) == (None, {"state": "none"})
    assert {**first, "decided_at": ""} == {**second, "decided_at": ""}


@pytest.mark.parametrize("detail", ["none", "summary", "full"])
def test_detail_is_as_asked_for(http: TestClient, detail: str) -> None:
    """Only `full` tells of actions that were not offered."""
    answer = http.post("/v1/decisions", json={**LIVE, "explain": detail}).json()
    assert (answer["not_offered"] is not None) == (detail == "full")


def test_an_unknown_id_is_not_found(http: TestClient) -> None:
    """An id that nothing was stored under is told so."""
    response = http.get("/v1/decisions/01a20264-24e4-7707-8db2-fed784d5ad4b")
    assert (response.status_code, response.json()["type"]) == (404, "urn:wanliu:problem:not-found")


def test_many_at_once_are_each_on_record(http: TestClient, address: str) -> None:
    """Requests that share a commit each get their own answer."""
    with httpx.Client(base_url=address, timeout=60) as client, ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda _: client.post("/v1/decisions", json=LIVE), range(64)))
        ids = {answer.json()["decision_id"] for answer in answers}
        assert len(ids) == 64
        assert {client.get(f"/v1/decisions/{known}").json()["decision_id"] for known in ids} == ids


def test_a_stuck_store_is_an_error_soon(with_store: Any) -> None:
    """What cannot be stored in time is not answered: 503, with when to ask again."""
    with with_store(Stuck, deadline=0.05) as client:
        response = client.post("/v1/decisions", json=LIVE)
    assert (response.status_code, response.json()["type"]) == (503, "urn:wanliu:problem:store-unavailable")
    assert response.headers["retry-after"] == "1"
    assert "actions" not in response.json()
    assert response.json()["detail"].startswith("the decision could not be stored in time, so it is not given")


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("GET", "/readyz", "nothing was read"),
        ("GET", "/v1/records/checkpoint", "nothing was read"),
        ("POST", "/v1/packs/rollback", "the change is not known to be stored, and may still be: look, or send it again with its"),
    ],
)
def test_what_the_store_was_wanted_for_is_told(with_store: Any, monkeypatch: pytest.MonkeyPatch, method: str, path: str, says: str) -> None:
    """Whoever read, or changed something, is not told of a decision."""

    async def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("down")

    with with_store(Stuck, deadline=0.05) as client:
        monkeypatch.setattr(Record, "read", away)
        monkeypatch.setattr(Record, "check", away)
        response = client.request(method, path, **({} if method == "GET" else {"json": {}}))
    assert (response.status_code, response.json()["title"]) == (503, "The store does not answer")
    assert response.json()["detail"].startswith(says)


def test_a_full_queue_is_an_error_at_once(with_store: Any) -> None:
    """Load is shed where the queue is full."""
    with with_store(Full) as client:
        response = client.post("/v1/decisions", json=LIVE)
    assert (response.status_code, response.json()["type"]) == (503, "urn:wanliu:problem:store-busy")


def test_a_failure_nobody_foresaw_tells_nothing(with_store: Any) -> None:
    """The caller gets a problem without detail; the log has the traceback."""
    with with_store(Broken) as client, capture_logs() as logs:
        response = client.post("/v1/decisions", json=LIVE)
    assert response.status_code == 500
    assert response.json() == {
        "type": "urn:wanliu:problem:internal",
        "title": "The service failed",
        "status": 500,
        "detail": None,
        "errors": [],
    }
    assert [entry["event"] for entry in logs] == ["request_failed", "request"]
    assert isinstance(logs[0]["exc_info"], RuntimeError)


def test_the_log_names_nobody(http: TestClient) -> None:
    """A request's line has method, route template, status, time and phase, and nothing of whom it was about; nor where it is refused."""
    with capture_logs() as logs:
        answer = http.post("/v1/decisions", json=LIVE).json()
        refused = http.post("/v1/decisions?phone=13912345678", json=LIVE), http.get(f"/v1/decisions/{answer['decision_id']}?x=13912345678")
    first, second, third = logs
    assert (first["method"], first["route"], first["status"], first["phase"]) == ("POST", "/v1/decisions", 200, answer["phase"]["id"])
    assert [second["route"], third["route"]] == ["/v1/decisions", "/v1/decisions/{decision_id}"]
    assert [item.status_code for item in refused] == [second["status"], third["status"]] == [422, 422]
    assert not any("13912345678" in item.text for item in refused)
    assert set(first) == {"event", "log_level", "method", "route", "status", "ms", "role", "channel", "phase"}
    assert not any(word in str(logs) for word in ("s-1001", "13912345678", answer["decision_id"]))


def test_the_welcome_says_what_runs(http: TestClient, pack: Pack) -> None:
    """The root names the pack, and every link of it answers."""
    told = http.get("/").json()
    assert told["pack"] == {"name": pack.name, "version": pack.version, "digest": pack.digest}
    for name, link in told["links"].items():
        assert http.get(link).status_code == 200, name


def test_health(http: TestClient, pack: Pack) -> None:
    """Alive says the process answers; ready says which pack decides and that its folder is good."""
    assert http.get("/healthz").json() == {"status": "alive"}
    told = http.get("/readyz").json()
    in_force = told["in_force"]
    assert (told["status"], told["pack"]["digest"]) == ("ready", pack.digest)
    assert (in_force["follows"], in_force["state"], in_force["problems"]) == ("folder", "good", [])


def test_not_ready_without_a_store(with_store: Any) -> None:
    """A service whose store is gone says so."""
    with with_store(Record) as client:
        call(client, services_of(client).record.close)
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503


def test_head_is_get_without_its_body(http: TestClient) -> None:
    """HEAD has the headers of GET."""
    response = http.head("/healthz")
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "18")


def test_services_open_and_close(tmp_path: Path, http: TestClient) -> None:
    """The composition root opens a store from empty, and leaves nothing running."""

    async def opened() -> str:
        settings = Settings(pack=Path(__file__).parents[2], database_url=f"sqlite:///{tmp_path}/fresh.db")
        async with open_services(settings) as services:
            await services.record.check()
            return services.packs.current.name

    assert asyncio.run(opened())
    assert (tmp_path / "fresh.db").exists()


def test_a_reader_chooses_fields(http: TestClient) -> None:
    """In the order asked for, each once; one that there is not is refused with the nearest, and nothing else is read."""
    decision_id = http.post("/v1/decisions", json=LIVE).json()["decision_id"]
    answer = http.get(f"/v1/decisions/{decision_id}", params={"fields": "phase,decision_id,phase"})
    assert list(answer.json()) == ["phase", "decision_id"]
    for wrong, says in (("phas", "did you mean `phase`?"), ("", "expected names of fields"), ("phase,", "expected names of fields")):
        refused = http.get(f"/v1/decisions/{decision_id}", params={"fields": wrong})
        assert refused.status_code == 422
        (error,) = refused.json()["errors"]
        assert error["field"] == "fields"
        assert says in error["message"]
