"""Small logs, written and sealed as the service does it: two writers, several checkpoints, people who were erased, entries that wait."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlmodel import col

from app.record.keys import Keys
from app.record.log.sealer import Sealer
from app.record.packs.steps import PackContent
from app.record.store.committer import Committer
from app.record.store.database import Database, stamp
from app.record.store.migrate import bring_up_to_date
from app.record.store.tables import PackRow, SubjectRow
from tests.faults.making import START, Clock, Maker

PACK = PackContent({"pack.yaml": b"pack: {name: made-up}\n", "rules/a.yaml": b"signals: []\n"})
"""A pack that the decisions of these logs name; nothing was decided with it."""


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
    with database.writing() as connection:
        row = {"name": "made-up", "version": "1", "at": stamp(START), "author": "ann", "files": PACK.packed()}
        connection.execute(insert(PackRow), {"digest": PACK.digest, **row})
    database.dispose()


def _fill(database: Database, keys: Keys, dice: random.Random, count: int) -> None:
    clock = Clock()
    maker = Maker(dice, clock, subscribers=max(2, count // 3), pack=PACK.digest)
    writers = [Committer(database, keys, clock) for _ in range(2)]
    sealer = Sealer(database, keys, clock)
    entries = [maker.decision() for _ in range(count)]
    while entries:
        size = dice.randrange(1, max(2, count // 4))
        batch, entries = entries[:size], entries[size:]
        dice.choice(writers).commit(batch)
        if entries or dice.random() < 0.5:
            sealer.seal()
    writers[0].commit([maker.decision() for _ in range(dice.randrange(2, 4))])
    if dice.random() < 0.3:
        _forget_somebody(database)
    for writer in writers:
        writer.close()


def _forget_somebody(database: Database) -> None:
    """What erasing leaves of a person: nothing that opens what is theirs."""
    with database.writing() as connection:
        token = connection.execute(select(col(SubjectRow.token)).limit(1)).scalar_one()
        connection.execute(delete(SubjectRow).where(col(SubjectRow.token) == token))
