"""Packs for commands that run inside the tests: built once each, since what was built never changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from app.engine.pack import Pack, PatternEngine, build_pack, digest_of, read_folder


def load_once(folder: Path, *, pattern_engine: PatternEngine | None = None, cache: Path | None = None) -> Pack:
    """As `load_pack`; a pack of the same bytes is the one that was built before."""
    files = read_folder(folder)
    return _built(digest_of(files), tuple(files.items()), pattern_engine, cache)


@lru_cache(maxsize=6)
def _built(_digest: str, files: tuple[tuple[str, bytes], ...], engine: PatternEngine | None, cache: Path | None) -> Pack:
    return build_pack(dict(files), pattern_engine=engine, cache=cache)


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.pack.load_pack", load_once)
