"""The door: who is let in, who waits, who is refused, and how fast."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from app.api.admission.door import deadline_of, patience_of
from app.api.admission.gate import CALM, SHORTEST_WAIT, STALLED, STANDING, STEPS, TOGETHER, Gate, Late, Room
from app.api.admission.lanes import lane_of, largest_body
from app.api.admission.limits import limits_of
from app.api.admission.rates import BURST_SECONDS, Rates
from app.api.admission.reading import TooLarge, TooSlow, read
from app.api.admission.refusing import Refusal, raw
from app.settings import Settings

pytestmark = pytest.mark.unit

SHORT = 40


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        return await work()

    return asyncio.run(whole())


class TestGate:
    def test_so_many_at_once(self) -> None:
        """Of three, with room for two, the third comes in when one has left."""

        async def work() -> list[str]:
            gate, told = Gate(Room(2, 1.0, 10)), []
            first, _ = await gate.enter(), await gate.enter()
            third = asyncio.create_task(gate.enter())
            await asyncio.sleep(0.01)
            told.append(f"{third.done()} {gate.at_work} {gate.waiting}")
            gate.leave(first)
            await third
            told.append(f"{gate.at_work} {gate.waiting}")
            return told

        assert run(work) == ["False 2 1", "2 0"]

    def test_so_many_in_each_turn_of_the_loop(self) -> None:
        """Of many that come together only so many come in together: others are heard between them."""

        async def work() -> list[int]:
            gate, turns = Gate(Room(100, 1.0, 100)), []
            entering = [asyncio.create_task(gate.enter()) for _ in range(3 * TOGETHER)]
            while not all(task.done() for task in entering):
                await asyncio.sleep(0)
                turns.append(gate.at_work)
            return [after - before for before, after in pairwise([0, *turns])]

        came = run(work)
        assert max(came) == TOGETHER
        assert [turn for turn, some in enumerate(came) if some] == [0, STEPS, 2 * STEPS]

    def test_they_come_in_as_they_came(self) -> None:
        """First come, first served."""

        async def work() -> list[int]:
            gate, order = Gate(Room(1, 1.0, 100)), []

            async def one(number: int) -> None:
                since = await gate.enter()
                order.append(number)
                await asyncio.sleep(0)
                gate.leave(since)

            await asyncio.gather(*(one(number) for number in range(20)))
            return order

        assert run(work) == list(range(20))

    def test_a_full_queue_is_told_at_once(self) -> None:
        """Where as many wait as may, the next one is late, with the time after which there may be a turn."""

        async def work() -> float:
            gate = Gate(Room(1, 10.0, 2))
            await gate.enter()
            waiting = [asyncio.create_task(gate.enter()) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Late) as refused:
                gate.check()
            for task in waiting:
                task.cancel()
            return refused.value.after

        assert run(work) > 0

    def test_a_queue_that_stands_is_kept_short(self) -> None:
        """A burst may wait long. When the queue has not been empty for a while, only whose turn is near is let in."""

        async def work() -> tuple[bool, bool]:
            gate = Gate(Room(1, 10.0, 1_000))
            await gate.enter()
            waiting = [asyncio.create_task(gate.enter()) for _ in range(int(SHORTEST_WAIT / 0.001) + 5)]
            await asyncio.sleep(0)
            burst = _passes(gate)
            await asyncio.sleep(STANDING * 1.5)
            standing = _passes(gate)
            for task in waiting:
                task.cancel()
            return burst, standing

        assert run(work) == (True, False)

    def test_a_short_queue_that_was_empty_is_no_burst_yet(self) -> None:
        """As long as somebody was refused lately the queue is kept short, also when it was empty meanwhile; after a calm it may be long."""

        async def work() -> tuple[bool, bool]:
            gate = Gate(Room(1, 10.0, SHORT))
            since = await gate.enter()
            waiting = [asyncio.create_task(gate.enter()) for _ in range(SHORT)]
            await asyncio.sleep(0)
            assert not _passes(gate)
            for task in waiting[SHORT // 2 :]:
                task.cancel()
            await asyncio.sleep(0)
            refused = _passes(gate)
            await asyncio.sleep(CALM * 1.2)
            gate._queued_since = asyncio.get_running_loop().time()
            calm = _passes(gate)
            for task in waiting:
                task.cancel()
            gate.leave(since)
            return refused, calm

        assert run(work) == (False, True)

    def test_who_was_let_wait_gets_a_turn(self) -> None:
        """However many are refused after them: who is to be refused hears of it when they come, not after a wait."""

        async def work() -> int:
            gate, came = Gate(Room(1, 10.0, SHORT)), 0
            since = await gate.enter()
            waiting = [asyncio.create_task(gate.enter()) for _ in range(SHORT)]
            for _ in range(20):
                await asyncio.sleep(SHORTEST_WAIT / 2)
                assert not _passes(gate)
            for turn in waiting:
                gate.leave(since)
                since = await turn
                came += 1
            return came

        assert run(work) == SHORT

    def test_who_comes_in_one_turn_of_the_loop_is_counted(self) -> None:
        """Before anybody of them could enter; in the next turn only those count that did."""

        async def work() -> list[bool]:
            gate, told = Gate(Room(2, 0.0, 0)), []
            for _ in range(3):
                told.append(gate.full() is None)
                gate.come()
            await asyncio.sleep(0)
            return [*told, gate.full() is None]

        assert run(work) == [True, True, False, True]

    def test_where_there_is_room_nobody_is_late(self) -> None:
        """Who waits for nothing but the next turn of the loop is no queue, however long that has lasted."""

        async def work() -> bool:
            gate = Gate(Room(2 * TOGETHER, 0.0, 0))
            entering = [asyncio.create_task(gate.enter()) for _ in range(TOGETHER + 1)]
            await asyncio.sleep(0)
            waiting, passes = gate.waiting, _passes(gate)
            await asyncio.gather(*entering)
            return bool(waiting) and passes

        assert run(work)

    def test_a_batch_for_which_there_is_room_waits_for_the_turns_of_others(self) -> None:
        """As long as a desktop may. One for which there is no room is refused at once."""
        rooms = limits_of(Settings()).rooms
        assert (rooms["batch"].wait, rooms["batch"].most) == (rooms["interactive"].wait, 0)

    def test_who_waited_too_long_is_told(self) -> None:
        """A turn that comes much later than was reckoned is none."""

        async def work() -> None:
            gate = Gate(Room(1, 0.02, 10))
            first = await gate.enter()
            second = asyncio.create_task(gate.enter())
            await asyncio.sleep(0.02 * (STALLED + 1))
            gate.leave(first)
            with pytest.raises(Late):
                await second
            assert (gate.at_work, gate.waiting) == (0, 0)

        run(work)

    def test_who_goes_away_leaves_no_gap(self) -> None:
        """Whoever is cancelled while waiting, or just as the turn comes, takes nobody's place."""

        async def work() -> None:
            gate = Gate(Room(1, 1.0, 10))
            first = await gate.enter()
            second, third = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
            await asyncio.sleep(0)
            second.cancel()
            gate.leave(first)
            gate.leave(await third)
            fourth = asyncio.create_task(gate.enter())
            fifth = asyncio.create_task(gate.enter())
            await asyncio.sleep(0.01)
            assert gate.at_work == 1
            fifth.cancel()
            await asyncio.sleep(0.01)
            gate.leave(await fourth)
            assert (gate.at_work, gate.waiting) == (0, 0)

        run(work)

    def test_who_goes_away_as_the_turn_comes_gives_it_back(self) -> None:
        """Cancelled between being let in and going in, a request does not stay at work for ever."""

        async def work() -> None:
            gate = Gate(Room(1, 1.0, 10))
            first = await gate.enter()
            second = asyncio.create_task(gate.enter())
            await asyncio.sleep(0.01)
            gate.leave(first)
            await asyncio.sleep(0)
            assert (gate.at_work, gate.waiting, second.done()) == (1, 0, False)
            second.cancel()
            await asyncio.wait([second])
            assert gate.at_work == 0

        run(work)

    def test_a_deadline_that_cannot_be_met_is_told(self) -> None:
        """Going by how long answers took lately."""

        async def work() -> tuple[bool, bool]:
            gate = Gate(Room(4, 1.0, 10))
            since = await gate.enter()
            await asyncio.sleep(0.05)
            gate.leave(since)
            return _passes(gate, 0.02), _passes(gate, 1.0)

        assert run(work) == (False, True)


