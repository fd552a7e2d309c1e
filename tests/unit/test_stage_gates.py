"""Stage 4: eligible, applicable, suitable: one cause, every failing clause."""

from typing import Any

import pytest

from app.engine.gates import in_full
from tests.pipeline_packs import act, answer, fate, listed, mini, tariff

THREE = {
    "plain": act(
        eligible={"a": "account.tenure_months >= 3", "b": "churn.score < 0.9"},
        applicable={"c": "pay.overdue_days == 0"},
        suitable={"d": "cases.open_faults == 0"},
    )
}
GOOD: dict[str, Any] = {"account": {"tenure_months": 9}, "churn": {"score": 0.1}, "pay": {"overdue_days": 0}, "cases": {"open_faults": 0}}


@pytest.mark.parametrize(
    ("change", "cause", "clause", "failing"),
    [
        ({}, None, None, []),
        ({"account": {"tenure_months": 1}}, "not_eligible", "a", ["a"]),
        ({"pay": {"overdue_days": 1}}, "not_applicable", "c", ["c"]),
        ({"cases": {"open_faults": 1}}, "not_suitable", "d", ["d"]),
        ({"cases": {"open_faults": 1}, "churn": {"score": 1}}, "not_eligible", "b", ["b", "d"]),
        ({"churn": None}, "unknown", "b", ["b"]),
        ({"account": {}, "churn": None, "cases": None}, "unknown", "a", ["a", "b", "d"]),
        ({"account": {}, "cases": {"open_faults": 1}}, "not_suitable", "d", ["d", "a"]),
        ({"account": {}, "pay": {"overdue_days": 1}, "cases": {"open_faults": 1}}, "not_applicable", "c", ["c", "a", "d"]),
    ],
)
def test_the_first_false_clause_is_the_cause_else_the_first_unknown(
    change: Any, cause: str | None, clause: str | None, failing: list[str]
) -> None:
    """In gate order; the others are listed after it, in order too."""
    pack = mini(THREE)
    found = fate(in_full(pack, answer(pack, {**GOOD, **change})))
    assert (found.cause, found.clause, [item.clause for item in found.failing]) == (cause, clause, failing)


def test_a_wrong_phase_or_channel_is_not_applicable() -> None:
    """Both come before the gates, and each is named."""
    pack = mini({"plain": act(phases=["hands_off"], eligible={"a": "account.tenure_months >= 3"}), "other": act()})
    found = fate(in_full(pack, answer(pack, {"account": {"tenure_months": 1}}, channel="shop")))
    assert (found.cause, found.clause) == ("not_applicable", "phase")
    assert [(item.gate, item.clause) for item in found.failing] == [("applicable", "phase"), ("applicable", "channel"), ("eligible", "a")]
    other = fate(answer(pack, channel="shop"), "other")
    assert (other.cause, other.clause) == ("not_applicable", "channel")


def test_a_false_clause_comes_before_an_unknown_channel_mate() -> None:
    """The wrong phase is false, so an unknown clause before it in the file is never the cause."""
    pack = mini({"plain": act(phases=["hands_off"], eligible={"a": "churn.score > 0"})})
    assert (fate(answer(pack)).cause, fate(answer(pack)).clause) == ("not_applicable", "phase")


@pytest.mark.parametrize(
    ("more", "subscriber", "cause"),
    [
        ({}, {}, None),
        ({"on_sale_from": "2026-11-18"}, {}, None),
        ({"on_sale_from": "2026-11-19"}, {}, "not_eligible"),
        ({"on_sale_to": "2026-11-18"}, {}, None),
        ({"on_sale_to": "2026-11-17"}, {}, "not_eligible"),
        ({"regions": ["510000"]}, {"account": {"province": "510000"}}, None),
        ({"regions": ["510000"]}, {"account": {"province": "110000"}}, "not_eligible"),
        ({"regions": ["510000"]}, {}, "unknown"),
        ({"open_if": "holder.student_verified"}, {"holder": {"student_verified": True}}, None),
        ({"open_if": "holder.student_verified"}, {"holder": {"student_verified": False}}, "not_eligible"),
        ({"open_if": "holder.student_verified"}, {}, "unknown"),
        ({"requires": ["base"]}, {"services": {"held": ["base"]}}, None),
        ({"requires": ["base"]}, {"services": {"held": []}}, "not_eligible"),
        ({"excludes": ["rival"]}, {"services": {"held": ["rival"]}}, "not_eligible"),
        ({"excludes": ["rival"]}, {}, "unknown"),
        ({"open_to_existing": False}, {"account": {"tenure_months": 20}}, "not_eligible"),
    ],
)
def test_an_offers_tariff_is_on_sale_and_open(more: dict[str, Any], subscriber: dict[str, Any], cause: str | None) -> None:
    """Dates of sale, regions, published conditions, what it requires and excludes: an unknown one does not open it."""
    pack = mini({"plain": act("offer")}, tariffs=[tariff("small_pack", **more)])
    found = fate(answer(pack, subscriber))
    assert (found.cause, found.clause) == (cause, "tariff_on_sale" if cause else None)


PLAN = tariff("plan_10", kind="plan", fee=1000, voice_minutes=100, data_mb=1024)
USED = {"usage": {"voice_out_min": [1, 1, 1], "data_mb": [1, 1, 1]}, "billing": {"total": [9000, 9000, 9000]}}


def test_an_offer_of_the_best_public_plan_needs_one() -> None:
    """Where no plan can be found, the offer has no tariff and is not made."""
    pack = mini({"plain": act("offer", tariff="plan.best_public_id")}, tariffs=[PLAN, tariff("plan_5", kind="plan", fee=500, data_rate=99)])
    assert [item.tariff for item in answer(pack, USED).ranked] == ["plan_5"]
    assert (fate(answer(pack)).cause, fate(answer(pack)).clause) == ("unknown", "tariff_on_sale")
    closed = mini({"plain": act("offer", tariff="plan.best_public_id")}, tariffs=[{**PLAN, "open_if": "holder.student_verified"}])
    assert fate(answer(closed, USED)).cause == "unknown"


def test_an_unknown_concession_keeps_the_action_out() -> None:
    pack = mini({"plain": act("service", concession="cases.compensation_12m")})
    assert (fate(answer(pack)).cause, fate(answer(pack)).clause) == ("unknown", "concession")
    assert listed(answer(pack, {"cases": {"compensation_12m": 100}})) == ["plain"]


def test_gates_may_look_at_stage_phase_moment_and_the_action_itself() -> None:
    gates = {
        "place": "stage == 'stable' and phase == 'retention' and moment == 'complaint'",
        "own": "action.kind == 'offer' and action.category == 'plain' and action.marketing and action.concession == 0",
        "price": "tariff.fee == 1000 and tariff.commitment_months == 0 and action.tariff == 'small_pack'",
    }
    assert listed(answer(mini({"plain": act("offer", eligible=gates)}), moment="complaint")) == ["plain"]
