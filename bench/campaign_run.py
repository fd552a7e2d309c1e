"""One run of a campaign over a population, in a process of its own: what `wanliu campaign run` does, with the time of each part.

    python -m bench.campaign_run FOLDER OUT [--record FOLDER [--url URL]] [--channel sms_marketing] [--size 50000] [--processes 2]

Prints one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.campaign.crew import Together, cores
from app.campaign.input import batches, input_at
from app.campaign.input.stretches import InputBatch
from app.campaign.mapping import load_mapping, own_facts
from app.campaign.output import Output
from app.campaign.part import Stopwatch, Wanted
from app.campaign.running import Recording, run_campaign
from app.campaign.table import Asking
from app.cli.recording import keep_pack
from app.engine.pack import Pack, load_pack, read_folder
from app.garbage import collect_seldom
from app.record.campaigns.campaign import open_campaign
from app.record.campaigns.model import CampaignHead
from app.record.keys import new_keys
from app.record.store.database import Database
from app.record.store.record import Record
from bench.campaign_facts import AS_OF
from bench.campaign_population import Population

ROOT = Path(__file__).resolve().parent.parent
SIZE = 50_000
"""Rows that are decided together."""


def parts(pack: Pack, population: Population, channel: str, size: int = SIZE) -> Iterator[InputBatch]:
    """The population as the batches that are decided."""
    asking = Asking("campaign", AS_OF, "live", channel, "summary", "zh-CN")
    yield from batches(pack, input_at(population.folder), asking, load_mapping(population.mapping, own_facts(pack)), size=size)


@dataclass(frozen=True, slots=True)
class NewRecord:
    """Where a record is made: a folder for its files, and the URL of an empty database; left out, a SQLite file in the folder."""

    folder: Path
    url: str | None = None


def ran(pack: Pack, population: Population, out: Path, channel: str, size: int, record: NewRecord | None, processes: int) -> dict[str, Any]:
    """Run it, and say how many were decided, in how many seconds, how many of a core, and which part took how many.

    Args:
        pack: what decides.
        population: about whom.
        out: where the decisions go.
        channel: on which people are to be met.
        size: rows that are decided together.
        record: where a new record is made; left out, nothing goes on record.
        processes: how many decide.
    """
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        recording = None if record is None else stack.enter_context(_recorded(pack, record, channel))
        together = Together(read_folder(ROOT), processes)
        began, busy = time.perf_counter(), _busy()
        batched = parts(pack, population, channel, size)
        figures = run_campaign(pack, batched, Wanted(Output.at(out)), recording, watch=watch, together=together)
        taken, worked = time.perf_counter() - began, _busy() - busy
    return {"decided": figures.decided, "rejected": figures.rejected, "seconds": taken, "cpu": worked, "parts": watch.seconds}


def _busy() -> float:
    """Seconds of a core so far, of this process and of the children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextlib.contextmanager
def _recorded(pack: Pack, made: NewRecord, channel: str) -> Iterator[Recording]:
    """A campaign on a new record, which believes that it is the population's day."""
    head = CampaignHead("bench", channel, pack.digest, f"sha256:{'0' * 64}", "bench")
    database = Database(made.url or f"sqlite:///{made.folder}/record.db", chunks=made.folder / "chunks")
    record = Record(database, new_keys(AS_OF), clock=_clock, spool_folder=made.folder / "spool")
    try:
        record.prepare()
        keep_pack(record, pack, ROOT, AS_OF)
        with open_campaign(record, head) as campaign:
            yield Recording(campaign, head)
    finally:
        record.close_now()


def _clock() -> datetime.datetime:
    return AS_OF


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Runs a campaign over a population.")
    parser.add_argument("folder", type=Path, help="of the population")
    parser.add_argument("out", type=Path, help="where the decisions go")
    parser.add_argument("--record", type=Path, help="folder of a new record")
    parser.add_argument("--url", help="of its database, an empty one; left out, a SQLite file in the folder")
    parser.add_argument("--channel", default="sms_marketing", help="on which people are to be met")
    parser.add_argument("--size", type=int, default=SIZE, help="rows that are decided together")
    parser.add_argument("--processes", type=int, default=cores(), help="that decide")
    options = parser.parse_args(arguments)
    collect_seldom()  # as the commands do
    population = Population.at(options.folder)
    record = None if options.record is None else NewRecord(options.record, options.url)
    print(json.dumps(ran(load_pack(ROOT), population, options.out, options.channel, options.size, record, options.processes)))


if __name__ == "__main__":
    main()
