"""Protected facts decide neither the phase nor what an offer is gated, scored or priced by, however they get there."""

import pytest

from app.engine.pack.limits import PROTECTED
from tests.packs import changed, facts, patterns, problems, signals

pytestmark = pytest.mark.unit

HINT = "price and treatment never depend on it; a published condition belongs into the tariff's `open_if:`"
GATES = "policies/offers/to_plan_59.yaml"
PHASES = "rules/places.yaml"
FACTS = facts(senior="holder.user_is_minor", through="facts.senior or custom.band == 'a'")
SIGNALS = signals(near="account.province == 'gd'")


def protected(place: str, what: str, fact: str, *through: str) -> str:
    way = " through " + " → ".join(f"`{name}`" for name in through) if through else ""
    what = f"phase `{what}`" if place.startswith(PHASES) else f"`{what}` of the offer `to_plan_59`"
    return f"{place}: error[protected]: {what} rests on the protected fact `{fact}`{way}; {HINT}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("plan.id != 'plan_59'", "not holder.user_is_minor", (f"{GATES}:9:16", "eligible", "holder.user_is_minor")),
        ("signal('high.toll')\nsuitable", "account.city == 'gz'\nsuitable", (f"{GATES}:11:10", "applicable", "account.city")),
        ("fee_on('plan_59', 3) <", "known(holder.disability_card) or 1 <", (f"{GATES}:13:12", "suitable", "holder.disability_card")),
        (
            "if: level('high.toll') == 'severe'",
            "if: facts.through",
            (f"{GATES}:15:9", "propensity", "holder.user_is_minor", "facts.through", "facts.senior"),
        ),
        (
            "signal('high.toll')\nsuitable",
            "at_least(1, signal('x.near'))\nsuitable",
            (f"{GATES}:11:10", "applicable", "account.province", "signal:x.near"),
        ),
        (
            "signal('high.toll')\nsuitable",
            "level('x.near') >= 'high'\nsuitable",
            (f"{GATES}:11:10", "applicable", "account.province", "signal:x.near"),
        ),
        ("{toll: signal('high.toll')}", "{toll: facts.senior}", (f"{PHASES}:19:17", "prevention", "holder.user_is_minor", "facts.senior")),
        ("{toll: signal('high.toll')}", "{toll: signal('x.near')}", (f"{PHASES}:19:17", "prevention", "account.province", "signal:x.near")),
    ],
)
def test_refused(old: str, new: str, expected: tuple[str, ...]) -> None:
    """The way from the expression to the protected fact is named."""
    assert problems(changed((old, new), a=FACTS, b=SIGNALS)) == [protected(*expected)]


@pytest.mark.parametrize("key", ["value", "concession"])
def test_figures(key: str) -> None:
    """A value or a concession that rests on somebody's age is refused like a gate."""
    rows = "facts:\n  - id: facts.worth_more\n    title: {en: A, zh: B}\n    first: [{if: holder.user_is_minor, is: 1}, {is: 2}]\n"
    found = problems(changed(("value: 0.05 * value.annual", f"{key}: facts.worth_more" + ("\nvalue: 1" if key != "value" else "")), x=rows))
    assert found == [protected(f"{GATES}:18:{len(key) + 3}", key, "holder.user_is_minor", "facts.worth_more")]


def test_through_stage_and_moment() -> None:
    """The stage and the moment, which phases and offers may look at, do not carry it either."""
    student = "holder.student_verified"
    stage = changed(
        ("leaving: count(events.intent_leave, days=30) >= 1", f"leaving: {student}"),
        ("tolls: signal('high.toll')", "tolls: stage == 'warning'"),
    )
    assert problems(stage) == [protected(f"{GATES}:11:10", "applicable", student, "stage")]
    moment = changed(("count(events.complaint, days=7) >= 1", student), ("{toll: signal('high.toll')}", "{toll: moment == 'complaint'}"))
    assert problems(moment) == [protected(f"{PHASES}:19:17", "prevention", student, "moment")]


def test_through_patterns() -> None:
    """A pattern's condition carries it as a signal's does."""
    found = problems(changed(("tolls: signal('high.toll')", "tolls: signal('x.young')"), x=patterns(young="not holder.user_is_minor")))
    assert found == [protected(f"{GATES}:11:10", "applicable", "holder.user_is_minor", "signal:x.young")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 100", "value: 100\napplicable: {young: not holder.user_is_minor}"),
        ("effective: next_cycle", "open_if: holder.student_verified\n    effective: next_cycle"),
        ("regions: [all]", "regions: [gd]"),
        ("permits: consent.marketing == 'yes'", "permits: not holder.user_is_minor"),
        ("leaving: count(events.intent_leave, days=30) >= 1", "leaving: holder.student_verified"),
    ],
)
def test_allowed(old: str, new: str) -> None:
    """Care, a tariff's published condition or region, contact policy and the lifecycle may look at them."""
    assert problems(changed((old, new))) == []


def test_legal_basis() -> None:
    """A legal basis allows an offer what it otherwise may not look at."""
    young = ("plan.id != 'plan_59'", "not holder.user_is_minor")
    assert len(problems(changed(young))) == 1
    assert problems(changed(young, ("tariff: plan_59\n", "tariff: plan_59\nlegal_basis: {en: Act, zh: 法}\n"))) == []


def test_who_is_protected() -> None:
    """Age, disability, study and where somebody lives; not what they hold."""
    assert {"holder.age_band", "holder.user_is_minor", "account.city", "account.province"} <= PROTECTED
    assert not any(name.startswith("services.") for name in PROTECTED)
