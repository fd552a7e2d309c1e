"""Memory is kept from part to part: that is said before Polars is loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.campaign.memory import keep_memory
from app.cli.commands.campaign import campaign_run

pytestmark = pytest.mark.unit

ALLOCATOR = "_RJEM_MALLOC_CONF"


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test says is forgotten after it."""
    monkeypatch.setenv(ALLOCATOR, "")
    monkeypatch.delenv(ALLOCATOR)


def test_the_command_says_so_before_it_loads_what_uses_polars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said later it would have no effect."""
    said = list[str | None]()

    class Loading(SimpleNamespace):
        def __getattr__(self, name: str) -> object:
            said.append(os.environ.get(ALLOCATOR))
            return lambda *_: None

    for module in ("app.campaign.commission", "app.cli.campaigns"):
        monkeypatch.setitem(sys.modules, module, Loading(__spec__=None))
    campaign_run(Path("in.csv"), Path("out.csv"))
    assert said
    assert all(value is not None and "dirty_decay_ms" in value for value in said)


def test_what_the_environment_says_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs it may know better."""
    monkeypatch.setenv(ALLOCATOR, "dirty_decay_ms:0")
    keep_memory()
    assert os.environ[ALLOCATOR] == "dirty_decay_ms:0"
