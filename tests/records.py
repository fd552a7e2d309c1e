"""A record with decisions on it, for tests: cases of the population decided with the shipped pack, stored and sealed."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.api.answers import answer_bytes
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack
from app.engine.view import view
from app.record.decisions import Asked, decision_entry
from app.record.entries import SUBJECT, NewEntry, NewRow
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.outcomes import outcome_row
from app.record.packs.steps import PackContent
from app.record.store.database import Database, stamp
from app.record.store.record import Record
from tests.pipeline import shipped, shipped_files

NOW = datetime.datetime(2026, 11, 22, 2, tzinfo=datetime.UTC)


@dataclass
class Clock:
    """A clock that is set."""

    now: datetime.datetime = NOW

    def __call__(self) -> datetime.datetime:
        return self.now

    def ahead(self, **by: float) -> datetime.datetime:
        self.now += datetime.timedelta(**by)
        return self.now


@dataclass
class Written:
    """A record that a test writes on."""

    record: Record
    clock: Clock
    ids: Ids = field(default_factory=Ids)

    @property
    def database(self) -> Database:
        return self.record.database

    @property
    def keys(self) -> Keys:
        return self.record.keys

    def seal(self) -> None:
        Sealer(self.database, self.keys, self.clock).seal()

    def decide(
        self, case: Case, pack: Pack | None = None, *, caller: str = "desk", role: str = "agent", explained: Any = "summary", **asked: Any
    ) -> str:
        """Decide, answer and store; the decision's id."""
        pack, now = pack or shipped(), self.clock.ahead(seconds=1)
        decision, entry_id = decide(pack, case), self.ids.new(now)
        answer = answer_bytes(view(explain(pack, case, decision, explained), pack.restricted, role), pack, now, entry_id)
        entry = decision_entry(entry_id, now, pack, case, decision, answer, Asked(caller, role, explained, **asked))
        return self.record.write_now(entry).entry_id

    def tell(self, decision_id: str, action: str, outcome: str, *, token: str | None = None, agent: str | None = None) -> str:
        """Store an outcome; the id of its entry."""
        now = self.clock.ahead(seconds=1)
        entry_id = self.ids.new(now)
        told = {"decision": decision_id, "action": action, "outcome": outcome, "rank": 1, "at": stamp(now)}
        body = {"caller": "desk", "role": "agent", **told, **({"agent": agent} if agent else {})}
        row = NewRow("outcome", outcome_row(entry_id, SUBJECT if token else None, body, None))
        return self.record.write_now(NewEntry(entry_id, "outcome", now, body, token=token, rows=(row,))).entry_id

    def publish(self, pack: Pack | None = None) -> None:
        """Put the shipped pack into the table of packs."""
        made = pack or shipped()
        row = {"digest": made.digest, "name": made.name, "version": made.version, "at": stamp(NOW), "author": "ann"}
        now = self.clock.ahead(seconds=1)
        entry_id = self.ids.new(now)
        step = {"entry_id": entry_id, "digest": made.digest, "step": "published", "at": stamp(now), "by": "ann"}
        files = PackContent(dict(shipped_files())).packed()
        rows = (NewRow("pack", {**row, "files": files}), NewRow("pack_step", step))
        body = {"digest": made.digest, "step": "published", "by": "ann", "name": made.name, "version": made.version}
        self.record.write_now(NewEntry(entry_id, "pack_published", now, body, rows=rows))


@contextlib.contextmanager
def written(database: Database, keys: Keys) -> Iterator[Written]:
    """A record on a database that is brought up to date."""
    clock = Clock()
    record = Record(database, keys, clock=clock)
    record.prepare()
    try:
        yield Written(record, clock)
    finally:
        record.close_now()


def parsed(content: Sequence[bytes] | bytes | str) -> Any:
    return orjson.loads(content)  # type: ignore[arg-type]


def leaf_hash_of(envelope: str) -> str:
    """The hash of the leaf of an envelope, as anybody works it out."""
    return hashlib.sha256(b"\0" + envelope.encode()).hexdigest()
