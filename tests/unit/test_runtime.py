"""What compiled expressions call: sums, quotients, windows, plans and buckets, to the last bit."""

import hashlib
import math
from types import SimpleNamespace

import pytest

from app.engine import runtime
from app.engine.functions import LONGEST_WINDOW
from app.engine.pack.documents import TariffPart
from app.engine.runtime import DAY, Plan
from app.engine.tree import EXACT_LIMIT, INPUT_LIMIT
from app.engine.vocabulary import FACTS

pytestmark = pytest.mark.unit

TENTHS = tuple([0.1] * 10)
"""Their sum is 0.9999999999999999 from left to right, and 1.0 where a sum compensates, as Python's own does from 3.12 on."""
CANCELLING = (1e16, 1.0, -1e16)
"""From left to right the one is lost; a compensated sum keeps it."""


class TestSums:
    def test_left_to_right(self) -> None:
        """Floats are added as columns add them, in order, without compensation, on every Python."""
        assert runtime.total(TENTHS, 10) == 0.9999999999999999
        assert runtime.total(CANCELLING, 3) == 0.0
        assert runtime.total(CANCELLING[::-1], 3) == 0.0
        assert runtime.total((-1e16, 1e16, 1.0), 3) == 1.0
        assert math.fsum(CANCELLING) == 1.0

    def test_means_and_changes(self) -> None:
        """Means and changes rest on the same sums."""
        assert runtime.mean(TENTHS, 10) == 0.9999999999999999 / 10
        assert runtime.change((*TENTHS, 0.1), 10) == (0.1 * 10 - 0.9999999999999999) / 0.9999999999999999
        assert runtime.mean(CANCELLING, 3) == 0.0

    def test_costs(self) -> None:
        """So do the costs of several cycles."""
        plan = Plan("p", 0, 0, 0, 1, 0, 0)
        assert runtime.fee_on({"p": plan}, "p", 10, TENTHS, (0,) * 10) == 0.9999999999999999 / 10

    def test_whole_numbers(self) -> None:
        """Whole numbers stay whole."""
        found = runtime.total((10**12,) * 36, 36)
        assert found == 36 * 10**12
        assert type(found) is int


class TestQuotients:
    @pytest.mark.parametrize(
        ("over", "under", "expected"),
        [
            (1, 3, 1 / 3),
            (0, 5, 0.0),
            (5, 0, None),
            (5.0, 0.0, None),
            (5, -0.0, None),
            (0, 0, None),
            (10**12, 1, 1e12),
            (-(10**12), 1, -1e12),
            (10**12 + 1, 1, None),
            (1, 1e-13, None),
            (1, 5e-324, None),
            (10**400, 1, None),
            (1e300, 1e-300, None),
            (float("inf"), 1, None),
            (float("nan"), 1, None),
        ],
    )
    def test_bounds(self, over: float, under: float, expected: float | None) -> None:
        """A quotient is a float of at most 10^12 in size, else unknown; nothing raises, nothing is infinite."""
        assert runtime.quotient(over, under) == expected

    def test_exact(self) -> None:
        """Whole numbers under 2^53 are divided as one rounding."""
        assert runtime.quotient(9_007_199_254_740_991, 90_071) == 9_007_199_254_740_991 / 90_071


class TestSeries:
    @pytest.mark.parametrize("function", ["total", "mean", "peak", "median", "falling", "rising"])
    @pytest.mark.parametrize("series", [None, (), (1,), (1, None), (None, None)])
    def test_short_or_missing(self, function: str, series: tuple[int | None, ...] | None) -> None:
        """Every window needs all of its values."""
        assert getattr(runtime, function)(series, 2) is None

    def test_median(self) -> None:
        """The middle of an odd number of values as a float, between the two middle ones of an even number; the series is left as it is."""
        steps = (3, 1, 2)
        assert runtime.median(steps, 3) == 2.0
        assert type(runtime.median(steps, 3)) is float
        assert runtime.median((1, 2), 2) == 1.5
        assert steps == (3, 1, 2)

    def test_longest(self) -> None:
        """A window may be as long as a series."""
        assert runtime.mean(tuple(range(LONGEST_WINDOW)), LONGEST_WINDOW) == 17.5


