"""A pack that cannot take over is on the record as refused: lists say so, and a rollback goes back to what really decided."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from app.api.following import trying
from app.api.following.packs import FollowedPacks
from app.record.packs import history as histories
from app.record.packs.history import Step
from app.record.packs.library import PackSummary, read_shelf
from app.record.packs.steps import Checked, Desk, WrongState
from app.record.store.database import stamp
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.workbench.trial import Exhibit, Trial
from tests.followed import Store, store_connection
from tests.packs_in_force import FAILING, content, now

pytestmark = pytest.mark.unit

FIRST, BAD, THIRD = content("1.0.0"), content("2.0.0", FAILING), content("3.0.0")
WHY = "policies/tests/a.yaml:5:5: the test `A caller` fails"


async def look(packs: FollowedPacks, times: int = 3) -> None:
    for _ in range(times):
        await packs.look()


def refusals(store: Store) -> list[Step]:
    return [step for step in store.history.steps if step.step == "refused"]


def summary(store: Store, digest: str) -> PackSummary:
    with store_connection(store) as connection:
        return read_shelf(connection).summary(digest, stamp(store.clock()))


def test_a_refusal_is_put_on_the_record_once(store: Store) -> None:
    """By the first of two processes that find it, with what failed; the list names it, and the pack that decides."""

    async def run() -> None:
        async with store.worker() as one, store.worker() as other:
            store.force(BAD)
            await asyncio.gather(look(one), look(other))
            assert (one.current.digest, one.wanted) == (FIRST.digest, BAD.digest)

    asyncio.run(run())
    [refusal] = refusals(store)
    [activation] = [step for step in store.history.steps if (step.digest, step.step) == (BAD.digest, "activated")]
    assert (refusal.by, refusal.note, refusal.told["activation"]) == ("service", WHY, activation.entry_id)
    assert (summary(store, BAD.digest).state, summary(store, BAD.digest).refused) == ("refused", WHY)
    assert summary(store, BAD.digest).active_since is None
    assert (summary(store, FIRST.digest).state, summary(store, FIRST.digest).refused) == ("active", None)


def test_who_starts_on_a_broken_pack_puts_it_on_the_record(store: Store) -> None:
    """Also where no process ran when it was activated."""

    async def run() -> None:
        async with store.worker():
            pass
        store.force(BAD)
        async with store.worker() as packs:
            await look(packs)

    asyncio.run(run())
    assert [step.digest for step in refusals(store)] == [BAD.digest]


def test_a_rollback_goes_back_to_the_last_pack_that_decided(store: Store) -> None:
    """Past one that never took over; and then there is nothing before it."""

    async def run() -> None:
        async with store.worker() as packs:
            store.force(BAD)
            await look(packs)
            store.force(THIRD)
            await look(packs)
            assert packs.current.digest == THIRD.digest
            store.take(lambda desk: desk.rollback("bob"))
            await look(packs)
            assert (packs.current.digest, packs.wanted, packs.problems) == (FIRST.digest, None, ())
            with pytest.raises(WrongState, match="no other pack was active before"):
                store.take(lambda desk: desk.rollback("bob"))

    asyncio.run(run())


def test_a_rollback_leaves_the_pack_that_decides(store: Store) -> None:
    """Where the one activated last never took over, the one to be rid of is the one before it."""

    async def run() -> None:
        async with store.worker() as packs:
            store.force(THIRD)
            await look(packs)
            store.force(BAD)
            await look(packs)
            assert packs.current.digest == THIRD.digest
            store.take(lambda desk: desk.rollback("bob"))
            await look(packs)
            assert (packs.current.digest, packs.problems) == (FIRST.digest, ())

    asyncio.run(run())


def test_a_pack_that_was_passed_over_in_a_hurry_decides(store: Store) -> None:
    """Two were activated between two looks, the last of them broken: everybody decides with the other one, as who starts would."""

    async def run() -> None:
        async with store.worker() as packs:
            store.force(THIRD)
            store.force(BAD)
            await look(packs)
            assert (packs.current.digest, packs.wanted) == (THIRD.digest, BAD.digest)
            assert packs.problems == (f"{BAD.digest[7:19]} is in force and not taken over:", WHY)

    asyncio.run(run())
    assert summary(store, THIRD.digest).state == "active"


def test_what_decides_may_be_activated_over_a_refused_pack(store: Store) -> None:
    """That ends the trouble without changing what decides."""

    async def run() -> None:
        async with store.worker() as packs:
            store.force(BAD)
            await look(packs)
            with pytest.raises(WrongState, match="activate another or roll back first"):
                store.take(lambda desk: desk.reject(BAD.digest, "bob", "its tests fail"))
            store.take(lambda desk: desk.activate(FIRST.digest, "bob"))
            await look(packs)
            assert (packs.current.digest, packs.wanted, packs.problems) == (FIRST.digest, None, ())
            store.take(lambda desk: desk.reject(BAD.digest, "bob", "its tests fail"))
            with pytest.raises(WrongState, match="every other pack that was active before could not take over, or was rejected since"):
                store.take(lambda desk: desk.rollback("bob"))

    asyncio.run(run())


def test_a_refused_pack_is_not_activated_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is wrong and what to do; published anew, or with another version of the engine, it may be."""

    async def run() -> None:
        async with store.worker() as packs:
            store.force(BAD)
            await look(packs)

    asyncio.run(run())
    with pytest.raises(WrongState) as error:
        store.take(lambda desk: desk.activate(BAD.digest, "bob"))
    assert str(error.value) == f"{BAD.digest[7:19]} cannot take over: {WHY}\nmend it, give it another `version:`, and publish that"
    with monkeypatch.context() as newer:
        newer.setattr(histories, "__version__", "9.9.9")
        with pytest.raises(WrongState, match="is active already"):
            store.take(lambda desk: desk.activate(BAD.digest, "bob"))
        assert summary(store, BAD.digest).state == "active"
    store.take(
        lambda desk: desk.activate(FIRST.digest, "bob"),
        lambda desk: desk.reject(BAD.digest, "bob", "its tests fail"),
        lambda desk: desk.publish(Checked(BAD, "small", "x"), "ann", BAD),
        lambda desk: desk.approve(BAD.digest, "bob"),
        lambda desk: desk.activate(BAD.digest, "bob"),
    )


