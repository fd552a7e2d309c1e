"""The pack that a worker decides with: what the store says, or the folder in development mode; the last good one where that is broken."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import insert, update
from structlog.testing import capture_logs

from app.api.following import seeding, trying
from app.api.following.packs import FollowedPacks
from app.engine.problems import PackError
from app.record.packs.library import PackLibrary, read_shelf
from app.record.packs.steps import Checked, PackContent
from app.record.store.database import Database, stamp
from app.record.store.problems import StoreUnavailable
from app.record.store.record import Record
from app.record.store.tables import PackRow, PackStepRow
from tests.followed import Store, store_connection
from tests.packs_in_force import FAILING, content, now, version, write

pytestmark = pytest.mark.unit

Run = Callable[[Coroutine[Any, Any, None]], None]


def test_a_worker_follows_what_is_in_force(store: Store) -> None:
    """An activation takes over at the next look, a schedule at its time, a rollback at once."""
    one, two, three = (content(number) for number in ("1.0.0", "2.0.0", "3.0.0"))

    async def run() -> None:
        async with store.worker() as packs:
            assert (packs.current.digest, packs.running.follows) == (one.digest, "store")
            store.force(two)
            await packs.look()
            assert packs.current.digest == two.digest
            store.force(three, None)
            store.take(lambda desk: desk.rollback("bob"))
            await packs.look()
            assert packs.current.digest == two.digest
            later = store.clock() + datetime.timedelta(hours=1)
            store.take(lambda desk: desk.activate(three.digest, "bob", later))
            await packs.look()
            assert packs.current.digest == two.digest
            store.ahead = datetime.timedelta(hours=1)
            await packs.look()
            assert (packs.current.digest, packs.running.since) == (three.digest, stamp(later))
            assert (packs.problems, packs.wanted) == ((), None)

    asyncio.run(run())


def test_all_workers_of_a_store_switch(store: Store) -> None:
    """Two that started at the same time on an empty store seed it once, and go along together."""
    two = content("2.0.0")

    async def switched(packs: FollowedPacks) -> None:
        async with asyncio.timeout(60):
            while packs.current.digest != two.digest:  # noqa: ASYNC110 - it is the follower that changes it
                await asyncio.sleep(0.01)

    async def run() -> None:
        async with store.worker(opened=False) as one, store.worker(opened=False) as other:
            await asyncio.gather(one.open(), other.open())
            followers = [asyncio.create_task(packs.follow()) for packs in (one, other)]
            await asyncio.to_thread(store.force, two)
            await asyncio.gather(switched(one), switched(other))
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    asyncio.run(run())
    active = store.history.line(stamp(now()))
    assert [step.digest for step in active] == [content("1.0.0").digest, two.digest]
    published = [step for step in store.history.steps if step.step == "published"]
    assert len(published) == 2


def test_who_seeds_second_finds_it_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that puts the pack in force between a look and a step is no failure."""
    write_first, others = Record.write, iter([content("1.0.0")])

    async def write(self: Record, entry: Any) -> Any:
        for pack in others:
            await asyncio.to_thread(store.force, pack)
        return await write_first(self, entry)

    monkeypatch.setattr(Record, "write", write)

    async def run() -> None:
        async with store.worker() as packs:
            assert packs.current.digest == content("1.0.0").digest

    asyncio.run(run())
    assert [step.by for step in store.history.steps] == ["ann", "bob", "bob"]


@pytest.mark.parametrize("kind", ["tests fail", "mistake", "unreadable", "bomb", "other files", "gone"])
def test_a_broken_pack_in_force_is_not_taken_over(store: Store, kind: str) -> None:
    """However it came to be in force: the last good one goes on, it is told why, and a good one takes over after it."""
    good, next_good = content("1.0.0"), content("3.0.0")
    bad = content("2.0.0", FAILING if kind == "tests fail" else None)
    if kind == "mistake":
        bad = PackContent({**bad.files, "rules/x.yaml": b"signals: 7\n"})
    stored = {"unreadable": b"\x00no", "bomb": _bomb(), "other files": content("2.0.1", None).packed()}

    async def run() -> None:
        async with store.worker() as packs:
            store.force(bad)
            with store_connection(store) as connection:
                row = PackRow.__table__  # type: ignore[attr-defined]
                if kind in stored:
                    connection.execute(update(PackRow).where(row.c.digest == bad.digest).values(files=stored[kind]))
                if kind == "gone":
                    connection.execute(row.delete().where(row.c.digest == bad.digest))
            with capture_logs() as logs:
                for _ in range(3):
                    await packs.look()
            assert [entry["event"] for entry in logs] == ["pack_refused"]
            assert (packs.current.digest, packs.wanted) == (good.digest, bad.digest)
            assert packs.problems[0] == f"{bad.digest[7:19]} is in force and not taken over:"
            assert len(packs.problems) > 1
            store.force(next_good)
            await packs.look()
            assert (packs.current.digest, packs.wanted, packs.problems) == (next_good.digest, None, ())

    asyncio.run(run())


