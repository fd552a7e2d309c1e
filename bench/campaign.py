"""Measures campaigns: deciding and recording for everybody in a file, against the same decisions one by one, and zen-engine on the gates.

    python bench/campaign.py [--n 1000000] [--seed 1] [--channel sms_marketing] [--size 50000] [--processes 2] [--population FOLDER]
        [--no-record] [--postgres [URL]] [--quick]

The population is made in a temporary folder and goes with it, unless `--population` names one that is kept: 170 MB for a million, and its
record takes 3 GB. Each run is a process of its own, with those that it begins. `--postgres` runs it with a record on PostgreSQL too: on the
empty database of the URL, or on a server that is started for it. Prints a table and, as its last line, one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "bench"):  # in this folder `http` is not the standard library's
    sys.path[0] = str(ROOT)

import orjson  # noqa: E402 - after the path that makes a script of this folder see the project
import polars as pl  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from app.campaign.crew import cores  # noqa: E402
from app.campaign.memory import keep_memory  # noqa: E402
from app.engine.answer import Explanation  # noqa: E402
from app.engine.case import Case  # noqa: E402
from app.engine.decide import decide  # noqa: E402
from app.engine.explain import explain  # noqa: E402
from app.engine.intake import parse_request, take  # noqa: E402
from app.engine.pack import Pack, load_pack  # noqa: E402
from app.engine.view import sees_evidence, view  # noqa: E402
from bench import mixture  # noqa: E402
from bench.campaign_facts import AS_OF, requests  # noqa: E402
from bench.campaign_population import Population, write_population  # noqa: E402
from bench.campaign_run import SIZE, parts  # noqa: E402
from bench.campaign_shares import measured  # noqa: E402
from bench.memory import watched  # noqa: E402
from bench.record_commits import postgresql  # noqa: E402
from bench.timing import machine, timed  # noqa: E402
from bench.zen_gates import Gates  # noqa: E402

ROLE = "campaign"
HELD = {
    "decide_seconds_per_million": "< 60",
    "record_seconds_per_million": "< 60",
    "record_on_postgres_seconds_per_million": "< 60",
    "peak_gib": "< 4",
    "peak_unrecorded_gib": "< 4",
    "peak_on_postgres_gib": "< 4",
}
_RECORDED = ("cases", "recording")
"""Parts of a run that are for the record alone."""

Figures = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    pack = load_pack(ROOT)
    keep_memory()  # as the command does; the runs are processes that begin from here
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        population = made(pack, folder, options)
        figures = runs(population, folder, options)
        figures |= one_by_one(pack, population, folder / "unrecorded.parquet", options)
        figures |= shares(pack, population, figures.pop("seconds"), options)
    figures["times_online"] = round(figures["campaign_per_s"] / figures["online_per_s"], 2)
    figures |= {"n": options.n, "seed": options.seed, "channel": options.channel, "size": options.size, "sample": options.sample}
    figures["processes"] = options.processes
    figures |= {"pack": pack.digest, "machine": machine()}
    show(figures)
    print(json.dumps(figures, ensure_ascii=False))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures campaigns.")
    parser.add_argument("--n", type=int, help="subscribers (1000000)")
    parser.add_argument("--seed", type=int, default=1, help="of the population")
    parser.add_argument("--channel", default="sms_marketing", help="on which they are met")
    parser.add_argument("--size", type=int, help=f"rows that are decided together ({SIZE})")
    parser.add_argument("--sample", type=int, help="subscribers that are decided one by one (5000)")
    parser.add_argument("--population", type=Path, help="folder of a population that is kept; made when it is not there")
    parser.add_argument("--processes", type=int, default=cores(), help="that decide in a run")
    parser.add_argument("--no-record", action="store_true", help="leave out the runs that go on record")
    parser.add_argument(
        "--postgres", nargs="?", const="", metavar="URL", help="record on PostgreSQL too: of an empty database, or a new one"
    )
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; for a look, not for figures to keep")
    options = parser.parse_args(arguments)
    options.n = options.n or (4_000 if options.quick else 1_000_000)
    options.size = options.size or (2_000 if options.quick else SIZE)
    options.sample = min(options.n, options.sample or (200 if options.quick else 5_000))
    return options


def made(pack: Pack, folder: Path, options: argparse.Namespace) -> Population:
    """The population, written unless it is there."""
    place = options.population or folder / "population"
    if Population.at(place).mapping.is_file():
        return Population.at(place)
    return write_population(pack, place, options.n, seed=options.seed)


def runs(population: Population, folder: Path, options: argparse.Namespace) -> Figures:
    """The campaign without a record and with one, each in a process of its own; what the second takes longer is what recording costs."""
    bare, bare_gib = run(population, folder / "unrecorded.parquet", options)
    figures: Figures = {
        "decide_seconds_per_million": _per_million(bare["seconds"], options.n),
        "decide_core_seconds_per_million": _per_million(bare["cpu"], options.n),
        "campaign_per_s": round(options.n / bare["seconds"]),
        "peak_unrecorded_gib": round(bare_gib, 2),
        "seconds": _stages(bare["parts"]),
    }
    if options.no_record:
        return figures
    figures |= recorded(population, folder, options, bare)
    return figures if options.postgres is None else figures | on_postgres(population, folder, options, bare)


def recorded(population: Population, folder: Path, options: argparse.Namespace, bare: Figures) -> Figures:
    """The campaign with a record on SQLite, beside the run without one."""
    record = folder / "record"
    record.mkdir()
    kept, gib = run(population, folder / "recorded.parquet", options, "--record", str(record))
    figures = {
        "record_seconds_per_million": _per_million(kept["seconds"] - bare["seconds"], options.n),
        "record_core_seconds_per_million": _per_million(kept["cpu"] - bare["cpu"], options.n),
        "campaign_recorded_per_s": round(options.n / kept["seconds"]),
        "peak_gib": round(gib, 2),
        "record_bytes_each": round(sum(file.stat().st_size for file in record.rglob("*") if file.is_file()) / options.n),
        "seconds": _stages(bare["parts"]) | {"recording": sum(kept["parts"].get(name, 0.0) for name in _RECORDED)},
    }
    shutil.rmtree(record)
    return figures


def on_postgres(population: Population, folder: Path, options: argparse.Namespace, bare: Figures) -> Figures:
    """The campaign with a record on PostgreSQL, whose own processor time and memory do not count."""
    with contextlib.nullcontext(options.postgres) if options.postgres else postgresql() as url:
        (folder / "postgres").mkdir()
        kept, gib = run(population, folder / "postgres.parquet", options, "--record", str(folder / "postgres"), "--url", url)
    return {
        "record_on_postgres_seconds_per_million": _per_million(kept["seconds"] - bare["seconds"], options.n),
        "record_on_postgres_core_seconds_per_million": _per_million(kept["cpu"] - bare["cpu"], options.n),
        "peak_on_postgres_gib": round(gib, 2),
    }


def _stages(seconds: dict[str, float]) -> dict[str, float]:
    """The parts of a run but for what a bare one does nothing in."""
    return {name: taken for name, taken in seconds.items() if name != "finishing"}


def run(population: Population, out: Path, options: argparse.Namespace, *more: str) -> tuple[Any, float]:
    """One run, and the most memory it took, in GiB.

    Raises:
        AssertionError: it did not decide everybody.
    """
    command = [sys.executable, "-m", "bench.campaign_run", str(population.folder.parent), str(out), "--channel", options.channel]
    printed, gib = watched([*command, "--size", str(options.size), "--processes", str(options.processes), *more], ROOT)
    found = json.loads(printed.splitlines()[-1])
    if found["decided"] != options.n:
        raise AssertionError(f"{found['decided']} of {options.n} subscribers were decided")
    return found, gib


def _per_million(seconds: float, n: int) -> float:
    return round(seconds / n * 1e6, 1)


def one_by_one(pack: Pack, population: Population, out: Path, options: argparse.Namespace) -> Figures:
    """The first of them as the API decides them, in a loop on one core; and zen-engine on the gates of the same people.

    What both ways of deciding offer each of them, and how they word it, is compared before anything is timed.
    """
    rows = pl.scan_parquet(population.folder).head(options.sample).collect()
    bodies = [orjson.dumps(body) for body in requests(pack, rows, options.channel, AS_OF)]
    cases = [take(pack, parse_request(body), now=AS_OF, role=ROLE) for body in bodies]
    compare([answered(pack, body) for body in bodies], out)
    gc.collect()
    gc.freeze()
    online = timed(lambda body: answered(pack, body), bodies)
    decided = timed(lambda case: decide(pack, case), cases)
    figures: Figures = {"online_per_s": round(online.per_second), "decide_alone_per_s": round(decided.per_second)}
    figures |= {"pattern_share": round(sum(mixture.watched(pack, case) for case in cases) / len(cases), 4)}
    return figures | on_gates(pack, cases)


def answered(pack: Pack, body: bytes) -> tuple[Case, Explanation]:
    """A request as the API answers it, without HTTP."""
    case = take(pack, parse_request(body), now=AS_OF, role=ROLE)
    return case, view(explain(pack, case, decide(pack, case), "summary", evidence=sees_evidence(ROLE)), pack.restricted, ROLE)


def compare(answers: Sequence[tuple[Case, Explanation]], out: Path) -> None:
    """See that the campaign offered the same, in the same words.

    Raises:
        AssertionError: it did not.
    """
    ids = [case.subscriber.id for case, _ in answers]
    rows = pl.scan_parquet(out).filter(pl.col("subscriber").is_in(ids)).sort("row", "rank").collect()
    told: dict[str, list[tuple[str, str, list[str]]]] = {name: [] for name in ids}
    for row in rows.iter_rows(named=True):
        told[row["subscriber"]].append((row["action"], row["text"], row["reasons"]))
    for case, explanation in answers:
        mine = [(item.action, item.text or item.script, [reason.text for reason in item.reasons]) for item in explanation.actions]
        if mine != told[case.subscriber.id]:
            raise AssertionError(f"{case.subscriber.id}: {mine} one by one, and {told[case.subscriber.id]} in the campaign")


def on_gates(pack: Pack, cases: Sequence[Case]) -> Figures:
    """The gates alone, on the same tables and prepared inputs as in `bench/engine.py`, which compares every outcome."""
    try:
        import zen
    except ImportError:
        return {"zen_per_s": None, "gates_one_by_one_per_s": None}
    gates = Gates(pack)
    inputs = gates.prepared(cases)
    decision = zen.ZenEngine().create_decision(gates.tables())
    theirs = timed(lambda item: decision.evaluate(item.context), inputs)
    ours = timed(gates.ours, inputs)
    return {"zen_per_s": round(theirs.per_second), "gates_one_by_one_per_s": round(ours.per_second)}


def shares(pack: Pack, population: Population, seconds: dict[str, float], options: argparse.Namespace) -> Figures:
    """The share of each part in the time of a run; deciding is divided as it divides for the first batches."""
    found = measured(pack, [part.batch for part in islice(parts(pack, population, options.channel, options.size), 2)])
    of_deciding = seconds.pop("deciding") / sum(found.seconds.values())
    whole = seconds | {stage: taken * of_deciding for stage, taken in found.seconds.items()}
    return {f"share_{name}": round(taken / sum(whole.values()), 3) for name, taken in whole.items()} | {
        "gates_on_columns_per_s": round(found.people / found.seconds["gates"]),
        "signals_a_head": round(found.signals / found.people, 2),
        "actions_a_head": round(found.actions / found.people, 2),
    }


def show(figures: Figures) -> None:
    table = Table("figure", "value", "to hold", title="Wanliu campaigns", title_justify="left")
    for name, value in itertools.chain(figures.items(), figures["machine"].items()):
        if not isinstance(value, dict):
            table.add_row(name, "not measured" if value is None else str(value), HELD.get(name, ""))
    Console().print(table)


if __name__ == "__main__":
    main()
