"""What tests of packs in force share: versions of the small pack, callers with keys, and the settings of a service for them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

from app.record.callers import ROLES, add_caller
from app.record.ids import Ids
from app.record.packs.library import content_of
from app.record.packs.steps import PackContent
from app.record.store.opening import record_now
from app.settings import Settings
from tests.packs import SMALL
from tests.suites import suite

PASSING = "- {name: {en: A caller, zh: 打电话的}, subject: caller, expect: {phase: prevention}}\n"
FAILING = "- {name: {en: A caller, zh: 打电话的}, subject: caller, expect: {phase: retention}}\n"


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def version(number: str, tests: str | None = PASSING) -> dict[str, str]:
    """The text of the small pack's files in some version, with its tests unless there are to be none."""
    files = {**SMALL, **(suite(tests) if tests is not None else {})}
    texts = {path: content.decode() for path, content in files.items()}
    texts["rules/pack.yaml"] = texts["rules/pack.yaml"].replace("1.0.0", number)
    return texts


def content(number: str, tests: str | None = PASSING) -> PackContent:
    return content_of(version(number, tests))


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    """Write a pack into a folder."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def settings_in(folder: Path, url: str | None = None) -> Settings:
    """A service with the pack in `folder/pack`, that remembers trials beside it."""
    return Settings(
        pack=folder / "pack",
        database_url=url or f"sqlite:///{folder}/wanliu.db",
        key_file=folder / "wanliu.keys",
        cache_dir=folder / "cache",
        store_deadline_ms=30_000,
    )


def add_callers(settings: Settings, **names: str) -> dict[str, str]:
    """Keys of callers with these roles."""
    keys: dict[str, str] = {}
    with record_now(settings, now) as record:
        for name, role in names.items():
            assert role in ROLES
            added = add_caller({}, Ids().new(now()), now(), name, role, by="test")
            record.write_now(added.entry)
            keys[name] = added.key
    return keys


def with_key(key: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"authorization": f"Bearer {key}"}