def _bomb() -> bytes:
    import zlib

    return zlib.compress(b'{"rules/pack.yaml":"' + b"a" * 80_000_000)


def test_what_nobody_approved_is_not_taken_over(store: Store) -> None:
    """An activation that somebody writes into the table does nothing."""
    bad = content("2.0.0")

    async def run() -> None:
        async with store.worker() as packs:
            store.take(lambda desk: desk.publish(Checked(bad, "small", "2.0.0"), "ann", None))
            at = stamp(store.clock())
            row = {"entry_id": "f", "digest": bad.digest, "step": "activated", "at": at, "by": "eve", "effective_at": at}
            with store_connection(store) as connection:
                connection.execute(insert(PackStepRow), row)
            await packs.look()
            assert (packs.current.digest, packs.wanted) == (content("1.0.0").digest, None)
            assert [problem.partition("is not")[2] for problem in packs.problems] == [" on the record: it has no entry"]

    asyncio.run(run())


def test_a_worker_that_starts_on_a_broken_pack_takes_the_one_before(store: Store) -> None:
    """The newest that is still good; where none is, it does not start, and says why."""

    async def run() -> None:
        async with store.worker() as packs:
            first = packs.current.digest
        bad = store.force(content("2.0.0", FAILING))
        async with store.worker() as packs:
            assert (packs.current.digest, packs.wanted) == (first, bad)
            assert "the test `A caller` fails" in packs.problems[1]
            await packs.look()
            assert (packs.current.digest, packs.wanted) == (first, bad)
        with store_connection(store) as connection:
            connection.execute(update(PackRow).values(files=b""))
        with pytest.raises(PackError, match="are not those that were published"):
            async with store.worker():
                pass

    asyncio.run(run())


def test_what_could_not_be_read_is_tried_again(store: Store) -> None:
    """A pack that is damaged is looked at again after a minute, one whose tests fail is not."""
    two = content("2.0.0")

    async def run() -> None:
        async with store.worker() as packs:
            store.force(two)
            with store_connection(store) as connection:
                table = PackRow.__table__  # type: ignore[attr-defined]
                connection.execute(update(PackRow).where(table.c.digest == two.digest).values(files=b""))
            await packs.look()
            with store_connection(store) as connection:
                connection.execute(update(PackRow).where(table.c.digest == two.digest).values(files=two.packed()))
            await packs.look()
            assert packs.wanted == two.digest
            store.ahead = datetime.timedelta(seconds=trying.RETRY_SECONDS)
            await packs.look()
            assert (packs.current.digest, packs.problems) == (two.digest, ())

    asyncio.run(run())


def test_the_folder_of_an_empty_store_has_to_be_good(store: Store) -> None:
    """Seeding refuses what publishing refuses, tests that fail, and what somebody rejected."""

    async def refused(told: str) -> None:
        with pytest.raises(PackError, match=told):
            async with store.worker():
                pass

    write(store.folder, version("1.0.0", FAILING))
    asyncio.run(refused("the test `A caller` fails"))
    write(store.folder, {"rules/bad.yaml": "signals: 7\n"})
    asyncio.run(refused("rules/bad.yaml"))
    (store.folder / "rules" / "bad.yaml").unlink()
    write(store.folder, version("1.0.0"))
    pack = content("1.0.0")
    assert not store.history.steps
    store.take(lambda desk: desk.publish(Checked(pack, "small", "1.0.0"), "ann", None), lambda desk: desk.reject(pack.digest, "bob", "no"))
    asyncio.run(refused("was rejected by `bob`"))


