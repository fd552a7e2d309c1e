"""The programs of examples/calls: each does what it shows, against a service that listens, as a shell script and in Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.application import create_app
from app.settings import Settings
from tests.contract.conftest import ROOT
from tests.contract.serving import served
from tests.packs_in_force import add_callers
from tests.tokens import AUDIENCE, ISSUER, Issuer

pytestmark = pytest.mark.contract

FOLDER = ROOT / "examples" / "calls"
CALLS = ("desktop", "customer", "refusal", "batch", "tmf680", "audit")
SAYS = {
    "desktop": ("International calling pack",),
    "customer": ("You paid ¥70 last month", "(UTC+08:00)"),
    "refusal": ("bill_explain",),
    "batch": ("Explain the bill", "International calling pack", "did you mean `app`?"),
    "tmf680": ("bill_explain", "International calling pack", "¥10 a month"),
    "audit": ("leaf",),
}
"""What each shows, in whichever form, and nothing of it in another language."""
CHINESE = re.compile("[\u4e00-\u9fff]")
AS = {"desktop": "agent", "refusal": "agent", "batch": "campaign", "tmf680": "agent", "audit": "compliance"}


class Guarded:
    """A service with callers and tokens."""

    def __init__(self, address: str, keys: dict[str, str], issuer: Issuer) -> None:
        self.address, self.keys, self.issuer = address, keys, issuer


@pytest.fixture(scope="module")
def guarded_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder, issuer = tmp_path_factory.mktemp("calls"), Issuer()
    (folder / "jwks.json").write_bytes(issuer.document)
    settings = Settings(
        pack=ROOT,
        database_url=f"sqlite:///{folder}/wanliu.db",
        key_file=folder / "wanliu.keys",
        store_deadline_ms=30_000,
        jwt_issuer=ISSUER,
        jwt_audience=AUDIENCE,
        jwt_keys=str(folder / "jwks.json"),
        jwt_algorithms=("ES256",),
    )
    keys = add_callers(settings, agent="agent", campaign="campaign", compliance="compliance")
    with served(create_app(settings)) as address:
        yield Guarded(address, keys, issuer)


def run(name: str, address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = ["sh", str(FOLDER / name)] if name.endswith(".sh") else [sys.executable, str(FOLDER / name)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        program, env={"PATH": path, "URL": address, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("form", ["sh", "py"])
def test_an_example_runs(address: str, name: str, form: str) -> None:
    """In development mode, without a key."""
    if name == "audit":
        run("desktop.py", address)
        _sealed(address)
    done = run(f"{name}.{form}", address)
    assert done.returncode == 0, done.stdout + done.stderr
    _check_shown(name, done.stdout)


@pytest.mark.parametrize("form", ["sh", "py"])
def test_with_callers_each_has_its_key(guarded_service: Guarded, form: str) -> None:
    """The same programs, with `KEY`; without one they are refused."""
    for name, role in AS.items():
        if name == "audit":
            _sealed(guarded_service.address, guarded_service.keys["compliance"])
        done = run(f"{name}.{form}", guarded_service.address, KEY=guarded_service.keys[role])
        assert done.returncode == 0, name + done.stdout + done.stderr
        _check_shown(name, done.stdout)
    refused = run(f"desktop.{form}", guarded_service.address)
    assert refused.returncode != 0
    assert "API key" in refused.stdout + refused.stderr


@pytest.mark.parametrize("form", ["sh", "py"])
def test_a_customer_sees_their_own_only(guarded_service: Guarded, form: str) -> None:
    """The token says who it is, and nothing else has to; the decision of somebody else is not there."""
    mine = guarded_service.issuer.token("self_service", "s-1", azp="app")
    other = guarded_service.issuer.token("self_service", "s-2", azp="app")
    done = run(f"customer.{form}", guarded_service.address, KEY=mine)
    assert done.returncode == 0, done.stdout + done.stderr
    _check_shown("customer", done.stdout)
    seen = _json(guarded_service.address, "/v1/my/decisions", mine)["decisions"][0]["decision_id"]
    assert _status(guarded_service.address, f"/v1/decisions/{seen}", mine) == 200
    assert _status(guarded_service.address, f"/v1/decisions/{seen}", other) == 404


@pytest.mark.parametrize("form", ["sh", "py"])
def test_in_development_mode_a_customer_is_named(address: str, form: str) -> None:
    """`SUBSCRIBER` says who it is, for what is decided and for what is read."""
    done = run(f"customer.{form}", address, SUBSCRIBER=f"s-only-{form}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("(UTC+08:00)") == 1


def test_each_call_is_shown_both_ways() -> None:
    """No script without a program, and no program without a script."""
    assert {file.stem for file in FOLDER.glob("*.sh")} == {file.stem for file in FOLDER.glob("*.py")} == set(CALLS)
    assert shutil.which("curl")


def _check_shown(name: str, shown: str) -> None:
    for words in SAYS[name]:
        assert words in shown
    assert name == "audit" or not CHINESE.search(shown)  # an answer that was given in Chinese is on record in Chinese


def _sealed(address: str, key: str | None = None) -> None:
    """Wait until something is on record."""
    for _ in range(100):
        if _json(address, "/v1/decisions?phase=prevention", key)["entries"]:
            return
        time.sleep(0.1)


def _asked(address: str, path: str, key: str | None) -> Any:
    return httpx.get(f"{address}{path}", headers={"authorization": f"Bearer {key}"} if key else {})


def _json(address: str, path: str, key: str | None) -> Any:
    return json.loads(_asked(address, path, key).content)


def _status(address: str, path: str, key: str) -> int:
    return int(_asked(address, path, key).status_code)
