"""Requests that are sent again under the same key."""

import contextlib
import datetime
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, update
from sqlmodel import col
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.services import Services
from app.engine.vocabulary.examples import EXAMPLES
from app.record.entries import NewEntry, Written
from app.record.keys import Keys
from app.record.store.database import Database, stamp
from app.record.store.record import Record
from app.record.store.tables import EntryRow, IdempotencyRow
from app.settings import Settings
from tests.contract.conftest import Guarded

pytestmark = pytest.mark.contract

LIVE: Any = EXAMPLES[0]
NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)


class Slow(Record):
    """A record that lets something happen before each write."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    async def write(self, entry: NewEntry) -> Written:
        happen, Slow.meanwhile = Slow.meanwhile, staticmethod(lambda: None)  # type: ignore[method-assign]
        happen()
        return await super().write(entry)


@dataclass
class Clock:
    now: datetime.datetime = NOW

    def __call__(self) -> datetime.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve(http: TestClient, keys: Keys, database_url: str, clock: Clock) -> Iterator[Callable[[], TestClient]]:
    """Starts processes of the service that share a database."""
    packs = http.app.state.services.packs  # type: ignore[attr-defined]
    with contextlib.ExitStack() as stack:

        def start() -> TestClient:
            record = Slow(Database(database_url), keys, clock=clock, deadline=30)

            @contextlib.asynccontextmanager
            async def services(_: Settings) -> AsyncIterator[Services]:
                await record.open()
                yield Services(packs, record, clock=clock)
                await record.close()

            return stack.enter_context(TestClient(create_app(Settings(concurrency=200), services), base_url="http://wanliu"))

        yield start


def ask(client: TestClient, key: str, body: Any = LIVE) -> httpx2.Response:
    return client.post("/v1/decisions", json=body, headers={"idempotency-key": key})


def decisions(client: TestClient) -> int:
    record: Record = client.app.state.services.record  # type: ignore[attr-defined]
    query = select(func.count()).where(col(EntryRow.kind) == "decision")
    return record.read_now(lambda connection: connection.execute(query).scalar_one())


def test_the_same_request_has_the_same_answer(serve: Callable[[], TestClient], clock: Clock) -> None:
    """Byte for byte, and once on the record; another key is another decision."""
    client = serve()
    first = ask(client, "k-1")
    clock.now += datetime.timedelta(seconds=5)
    assert ask(client, "k-1").content == first.content
    assert decisions(client) == 1
    assert ask(client, "k-2").json()["decision_id"] != first.json()["decision_id"]
    assert decisions(client) == 2


def test_another_body_is_refused(serve: Callable[[], TestClient]) -> None:
    """A key names one request."""
    client = serve()
    ask(client, "k-1")
    told = ask(client, "k-1", LIVE | {"max_actions": 1})
    assert (told.status_code, told.json()["type"]) == (422, "urn:wanliu:problem:idempotency-key-reused")
    assert told.json()["errors"] == [{"field": "Idempotency-Key", "message": "was used for another request; use a new one"}]
    assert decisions(client) == 1


def test_another_path_is_another_request(serve: Callable[[], TestClient]) -> None:
    """A key that was used for a decision is not one for an outcome, nor one for the outcome of another decision, were it the same."""
    client = serve()
    first, second = ask(client, "k-1").json(), ask(client, "k-2").json()
    body = {"action": first["actions"][0]["action"], "outcome": "shown"}

    def tell(answer: Any, key: str) -> int:
        path = f"/v1/decisions/{answer['decision_id']}/responses"
        return client.post(path, json=body, headers={"idempotency-key": key}).status_code

    assert [tell(first, "k-1"), tell(first, "k-3"), tell(second, "k-3")] == [422, 200, 422]


def test_an_outcome_is_told_once(serve: Callable[[], TestClient], clock: Clock) -> None:
    """Sent again, it has the answer of the first time."""
    client = serve()
    answer = ask(client, "k-1").json()
    path, body = f"/v1/decisions/{answer['decision_id']}/responses", {"action": answer["actions"][0]["action"], "outcome": "shown"}
    told = []
    for _ in range(2):
        told.append(client.post(path, json=body, headers={"idempotency-key": "k-2"}))
        clock.now += datetime.timedelta(seconds=5)
    assert told[0].status_code == 200
    assert told[0].content == told[1].content


def test_what_was_right_then_is_not_refused_later(serve: Callable[[], TestClient], clock: Clock) -> None:
    """A request that names its time may be sent again after it has become too old to be asked."""
    client, body = serve(), LIVE | {"as_of": NOW.isoformat()}
    first = ask(client, "k-1", body)
    clock.now += datetime.timedelta(hours=23)
    assert ask(client, "k-1", body).content == first.content
    assert ask(client, "k-2", body).status_code == 422


def test_keys_are_forgotten_after_a_day(serve: Callable[[], TestClient], clock: Clock) -> None:
    """Then the same key is a new request, whatever its body."""
    client = serve()
    first = ask(client, "k-1")
    clock.now += datetime.timedelta(hours=24)
    again = ask(client, "k-1", LIVE | {"max_actions": 1})
    assert again.status_code == 200
    assert again.json()["decision_id"] != first.json()["decision_id"]


def test_processes_share_keys(serve: Callable[[], TestClient]) -> None:
    """What one process answered the other answers too."""
    one, two = serve(), serve()
    first = ask(one, "k-1")
    assert ask(two, "k-1").content == first.content
    assert ask(two, "k-1", LIVE | {"max_actions": 1}).status_code == 422


def test_another_process_is_first(serve: Callable[[], TestClient]) -> None:
    """A request that was being decided while another process stored the same one gets that one's answer."""
    one, two = serve(), serve()
    firsts: list[httpx2.Response] = []
    Slow.meanwhile = staticmethod(lambda: firsts.append(ask(two, "k-1")))  # type: ignore[method-assign]
    answer = ask(one, "k-1")
    assert [first.content for first in firsts] == [answer.content]
    assert decisions(one) == 1