def test_a_trial_without_an_end_is_not_on_the_record(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing of the pack: the trial is repeated."""

    async def run() -> None:
        async with store.worker() as packs:

            async def crash(exhibit: Exhibit, cache: Any = None) -> Trial:
                return Trial(crash="out of memory")

            monkeypatch.setattr(trying, "try_apart", crash)
            store.force(THIRD)
            await look(packs)
            assert (packs.current.digest, packs.wanted) == (FIRST.digest, THIRD.digest)

    asyncio.run(run())
    assert (refusals(store), summary(store, THIRD.digest).state) == ([], "active")


def test_a_refusal_that_the_store_did_not_take_is_told_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a look at which it does; what decides goes on meanwhile."""

    async def run() -> None:
        async with store.worker() as packs:
            store.force(BAD)
            with monkeypatch.context() as broken:

                async def write_not(self: Record, entry: object) -> None:
                    raise StoreUnavailable("down")

                broken.setattr(Record, "write", write_not)
                await look(packs)
            assert refusals(store) == []
            await look(packs)

    asyncio.run(run())
    assert len(refusals(store)) == 1


@pytest.mark.parametrize(
    ("problems", "note"), [(["a", "b\nc"], "a; b c"), (["x" * 600], "x" * 499 + "…"), (["\udcff"], "\\udcff"), ([], None)]
)
def test_a_refusal_keeps_the_first_problems(store: Store, problems: Sequence[str], note: str | None) -> None:
    """As one line that a note holds."""
    store.force(BAD)
    store.take(lambda desk: desk.refuse(desk.history.line(stamp(now()))[-1], problems))
    assert [step.note for step in refusals(store)] == [note]


def test_what_is_known_to_fail_is_neither_approved_nor_activated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this version of the engine ran its tests when it was published."""

    def told(failed: int) -> Any:
        return Checked(BAD, "small", "2.0.0", 1, failed)

    for failed, count in ((1, "one of its own tests"), (2, "2 of its own tests")):
        store.take(lambda desk, failed=failed: desk.publish(told(failed), f"ann{failed}", None if failed == 1 else BAD))
        for step in (lambda desk: desk.approve(BAD.digest, "bob"),):
            with pytest.raises(WrongState, match=f"cannot take over: {count} failed when it was published\nmend it"):
                store.take(step)

    def approve(desk: Desk) -> Any:
        return desk.approve(BAD.digest, "bob")

    with monkeypatch.context() as newer:
        newer.setattr(histories, "__version__", "9.9.9")
        store.take(approve)
    with pytest.raises(WrongState, match="cannot take over"):
        store.take(lambda desk: desk.activate(BAD.digest, "bob"))
