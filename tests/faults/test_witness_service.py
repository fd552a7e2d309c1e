"""A service with a witness: checkpoints are cosigned as it runs, and a store that was put back from a copy is cried out."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.record.store.opening import keys_of
from app.settings import Settings
from tests.faults.children import Service
from tests.faults.load import request
from tests.packs_in_force import settings_in, version, write

pytestmark = pytest.mark.faults

PROGRAM = str(Path(sys.executable).with_name("wanliu"))
PATIENCE = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a service on SQLite, whose keys are made."""
    found = settings_in(tmp_path)
    write(found.pack, version("1.0.0"))
    keys_of(found)
    return found


@pytest.fixture
def witnessed(settings: Settings, tmp_path: Path, unused_port: int) -> Iterator[Settings]:
    """The same, with a witness that runs."""
    command = [PROGRAM, "witness", "--port", "0", "--log", keys_of(settings).verifiers[0].text()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            told = dict(line.strip().split("=", 1) for line in islice(process.stdout, 7) if line.startswith("WANLIU_"))
            where = {"witness_url": told["WANLIU_WITNESS_URL"], "witness_key": told["WANLIU_WITNESS_KEY"]}
            yield settings.model_copy(update={**where, "port": unused_port})
        finally:
            process.terminate()


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def until(find: Callable[[], Any]) -> Any:
    """What is found at last."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            found = find()
        except httpx.HTTPError:
            found = None
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("not in time")


def decide(service: Service, key: str) -> None:
    until(lambda: httpx.post(f"{service.address}/v1/decisions", json=request(key)).status_code == 200)


def stands(service: Service, standing: str, size: int = 0) -> Any:
    """Wait until readiness tells that the log stands so with its witness."""

    def look() -> Any:
        told = httpx.get(f"{service.address}/readyz").json()["witness"]
        return told if told["standing"] == standing and told["size"] >= size else None

    return until(look)


def test_a_store_that_was_put_back_is_cried_out(witnessed: Settings) -> None:
    """The service runs on, its log is cosigned; with yesterday's file in the place of today's, readiness and `record verify` say so."""
    service, file = Service(witnessed), witnessed.database_file
    service.start()
    decide(service, "one")
    first = stands(service, "witnessed")["size"]
    with sqlite3.connect(file) as source, sqlite3.connect(file.with_suffix(".copy")) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    decide(service, "two")
    stands(service, "witnessed", first + 1)
    service.kill()
    assert verified(witnessed)["genuine"]
    for left in file.parent.glob("wanliu.db*"):
        left.unlink()
    shutil.copyfile(file.with_suffix(".copy"), file)
    found = verified(witnessed)
    assert (found["genuine"], [finding["what"] for finding in found["findings"]]) == (False, ["truncated"])
    service.start()
    assert "rolled back" in stands(service, "forked")["why"]
    decide(service, "three")
    service.kill()


def verified(settings: Settings) -> Any:
    """What `wanliu record verify` says, with the witness."""
    environment = {
        "WANLIU_DATABASE_URL": settings.database_url,
        "WANLIU_KEY_FILE": str(settings.key_file),
        "WANLIU_WITNESS_KEY": str(settings.witness_key),
    }
    command = [PROGRAM, "record", "verify", "--json", "--witness", str(settings.witness_url)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)
