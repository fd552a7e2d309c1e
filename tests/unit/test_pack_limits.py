"""Protected facts decide neither the phase nor what an offer is gated, scored or priced by, however they get there."""

import pytest

from app.engine.pack.limits import PROTECTED
from tests.packs import changed, problems

pytestmark = pytest.mark.unit

HINT = "price and treatment never depend on it; a published condition belongs into the tariff's `open_if:`"
OFFER, PLACES = "policies/offers/to_plan_59.yaml", "rules/places.yaml"
AGE = "holder.age_band == '60-69'"
FACT = "facts:\n  - id: facts.senior\n    title: {en: A, zh: B}\n    is: holder.user_is_minor\n  - id: facts.through\n    title: {en: A, zh: B}\n    is: facts.senior or custom.band == 'a'\n"
SIGNAL = (
    "signals:\n  - id: s.near\n    title: {en: A, zh: B}\n    levels:\n      - high: account.province == 'gd'\n    reason: {en: A, zh: B}\n"
)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            "plan.id != 'plan_59'",
            "not holder.user_is_minor",
            f"{OFFER}:9:16",
            "`eligible` of the offer `to_plan_59` rests on the protected fact `holder.user_is_minor`",
        ),
        (
            "tolls: signal('high.toll')",
            "tolls: account.city == 'gz'",
            f"{OFFER}:11:10",
            "`applicable` of the offer `to_plan_59` rests on the protected fact `account.city`",
        ),
        (
            "cheaper: fee_on('plan_59', 3) < mean(billing.total, 3)",
            "x: known(holder.disability_card)",
            f"{OFFER}:13:6",
            "`suitable` of the offer `to_plan_59` rests on the protected fact `holder.disability_card`",
        ),
        (
            "if: level('high.toll') == 'severe'",
            "if: facts.through",
            f"{OFFER}:15:9",
            "`propensity` of the offer `to_plan_59` rests on the protected fact `holder.user_is_minor` through `facts.through` → `facts.senior`",
        ),
        ("value: 0.05 * value.annual", "value: 10 * bucket('x')\nconcession: at_least(1, facts.senior) and 3 or 0", None, None),
        (
            "tolls: signal('high.toll')",
            "tolls: signal('s.near')",
            f"{OFFER}:11:10",
            "`applicable` of the offer `to_plan_59` rests on the protected fact `account.province` through `signal:s.near`",
        ),
        (
            "tolls: signal('high.toll')",
            "tolls: level('s.near') >= 'high'",
            f"{OFFER}:11:10",
            "`applicable` of the offer `to_plan_59` rests on the protected fact `account.province` through `signal:s.near`",
        ),
        (
            "any: {toll: signal('high.toll')}",
            "any: {toll: facts.senior}",
            f"{PLACES}:19:17",
            "phase `prevention` rests on the protected fact `holder.user_is_minor` through `facts.senior`",
        ),
        (
            "any: {toll: signal('high.toll')}",
            "any: {toll: signal('s.near')}",
            f"{PLACES}:19:17",
            "phase `prevention` rests on the protected fact `account.province` through `signal:s.near`",
        ),
    ],
)
def test_refused(old: str, new: str, place: str | None, message: str | None) -> None:
    """The way from the expression to the protected fact is named."""
    found = problems(changed((old, new), a=FACT, b=SIGNAL))
    assert found
    assert message is None or found == [f"{place}: error[protected]: {message}; {HINT}"]


def test_through_stage_and_moment() -> None:
    """The stage and the moment, which phases and offers may look at, do not carry it either."""
    stage = changed(
        ("leaving: count(events.intent_leave, days=30) >= 1", "leaving: holder.student_verified"),
        ("tolls: signal('high.toll')", "tolls: stage == 'warning'"),
    )
    assert problems(stage) == [
        f"{OFFER}:11:10: error[protected]: `applicable` of the offer `to_plan_59` rests on the protected fact `holder.student_verified` through `stage`; {HINT}"
    ]
    moment = changed(
        ("revealed_by: count(events.complaint, days=7) >= 1", "revealed_by: holder.student_verified"),
        ("any: {toll: signal('high.toll')}", "any: {toll: moment == 'complaint'}"),
    )
    assert problems(moment) == [
        f"{PLACES}:19:17: error[protected]: phase `prevention` rests on the protected fact `holder.student_verified` through `moment`; {HINT}"
    ]


def test_through_patterns() -> None:
    """A pattern's condition carries it as a signal's does."""
    pattern = "patterns:\n  - id: p.x\n    title: {en: A, zh: B}\n    when: not holder.user_is_minor\n    facts: {fault: events.fault}\n    where: fault.days <= 7\n    level: high\n    reason: {en: A, zh: B}\n"
    (found,) = problems(changed(("tolls: signal('high.toll')", "tolls: signal('p.x')"), x=pattern))
    assert found.endswith(f"rests on the protected fact `holder.user_is_minor` through `signal:p.x`; {HINT}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 100", "value: 100\napplicable: {young: not holder.user_is_minor}"),
        ("tariff: plan_59\n", "tariff: plan_59\nlegal_basis: {en: Act, zh: 法}\n"),
        ("effective: next_cycle", "open_if: holder.student_verified\n    effective: next_cycle"),
        ("regions: [all]", "regions: [gd]"),
        ("permits: consent.marketing == 'yes'", "permits: not holder.user_is_minor"),
        ("leaving: count(events.intent_leave, days=30) >= 1", "leaving: holder.student_verified"),
    ],
)
def test_allowed(old: str, new: str) -> None:
    """Care, a legal basis, a tariff's published condition or region, contact policy and the lifecycle may look at them."""
    extra = [("plan.id != 'plan_59'", AGE.replace("60-69", "60-69"))] if "legal_basis" in new else []
    found = problems(changed((old, new)))
    assert found == []
    assert not extra or "protected" in problems(changed(("plan.id != 'plan_59'", "holder.user_is_minor")))[0]


def test_who_is_protected() -> None:
    """Age, disability, study and where somebody lives; not what they hold."""
    assert {"holder.age_band", "holder.user_is_minor", "account.city", "account.province"} <= PROTECTED
    assert not any(name.startswith("services.") for name in PROTECTED)
