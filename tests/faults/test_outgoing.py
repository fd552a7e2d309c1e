"""A process that is killed while it delivers events loses none, and tells those of one subscriber in order."""

from pathlib import Path

import pytest

from tests.faults.outgoing import killed

pytestmark = pytest.mark.faults


def test_nothing_is_lost_and_nothing_swapped(database_url: str, tmp_path: Path) -> None:
    """Four times `kill -9` with a receiver that fails now and then: each event is taken, in the order of its subscriber."""
    figures = killed(database_url, tmp_path, kills=4)
    assert (figures["lost"], figures["swapped"]) == (0, 0)
    assert figures["events"] == 48
    assert figures["taken"] >= 48
