"""Power cuts, simulated at the file layer: nothing that was acknowledged is lost, and the log verifies.

    python tests/faults/power.py [--points 2000] [--commits 120] [--seed 1] [--lying]

The store's own writer and sealer work on a SQLite file, and the write-ahead log is written into the file more often than usual, while each
write, truncation and sync is noted. Then the current fails at many points, half of them in the middle of a sync: what had not been synced
is dropped, kept or torn. From what is left the store is opened, as after any power cut, and goes on. With `--lying` syncs do nothing: then
there must be losses.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import select  # noqa: E402 - after the path that makes a script of this folder see the project
from sqlmodel import col  # noqa: E402

from app.record.entries import Written  # noqa: E402
from app.record.keys import Keys, new_keys  # noqa: E402
from app.record.log import tree  # noqa: E402
from app.record.log.sealer import Sealer  # noqa: E402
from app.record.store.committer import Committer  # noqa: E402
from app.record.store.database import Database, cause  # noqa: E402
from app.record.store.migrate import bring_up_to_date  # noqa: E402
from app.record.store.tables import EntryRow  # noqa: E402
from app.record.verifying import verify_log  # noqa: E402
from tests.faults.apsw_database import database_on  # noqa: E402
from tests.faults.disk import Event, Trace, power_cuts  # noqa: E402
from tests.faults.making import Clock, Maker  # noqa: E402

SMALL_LOG = "wal_autocheckpoint=60"
"""Pages of the write-ahead log after which it is written into the file: SQLite's own number is 1,000."""
MOST_OF_A_COMMIT = 12


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Cuts the power of a store on SQLite, many times.")
    parser.add_argument("--points", type=int, default=2_000, help="power cuts (2000)")
    parser.add_argument("--commits", type=int, default=120, help="commits that they fall into (120)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lying", action="store_true", help="a disk whose syncs do nothing: there must be losses")
    options = parser.parse_args(arguments)
    figures = cut_power(options.points, options.commits, options.seed, lying=options.lying)
    print(json.dumps(figures))
    sys.exit(bool(figures["lost"] or figures["damaged"]) and not options.lying)


def cut_power(points: int, commits: int, seed: int, *, lying: bool = False) -> dict[str, Any]:
    """Cut the power at so many points of a run of so many commits.

    How many acknowledged entries were looked for and how many of them were lost, in all points together, and how many stores were damaged.
    """
    dice, clock = random.Random(seed), Clock()
    keys = new_keys(clock())
    with tempfile.TemporaryDirectory() as folder:
        found, events = run(Path(folder) / "wanliu.db", keys, clock, dice, commits)
    figures = {"points": 0, "acknowledged": 0, "lost": 0, "damaged": 0, "commits": commits, "file_operations": len(events), "seed": seed}
    for told, files in power_cuts(found, events, points, dice, lying=lying):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            acknowledged = [entry_id for ids, _ in told for entry_id in ids]
            lost, wrong = look(Path(folder) / "wanliu.db", keys, clock, acknowledged, max((size for _, size in told), default=0))
        figures["points"] += 1
        figures["acknowledged"] += len(acknowledged)
        figures["lost"] += lost
        figures["damaged"] += wrong is not None
        if lost or wrong:
            print(f"point {figures['points']}: {lost} lost; {wrong}", file=sys.stderr)
    return figures


def run(file: Path, keys: Keys, clock: Clock, dice: random.Random, commits: int) -> tuple[dict[str, bytes], Sequence[Event]]:
    """Write and seal on a watched disk. What the disk had before, and everything that was done to it.

    Each mark is (ids that were acknowledged by a commit, leaves that a checkpoint was published for).
    """
    fresh = Database(f"sqlite:///{file}")
    bring_up_to_date(fresh)
    fresh.dispose()
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    trace = Trace()
    layer = trace.watching(file.parent.name)
    database = database_on(file.parent.name, file, SMALL_LOG)
    committer, sealer, maker = Committer(database, keys, clock), Sealer(database, keys, clock), Maker(dice, clock)
    for number in range(commits):
        entries = [maker.decision(key=f"{number}-{place}") for place in range(dice.randrange(1, MOST_OF_A_COMMIT + 1))]
        outcomes = committer.commit(entries)
        trace.mark(([outcome.entry_id for outcome in outcomes if isinstance(outcome, Written)], 0))
        if dice.random() < 0.4:
            trace.mark(([], sealer.seal().size))
    committer.close()
    database.dispose()
    layer.unregister()
    return before, trace.events


def look(file: Path, keys: Keys, clock: Clock, acknowledged: Sequence[str], size: int) -> tuple[int, str | None]:
    """Open the store as after a power cut: how many acknowledged entries are not there, and what is wrong with the store."""
    database = Database(f"sqlite:///{file}")
    try:
        with database.reading() as connection:
            whole = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            kept = set(connection.execute(select(col(EntryRow.id))).scalars())
            newest = tree.checkpoint(connection)
            verdict = verify_log(connection, keys, opening=True)
        lost = sum(entry_id not in kept for entry_id in acknowledged)
        wrong = None if whole == "ok" else str(whole)
        if wrong is None and (newest.size if newest else 0) < size:
            wrong = f"a checkpoint of {size} leaves had been published"
        if wrong is None and not verdict.genuine:
            wrong = verdict.findings[0].message
        return lost, wrong or goes_on(database, keys, clock)
    except Exception as error:  # noqa: BLE001 - a store that cannot be read is lost, whatever it is that fails
        return len(acknowledged), f"{type(error).__name__}: {cause(error)}"
    finally:
        database.dispose()


def goes_on(database: Database, keys: Keys, clock: Clock) -> str | None:
    """Is an entry written and everything sealed; else what hinders it."""
    committer = Committer(database, keys, clock)
    committer.commit([Maker(random.Random(0), clock).decision()])
    committer.close()
    Sealer(database, keys, clock).seal()
    with database.reading() as connection:
        verdict = verify_log(connection, keys)
    return None if verdict.genuine and not verdict.waiting else "it does not go on: " + str(verdict.findings or verdict.waiting)


if __name__ == "__main__":
    main()
