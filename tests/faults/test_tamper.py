"""Whatever is changed in a stored log or an export is noticed; what nobody touched raises no alarm."""

import random
from collections.abc import Iterator

import pytest

from app.record.keys import Keys
from app.record.store.database import Database
from app.record.verifying import verify_log
from tests.faults.logs import logs
from tests.faults.tamper import noticed_after, tamper
from tests.faults.tampering import WAYS, Tampering
from tests.faults.tampering_bundle import CARES, Bundles, findings
from tests.faults.tampering_files import ACTS
from tests.faults.tampering_store import NotHere

pytestmark = pytest.mark.faults


def test_a_hundred_edits() -> None:
    """Edits of stores and exports in turn, over ten logs: none is missed, and none of the logs was suspected before."""
    figures = tamper(edits=100, count=10, seed=22)
    assert (figures["edits"], figures["logs"], figures["missed"], figures["false_alarms"]) == (100, 10, 0, 0)


@pytest.fixture(scope="module")
def log(keys: Keys) -> Iterator[Database]:
    """A log, which each test leaves as it was."""
    with logs(keys) as maker, maker.made(random.Random(5)) as database:
        yield database


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_way_of_tampering_with_a_store(way: Tampering, keys: Keys, log: Database) -> None:
    """Each is noticed; putting it back leaves the log as it was."""
    dice = random.Random(5)
    for _ in range(20):
        try:
            assert noticed_after(way, log, keys, dice)
            break
        except NotHere:
            continue
    with log.reading() as connection:
        assert verify_log(connection, keys, opening=True).genuine


def test_every_way_of_tampering_with_an_export(keys: Keys) -> None:
    """Each is noticed, however carefully it is done; the export as it is was not suspected."""
    dice = random.Random(6)
    trusted = [verifier.text() for verifier in keys.verifiers]
    with logs(keys) as maker, maker.made(dice) as database, database.reading() as connection:
        bundles = Bundles(database, connection, keys, dice)
        assert bundles.untouched() == []
        for act in ACTS:
            for care in CARES:
                files = dict(bundles.files)
                act(files, dice)
                care(files, bundles)
                assert findings(files, trusted=trusted, kept=[]), f"{act.__name__}, {care.__name__}"
