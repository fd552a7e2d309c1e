"""The record behind a command: the one that the settings name, which must be there already."""

from __future__ import annotations

import contextlib
import datetime
import getpass
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli.console import fail
from app.cli.packs import settings

if TYPE_CHECKING:
    from app.engine.pack import Pack
    from app.record.packs.library import PackLibrary
    from app.record.store.record import Record


@contextlib.contextmanager
def the_record() -> Iterator[Record]:
    """The record that WANLIU_DATABASE_URL names. What keeps it from being opened ends the command; nothing is made."""
    from app.record.keys import KeysProblem
    from app.record.store.opening import record_now
    from app.record.store.problems import StoreError

    found = settings()
    if found.database_file is not None and not found.database_file.exists():
        fail(f"there is no record at `{found.database_file}`; WANLIU_DATABASE_URL names another")
    if found.keys is None and not found.keys_file.exists():
        fail(f"there are no keys at `{found.keys_file}`; WANLIU_KEY_FILE names the file, WANLIU_KEYS gives its text")
    try:
        with record_now(found, now) as record:
            yield record
    except (StoreError, KeysProblem) as error:
        fail(error)


def library(record: Record) -> PackLibrary:
    """Every pack that was ever published in a record."""
    from app.record.packs.library import PackLibrary

    return PackLibrary(record.database, pattern_engine=settings().pattern_engine, cache=settings().cache_folder)


def in_force(record: Record, packs: PackLibrary) -> Pack | None:
    """The pack in force, or that development mode runs, for the names that it has; none where there is none to be had."""
    from app.engine.problems import PackError
    from app.record.packs.library import DamagedPack
    from app.record.packs.standing import read_history
    from app.record.packs.steps import UnknownPack
    from app.record.store.database import stamp

    history = record.read_now(read_history)
    step = history.active(stamp(now())) or history.followed()
    try:
        return None if step is None else packs.get(step.digest)
    except (PackError, UnknownPack, DamagedPack):
        return None


def now() -> datetime.datetime:
    """The time."""
    return datetime.datetime.now(datetime.UTC)


def who(given: str | None) -> str:
    """Who runs a command: as they say, or the name they are logged in under."""
    if given is not None and given.strip():
        return given.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        fail("nobody is logged in under a name; say who you are with --by")
