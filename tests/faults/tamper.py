"""Tampering: every edit of a stored log, and of an export, is noticed; a log that nobody touched raises no alarm.

    python tests/faults/tamper.py [--edits 10000] [--logs 1000] [--seed 1]

Each log is verified as it is, then tampered with, verified and put back, again and again: half of the edits in the store, against
`wanliu record verify`, half in an export, against its own `verify.py`. Rolling back, and forking with the log's own key, are compared with
the checkpoint that a witness would have kept.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from app.record.keys import Keys, new_keys  # noqa: E402
from app.record.log.notes import Checkpoint, read_checkpoint  # noqa: E402
from app.record.store.database import Database  # noqa: E402 - after the path that makes a script of this folder see the project
from app.record.verifying import verify_log  # noqa: E402
from tests.faults.logs import logs  # noqa: E402
from tests.faults.making import START  # noqa: E402
from tests.faults.tampering import WAYS, Tampering  # noqa: E402
from tests.faults.tampering_bundle import Bundles  # noqa: E402
from tests.faults.tampering_store import NotHere, Scene  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Tampers with logs and exports.")
    parser.add_argument("--edits", type=int, default=10_000, help="edits (10000)")
    parser.add_argument("--logs", type=int, default=1_000, help="logs that nobody touched, and that the edits are spread over (1000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    figures = tamper(options.edits, options.logs, options.seed)
    print(json.dumps(figures))
    sys.exit(bool(figures["missed"] or figures["false_alarms"]))


def tamper(edits: int, count: int, seed: int) -> dict[str, Any]:
    """So many edits, spread over so many logs. How many there were of each kind, how many were missed, and how many false alarms."""
    dice, keys = random.Random(seed), new_keys(START)
    noticed: Counter[str] = Counter()
    figures: dict[str, Any] = {"edits": 0, "missed": 0, "logs": 0, "false_alarms": 0, "seed": seed}
    with logs(keys) as maker:
        for number in range(count):
            share = edits * (number + 1) // count - edits * number // count
            with maker.made(dice) as database:
                alarms, missed = _one(database, keys, dice, share, noticed)
            figures["logs"] += 1
            figures["edits"] += share
            figures["missed"] += len(missed)
            figures["false_alarms"] += len(alarms)
            for told in (*alarms, *missed):
                print(told, file=sys.stderr)
    return figures | {"kinds": dict(sorted(noticed.items()))}


def _one(database: Database, keys: Keys, dice: random.Random, edits: int, noticed: Counter[str]) -> tuple[list[str], list[str]]:
    """One log: what was alarmed at before anybody touched it, and which edits nobody noticed."""
    alarms, missed = [], []
    with database.reading() as connection:
        clean = verify_log(connection, keys, opening=True)
        alarms += [f"false alarm: {clean.findings[0]}"] if clean.findings else []
        bundles = Bundles(database, connection, keys, dice)
        alarms += [f"false alarm of an export: {told}" for told in bundles.untouched()[:1]]
    for _ in range(edits):
        name, found = store_edit(database, keys, dice) if dice.random() < 0.5 else bundles.edit()
        noticed[name] += 1
        if not found:
            missed.append(f"not noticed: {name}")
    return alarms, missed


def store_edit(database: Database, keys: Keys, dice: random.Random) -> tuple[str, bool]:
    """Tamper with the stored log in some way, verify it, and put it back: what was done, and whether it was noticed."""
    while True:
        way = dice.choice(WAYS)
        try:
            return f"store {way.name}", noticed_after(way, database, keys, dice)
        except NotHere:
            continue


def noticed_after(way: Tampering, database: Database, keys: Keys, dice: random.Random) -> bool:
    """Does verifying notice this way of tampering.

    Raises:
        NotHere: it is not possible with this log.
    """
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            scene = Scene(database, connection, keys, dice)
            kept: list[Checkpoint] = [read_checkpoint(scene.checkpoints[-1]["note"], keys.verifiers)] if way.witnessed else []
            way.act(scene)
            return not verify_log(connection, keys, kept=kept, opening=True).genuine
        finally:
            connection.exec_driver_sql("ROLLBACK")


if __name__ == "__main__":
    main()
