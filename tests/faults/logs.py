"""Small logs, written and sealed as the service does it: two writers, several checkpoints, outcomes, choices, a pack that decides, callers,
a legal hold, people who were erased, entries that wait.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.engine.vocabulary import Outcome, OutcomeReport
from app.record.callers import Caller, add_caller, all_callers, revoke_caller
from app.record.choices import MADE, TAKEN_BACK, Step, choice_entry
from app.record.entries import NewEntry
from app.record.erasing.holds import hold
from app.record.erasing.persons import erase
from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.outcomes import Told, answerable, outcome_entry
from app.record.packs.history import History
from app.record.packs.standing import read_history
from app.record.packs.steps import Checked, Desk, PackContent
from app.record.persons import NobodyKnown
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.migrate import bring_up_to_date
from app.record.store.record import Record
from tests.faults.making import Clock, Maker

PACK = PackContent({"pack.yaml": b"pack: {name: made-up}\n", "rules/a.yaml": b"signals: []\n"})
"""A pack that the decisions of these logs name; nothing was decided with it."""

OUTCOMES: tuple[Outcome, ...] = ("shown", "sent", "ignored", "accepted", "refused")


class Logs:
    """Makes logs in one folder, which is gone at the end."""

    def __init__(self, keys: Keys, folder: Path) -> None:
        self._keys, self._folder, self._count = keys, folder, 0
        self._template = folder / "template.db"
        _migrate(self._template)

    @contextmanager
    def made(self, dice: random.Random) -> Iterator[Database]:
        """A log of some ten entries; one in twenty has more leaves than a tile."""
        self._count += 1
        file = self._folder / f"{self._count}.db"
        shutil.copyfile(self._template, file)
        database = Database(f"sqlite:///{file}")
        try:
            _fill(database, self._keys, dice, dice.randrange(250, 400) if dice.random() < 0.05 else dice.randrange(4, 30))
            yield database
        finally:
            database.dispose()
            for left in self._folder.glob(f"{file.name}*"):
                left.unlink()


@contextmanager
def logs(keys: Keys) -> Iterator[Logs]:
    """A maker of logs."""
    with tempfile.TemporaryDirectory() as folder:
        yield Logs(keys, Path(folder))


def _migrate(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    bring_up_to_date(database)
    database.dispose()


def _fill(database: Database, keys: Keys, dice: random.Random, count: int) -> None:
    clock = Clock()
    maker = Maker(dice, clock, subscribers=max(2, count // 3), pack=PACK.digest)
    writers = [Committer(database, keys, clock) for _ in range(2)]
    sealer = Sealer(database, keys, clock)
    published = Desk(History(), clock(), maker.ids).publish(Checked(PACK, "made-up", "1"), "ann", None)
    assert published is not None
    entries = [published, *(maker.decision(f"key-{number}" if dice.random() < 0.3 else None) for number in range(count))]
    decided: list[str] = []
    while entries:
        size = dice.randrange(1, max(2, count // 4))
        batch, entries = entries[:size], entries[size:]
        dice.choice(writers).commit(batch)
        decided += [entry.id for entry in batch if entry.kind == "decision"]
        for decision_id in decided[-1:]:
            _tell(database, dice.choice(writers), maker, dice.choice([decision_id, *decided]))
        if entries or dice.random() < 0.5:
            sealer.seal()
    for about, step in (("sms", MADE), ("app", MADE), ("app", TAKEN_BACK)):
        dice.choice(writers).commit([_choice(maker, about, step)])
    _stand(database, writers[1], maker)
    writers[0].commit([maker.decision() for _ in range(dice.randrange(2, 4))])
    record = Record(database, keys, clock=clock)
    if dice.random() < 0.5:
        with contextlib.suppress(NobodyKnown):
            hold(record, "s-0", reason="court", by="lea")
    if dice.random() < 0.3:
        _erase_somebody(record)
    record.close_now()
    for writer in writers:
        writer.close()


def _tell(database: Database, writer: Committer, maker: Maker, decision_id: str) -> None:
    """Outcomes of the first action of a decision, some more final than others, one after the other."""
    for outcome in maker.dice.sample(OUTCOMES, maker.dice.randrange(1, 4)):
        now = maker.clock()
        with database.reading() as connection:
            decision = answerable(connection, decision_id)
        assert decision is not None
        action = decision.body["offered"][0]["action"]
        report = OutcomeReport(action=action, outcome=outcome, agent="a-1", reference=f"R-{maker.dice.random()}")
        told = Told(maker.ids.new(now), now, decision, report, Caller("desk", "agent"))
        writer.commit([outcome_entry(told, b"{}")])


def _choice(maker: Maker, about: str, step: Step) -> NewEntry:
    """Somebody who was decided about wants nothing by a channel, or takes that back."""
    now = maker.clock()
    return choice_entry(maker.ids.new(now), now, "s-1", "no_channel", about, step, by=Caller("app", "self_service"))


def _stand(database: Database, writer: Committer, maker: Maker) -> None:
    """What stands for ever: the pack is approved and activated; a caller is there, and another one was revoked."""
    with database.reading() as connection:
        history = read_history(connection)
    writer.commit([Desk(history, maker.clock(), maker.ids).approve(PACK.digest, "bob", "looked at")])
    with database.reading() as connection:
        history = read_history(connection)
    writer.commit([Desk(history, maker.clock(), maker.ids).activate(PACK.digest, "bob")])
    for name in ("desk", "shop"):
        now = maker.clock()
        writer.commit([add_caller({}, maker.ids.new(now), now, name, "agent", by="ann", grade="leader").entry])
    with database.reading() as connection:
        known = {caller.name: caller for caller in all_callers(connection)}
    now = maker.clock()
    writer.commit([revoke_caller(known, maker.ids.new(now), now, "shop", by="bob")])


def _erase_somebody(record: Record) -> None:
    """Erase the first who is known and under no legal hold."""
    for number in range(1, 200):
        with contextlib.suppress(NobodyKnown):
            erase(record, f"s-{number}", basis="request", by="pia")
            return
