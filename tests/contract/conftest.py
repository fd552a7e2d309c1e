"""The application with the pack of this checkout, in process and as a server on a free port."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from app.api import create_app
from app.settings import Settings

ROOT = Path(__file__).parents[2]


def settings_in(folder: Path) -> Settings:
    return Settings(pack=ROOT, database_url=f"sqlite:///{folder}/wanliu.db", store_deadline_ms=30_000)


@pytest.fixture(scope="session")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Calls the application in process; an error nobody handles would be raised here."""
    with TestClient(create_app(settings_in(tmp_path_factory.mktemp("store"))), base_url="http://wanliu") as client:
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
