"""A process that records a campaign, and is killed at a moment that is told; it starts quickly."""

from __future__ import annotations

import datetime
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import polars as pl

from app.record.campaigns.campaign import left_open, open_campaign
from app.record.campaigns.files import HELD_SCHEMA
from app.record.campaigns.model import PLAIN, CampaignHead, ChunkRows, Counts, HeldRows
from app.record.canonical import canonical
from app.record.keys import keys_of
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.record import Record

REJECTED = 3
BODY = {
    "caller": "engine",
    "role": "campaign",
    "campaign": "spring",
    "channel": "app",
    "pack": "sha256:0",
    "stage": "stable",
    "phase": "none",
    "moment": "none",
    "offered": [{"action": "wait", "rank": 1}],
    "signals": {},
    "outcomes": {},
}
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.faults.campaigner"])


def attempt(url: str, keys: str, chunks: Path, moments: int, rows: int, size: int) -> list[str]:
    """Record the campaign, or what is left of it; the process is killed at this moment, counted from 1. The moments that it came to."""
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, url, keys, chunks, moments, rows, size), daemon=True)
    process.start()
    theirs.close()
    said = []
    while True:
        try:
            said.append(ours.recv())
        except EOFError:
            break
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), said
    return said


def part(first: int, last: int) -> ChunkRows:
    """Rows of the input, decided but for one."""
    decided = [row for row in range(first, last + 1) if row != REJECTED]
    plain = {"stage": "stable", "phase": "none", "moment": "none", "empty_because": None, "actions": ["wait"]}
    return ChunkRows(
        first,
        last,
        decided,
        [f"s-{row}" for row in decided],
        pl.Series([canonical(BODY)] * len(decided), dtype=pl.Binary()),
        pl.Series([canonical({"subscriber": {"id": f"s-{row}"}}) for row in decided], dtype=pl.Binary()),
        pl.DataFrame([plain] * len(decided), schema=PLAIN),
        counts=[("decision", "{}", len(decided))],
    )


def held(rows: int) -> HeldRows:
    """What limits made of the campaign: one person's action goes out."""
    going = [(row, 1, "wait", 1 if row == 1 else None, *((None, None) if row == 1 else ("capacity", "all"))) for row in range(1, rows + 1)]
    frame = pl.DataFrame([told for told in going if told[0] != REJECTED], HELD_SCHEMA, orient="row")
    return HeldRows("sha256:2", frame, 1, rows - 2, {}, 0, 0)


class _Moments:
    """Counts moments, of all threads, and ends the process at one."""

    def __init__(self, told: Connection, last: int) -> None:
        self._told, self._last, self._met = told, last, 0
        self._alone = threading.Lock()

    def meet(self, name: str) -> None:
        with self._alone:
            self._met += 1
            self._told.send(name)
            if self._met == self._last:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str, told: str) -> None:
        """Meet a moment before and after each call of something."""
        real: Callable[..., Any] = getattr(owner, name)

        def met(*given: Any, **options: Any) -> Any:
            self.meet(f"before {told}")
            found = real(*given, **options)
            self.meet(f"after {told}")
            return found

        setattr(owner, name, met)


def _run(told: Connection, url: str, keys: str, chunks: Path, last: int, rows: int, size: int) -> None:
    moments = _Moments(told, last)
    moments.around(os, "fsync", "a sync")
    moments.around(Path, "rename", "a file has its name")
    moments.around(Committer, "_finish", "a commit")
    record = Record(Database(url, chunks=chunks), keys_of(keys, "keys"), clock=lambda: datetime.datetime.now(datetime.UTC))
    record.prepare()
    head = CampaignHead("spring", "app", "sha256:0", "sha256:1", "engine", rows=rows)
    before = left_open(record, head)
    with open_campaign(record, head, before[0].id if before else None, step=moments.meet) as campaign:
        moments.meet("opened")
        while campaign.next_row <= rows:
            campaign.send(part(campaign.next_row, min(campaign.next_row + size - 1, rows)))
        campaign.hold(held(rows))
        campaign.close(Counts(rows, rows - 1, 1))
    told.send("closed")
