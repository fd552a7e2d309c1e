"""Three values: what is unknown, and what is decided all the same. The tables are Kleene's."""

from itertools import product
from typing import Any

import pytest

from app.engine.runtime import NEVER
from tests.expressions import CONTACT, GATES, TODAY, value

pytestmark = pytest.mark.unit

THREE = (True, False, None)
A, B, C = "custom.ok", "home.has_broadband", "account.urban"
AND = {(True, True): True, (True, None): None, (None, True): None, (None, None): None}
OR = {(False, False): False, (False, None): None, (None, False): None, (None, None): None}


class TestJunctions:
    @pytest.mark.parametrize(("a", "b"), list(product(THREE, THREE)))
    def test_two(self, a: bool | None, b: bool | None) -> None:
        """False decides `and`, true decides `or`; otherwise unknown passes through."""
        known = {A: a, B: b}
        assert value(f"{A} and {B}", known) is AND.get((a, b), False)
        assert value(f"{A} or {B}", known) is OR.get((a, b), True)

    @pytest.mark.parametrize("a", THREE)
    def test_not(self, a: bool | None) -> None:
        """The negation of unknown is unknown, however often."""
        assert value(f"not {A}", {A: a}) is (None if a is None else not a)
        assert value(f"not not {A}", {A: a}) is a

    @pytest.mark.parametrize(("a", "b", "c"), list(product(THREE, THREE, THREE)))
    def test_de_morgan(self, a: bool | None, b: bool | None, c: bool | None) -> None:
        """Negation turns one junction into the other, with unknowns too."""
        known = {A: a, B: b, C: c}
        assert value(f"not ({A} and {B} and {C})", known) is value(f"not {A} or not {B} or not {C}", known)
        assert value(f"not ({A} or {B} or {C})", known) is value(f"not {A} and not {B} and not {C}", known)

    @pytest.mark.parametrize(("a", "b", "c"), list(product(THREE, THREE, THREE)))
    @pytest.mark.parametrize("needed", [1, 2, 3])
    def test_at_least(self, needed: int, a: bool | None, b: bool | None, c: bool | None) -> None:
        """Enough that hold is true; too few that could is false."""
        given = (a, b, c)
        expected = True if given.count(True) >= needed else False if given.count(True) + given.count(None) < needed else None
        assert value(f"at_least({needed}, {A}, {B}, {C})", {A: a, B: b, C: c}) is expected

    def test_at_least_as_junctions(self) -> None:
        """At least one of them is `or`, all of them is `and`."""
        for a, b in product(THREE, THREE):
            assert value(f"at_least(1, {A}, {B})", {A: a, B: b}) is value(f"{A} or {B}", {A: a, B: b})
            assert value(f"at_least(2, {A}, {B})", {A: a, B: b}) is value(f"{A} and {B}", {A: a, B: b})

    def test_the_excluded_middle_is_not_there(self) -> None:
        """Nothing is concluded from the shape of a condition alone."""
        assert value(f"{A} or not {A}") is None
        assert value(f"{A} and not {A}") is None


