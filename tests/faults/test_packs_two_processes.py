"""Two service processes on one store: both switch to the pack in force without a restart, and keep it when the next one is broken."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.record.ids import Ids
from app.record.packs.standing import read_history
from app.record.packs.steps import Checked, Desk, PackContent
from app.record.store.opening import record_now
from app.settings import Settings
from tests.packs_in_force import FAILING, add_callers, content, now, settings_in, version, write

pytestmark = pytest.mark.faults

WANLIU = Path(sys.executable).parent / "wanliu"
SECONDS = 60.0


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """A process of the service, and where it listens."""
    own = {
        "WANLIU_PORT": "0",
        "WANLIU_PACK": str(settings.pack),
        "WANLIU_DATABASE_URL": settings.database_url,
        "WANLIU_KEY_FILE": str(settings.key_file),
        "WANLIU_CACHE_DIR": str(settings.cache_dir),
        "WANLIU_STORE_DEADLINE_MS": "30000",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANLIU_")}
    with subprocess.Popen([WANLIU, "serve"], env=kept | own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            said = (re.search(r"http://[0-9.:]+", line) for line in process.stdout)
            address = next(filter(None, said), None)
            assert address is not None, "the service did not start"
            yield address[0]
            process.terminate()
            assert process.wait(SECONDS) in (0, -signal.SIGTERM)
        finally:
            process.kill()


def ready(address: str) -> Any:
    with urllib.request.urlopen(f"{address}/readyz", timeout=30) as response:  # noqa: S310 - our own address
        return json.load(response)


def wait(address: str, holds: Callable[[Any], bool]) -> Any:
    """What the process says of itself, once that holds."""
    give_up = time.monotonic() + SECONDS
    while not holds(told := ready(address)):
        assert time.monotonic() < give_up, told
        time.sleep(0.1)
    return told


def force(settings: Settings, pack: PackContent) -> str:
    """Publish, approve and activate a pack from a third process's place, whatever its tests say."""
    steps: list[Callable[[Desk], Any]] = [
        lambda desk: desk.publish(Checked(pack, "small", "x"), "ann", None),
        lambda desk: desk.approve(pack.digest, "bob"),
        lambda desk: desk.activate(pack.digest, "bob"),
    ]
    with record_now(settings, now) as record:
        for step in steps:
            record.write_now(step(Desk(record.read_now(read_history), now(), Ids())))
    return pack.digest


def test_two_processes_follow_one_store(postgres_url: str, tmp_path: Path) -> None:
    """Both decide with what is activated, within seconds; a pack whose tests fail changes neither."""
    settings = settings_in(tmp_path, postgres_url)
    write(settings.pack, version("1.0.0"))
    add_callers(settings, desk="agent")
    first = content("1.0.0").digest
    with serving(settings) as one, serving(settings) as other:
        assert [ready(address)["pack"]["digest"] for address in (one, other)] == [first, first]
        second = force(settings, content("2.0.0"))
        for address in (one, other):
            told = wait(address, lambda told: told["pack"]["digest"] == second)
            assert (told["in_force"]["state"], told["in_force"]["wanted"]) == ("good", None)
        broken = force(settings, content("3.0.0", FAILING))
        for address in (one, other):
            told = wait(address, lambda told: told["in_force"]["state"] == "broken")
            assert (told["pack"]["digest"], told["in_force"]["wanted"]) == (second, broken)
            assert "the test `A caller` fails" in told["in_force"]["problems"][1]
        with record_now(settings, now) as record:
            refused = [step for step in record.read_now(read_history).steps if step.step == "refused"]
            assert [step.digest for step in refused] == [broken]
            record.write_now(Desk(record.read_now(read_history), now(), Ids()).rollback("bob"))
        for address in (one, other):
            told = wait(address, lambda told: told["pack"]["digest"] == first)
            assert told["in_force"]["problems"] == []