class TestWindows:
    AT = 20_000 * DAY

    @pytest.mark.parametrize(
        ("at", "inside"), [(AT, True), (AT + 1, False), (AT - 30 * DAY, False), (AT - 30 * DAY + 1, True), (AT - 30 * DAY - 1, False)]
    )
    def test_microseconds(self, at: int, inside: bool) -> None:
        """The start of a window is outside, its end inside."""
        event = SimpleNamespace(topic="a", result="refused", action="x", channel="app", message=None)
        assert runtime.count({"use": [(at, event)]}, "use", self.AT, 30, None, ()) == inside
        assert runtime.contacted([(at, event)], self.AT, 30, {}, ()) == inside
        assert runtime.refused([(at, event)], self.AT, 30, {}, ()) == inside

    def test_order_means_nothing(self) -> None:
        """Histories come newest or oldest first."""
        events = [(self.AT - days * DAY, SimpleNamespace(topic=topic)) for days, topic in ((1, "a"), (2, "b"), (3, "b"))]
        for history in (events, events[::-1]):
            assert runtime.since({"use": history}, "use", self.AT, ()) == 1
            assert runtime.since({"use": history}, "use", self.AT, (("topic", "b"),)) == 2
            assert runtime.count({"use": history}, "use", self.AT, 30, "topic", ()) == 2

    @pytest.mark.parametrize(("gap", "days"), [(0, 0), (DAY - 1, 0), (DAY, 1), (2 * DAY - 1, 1)])
    def test_whole_days(self, gap: int, days: int) -> None:
        """Days since an event are whole days of 24 hours."""
        assert runtime.since({"use": [(self.AT - gap, SimpleNamespace())]}, "use", self.AT, ()) == days


class TestPlans:
    @pytest.mark.parametrize(
        ("minutes", "megabytes", "cap", "cost"),
        [
            (100, 1024, 0, 5000.0),
            (101, 1024, 0, 5010.0),
            (0, 2048, 0, 5500.0),
            (0, 1025, 0, 5000 + 500 / 1024),
            (200, 2048, 0, 6500.0),
            (200, 2048, 1500, 6500.0),
            (200, 2048, 1499, 6499.0),
            (200, 2048, 1, 5001.0),
            (99.5, 0.5, 0, 5000.0),
        ],
    )
    def test_cost(self, minutes: float, megabytes: float, cap: int, cost: float) -> None:
        """A cycle costs the fee and what goes over the allowance, up to the cap where there is one."""
        plan = Plan("p", 5000, 100, 1024, 10, 500, cap)
        assert runtime.fee_on({"p": plan}, "p", 1, (minutes,), (megabytes,)) == cost

    def test_ties(self) -> None:
        """Of equally cheap plans the first by id is the best, in whatever order they are listed."""
        dear, one, other = Plan("a", 200, 0, 0, 0, 0, 0), Plan("c", 100, 0, 0, 0, 0, 0), Plan("b", 100, 0, 0, 0, 0, 0)
        for order in ((dear, one, other), (other, one, dear)):
            plans = {plan.id: plan for plan in order}
            assert runtime.best(plans, 1, (0,), (0,), *[True] * 3) == (100.0, "b")
            closed = [plan.id != "b" for plan in order]
            assert runtime.best(plans, 1, (0,), (0,), *closed) == (100.0, "c")
        assert runtime.best({}, 1, (0,), (0,)) is None

    def test_figures_stay_exact(self) -> None:
        """The most that a cycle can use, at the most a plan may charge, stays under 2^53."""
        rates = {
            name: next(mark.le for mark in TariffPart.model_fields[name].metadata if hasattr(mark, "le"))
            for name in ("voice_rate", "data_rate")
        }
        assert (FACTS["usage.data_mb"].most or INPUT_LIMIT) * rates["data_rate"] < EXACT_LIMIT
        assert (FACTS["usage.voice_out_min"].most or INPUT_LIMIT) * rates["voice_rate"] < EXACT_LIMIT


class TestBuckets:
    def test_formula(self) -> None:
        """The first eight bytes of SHA-256 over the three parts, modulo a hundred: anybody can check it."""
        digest = hashlib.sha256("盐\0pilot\0s-1".encode()).digest()
        assert runtime.bucket("盐", "pilot", "s-1") == int.from_bytes(digest[:8], "big") % 100

    def test_many_are_drawn_as_one_is(self) -> None:
        """Each by itself, whoever comes before."""
        names = ["s-1", "", "盐", "s-1", "s" * 200]
        assert runtime.buckets("盐", "pilot", names) == [runtime.bucket("盐", "pilot", name) for name in names]

    def test_parts_are_apart(self) -> None:
        """Where one part ends and the next begins matters."""
        assert len({runtime.bucket(*parts) for parts in (("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"))}) > 1

    def test_even(self) -> None:
        """Every bucket gets its share of ten thousand subscribers, and two trials are drawn independently."""
        buckets = [(runtime.bucket("salt", "one", f"s-{n}"), runtime.bucket("salt", "two", f"s-{n}")) for n in range(10_000)]
        sizes = [sum(one == number for one, _ in buckets) for number in range(100)]
        assert min(sizes) > 60
        assert max(sizes) < 140
        both = sum(one < 50 and two < 50 for one, two in buckets)
        assert 2_350 < both < 2_650
