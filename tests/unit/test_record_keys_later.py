"""A wrapping key that another process added after this one read its keys."""

from __future__ import annotations

import contextlib
import datetime
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from app.record.entries import NewEntry, Written
from app.record.ids import Ids
from app.record.keys import Keys, UnknownKey, load_keys, new_keys, rotate_file, rotated, save_keys
from app.record.keys.source import AGAIN_SECONDS, KeySource
from app.record.spool.draining import Drain
from app.record.spool.waiting import Left
from app.record.store.committer import Committer
from app.record.store.database import Database
from app.record.store.problems import KeyUnknown, StoreUnavailable

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)


class Source:
    """Keys that may be read again, and how often they were."""

    def __init__(self) -> None:
        self.now, self.reads, self.kept = 0.0, 0, new_keys(NOW)
        self.source = KeySource(self.read, "do this", clock=lambda: self.now)
        self.known = replace(self.kept, source=self.source)

    def read(self) -> Keys:
        self.reads += 1
        return self.kept


@pytest.fixture
def file(tmp_path: Path) -> Path:
    load_keys(tmp_path / "wanliu.keys", None)
    return tmp_path / "wanliu.keys"


def test_a_key_added_to_the_file_is_found(file: Path) -> None:
    """And new subjects are wrapped with the key known at the start until the next one."""
    known = load_keys(file, None)
    added = rotate_file(file, "wrapping", NOW).wrapping[-1]
    assert known.wrapping_key(added.id) == added
    assert known.wrapping[-1] != added
    assert known.source.missing(known) == ()


def test_the_file_must_still_be_its_owner_s(file: Path) -> None:
    """As at the start: a file that others can read is not used, and the message says so."""
    known = load_keys(file, None)
    added = rotate_file(file, "wrapping", NOW).wrapping[-1]
    file.chmod(0o640)
    with pytest.raises(UnknownKey, match=f"`{added.id}` is not among the keys; put the keys file of the rotation at .*others can read"):
        known.wrapping_key(added.id)


def test_a_file_of_another_log_is_not_used(file: Path) -> None:
    """Its keys wrap other people."""
    known, other = load_keys(file, None), new_keys(NOW)
    save_keys(other, file)
    with pytest.raises(UnknownKey, match="holds those of another log"):
        known.wrapping_key(other.wrapping[-1].id)


def test_a_file_that_is_gone_is_told(file: Path) -> None:
    """And no new one is made in its place."""
    known = load_keys(file, None)
    file.unlink()
    with pytest.raises(UnknownKey, match="No such file"):
        known.wrapping_key("00000000")
    assert not file.exists()


def test_keys_of_the_environment_are_not_looked_for(file: Path) -> None:
    """The message says where they come from, and that the process has to be started anew."""
    known = load_keys(None, file.read_text("utf-8"))
    with pytest.raises(UnknownKey, match=r"`00000000` .* set WANLIU_KEYS to .* start this process anew"):
        known.wrapping_key("00000000")


def test_the_file_is_read_once_a_second_at_most() -> None:
    """However many keys are met that it does not have, by however many threads."""
    keeps = Source()

    def meet(number: int) -> None:
        with pytest.raises(UnknownKey):
            keeps.known.wrapping_key(f"{number:08x}")

    threads = [threading.Thread(target=meet, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keeps.reads == 1
    keeps.now = AGAIN_SECONDS
    meet(0)
    assert keeps.reads == 2


def test_what_was_missing_is_told_until_it_is_found() -> None:
    """Readiness asks, and the file is read again for that too."""
    keeps = Source()
    later = new_keys(NOW).wrapping[-1]
    for _ in range(2):
        with pytest.raises(UnknownKey):
            keeps.known.wrapping_key(later.id)
    keeps.now = AGAIN_SECONDS
    assert keeps.source.missing(keeps.known) == (f"the wrapping key `{later.id}` is not among the keys; do this",)
    keeps.kept = replace(keeps.kept, wrapping=(*keeps.kept.wrapping, later))
    keeps.now = 2 * AGAIN_SECONDS
    assert keeps.source.missing(keeps.known) == ()
    assert keeps.known.wrapping_key(later.id) == later


def about(subscriber: str) -> NewEntry:
    return NewEntry(Ids().new(NOW), "decision", NOW, {"caller": "desk"}, subscriber=subscriber, private={"case": {"x": 1}})


def test_one_person_s_key_is_no_fault_of_the_others(database: Database, keys: Keys) -> None:
    """Of entries of one commit the one that cannot be encrypted is not stored, and says why; the others are."""
    with contextlib.closing(Committer(database, rotated(keys, "wrapping", NOW), lambda: NOW)) as newer:
        newer.commit([about("s-new")])
    with contextlib.closing(Committer(database, keys, lambda: NOW)) as older:
        first, unknown, last = older.commit([about("s-1"), about("s-new"), about("s-2")])
        assert isinstance(unknown, KeyUnknown)
        assert isinstance(first, Written)
        assert isinstance(last, Written)
        assert older.present([first.entry_id, last.entry_id]) == {first.entry_id, last.entry_id}


def test_what_was_spooled_waits_for_its_key(tmp_path: Path) -> None:
    """It is neither stored nor given up: the next process that knows the key stores it."""
    entries = [about("s-1"), about("s-new")]

    class Spool:
        def oldest(self) -> Left:
            return Left(tmp_path, entries, 0)

        def stored(self, *_: Any, **__: Any) -> None:
            raise AssertionError("it was not stored")

    class Stubborn:
        def commit(self, given: list[NewEntry]) -> list[Any]:
            return [Written(given[0].id), KeyUnknown("the key `k`")]

    with pytest.raises(StoreUnavailable, match="the key `k`"):
        Drain(cast("Any", Spool()), cast("Any", Stubborn())).step()