def test_another_process_is_first_with_another_body(serve: Callable[[], TestClient]) -> None:
    """Then the key is that one's."""
    one, two = serve(), serve()
    Slow.meanwhile = staticmethod(lambda: ask(two, "k-1", LIVE | {"max_actions": 1}))  # type: ignore[method-assign, return-value, assignment]
    assert ask(one, "k-1").status_code == 422
    assert decisions(one) == 1


def test_many_at_once_are_one(serve: Callable[[], TestClient]) -> None:
    """However many come at the same time, in however many processes: one decision, one answer."""
    clients = [serve(), serve()]
    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda number: ask(clients[number % 2], "k-1"), range(32)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert decisions(clients[0]) == 1


def test_an_erased_answer_is_not_made_up(serve: Callable[[], TestClient], clock: Clock) -> None:
    """Where the first answer cannot be read any more, no other one takes its place."""
    client = serve()
    ask(client, "k-1")
    record: Record = client.app.state.services.record  # type: ignore[attr-defined]
    with record.database.writing() as connection:
        connection.execute(update(IdempotencyRow).values(entry_id="gone", expires_at=stamp(NOW + datetime.timedelta(days=1))))
    assert ask(client, "k-1").status_code == 503


def test_what_if_has_no_key(serve: Callable[[], TestClient]) -> None:
    """It leaves no trace, not even its key."""
    client, body = serve(), LIVE | {"mode": "what_if"}
    assert ask(client, "k-1", body).status_code == 200
    assert ask(client, "k-1", body | {"max_actions": 1}).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 101, "a,b", 'a"b', '"a', '""', "é"])
def test_keys_have_a_form(http: TestClient, key: str) -> None:
    """1 to 100 letters, digits and some signs; what is sent is not repeated."""
    told = http.post("/v1/decisions", json=LIVE, headers={"idempotency-key": key.encode("latin-1")})  # type: ignore[dict-item]
    assert (told.status_code, told.json()["errors"]) == (
        422,
        [{"field": "Idempotency-Key", "message": "expected 1 to 100 letters, digits and _ . : / + = -, in quotes or without"}],
    )


def test_quotes_are_no_part_of_a_key(serve: Callable[[], TestClient]) -> None:
    """The header's draft standard wants them, and most leave them out."""
    client = serve()
    assert ask(client, '"k-1"').content == ask(client, "k-1").content


def test_keys_of_callers_are_apart(guarded: Guarded) -> None:
    """The same key of another caller is another request."""
    guarded.add("first", "agent")
    guarded.add("second", "agent")
    guarded.look()
    answers = [
        guarded.call(name, "POST", "/v1/decisions", json=LIVE | {"max_actions": number}, headers={"idempotency-key": "shared"})
        for number, name in enumerate(("first", "second"), 1)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["decision_id"] != answers[1].json()["decision_id"]