def _passes(gate: Gate, deadline: float | None = None) -> bool:
    try:
        gate.check(deadline)
    except Late:
        return False
    return True


class TestRates:
    def test_a_client_may_ask_so_often(self) -> None:
        """Ten a second, after a pause twice as many at once, then one each tenth of a second; another client is not concerned."""
        rates = Rates(10.0)
        allowed = [rates.wait("one", 100.0) for _ in range(25)]
        assert [wait for wait in allowed if not wait] == [0.0] * int(10 * BURST_SECONDS)
        assert allowed[-1] == pytest.approx(0.1)
        assert rates.wait("other", 100.0) == 0
        assert rates.wait("one", 100.05) == pytest.approx(0.05)
        assert rates.wait("one", 100.11) == 0

    def test_the_table_does_not_grow(self) -> None:
        """However many clients there are; the one that was silent for longest is forgotten."""
        rates = Rates(1.0, most=100)
        for number in range(1_000):
            rates.wait(number, 0.0)
        assert len(rates) == 100
        assert [rates.wait(999, 0.0), rates.wait(999, 0.0)] == [0.0, 1.0]

    def test_zero_counts_nothing(self) -> None:
        """Without a rate everybody may ask, and nobody is remembered."""
        rates = Rates(0.0)
        assert not any(rates.wait("one", 0.0) for _ in range(1_000))
        assert len(rates) == 0


