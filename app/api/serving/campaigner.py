"""The process that runs campaigns which callers commission. Whoever starts it gives it settings on standard input, and keeps that open.

It works when others do not need the processor, and ends when it has had nothing to do for a while, or nobody is there any more.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from app.api.logs import configure_logs
from app.campaign.jobs.working import JobWorker, Pace
from app.record.packs.library import PackLibrary
from app.record.store.opening import record_now
from app.settings import Settings

NICE = 5
"""How far others go before it, as `nice` has it. No further: where it holds the place of the one writer, they wait for it."""
_GIVES_WAY, _TURN = 0.02, 0.0005
"""Seconds that it leaves the place of SQLite's one writer to others, and that a thread of Python works before another one has its turn: one
may hold that place meanwhile."""


def main() -> None:
    """Work until told to stop, until nobody is there to tell, or until there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = orjson.loads(sys.stdin.buffer.readline() or b"null")
    if told is None:
        return
    settings = Settings(**told["settings"])
    configure_logs(settings.log_level, settings.log_format)
    with worker_of(settings, name=told["name"]) as worker:
        threading.Thread(target=_until_alone, args=(sys.stdin.buffer, worker), daemon=True).start()
        worker.run()


@contextlib.contextmanager
def worker_of(settings: Settings, *, name: str | None = None, pace: Pace | None = None) -> Iterator[JobWorker]:
    """A worker that steps back for others, and heeds SIGTERM.

    Args:
        settings: of the service.
        name: of the worker; who comes under the name of one that died goes on with its jobs at once.
        pace: its times.

    Raises:
        KeysProblem: the record's keys cannot be had.
        StoreUnavailable: the store cannot be opened.
    """
    os.nice(NICE)
    sys.setswitchinterval(_TURN)
    with record_now(settings, _clock) as record:
        record.database.gives_way = _GIVES_WAY if record.database.is_sqlite else 0.0
        library = PackLibrary(record.database, pattern_engine=settings.pattern_engine, cache=settings.cache_folder)
        worker = JobWorker(record, library, settings.campaign_folder, name=name, pace=pace, keep_days=settings.campaign_keep_days)
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        yield worker


def _until_alone(given: BinaryIO, worker: JobWorker) -> None:
    """Whoever started the worker is gone, or wants it to end."""
    with contextlib.suppress(OSError, ValueError):
        while given.readline():
            pass
    worker.stop()


def _clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
