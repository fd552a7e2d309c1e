"""Measures the record: building and storing entries, sealing, verifying a million leaves, proofs, and searching among them.

    python bench/record.py [--n 1000000] [--rows 20000] [--url sqlite:////var/tmp/million.db --keys FILE] [--quick]

`--url` with `--keys` keeps the record of a million for another run; left out, it is made in a temporary folder and goes with it. PostgreSQL
is started for the comparison of grouped with single commits, and waits for the disk. Prints a table and, as its last line, one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "bench"):  # in this folder `http` is not the standard library's
    sys.path[0] = str(ROOT)

from rich.console import Console  # noqa: E402 - after the path that makes a script of this folder see the project
from rich.table import Table  # noqa: E402
from sqlalchemy import Connection, select  # noqa: E402
from sqlmodel import col  # noqa: E402

from app.garbage import collect_seldom  # noqa: E402
from app.record.keys import Keys, load_keys, new_keys  # noqa: E402
from app.record.log import tree  # noqa: E402
from app.record.log.merkle import verify_inclusion  # noqa: E402
from app.record.store.database import Database  # noqa: E402
from app.record.store.tables import LeafRow  # noqa: E402
from app.record.verifying import verify_log  # noqa: E402
from bench.record_commits import CALLERS, building, commits  # noqa: E402
from bench.record_pages import pages  # noqa: E402
from bench.record_population import START, populate, seal  # noqa: E402
from bench.timing import machine, timed  # noqa: E402

PROOFS = 200
HELD = {"grouped_times_single": "≥ 3", "page_slowest_ms": "< 200"}

Figures = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    collect_seldom()  # as the commands do
    figures = building(options.seed, options.rows) | commits(options.seed, options.rows, options.rounds)
    with a_record(options) as (database, keys):
        figures |= filled(database, keys, options)
        with database.reading() as connection:
            figures |= verified(connection, keys)
            figures |= proven(connection, options.seed)
            figures |= pages(connection, options.seed, options.rounds)
    figures |= {"n": options.n, "rows": options.rows, "seed": options.seed, "machine": machine()}
    show(figures)
    print(json.dumps(figures, ensure_ascii=False))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the record.")
    parser.add_argument("--n", type=int, help="decisions to verify and search (1000000)")
    parser.add_argument("--rows", type=int, help=f"entries that {CALLERS} callers commit, singly and grouped (20000)")
    parser.add_argument("--rounds", type=int, help="of which the quietest counts (3)")
    parser.add_argument("--url", help="database of the record that is searched; filled when it is empty, and kept")
    parser.add_argument("--keys", type=Path, help="keys file of that record; made when it is not there")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; for a look, not for figures to keep")
    options = parser.parse_args(arguments)
    options.n = options.n or (2_000 if options.quick else 1_000_000)
    options.rows = options.rows or (600 if options.quick else 20_000)
    options.rounds = options.rounds or (1 if options.quick else 3)
    if (options.url is None) != (options.keys is None):
        parser.error("--url and --keys go together")
    return options


@contextlib.contextmanager
def a_record(options: argparse.Namespace) -> Iterator[tuple[Database, Keys]]:
    """The database of the record that is verified and searched, and its keys."""
    with tempfile.TemporaryDirectory() as folder:
        keys = load_keys(options.keys, None) if options.keys else new_keys(START)
        database = Database(options.url or f"sqlite:///{folder}/record.db")
        try:
            yield database, keys
        finally:
            database.dispose()


def filled(database: Database, keys: Keys, options: argparse.Namespace) -> Figures:
    """Fill the record unless it is filled, and seal it: entries sealed in a second."""
    with contextlib.suppress(Exception), database.reading() as connection:  # a new database has no tables yet
        if tree.size(connection):
            return {"seal_per_s": None}
    populate(database, keys, options.n, seed=options.seed, sealed=False)
    began = time.perf_counter()
    seal(database, keys)
    taken = time.perf_counter() - began
    with database.reading() as connection:
        return {"seal_per_s": round(tree.size(connection) / taken)}


def verified(connection: Connection, keys: Keys) -> Figures:
    """The whole log, read again and compared with everything that was signed."""
    began = time.perf_counter()
    verdict = verify_log(connection, keys)
    taken = time.perf_counter() - began
    if not verdict.genuine:
        raise AssertionError(f"the log does not verify: {verdict.findings[0]}")
    rate = verdict.size / taken
    return {"leaves": verdict.size, "leaves_verified_per_s": round(rate), "verify_million_s": round(1e6 / rate, 1)}


def proven(connection: Connection, seed: int) -> Figures:
    """A proof that an entry is among all of them, read from the database; each is verified before anything is timed."""
    newest = tree.checkpoint(connection)
    if newest is None:
        raise AssertionError("nothing is sealed")
    dice = random.Random(seed)
    indexes = [dice.randrange(newest.size) for _ in range(PROOFS)]
    rows = connection.execute(select(col(LeafRow.entry_id)).where(col(LeafRow.leaf_index).in_(indexes))).scalars().all()
    for entry_id in rows:
        found = tree.inclusion(connection, entry_id)
        if found is None or not verify_inclusion(found.leaf.hash, found.leaf.index, newest.size, list(found.path), newest.root):
            raise AssertionError("a proof does not hold")
    spread = timed(lambda entry_id: tree.inclusion(connection, entry_id), rows)
    return {"proof_ms": round(spread.p50, 3), "proof_p99_ms": round(spread.p99, 3)}


def show(figures: Figures) -> None:
    table = Table("figure", "value", "to hold", title="Wanliu record", title_justify="left")
    for name, value in itertools.chain(figures.items(), figures["machine"].items()):
        if not isinstance(value, dict):
            table.add_row(name, "not measured" if value is None else str(value), HELD.get(name, ""))
    Console().print(table)


if __name__ == "__main__":
    main()