@pytest.mark.parametrize(("given", "seconds"), [(None, None), (b"1", 0.001), (b"250", 0.25), (b"60000", 60.0), (b"007", 0.007)])
def test_a_deadline(given: bytes | None, seconds: float | None) -> None:
    """Whole milliseconds, up to a minute."""
    assert deadline_of({} if given is None else {b"wanliu-deadline-ms": given}) == seconds


@pytest.mark.parametrize("given", [b"", b"0", b"60001", b"-5", b"1.5", b"1e3", b" 5", b"999999999999", b"9" * 5_000, b"\xb2", b"soon"])
def test_a_wrong_deadline(given: bytes) -> None:
    """Anything else is refused, however long it is."""
    with pytest.raises(ValueError, match="no deadline"):
        deadline_of({b"wanliu-deadline-ms": given})


def test_the_patience_of_a_caller() -> None:
    """What is left of its deadline, never more than the record's own, never less than nothing."""

    async def work() -> list[float | None]:
        now = asyncio.get_running_loop().time()
        return [patience_of(scope, 0.15) for scope in ({}, {"wanliu.give_up": now + 9}, {"wanliu.give_up": now - 1})]

    assert run(work) == [None, 0.15, 0.0]


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("GET", "/healthz", "health"),
        ("GET", "/metrics", "health"),
        ("POST", "/v1/decisions", "interactive"),
        ("GET", "/v1/decisions", "office"),
        ("POST", "/v1/decisions/batch", "batch"),
        ("POST", "/v1/decisions/019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b/responses", "interactive"),
        ("GET", "/v1/decisions/019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b/replay", "office"),
        ("POST", "/v1/records/export", "office"),
        ("POST", "/v1/packs", "office"),
        ("POST", "/customer/v4/queryProductRecommendation", "interactive"),
        ("GET", "/nothing", "interactive"),
    ],
)
def test_lanes(method: str, path: str, lane: str) -> None:
    """Somebody who waits in front of a screen shares no room with a search, an export or a batch."""
    assert lane_of(method, path) == lane


def test_how_large_a_body_may_be() -> None:
    """A megabyte; for a pack twenty; a batch sees to its lines itself."""
    assert [largest_body(path) for path in ("/v1/decisions", "/v1/packs", "/v1/decisions/batch")] == [2**20, 20 * 2**20, None]


def giving(*parts: bytes, then: float = 0.0) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A body in parts, the last of which says so; with `then`, seconds pass before each."""
    left = list(parts)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(then)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)} if left else {"type": "http.disconnect"}

    return receive


def test_a_body_is_read_whole() -> None:
    """In one piece, and nothing beyond it."""

    async def work() -> list[Any]:
        receive = giving(b"ab", b"", b"c")
        return [await read(receive, 3, 1.0), await receive()]

    assert run(work) == [b"abc", {"type": "http.disconnect"}]


def test_who_goes_away_meanwhile_is_not_waited_for() -> None:
    """Whatever gives the body hears that nobody waits for it any more."""
    left: list[str] = []

    async def receive() -> dict[str, Any]:
        try:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
        finally:
            left.append("left")

    async def work() -> None:
        reading = asyncio.create_task(read(receive, 3, 60.0))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError) as gone:
            await reading
        assert (left, gone.type) == (["left"], asyncio.CancelledError)

    run(work)


def test_a_body_that_is_too_large_or_too_slow() -> None:
    """The rest of it is not waited for."""
    with pytest.raises(TooLarge):
        run(lambda: read(giving(b"ab", b"cd", b"ef"), 3, 1.0))
    with pytest.raises(TooSlow):
        run(lambda: read(giving(b"ab", b"cd", then=0.04), 10, 0.06))


def test_a_refusal_is_told_as_its_door_tells() -> None:
    """Problem details; on TM Forum's paths an error as TM Forum has it. Retry-After is whole seconds, at least one."""
    told = raw("/v1/decisions", Refusal("overloaded", 2.2), date=b"now")
    assert told.startswith(b"HTTP/1.1 503 Service Unavailable\r\ndate: now\r\ncontent-type: application/problem+json\r\n")
    assert b"\r\nretry-after: 3\r\n" in told
    assert b"connection" not in told
    tmf = raw("/customer/v4/queryProductRecommendation", Refusal("too-many-requests", 0.01), date=b"now", close=True)
    assert b'"code":"too-many-requests"' in tmf
    assert b"\r\nretry-after: 1\r\nconnection: close\r\n" in tmf
