"""A record whose events are told, for tests: decisions of the first example, what became of them, and somebody who subscribed."""

from __future__ import annotations

import contextlib
import datetime
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.api.answers import answer_bytes
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import take
from app.engine.vocabulary import DecisionRequest, OutcomeReport
from app.engine.vocabulary.examples import EXAMPLES
from app.record.callers import Caller
from app.record.decisions import Asked, decision_entry
from app.record.ids import Ids
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.outcomes import Told, answerable, outcome_entry
from app.record.outgoing.delivering import Deliverer
from app.record.outgoing.figures import Standing, standing_of
from app.record.outgoing.model import TYPES, Wanted
from app.record.outgoing.pace import Pace
from app.record.outgoing.subscriptions import Added, add_webhook, remove_webhook, webhook
from app.record.outgoing.thread import DelivererThread
from app.record.outgoing.wording import cloud_event
from app.record.store.database import Database
from app.record.store.record import Record
from tests.pipeline import shipped

PROMISED = "resolve_complaint"
"""What the first example is offered: the words name a day, so that telling it opens a promise."""
SWIFT = Pace(every=0.02, first=0.02, longest=0.2, seconds=2)
DESK = Caller("desk", "agent")


@functools.cache
def example(subscriber: str, locale: str = "en") -> Case:
    body: Any = EXAMPLES[0]
    asked = body | {"subscriber": body["subscriber"] | {"id": subscriber}, "locale": locale}
    return take(shipped(), DecisionRequest.model_validate(asked), now=now(), role="agent")


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass
class Telling:
    """A record that a test writes on, by the clock on the wall."""

    record: Record
    ids: Ids = field(default_factory=Ids)

    def subscribe(self, callback: str, types: tuple[Any, ...] = TYPES, **wanted: Any) -> Added:
        added = add_webhook(self.new_id(), now(), self.record.keys, Wanted("crm-admin", callback, types, **wanted))
        self.record.write_now(added.entry)
        return added

    def unsubscribe(self, webhook_id: str) -> None:
        kept = self.record.read_now(lambda connection: webhook(connection, webhook_id))
        assert kept is not None
        self.record.write_now(remove_webhook(self.new_id(), now(), kept, by="crm-admin"))

    def decide(self, subscriber: str, *, caller: str = "desk", locale: str = "en") -> str:
        """Decide for a subscriber, who is offered to have a complaint resolved; the decision's id."""
        pack, case, moment, decision_id = shipped(), example(subscriber, locale), now(), self.new_id()
        decision = decide(pack, case)
        answer = answer_bytes(explain(pack, case, decision, "summary"), pack, moment, decision_id)
        entry = decision_entry(decision_id, moment, pack, case, decision, answer, Asked(caller, "agent", agent="a-17"))
        return self.record.write_now(entry).entry_id

    def tell(self, decision_id: str, outcome: Any = "accepted", action: str = PROMISED, **report: Any) -> str:
        """Tell what became of an action; the id of the outcome."""
        found = self.record.read_now(lambda connection: answerable(connection, decision_id))
        assert found is not None
        told = Told(self.new_id(), now(), found, OutcomeReport(action=action, outcome=outcome, **report), DESK)
        return self.record.write_now(outcome_entry(told, b"{}")).entry_id

    def seal(self) -> None:
        Sealer(self.record.database, self.record.keys, now).seal()

    @contextlib.contextmanager
    def delivering(self, pace: Pace = SWIFT, *, private: bool = True, words: Any = cloud_event) -> Iterator[None]:
        thread = DelivererThread(Deliverer(self.record, {"cloudevents": words}, private=private, pace=pace))
        thread.start()
        try:
            yield
        finally:
            thread.stop()

    def standing(self, webhook_id: str) -> Standing:
        found = self.record.read_now(lambda connection: standing_of(connection, webhook_id, now()))
        assert found is not None
        return found

    def new_id(self) -> str:
        return self.ids.new(now())


@contextlib.contextmanager
def telling(database: Database, keys: Keys) -> Iterator[Telling]:
    record = Record(database, keys, clock=now)
    record.prepare()
    try:
        yield Telling(record)
    finally:
        record.close_now()