def test_development_mode_follows_the_folder(store: Store) -> None:
    """A changed pack is published and noted before it decides; a broken one is not taken over; a restart notes nothing new."""
    store.development = True

    async def run() -> None:
        async with store.worker() as packs:
            write(store.folder, version("2.0.0", FAILING))
            await packs.look()
            assert (packs.current.version, packs.running.follows, packs.problems) == ("2.0.0", "folder", ())
            write(store.folder, {"rules/rules.yaml": "signals: 7\n"})
            await packs.look()
            assert (packs.current.version, packs.wanted) == ("2.0.0", None)
            assert packs.problems[0].startswith("rules/rules.yaml:1:10: error")
        write(store.folder, version("2.0.0"))
        async with store.worker() as packs:
            assert packs.running.since == store.history.steps[-1].since

    asyncio.run(run())
    steps = [(step.step, step.by) for step in store.history.steps]
    assert steps == [("published", "development"), ("development", "development")] * 2
    assert store.history.active(stamp(now())) is None


def test_development_that_is_not_on_record_does_not_decide(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store takes nothing the last pack goes on, and the next look tries again."""
    store.development = True

    async def run() -> None:
        async with store.worker() as packs:
            write(store.folder, version("2.0.0"))
            with monkeypatch.context() as broken:

                async def write_not(self: Record, entry: object) -> None:
                    raise StoreUnavailable("down")

                broken.setattr(Record, "write", write_not)
                with pytest.raises(StoreUnavailable):
                    await packs.look()
                assert packs.current.version == "1.0.0"
            await packs.look()
            assert packs.current.version == "2.0.0"

    asyncio.run(run())


def test_the_first_caller_ends_development(store: Store) -> None:
    """Nothing that nobody approved is in force: the folder's pack is seeded as in an empty store, and decides on while that fails."""
    store.development = True

    async def run() -> None:
        async with store.worker() as packs:
            store.development = False
            write(store.folder, version("1.0.0", FAILING))
            await packs.look()
            assert (packs.current.version, packs.running.follows, packs.wanted) == ("1.0.0", "folder", None)
            assert packs.problems[0] == "no pack is in force, and the folder's is no good:"
            store.ahead = datetime.timedelta(seconds=trying.RETRY_SECONDS)
            write(store.folder, version("1.0.0"))
            await packs.look()
            assert (packs.current.version, packs.running.follows, packs.problems) == ("1.0.0", "store", ())

    asyncio.run(run())
    assert [step.step for step in store.history.steps] == ["published", "development", "approved", "activated"]


def test_following_goes_on_while_the_store_is_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once, the pack decides on, and what was activated meanwhile takes over when the store is back."""

    async def run() -> list[str]:
        async with store.worker() as packs:
            read, failing = Record.read, True

            async def away(self: Record, work: Any, **options: Any) -> Any:
                if failing:
                    raise StoreUnavailable("away")
                return await read(self, work, **options)

            monkeypatch.setattr(Record, "read", away)
            with capture_logs() as logs:
                follower = asyncio.create_task(packs.follow())
                await asyncio.sleep(0.1)
                await asyncio.to_thread(store.force, content("2.0.0"))
                failing = False
                async with asyncio.timeout(60):
                    while packs.current.version != "2.0.0":  # noqa: ASYNC110 - it is the follower that changes it
                        await asyncio.sleep(0.01)
                follower.cancel()
            return [entry["event"] for entry in logs]

    assert asyncio.run(run()) == ["packs_not_followed", "pack_running"]


def test_a_follower_ends_when_it_is_told_to(store: Store) -> None:
    """Whatever it is at, so that a service can end."""

    async def run() -> None:
        async with store.worker() as packs:
            packs._every = 0
            for pause in range(40):
                follower = asyncio.create_task(packs.follow())
                await asyncio.sleep(pause / 4_000)
                follower.cancel()
                done, _ = await asyncio.wait([follower], timeout=10)
                assert done

    asyncio.run(run())


def test_what_runs_is_kept_for_replays(store: Store) -> None:
    """The library gives any pack that ever ran, and what development ran too."""
    store.development = True

    async def run() -> None:
        async with store.worker() as packs:
            digest = packs.current.digest
            assert packs.library.get(digest) is packs.current

    asyncio.run(run())
    database = Database(store.url)
    with database.reading() as connection:
        assert list(read_shelf(connection).packs) == [content("1.0.0").digest]
    assert PackLibrary(database).get(content("1.0.0").digest).version == "1.0.0"
    database.dispose()


def test_seeding_gives_up_where_the_store_refuses_every_step(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not go round in circles."""
    monkeypatch.setattr(seeding, "ATTEMPTS", 2)

    async def write_not(self: Record, entry: object) -> None:
        raise seeding.RowRefused("no")

    monkeypatch.setattr(Record, "write", write_not)

    async def run() -> None:
        with pytest.raises(seeding.RowRefused):
            async with store.worker():
                pass

    asyncio.run(run())
