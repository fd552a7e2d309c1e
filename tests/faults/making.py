"""Entries as the service makes them, without deciding anything: for programs that need many."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass, field

from app.record.canonical import canonical
from app.record.entries import Idempotency, NewEntry
from app.record.ids import Ids
from tests.logs import PACK, decision_body

START = datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.UTC)
CALLERS = ("desk", "app", "campaign")
CHANNELS = ("call_centre", "app", "outbound_call", "sms")
PHASES = ("prevention", "intervention", "rescue")
ACTIONS = ("tariff_pack", "bill_explain", "fix_open_fault", "contract_renew", "fusion_bundle", "loyalty_points")
SIGNALS = ("price.bill_rise", "four_high.tariff", "four_high.silence_voice", "network.faults")


@dataclass
class Clock:
    """A clock that goes on a little each time it is read."""

    now: datetime.datetime = START
    step: datetime.timedelta = datetime.timedelta(milliseconds=40)

    def __call__(self) -> datetime.datetime:
        self.now += self.step
        return self.now


@dataclass
class Maker:
    """Makes decisions about so many subscribers."""

    dice: random.Random
    clock: Clock
    subscribers: int = 50
    pack: str = PACK
    ids: Ids = field(default_factory=Ids)

    def decision(self, key: str | None = None) -> NewEntry:
        """A new one, under an idempotency key where one is given."""
        now = self.clock()
        offered, rest = self._actions()
        body = decision_body(
            pack=self.pack,
            caller=self.dice.choice(CALLERS),
            channel=self.dice.choice(CHANNELS),
            phase=self.dice.choice(PHASES),
            signals={signal: self.dice.choice(("low", "high", "severe")) for signal in SIGNALS if self.dice.random() < 0.4},
            offered=[{"rank": rank, "action": action, "duty": "offer", "kind": "offer"} for rank, action in enumerate(offered, 1)],
            outcomes={"suppressed": {"contact.quiet_hours": rest[:1]}, "not_eligible": {"not_already": rest[1:]}},
        )
        subscriber = f"s-{self.dice.randrange(self.subscribers)}"
        case = {"subscriber": {"id": subscriber, "plan": {"monthly_fee": self.dice.randrange(1_000, 30_000)}}, "channel": body["channel"]}
        day = now.date().isoformat()
        counts = [("decision", "{}", 1), ("action", canonical({"action": offered[0]}).decode(), 1)]
        return NewEntry(
            self.ids.new(now),
            "decision",
            now,
            body,
            subscriber=subscriber,
            private={"case": case, "answer": f'{{"actions":{len(offered)}}}'},
            idempotency=None if key is None else Idempotency("desk", key, key.encode(), now + datetime.timedelta(days=1)),
            tally={"day": day, "pack": body["pack"], "counts": counts},
        )

    def _actions(self) -> tuple[list[str], list[str]]:
        shuffled = self.dice.sample(ACTIONS, len(ACTIONS))
        count = self.dice.randrange(1, 4)
        return shuffled[:count], shuffled[count:]
