"""A record of a million light decisions: bodies of real ones over a pool of subscribers, agents and days, without private payloads.

python -m bench.record_population --url sqlite:////tmp/million.db --n 1000000
"""

from __future__ import annotations

import argparse
import datetime
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.intake import parse_request, take
from app.engine.pack import Pack, load_pack
from app.record.canonical import canonical
from app.record.contacts import contact_row
from app.record.decisions import Asked, decision_entry
from app.record.keys import Keys, load_keys
from app.record.log import sealer
from app.record.outcomes import outcome_row
from app.record.privacy import lookup_of, new_subject
from app.record.store.database import Database, stamp
from app.record.store.migrate import bring_up_to_date
from app.record.store.tables import ContactRow, EntryRow, OutcomeRow, SubjectRow, UnsealedRow

ROOT = Path(__file__).parents[1]
BODIES = 2_000
AGENTS = 400
CALLERS = ("desk", "app", "campaigns", "shop")
EACH = 20
"""Decisions of one subscriber, on average."""
OUTCOMES = ("shown", "accepted", "refused", "ignored", "activated")
START = datetime.datetime(2026, 8, 22, tzinfo=datetime.UTC)
DAYS = 90
PORTION = 20_000
_PART = 4_096

Subjects = Sequence[tuple[str, str]]
"""Subscribers: id and token."""


@dataclass(frozen=True, slots=True)
class Light:
    """An entry of the population: its row, and those that restate it where it is an outcome."""

    row: dict[str, Any]
    outcome: dict[str, Any] | None = None
    contact: dict[str, Any] | None = None


def populate(database: Database, keys: Keys, n: int, *, seed: int = 1, sealed: bool = True) -> Subjects:
    """Put n decisions on record, and outcomes for a twentieth of them; bring the database up to date before.

    Args:
        database: may be empty.
        keys: of the record.
        n: decisions.
        seed: of what is drawn.
        sealed: make leaves of them.

    Returns:
        The subscribers.
    """
    bring_up_to_date(database)
    chance = random.Random(seed)
    subjects = _subjects(database, keys, max(n // EACH, 1))
    entries = light_entries(n, subjects, bodies(chance), chance)
    while part := list(islice(entries, PORTION)):
        with database.writing() as connection:
            _store(database, connection, part)
    if sealed:
        seal(database, keys)
    return subjects


def seal(database: Database, keys: Keys) -> None:
    """Make leaves of all that wait, in larger portions than a service that decides meanwhile."""
    usual, sealer.MOST_LEAVES = sealer.MOST_LEAVES, _PART
    try:
        sealer.Sealer(database, keys, lambda: START + datetime.timedelta(days=DAYS)).seal()
    finally:
        sealer.MOST_LEAVES = usual


def bodies(chance: random.Random, pack: Pack | None = None) -> list[dict[str, Any]]:
    """Bodies of entries of decisions that were really made, with the pack of this checkout."""
    from tests.population import population

    pack = pack or load_pack(ROOT)
    found = []
    for body in population(chance.randrange(1_000), BODIES):
        case = _case(pack, body)
        found.append(dict(decision_entry("", START, pack, case, decide(pack, case), b"", Asked("desk", "agent")).body))
    return found


def light_entries(n: int, subjects: Subjects, made: Sequence[dict[str, Any]], chance: random.Random) -> Iterator[Light]:
    """Decisions, an outcome after every twentieth, in nearly the order of their times."""
    step, written = datetime.timedelta(days=DAYS) / n, count(1)
    for number in range(n):
        at = START + number * step
        body = made[chance.randrange(len(made))]
        asked = {"caller": CALLERS[chance.randrange(len(CALLERS))], "agent": f"a-{chance.randrange(AGENTS)}"}
        token = subjects[chance.randrange(len(subjects))][1]
        entry = _entry("decision", number, at, {**body, **asked}, token, next(written))
        yield Light(entry)
        if number % 20 == 0 and body["offered"]:
            yield _answered(entry, number + n, at, body, token, chance, next(written))


def _answered(
    decision: dict[str, Any], number: int, at: datetime.datetime, body: dict[str, Any], token: str, chance: random.Random, sequence: int
) -> Light:
    offered, outcome = body["offered"][0], chance.choice(OUTCOMES)
    told = {"caller": "desk", "role": "agent", "decision": decision["id"], "action": offered["action"], "rank": 1, "outcome": outcome}
    told |= {"at": stamp(at), "channel": body["channel"], "pack": body["pack"]}
    entry = _entry("outcome", number, at + datetime.timedelta(seconds=30), told, token, sequence)
    contact = contact_row(body, decision["id"], offered, outcome, at, None)
    row = None if contact is None else {**contact.values, "subject": token}
    return Light(entry, outcome_row(entry["id"], token, told, None), row)


def _entry(kind: str, number: int, at: datetime.datetime, body: dict[str, Any], token: str, sequence: int) -> dict[str, Any]:
    entry_id, told = _id(at, number), stamp(at)
    envelope = {
        "v": 1,
        "id": entry_id,
        "kind": kind,
        "at": told,
        "writer": "w-population",
        "sequence": sequence,
        "subject": token,
        "body": body,
    }
    return {"id": entry_id, "kind": kind, "at": told, "subject": token, "envelope": canonical(envelope), "private": None}


def _id(at: datetime.datetime, number: int) -> str:
    """A UUIDv7 of its time that ends with its number."""
    digits = f"{round(at.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{number:012x}"


def _case(pack: Pack, body: dict[str, Any]) -> Case:
    import orjson

    return take(pack, parse_request(orjson.dumps({**body, "mode": "what_if"})), now=START, role="agent")


def _subjects(database: Database, keys: Keys, n: int) -> Subjects:
    found: list[tuple[str, str]] = []
    rows = []
    for number in range(n):
        made = new_subject(keys)
        found.append((f"s-{number}", made.token))
        rows.append(
            {
                "lookup": lookup_of(keys, f"s-{number}"),
                "token": made.token,
                "wrapped_key": made.wrapped,
                "wrapped_with": made.wrapped_with,
                "since": stamp(START),
            }
        )
    with database.writing() as connection:
        connection.execute(insert(SubjectRow), rows)
    return found


def _store(database: Database, connection: Connection, part: Sequence[Light]) -> None:
    _insert(database, connection, "entry", [light.row for light in part])
    _insert(database, connection, "unsealed", [{"entry_id": light.row["id"]} for light in part])
    outcomes = [light.outcome for light in part if light.outcome]
    contacts = [light.contact for light in part if light.contact]
    if outcomes:
        connection.execute(insert(OutcomeRow), outcomes)
    if contacts:
        connection.execute(insert(ContactRow), contacts)


def _insert(database: Database, connection: Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Rows in bulk: by COPY where there is one."""
    names = list(rows[0])
    if database.is_sqlite:
        connection.execute(insert({"entry": EntryRow, "unsealed": UnsealedRow}[table]), list(rows))
        return
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


def main() -> None:
    """Make one, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--keys", type=Path, required=True)
    given = parser.parse_args()
    began = time.perf_counter()
    populate(Database(given.url), load_keys(given.keys, None), given.n)
    print(f"{given.n:,} decisions in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
