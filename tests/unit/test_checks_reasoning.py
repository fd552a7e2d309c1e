"""What follows from what, what is not decided, and that no pack keeps anybody waiting."""

import pytest

from app.engine.pack import examine_files
from app.engine.pack.checks.reasoning import Reasoned, Reasoning
from app.engine.pack.checks.values import NOTHING, both, either, number_at, place_of, values, without
from app.engine.tree import BOOLEAN, Or, Ref
from tests.expressions import tree
from tests.packs import changed, facts, signals, small

pytestmark = pytest.mark.unit

DEFINED = {"signal:tolls": Or(tuple(Ref(f"level:tolls:{word}", BOOLEAN) for word in ("severe", "high", "watch")))}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("custom.n > 5", "custom.n >= 5"),
        ("custom.n >= 5.5", "custom.n > 5"),
        ("5 < custom.n", "custom.n > 4"),
        ("custom.n == 5", "custom.n != 4"),
        ("custom.n in (5, 6)", "5 <= custom.n <= 6"),
        ("custom.whole > 4", "custom.whole >= 5"),
        ("custom.whole != 5 and 4 <= custom.whole <= 5", "custom.whole == 4"),
        ("custom.band == 'a'", "custom.band in ('a', 'b')"),
        ("known(custom.band) and custom.band != 'a'", "custom.band == 'b'"),
        ("custom.visit >= '2026-11-22'", "custom.visit > '2026-11-21'"),
        ("days_until(custom.visit) > 3", "days_since(custom.visit) < 0 or days_since(custom.visit) > 999999"),
        ("custom.n > 5 or custom.n > 7", "custom.n > 3"),
        ("custom.n > 5", "known(custom.n)"),
        ("0.1 * custom.n >= 0.3", "custom.n > 2.9"),
        ("level('tolls') == 'watch'", "signal('tolls')"),
        ("last(billing.total) < plan.monthly_fee", "plan.monthly_fee != last(billing.total)"),
        ("not signal('tolls')", "level('tolls') != 'high'"),
        ("false", "custom.ok"),
    ],
)
def test_implied(one: str, other: str) -> None:
    """What follows, and never the other way round unless both are the same."""
    reasoning = Reasoning(DEFINED)
    assert reasoning.implied(tree(one), tree(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("custom.n >= 5", "custom.n > 5"),
        ("custom.n > 4", "custom.n >= 5"),
        ("custom.n > 5", "custom.whole > 4"),
        ("custom.n != 5", "custom.n > 5"),
        ("known(custom.visit) and not custom.visit > '2026-11-21'", "days_until(custom.visit) < 0 and days_until(custom.visit) > 0"),
        ("known(custom.visit)", "custom.visit > '2026-11-21' or custom.visit <= '2026-11-21'"),
        ("not custom.ok", "custom.ok"),
        ("signal('tolls')", "level('tolls') >= 'high'"),
        ("signal('tolls')", "signal('fault')"),
        ("not known(custom.n)", "not custom.n > 5"),
        ("custom.n > 0", "custom.n > custom.whole"),
    ],
)
def test_not_implied(one: str, other: str) -> None:
    """What does not follow: a date that is never is on no side, unknown is not false."""
    reasoning = Reasoning(DEFINED)
    assert not reasoning.implied(tree(one), tree(other))


def test_sets_of_values() -> None:
    """Spans join where they touch; words may be all but some."""
    one, other = values([(1, 3), (4, 6)], rest=True, words=("a",)), values([(5, 9)], words=("a", "b"), unknown=True)
    assert one.spans == ((1, 6),)
    assert both(one, other) is values([(5, 6)], words=("b",))
    assert either(one, other) is values([(1, 9)], rest=True, unknown=True)
    assert without(one, other) is values([(1, 4)], rest=True, words=("a", "b"))
    assert without(other, one) is values([(7, 9)], words=("a",), unknown=True)
    assert without(other, other) is NOTHING


@pytest.mark.parametrize("number", [0.0, 1.5, -1.5, 1e-300, -1e12, 3])
def test_places_of_numbers(number: float) -> None:
    """Numbers stand in their order, each at a place of its own."""
    assert number_at(place_of(number, whole=False), whole=False) == number
    assert place_of(number, whole=False) + 1 == place_of(_next(number), whole=False)


def _next(number: float) -> float:
    import math

    return math.nextafter(number, math.inf)


def test_what_was_not_decided_is_said() -> None:
    """Two facts in one comparison, and two windows over one series, are counted as not decided."""
    plain = examine_files(small()).reasoned
    more = examine_files(
        small(x=signals(a="value.annual > 5", b="plan.monthly_fee > value.annual", c="last(billing.total) > 5 * mean(billing.total, 3)"))
    ).reasoned
    assert (more.decided - plain.decided, more.undecided - plain.undecided) == (1, 2)
    assert str(Reasoned(1_117, 87)) == "1,204 conditions reasoned about, 87 not decided: they compare two facts or work out figures"
    assert str(Reasoned(3)) == "3 conditions reasoned about"


@pytest.mark.parametrize(
    "files",
    [
        small(x=facts(f0="value.annual", **{f"f{i}": f"facts.f{i - 1} + facts.f{i - 1} / 9" for i in range(1, 60)})),
        small(
            x=facts(
                f0="home.in_fusion", **{f"f{i}": f"facts.f{i - 1} and (facts.f{i - 1} or care.manager_assigned)" for i in range(1, 120)}
            )
        ),
        small(x=signals(a=f"at_least(10, {', '.join(f'count(events.complaint, days={i}) > 2' for i in range(1, 21))})")),
        changed(("consent.marketing == 'yes'", " or ".join(f"(value.annual > {i} and plan.monthly_fee < {i})" for i in range(40)))),
    ],
)
def test_no_pack_keeps_anybody_waiting(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts upon facts and many ways at once are cut off: the rest is not decided, and nothing is claimed of it."""
    monkeypatch.setattr("app.engine.pack.checks.reasoning.Effort", _little_effort)
    examined = examine_files(files)
    assert all(problem.severity == "warning" for problem in examined.problems)


def _little_effort() -> object:
    from app.engine.pack.checks.solving import Effort

    return Effort(left=20_000)


def test_nothing_is_claimed_when_the_effort_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contradiction that was not found in time is not told, and counted as not decided."""
    from app.engine.pack.checks.solving import Effort

    monkeypatch.setattr("app.engine.pack.checks.reasoning.Effort", lambda: Effort(left=0))
    examined = examine_files(small(x=signals(a="plan.monthly_fee > 5900 and plan.monthly_fee < 5000")))
    assert "never-holds" not in [problem.code for problem in examined.problems]
    assert examined.reasoned.undecided == examined.reasoned.conditions
