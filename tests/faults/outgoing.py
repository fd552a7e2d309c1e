"""A process that seals and delivers, to be killed while it does, and a long form of that by hand.

    python tests/faults/outgoing.py [--kills 200] [--only sqlite|postgresql]

Decisions and outcomes of a few subscribers are written all the while; the process that seals and delivers them is killed with `kill -9`
again and again. At the end every event must have been taken, in order for each subscriber: one that was taken before may come again, and
with it those behind it, as far as they were taken too.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from app.record.keys import Keys, new_keys, save_keys  # noqa: E402 - after the path that makes a script of this folder see the project
from app.record.keys.file import load_keys  # noqa: E402
from app.record.log.sealer import Sealer, SealerThread  # noqa: E402
from app.record.outgoing.delivering import Deliverer  # noqa: E402
from app.record.outgoing.model import DECIDED, TOLD  # noqa: E402
from app.record.outgoing.pace import Pace  # noqa: E402
from app.record.outgoing.thread import DelivererThread  # noqa: E402
from app.record.outgoing.wording import cloud_event  # noqa: E402
from app.record.store.database import Database  # noqa: E402
from app.record.store.record import Record  # noqa: E402
from tests.databases import Server, migrated  # noqa: E402
from tests.faults.children import context  # noqa: E402
from tests.outgoing import Telling, now, telling  # noqa: E402
from tests.receiving import TAKEN, Answer, Received, receiving  # noqa: E402

PACE = Pace(every=0.02, first=0.02, longest=0.2, seconds=0.5, lease=datetime.timedelta(seconds=1.5))
SUBSCRIBERS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Kills the process that delivers events.")
    parser.add_argument("--kills", type=int, default=200, help="of each store (200)")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "postgresql":
            url = f"sqlite:///{folder}/wanliu.db"
            migrated(url)
            print("sqlite:", json.dumps(killed(url, Path(folder), options.kills)))
        if options.only != "sqlite":
            server = Server(Path(folder) / "postgres")
            server.prepare()
            print("postgresql:", json.dumps(killed(server.fresh(), Path(folder), options.kills)))
            server.remove()


def killed(url: str, folder: Path, kills: int) -> dict[str, Any]:
    """Kill the process that delivers so many times. How many events there were, how often they were sent, how many were lost or swapped."""
    file, dice = folder / "wanliu.keys", random.Random(1)
    save_keys(new_keys(now()), file)
    keys = load_keys(file, None)
    expected: dict[str, list[str]] = {f"s-{number}": [] for number in range(SUBSCRIBERS)}
    with receiving(answer=_unreliable(dice)) as receiver, contextlib.closing(_Closing(url)) as database:
        with telling(database.found, keys) as told:
            told.subscribe(receiver.url, (DECIDED, TOLD))
            for _ in range(kills):
                with _process(url, file) as process:
                    _write(told, expected, dice)
                    time.sleep(0.3 + dice.random() * 0.5)
                    process.kill()
            with _process(url, file):
                everything = {event for events in expected.values() for event in events}
                receiver.wait(lambda receiver: everything <= {item.event["id"] for item in receiver.taken}, seconds=60)
        return judged(expected, receiver.taken, len(receiver.received))


def judged(expected: dict[str, list[str]], taken: Sequence[Received], sent: int) -> dict[str, int]:
    """How many events were lost, and how many first came before one that they follow."""
    lost = swapped = 0
    for who, events in expected.items():
        came = list(dict.fromkeys(item.event["id"] for item in taken if item.data["subscriber"]["id"] == who))
        lost += len(set(events) - set(came))
        swapped += came != [event for event in events if event in came]
    return {"events": sum(map(len, expected.values())), "sent": sent, "taken": len(taken), "lost": lost, "swapped": swapped}


def _write(told: Telling, expected: dict[str, list[str]], dice: random.Random) -> None:
    for _ in range(6):
        who = dice.choice(list(expected))
        decision_id = told.decide(who)
        expected[who] += [decision_id, told.tell(decision_id)]


def _unreliable(dice: random.Random) -> Any:
    def answer(_: Received) -> Answer | float:
        chance = dice.random()
        return (500, {}, b"") if chance < 0.1 else 0.1 if chance < 0.2 else TAKEN

    return answer


class _Closing:
    """A database that is let go of."""

    def __init__(self, url: str) -> None:
        self.found = Database(url)

    def close(self) -> None:
        self.found.dispose()


@contextlib.contextmanager
def _process(url: str, keys: Path) -> Any:
    process = context.Process(target=deliver, args=(url, str(keys)), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def deliver(url: str, keys: str) -> None:
    """Seal and deliver until killed."""
    found: Keys = load_keys(Path(keys), None)
    record = Record(Database(url), found, clock=now)
    record.prepare()
    SealerThread(Sealer(record.database, found, now), every=0.05).start()
    DelivererThread(Deliverer(record, {"cloudevents": cloud_event}, private=True, pace=PACE)).start()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
