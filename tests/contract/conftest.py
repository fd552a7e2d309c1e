"""The application with the pack of this checkout, in process and as a server on a free port."""

import contextlib
import datetime
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.identity.book import CallerBook
from app.api.identity.tokens import Tokens
from app.api.services import Services
from app.engine.vocabulary.examples import EXAMPLES
from app.record.callers import ROLES, add_caller, all_callers, revoke_caller
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.store.database import Database
from app.record.store.record import Record
from app.settings import Settings
from tests.contract.announced import announced
from tests.tokens import TRUST, Issuer

ROOT = Path(__file__).parents[2]
CUSTOMER: str = EXAMPLES[0]["subscriber"]["id"]  # type: ignore[index,call-overload,assignment]


def settings_in(folder: Path) -> Settings:
    return Settings(
        pack=ROOT, database_url=f"sqlite:///{folder}/wanliu.db", store_deadline_ms=30_000, concurrency=200, campaign_worker=False
    )


@pytest.fixture(scope="session")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Calls the application in process; an error nobody handles would be raised here."""
    with TestClient(create_app(settings_in(tmp_path_factory.mktemp("store"))), base_url="http://wanliu") as client:
        client.event_hooks["response"] = [announced]
        yield client


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server of its own listens."""
    app = create_app(settings_in(tmp_path_factory.mktemp("served")))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, ws="none", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the server stopped while starting"
        assert time.monotonic() < give_up, "the server did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@dataclass(frozen=True)
class Guarded:
    """The application with a caller of each role, called like the role; customers come with tokens, whose subject is `CUSTOMER`."""

    http: TestClient
    record: Record
    keys: dict[str, str]
    issuer: Issuer

    def call(self, name: str, method: str, path: str, **options: Any) -> httpx2.Response:
        """Ask as a caller."""
        headers = {"authorization": f"Bearer {self.keys[name]}", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def add(self, name: str, role: str, grade: str | None = None, beside: str | None = None) -> None:
        now = self.record.clock()
        added = add_caller(self._known(), Ids().new(now), now, name, role, by="tests", grade=grade, beside=beside)
        self.record.write_now(added.entry)
        self.keys[name] = added.key

    def name(self, name: str, role: str, sub: str, **claims: Any) -> None:
        """Have somebody called by this name who comes with a token of the client `desktop`, or of another, that outlives the tests."""
        self.keys[name] = self.issuer.token(role, sub, **{"exp": int(time.time()) + 86_400, **claims})

    def revoke(self, name: str) -> None:
        now = self.record.clock()
        self.record.write_now(revoke_caller(self._known(), Ids().new(now), now, name, by="tests"))

    def look(self) -> None:
        """Let the application see at once who was added or revoked."""
        services: Services = self.http.app.state.services  # type: ignore[attr-defined]
        assert self.http.portal is not None
        self.http.portal.call(services.callers.look, services.record.read)

    def _known(self) -> dict[str, Any]:
        return {caller.name: caller for caller in self.record.read_now(all_callers)}


@pytest.fixture(scope="session")
def guarded(http: TestClient, keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The application on a store with callers, with the pack that is loaded already."""
    packs = http.app.state.services.packs  # type: ignore[attr-defined]
    file = tmp_path_factory.mktemp("guarded") / "wanliu.db"
    issuer = Issuer()
    record = Record(Database(f"sqlite:///{file}"), keys, clock=lambda: datetime.datetime.now(datetime.UTC), deadline=30)

    @contextlib.asynccontextmanager
    async def services(_: Settings) -> AsyncIterator[Services]:
        await record.open()
        callers, keys = CallerBook(reachable=True), issuer.kept()
        callers.tokens = Tokens(TRUST, keys, callers.system_of)
        await keys.look()
        yield Services(packs, record, callers)
        await record.close()

    with TestClient(create_app(Settings(concurrency=200), services), base_url="http://wanliu") as client:
        client.event_hooks["response"] = [announced]
        made = Guarded(client, record, {}, issuer)
        for role in ROLES.keys() - {"self_service"}:
            made.add(role, role)
        made.name("self_service", "self_service", CUSTOMER, azp="self_service")
        made.look()
        yield made