class TestComparisons:
    @pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
    def test_numbers(self, sign: str) -> None:
        """A comparison with an unknown side is unknown, also with itself."""
        written = f"plan.monthly_fee {sign} plan.min_commitment"
        for known in ({}, {"plan.monthly_fee": 1}, {"plan.min_commitment": 1}):
            assert value(written, known) is None
        assert value(f"plan.monthly_fee {sign} plan.monthly_fee") is None
        assert value(written, {"plan.monthly_fee": 1, "plan.min_commitment": 2}) is (sign in ("<", "<=", "!="))
        assert value(written, {"plan.monthly_fee": 2, "plan.min_commitment": 2}) is (sign in ("<=", ">=", "=="))
        assert value(written, {"plan.monthly_fee": 2.5, "plan.min_commitment": 2}) is (sign in (">", ">=", "!="))

    @pytest.mark.parametrize(("fee", "expected"), [(None, None), (1, False), (2, True), (9, True), (10, False)])
    def test_chains(self, fee: int | None, expected: bool | None) -> None:
        """A chain is an `and` of its comparisons."""
        assert value("2 <= plan.monthly_fee < 10", {"plan.monthly_fee": fee}) is expected

    def test_chains_decide_early(self) -> None:
        """One false link decides a chain, whatever is unknown in the others."""
        assert value("plan.monthly_fee < 5 < plan.min_commitment", {"plan.monthly_fee": 9}) is False
        assert value("plan.monthly_fee < 5 < plan.min_commitment", {"plan.monthly_fee": 3}) is None

    @pytest.mark.parametrize(
        ("written", "known", "expected"),
        [
            ("plan.id == 'a'", {}, None),
            ("plan.id == 'a'", {"plan.id": "a"}, True),
            ("plan.id != 'a'", {"plan.id": "a"}, False),
            ("plan.id == plan.name", {"plan.id": "a"}, None),
            ("account.status == 'active'", {}, None),
            ("account.status == 'active'", {"account.status": "active"}, True),
            ("account.status != 'active'", {"account.status": "lost"}, True),
            ("param.plan == plan.id", {"plan.id": "plan_59"}, True),
        ],
    )
    def test_words(self, written: str, known: dict[str, Any], expected: bool | None) -> None:
        """Texts and enumerations are equal or not, or unknown."""
        assert value(written, known) is expected

    @pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
    def test_never(self, sign: str) -> None:
        """A date that is never is on no side of any other, its own kind included."""
        end, start = "contract.commitment_end", "account.joined_on"
        assert value(f"{end} {sign} '2026-11-22'") is None
        assert value(f"{end} {sign} '2026-11-22'", {end: NEVER}) is None
        assert value(f"'2026-11-22' {sign} {end}", {end: NEVER}) is None
        assert value(f"{end} {sign} {start}", {end: NEVER, start: NEVER}) is None
        assert value(f"{end} {sign} '2026-11-22'", {end: TODAY}) is (sign in ("<=", ">=", "=="))

    def test_never_is_known(self) -> None:
        """Never is an answer."""
        assert value("known(contract.commitment_end)", {"contract.commitment_end": NEVER}) is True
        assert value("contract.commitment_end in ('2026-11-22',)", {"contract.commitment_end": NEVER}) is None

    def test_time_of_day(self) -> None:
        """Times of day are ordered within the day."""
        for minute, expected in ((539, False), (540, True), (1259, True), (1260, False)):
            assert value("'09:00' <= clock.time < '21:00'", {"clock.time": minute}, names=CONTACT) is expected


class TestMembership:
    @pytest.mark.parametrize(
        ("written", "known", "expected"),
        [
            ("plan.id in ('a', 'b')", {}, None),
            ("plan.id in ('a', 'b')", {"plan.id": "b"}, True),
            ("plan.id not in ('a', 'b')", {"plan.id": "b"}, False),
            ("plan.id not in ('a', 'b')", {}, None),
            ("plan.id in param.packs", {"plan.id": "music"}, True),
            ("account.status in ('active', 'lost')", {"account.status": "cancelled"}, False),
            ("plan.monthly_fee in (1, 2)", {"plan.monthly_fee": 2}, True),
            ("plan.monthly_fee in (1, 2)", {"plan.monthly_fee": 2.0}, True),
            ("plan.monthly_fee + 1 in (1, 2)", {}, None),
            ("contract.promo_end in ('2026-11-22', '2026-11-23')", {"contract.promo_end": TODAY + 1}, True),
            ("'a' in services.held", {}, None),
            ("'a' in services.held", {"services.held": frozenset()}, False),
            ("'a' in services.held", {"services.held": frozenset({"a"})}, True),
            ("plan.id in services.held", {"services.held": frozenset({"a"})}, None),
            ("plan.id in services.held", {"plan.id": "a"}, None),
            ("'app' in consent.refused_channels", {"consent.refused_channels": frozenset({"web"})}, False),
            ("overlap(services.held, param.packs)", {}, None),
            ("overlap(services.held, param.packs)", {"services.held": frozenset({"music", "x"})}, True),
            ("overlap(services.held, device.capabilities)", {"services.held": frozenset({"x"})}, None),
            ("overlap(services.held, device.capabilities)", {"services.held": frozenset(), "device.capabilities": frozenset()}, False),
            ("overlap(('a', 'b'), ('b', 'c'))", {}, True),
        ],
    )
    def test_sets(self, written: str, known: dict[str, Any], expected: bool | None) -> None:
        """Membership in an unknown set, and of an unknown word, is unknown; an empty set is known."""
        assert value(written, known) is expected


