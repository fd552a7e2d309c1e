"""A service at a time of our own, for tests of what customers see and choose, and of what is asked just before sending."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.identity.book import CallerBook
from app.api.services import Services
from app.record.callers import DEVELOPMENT, Caller
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.reading.recorded import Recorded, read_entry
from app.record.store.database import Database
from app.record.store.record import Record
from app.settings import Settings

START = datetime.datetime(2026, 11, 20, 2, 0, tzinfo=datetime.UTC)
EXAMPLES = Path(__file__).parents[1] / "examples"
SMS: Any = json.loads((EXAMPLES / "02-high-tariff.json").read_bytes())
WHO = "s-1002"
CALLERS: Mapping[str, Caller] = {
    "": Caller(DEVELOPMENT, DEVELOPMENT),
    "app": Caller("app", "self_service", subject=WHO),
    "app of another": Caller("app", "self_service", subject="s-9999"),
    "campaign": Caller("engine", "campaign"),
    "other campaign": Caller("other", "campaign"),
    "agent": Caller("desk", "agent", "leader"),
    "compliance": Caller("cora", "compliance"),
}


class Anybody(CallerBook):
    """Lets everybody in as who they say they are."""

    async def who(self, headers: Headers) -> Caller:
        return CALLERS[headers.get("x-test-caller", "")]


class Service:
    """The service, and what is asked of it about one person."""

    def __init__(self, record: Record) -> None:
        self.record, self.now = record, START
        self.http: TestClient

    def clock(self) -> datetime.datetime:
        return self.now

    def wait(self, **span: float) -> None:
        self.now += datetime.timedelta(**span)

    def call(self, caller: str, method: str, path: str, **options: Any) -> httpx2.Response:
        return self.http.request(method, path, headers={"x-test-caller": caller, **options.pop("headers", {})}, **options)

    def decide(self, caller: str = "campaign", subscriber: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """Decide about the person with what a caller knew long ago."""
        body = {name: value for name, value in SMS.items() if name != "as_of"} | {"locale": "en"} | fields
        body["subscriber"] = body["subscriber"] | dict(subscriber or {})
        response = self.call(caller, "POST", "/v1/decisions", json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def choose(self, choice: str, caller: str = "app", **fields: Any) -> Any:
        response = self.call(caller, "POST", "/v1/my/choices?locale=en", json={"choice": choice, **fields})
        assert response.status_code == 200, response.text
        return response.json()["choices"]

    def tell(self, caller: str, decision_id: str, action: str, outcome: str) -> Any:
        body = {"action": action, "outcome": outcome}
        response = self.call(caller, "POST", f"/v1/decisions/{decision_id}/responses", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def recheck(self, *items: Mapping[str, Any], caller: str = "campaign", locale: str = "en") -> list[dict[str, Any]]:
        response = self.call(caller, "POST", "/v1/decisions/recheck", json={"items": list(items), "locale": locale})
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["items"]
        return found

    def entry(self, entry_id: str) -> Recorded:
        found = self.record.read_now(lambda connection: read_entry(connection, self.record.keys, entry_id))
        assert found is not None
        return found

    def seal(self) -> None:
        Sealer(self.record.database, self.record.keys, self.clock).seal()


@contextlib.contextmanager
def served(packs: Any, url: str, keys: Keys) -> Iterator[Service]:
    """The service on a database, with packs that are loaded already."""
    service = Service(Record(Database(url), keys, clock=lambda: service.now, deadline=30))

    @contextlib.asynccontextmanager
    async def services(_: Settings) -> AsyncIterator[Services]:
        await service.record.open()
        yield Services(packs, service.record, Anybody(), clock=service.clock)
        await service.record.close()

    with TestClient(create_app(Settings(), services), base_url="http://wanliu") as client:
        service.http = client
        yield service


def offered(answer: Mapping[str, Any]) -> list[str]:
    return [item["action"] for item in answer["actions"]]
