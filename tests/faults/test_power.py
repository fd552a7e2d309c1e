"""Power cuts lose nothing that was acknowledged."""

import random

import pytest

from tests.faults.disk import Delete, Disk, Sync, Truncate, Write, power_cuts
from tests.faults.power import cut_power

pytestmark = pytest.mark.faults


def test_nothing_acknowledged_is_lost() -> None:
    """At 50 points of a run of the writer and sealer: every acknowledged entry is there, the log verifies, and the store goes on."""
    figures = cut_power(points=50, commits=40, seed=20)
    assert (figures["points"], figures["lost"], figures["damaged"]) == (50, 0, 0)
    assert figures["acknowledged"] > 1_000


def test_a_disk_that_lies_loses() -> None:
    """Where syncs do nothing there are losses: the simulated cuts cut."""
    figures = cut_power(points=12, commits=12, seed=4, lying=True)
    assert figures["lost"] > 0


def test_synced_writes_stay_and_others_may_not() -> None:
    """What was written before a sync is always there; of what came after, each sector is old or new."""
    old, new = Write("file", 0, b"a" * 2048), Write("file", 256, b"b" * 1024)
    seen = set()
    for seed in range(200):
        disk = Disk({})
        for event in (old, Sync("file"), new):
            disk.take(event)
        found = disk.after_power_cut(random.Random(seed))["file"]
        assert len(found) == 2048
        assert found[:256] == b"a" * 256
        assert found[1280:] == b"a" * 768
        seen.add(tuple(bytes(found[at : at + 1]) for at in (256, 512, 1024)))
    assert {(b"a", b"a", b"a"), (b"b", b"b", b"b"), (b"a", b"b", b"a"), (b"b", b"a", b"b")} <= seen


def test_other_operations() -> None:
    """A file that was cut is cut once that is synced; one that was deleted durably is gone; one that is there from before stays."""
    disk = Disk({"kept": b"12345", "gone": b"x"})
    for event in (Truncate("kept", 2), Truncate("kept", 3), Sync("kept"), Delete("gone", durable=True), Write("kept-shm", 0, b"x")):
        disk.take(event)
    assert disk.after_power_cut(random.Random(0)) == {"kept": b"12\0"}


def test_cuts_come_in_order() -> None:
    """What was told only grows from one cut to the next."""
    events = [event for number in range(20) for event in (Write("file", number, b"x"), Sync("file"))]
    sizes = [len(files.get("file", b"")) for _, files in power_cuts({}, events, 30, random.Random(2))]
    assert len(sizes) == 30
    assert max(sizes) > 10