class TestNumbers:
    @pytest.mark.parametrize(
        "written", ["{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / {b}", "-{a} + {b}", "min({a}, {b})", "max({a}, {b})"]
    )
    def test_unknown_passes_through(self, written: str) -> None:
        """A figure that rests on an unknown figure is unknown."""
        a, b = "account.tenure_months", "plan.voice_minutes"
        written = written.format(a=a, b=b)
        for known in ({}, {a: 0}, {b: 0}):
            assert value(written, known) is None
        assert value(written, {a: 6, b: 3}) is not None

    def test_division(self) -> None:
        """A division by zero is unknown, and so is what rests on it."""
        fees = {"plan.monthly_fee": 6, "plan.min_commitment": 0}
        assert value("plan.monthly_fee / plan.min_commitment", fees) is None
        assert value("1 + plan.monthly_fee / plan.min_commitment > 0 or custom.ok", {**fees, "custom.ok": True}) is True
        assert value("plan.monthly_fee / 4", fees) == 1.5

    def test_beyond_a_million_million(self) -> None:
        """A quotient beyond 10^12 is unknown; at 10^12 it is not."""
        assert value("plan.monthly_fee / 0.5", {"plan.monthly_fee": 5 * 10**11}) == 10.0**12
        assert value("plan.monthly_fee / 0.5", {"plan.monthly_fee": 5 * 10**11 + 1}) is None
        assert value("-plan.monthly_fee / 0.5", {"plan.monthly_fee": 5 * 10**11 + 1}) is None
        assert value("1 / custom.n", {"custom.n": 1e-320}) is None

    def test_whole_numbers_are_exact(self) -> None:
        """Sums and products of whole numbers are whole and exact up to 2^53."""
        assert value("value.annual * 9000 + 199254740992", {"value.annual": 10**12}) == 9_000_199_254_740_992
        assert type(value("plan.monthly_fee * 3 - 1", {"plan.monthly_fee": 7})) is int

    def test_always_one_value(self) -> None:
        """Where the subscriber stands is always known; a row that could not be decided was skipped before."""
        assert value("stage == 'warning' and phase in ('rescue',)", {"stage": "warning", "phase": "rescue"}, names=GATES) is True


class TestSignals:
    @pytest.mark.parametrize(
        ("severe", "high", "watch", "written", "expected"),
        [
            (False, True, None, "level('tolls') == 'high'", True),
            (None, True, False, "level('tolls') == 'high'", None),
            (True, True, True, "level('tolls') == 'high'", False),
            (True, None, None, "level('tolls') == 'severe'", True),
            (None, False, True, "level('tolls') == 'severe'", None),
            (None, False, True, "level('tolls') == 'watch'", None),
            (False, False, True, "level('tolls') == 'watch'", True),
            (None, True, False, "level('tolls') >= 'high'", True),
            (None, False, True, "level('tolls') >= 'high'", None),
            (False, False, True, "level('tolls') >= 'high'", False),
            (None, False, True, "level('tolls') > 'watch'", None),
            (False, True, None, "level('tolls') != 'high'", False),
            (False, False, False, "level('tolls') != 'high'", True),
            (None, True, True, "level('tolls') != 'high'", None),
            (None, True, True, "level('tolls') in ('severe', 'high')", None),
            (True, None, None, "level('tolls') in ('severe', 'watch')", True),
            (False, True, None, "level('tolls') not in ('severe', 'watch')", True),
        ],
    )
    def test_levels(self, severe: bool | None, high: bool | None, watch: bool | None, written: str, expected: bool | None) -> None:
        """A level is the strongest that holds: it is known when it holds and every stronger one fails."""
        known = {f"level:tolls:{word}": held for word, held in (("severe", severe), ("high", high), ("watch", watch))}
        assert value(written, known) is expected

    @pytest.mark.parametrize("held", THREE)
    def test_signal(self, held: bool | None) -> None:
        """A signal has three values like everything else."""
        assert value("signal('tolls')", {"signal:tolls": held}) is held
        assert value("not signal('tolls')", {"signal:tolls": held}) is (None if held is None else not held)


class TestKnown:
    @pytest.mark.parametrize(
        "name", ["plan.monthly_fee", "custom.ok", "services.held", "billing.total", "contract.promo_end", "custom.band"]
    )
    def test_facts(self, name: str) -> None:
        """Whether a fact is known is itself always known."""
        assert value(f"known({name})") is False
        assert value(f"known({name})", {name: 0}) is True
        assert value(f"not known({name}) and not known({name})", {name: False}) is False

    def test_first_known(self) -> None:
        """The first figure there is, in order; zero is one."""
        written = "first_known(custom.n, plan.monthly_fee, 7)"
        assert value(written, {"custom.n": 0, "plan.monthly_fee": 3}) == 0
        assert value(written, {"plan.monthly_fee": 3}) == 3
        assert value(written) == 7
        assert value("first_known(custom.n, plan.monthly_fee)") is None
