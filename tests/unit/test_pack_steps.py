"""Steps with packs: who may take them and when, and the entries that put them on the record."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from app import __version__
from app.record.canonical import canonical
from app.record.entries import NewEntry
from app.record.ids import Ids
from app.record.packs.history import SEED, History, Step
from app.record.packs.library import content_of
from app.record.packs.steps import BadStep, Checked, Desk, OwnPack, PackContent, PackStepError, WrongState, person
from app.record.store.database import stamp
from tests.packs_in_force import content

pytestmark = pytest.mark.unit

START = datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.UTC)
PACK = content("1.0.0")
DIGEST = PACK.digest
OTHER = content("2.0.0")


class Office:
    """Takes steps a minute apart, each on top of the ones before."""

    def __init__(self) -> None:
        self.now, self.ids, self.steps = START, Ids(), list[Step]()

    @property
    def desk(self) -> Desk:
        return Desk(History.of(self.steps), self.now, self.ids)

    def take(self, entry: NewEntry | None) -> NewEntry:
        assert entry is not None
        self.steps += [Step(**row.values, told=entry.body) for row in entry.rows if row.table == "pack_step"]
        self.now += datetime.timedelta(minutes=1)
        return entry

    def publish(self, pack: PackContent = PACK, by: str = "ann") -> NewEntry:
        return self.take(self.desk.publish(Checked(pack, "small", "1.0.0", 1, 0), by, None))

    def approved(self, *packs: PackContent) -> Office:
        for pack in packs:
            self.publish(pack)
            self.take(self.desk.approve(pack.digest, "bob"))
        return self

    def active(self, *packs: PackContent) -> Office:
        for pack in packs:
            self.take(self.approved(pack).desk.activate(pack.digest, "bob"))
        return self


def refused(step: Callable[[], Any]) -> PackStepError:
    with pytest.raises(PackStepError) as error:
        step()
    return error.value


def test_publishing_puts_the_files_on_the_record() -> None:
    """The entry names digest, version and tests; the files go into a row of their own, in the same transaction."""
    entry = Office().publish()
    assert entry.kind == "pack_published"
    assert entry.body == {
        "digest": DIGEST,
        "step": "published",
        "by": "ann",
        "name": "small",
        "version": "1.0.0",
        "files": len(PACK.files),
        "tests": {"digest": PACK.tests_digest, "passed": 1, "failed": 0, "engine": __version__},
    }
    pack, step = entry.rows
    assert (pack.table, pack.values["digest"], pack.values["author"], pack.values["at"]) == ("pack", DIGEST, "ann", stamp(START))
    assert (step.table, step.values["note"]) == ("pack_step", "tests: 1 passed, 0 failed")
    assert canonical(entry.body)


def test_publishing_twice_is_publishing_once() -> None:
    """Nothing is put on the record again, but a second author is, as long as nobody approved; other tests are refused."""
    office = Office()
    office.publish()
    again = Checked(PACK, "small", "1.0.0")
    assert office.desk.publish(again, " ANN ", PACK) is None
    entry = office.take(office.desk.publish(again, "abe", PACK))
    assert [row.table for row in entry.rows] == ["pack_step"]
    assert isinstance(refused(lambda: office.desk.approve(DIGEST, "abe")), OwnPack)
    office.take(office.desk.approve(DIGEST, "bob"))
    assert office.desk.publish(again, "cy", PACK) is None
    other = Checked(PackContent(PACK.files), "small", "1.0.0")
    assert "published with other tests" in str(refused(lambda: office.desk.publish(other, "ann", PACK)))


def test_who_published_it_does_not_approve_it() -> None:
    """Whatever the case of the name; the seed does both."""
    office = Office()
    office.publish()
    error = refused(lambda: office.desk.approve(DIGEST, "Ann"))
    assert isinstance(error, OwnPack)
    assert str(error) == f"`Ann` published {DIGEST[7:19]}; somebody else has to approve it"
    office.publish(OTHER, SEED)
    assert office.desk.approve(OTHER.digest, SEED).kind == "pack_approved"


def test_an_approval_is_given_once() -> None:
    """And not over a rejection, unless the pack is published again."""
    office = Office().approved(PACK)
    assert str(refused(lambda: office.desk.approve(DIGEST, "bea"))).endswith("is approved already, by `bob`")
    office.take(office.desk.reject(DIGEST, "bea", "found a slip"))
    assert "was rejected by `bea`" in str(refused(lambda: office.desk.approve(DIGEST, "bob")))
    assert "is rejected already" in str(refused(lambda: office.desk.reject(DIGEST, "bob", "no")))
    entry = office.take(office.desk.publish(Checked(PACK, "small", "1.0.0"), "ann", PACK))
    assert [row.table for row in entry.rows] == ["pack_step"]
    assert office.desk.approve(DIGEST, "bob")


def test_a_rejection_needs_a_reason_that_is_not_in_the_entry() -> None:
    """The words stay in a row of their own; the entry has their digest."""
    office = Office()
    office.publish()
    assert isinstance(refused(lambda: office.desk.reject(DIGEST, "bob", " \n")), BadStep)
    entry = office.desk.reject(DIGEST, "bob", " too dear ")
    assert entry.rows[0].values["note"] == "too dear"
    assert b"dear" not in canonical(entry.body)
    assert entry.body["note"].startswith("sha256:")
    for wrong in ("x" * 501, "a\x1b[31m"):
        assert isinstance(refused(lambda wrong=wrong: office.desk.reject(DIGEST, "bob", wrong)), BadStep)


def test_what_is_active_is_not_rejected() -> None:
    """First something else has to decide."""
    office = Office().active(PACK)
    assert "activate another or roll back first" in str(refused(lambda: office.desk.reject(DIGEST, "bob", "no")))


def test_only_what_is_approved_is_activated() -> None:
    """And not twice; a pack that is active may be scheduled all the same."""
    office = Office()
    office.publish()
    assert "is not approved" in str(refused(lambda: office.desk.activate(DIGEST, "bob")))
    office.take(office.desk.approve(DIGEST, "bob"))
    entry = office.take(office.desk.activate(DIGEST, "bob"))
    assert (entry.kind, entry.body["effective_at"]) == ("pack_activated", stamp(entry.at))
    assert "is active already, since 2026-11-22T10:02" in str(refused(lambda: office.desk.activate(DIGEST, "bob")))
    assert office.desk.activate(DIGEST, "bob", office.now + datetime.timedelta(days=1))


def test_a_time_lies_ahead_but_not_far() -> None:
    """Past ones and those more than a year away are refused."""
    office = Office().approved(PACK)
    for days in (-1, 0, 367):
        error = refused(lambda days=days: office.desk.activate(DIGEST, "bob", office.now + datetime.timedelta(days=days)))
        assert isinstance(error, BadStep)
        assert error.field == "at"
    at = office.now + datetime.timedelta(days=366)
    assert office.desk.activate(DIGEST, "bob", at).body["effective_at"] == stamp(at)


def test_only_what_is_scheduled_is_withdrawn() -> None:
    """Before its time."""
    office = Office().approved(PACK)
    assert isinstance(refused(lambda: office.desk.withdraw(DIGEST, "bob")), WrongState)
    office.take(office.desk.activate(DIGEST, "bob", office.now + datetime.timedelta(minutes=2)))
    assert office.desk.withdraw(DIGEST, "bob").body["step"] == "withdrawn"
    office.now += datetime.timedelta(minutes=2)
    assert isinstance(refused(lambda: office.desk.withdraw(DIGEST, "bob")), WrongState)


def test_a_rollback_names_the_pack_it_brings_back() -> None:
    """There has to be one, that was not rejected since."""
    office = Office().active(PACK)
    assert "no other pack was active before" in str(refused(lambda: office.desk.rollback("bob")))
    office.active(OTHER)
    entry = office.desk.rollback("bob")
    assert (entry.body["digest"], entry.body["step"], entry.kind) == (DIGEST, "rolled_back", "pack_activated")
    office.take(office.desk.reject(DIGEST, "bob", "no"))
    assert "was rejected since" in str(refused(lambda: office.desk.rollback("bob")))


def test_steps_never_go_back_in_time() -> None:
    """A step that a clock behind takes counts after those before it."""
    office = Office().active(PACK)
    office.now = START - datetime.timedelta(hours=1)
    office.publish(OTHER)
    assert [step.step for step in History.of(office.steps).steps][-1] == "published"
    assert office.steps[-1].at > office.steps[-2].at


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb\x00", "\ud800", SEED])
def test_a_name_is_a_person_s(name: str) -> None:
    """Printable, not too long, and not what the service calls itself."""
    with pytest.raises(BadStep):
        person(name)


def test_names_lose_spaces_they_do_not_need() -> None:
    """As they are written down."""
    assert person("  Ann \t Li ") == "Ann Li"


def test_files_come_back_as_they_were_packed() -> None:
    """Byte for byte, suites apart from the files that decide."""
    import zlib

    import orjson

    files = {"rules/a.yaml": "\ufeffa: 1\r\n".encode(), "policies/b.yaml": "二: \U0001f600\n".encode()}
    pack = PackContent(files, {"policies/tests/c.yaml": b"x: 1\n"})
    assert content_of(orjson.loads(zlib.decompress(pack.packed()))) == pack
    assert pack.digest == PackContent(files).digest
    assert PackContent(files).tests_digest is None
