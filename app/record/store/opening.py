"""The record that the settings name."""

from __future__ import annotations

import contextlib
import datetime
import socket
from collections.abc import Callable, Iterator

from app.record.keys import Keys, load_keys
from app.record.spool.waiting import Spool
from app.record.store.database import Database
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.settings import Settings

_GRACE = 1.0
"""Seconds beyond the longest deadline after which PostgreSQL gives up a statement."""
_RELAYED = 0.05
"""Seconds that an answer of the keeper may be on its way."""


def keys_of(settings: Settings) -> Keys:
    """The keys of the log; made where there are none yet.

    Raises:
        KeysProblem: they cannot be had.
    """
    return load_keys(settings.keys_file, settings.keys)


def record_of(settings: Settings, clock: Callable[[], datetime.datetime], *, relay: socket.socket | None = None) -> Record:
    """The record of the service, not opened yet.

    Args:
        settings: of the service.
        clock: gives the time.
        relay: in a worker, its end of the pair to the keeper, who writes for it.

    Raises:
        KeysProblem: its keys cannot be had.
        StoreUnavailable: there is no folder for it.
    """
    deadline, read_deadline = settings.store_deadline_ms / 1000, settings.read_deadline_ms / 1000
    database = _database(settings, patience=max(deadline, read_deadline) + _GRACE)
    keys = keys_of(settings)
    spools = settings.on_store_failure == "spool"
    spool = Spool(settings.spool_dir, keys, most_bytes=settings.spool_mb * 1_000_000) if spools and relay is None else None
    if relay is not None:  # the keeper waits as long, for the spool too, and then for its answer to arrive
        deadline = deadline * (2 if spools else 1) + _RELAYED
    return Record(
        database,
        keys,
        clock=clock,
        deadline=deadline,
        read_deadline=read_deadline,
        spool=spool,
        spool_folder=settings.spool_dir,
        relay=relay,
    )


@contextlib.contextmanager
def record_now(settings: Settings, clock: Callable[[], datetime.datetime]) -> Iterator[Record]:
    """The record for a command: brought up to date, for `write_now` and `read_now`, and closed at the end.

    Raises:
        KeysProblem: its keys cannot be had.
        StoreUnavailable: it cannot be opened.
    """
    record = Record(_database(settings), keys_of(settings), clock=clock, spool_folder=settings.spool_dir)
    try:
        record.prepare()
        yield record
    finally:
        record.close_now()


def _database(settings: Settings, patience: float = 0) -> Database:
    database = Database(settings.database_url, patience=patience, chunks=settings.chunk_folder)
    if database.file is not None and not database.file.parent.is_dir():
        raise StoreUnavailable("the store cannot be opened: the folder of its file is not there")
    return database
