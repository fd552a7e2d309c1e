"""A process that is killed while it records loses nothing that it acknowledged."""

import pytest

from tests.faults.kill import STORES, killed

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("store", STORES)
def test_nothing_acknowledged_is_lost_or_doubled(store: str) -> None:
    """Five times `kill -9` under load: each acknowledged decision is there once, under its key, in a log that verifies."""
    figures = killed(store, kills=5, clients=4, seed=3)
    assert (figures["lost"], figures["doubled"], figures["damaged"]) == (0, 0, 0)
    assert figures["acknowledged"] > 5
    assert figures["recorded"] >= figures["acknowledged"]
