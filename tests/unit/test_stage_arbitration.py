"""Stages 7 and 8: scores, the order, what conflicts, and what is said when nothing is left."""

from typing import Any

import pytest

from app.engine.arbitration import GuardrailBreach, assert_permitted
from tests.pipeline_packs import act, answer, both, fate, guard, listed, mini, rule, tariff


def test_the_score_is_propensity_times_value_times_relevance_times_lever() -> None:
    phases = [
        {"id": "hands_off", "title": both("Off"), "mix": {"policy": 0, "service": 1, "emotional": 1}},
        {"id": "retention", "title": both("Keep"), "mix": {"policy": 0.5, "service": 1, "emotional": 1}},
    ]
    moments = [{"id": "complaint", "title": both("C"), "relevance": {"plain": 3}}]
    pack = mini({"plain": act(lever="policy", propensity="0.25", value="10 * account.tenure_months")}, phases=phases, moments=moments)
    (ranked,) = answer(pack, {"account": {"tenure_months": 12}}, moment="complaint").ranked
    assert (ranked.propensity, ranked.value, ranked.relevance, ranked.lever, ranked.score) == (0.25, 120, 3, 0.5, 45)


def test_a_propensity_table_skips_unknown_rows() -> None:
    rows = [{"if": "churn.score >= 0.5", "is": "0.9"}, {"is": "0.2"}]
    pack = mini({"plain": act(propensity=rows)})
    assert [item.propensity for item in answer(pack, {"churn": {"score": 0.6}}).ranked] == [0.9]
    assert [item.propensity for item in answer(pack).ranked] == [0.2]


def test_an_unknown_value_counts_as_nothing_and_keeps_nobody_out() -> None:
    pack = mini({"plain": act(value="value.annual"), "known": act(value="1")})
    assert [(item.action, item.score, item.value) for item in answer(pack).ranked] == [("known", 0.5, 1), ("plain", 0, None)]


def test_duty_comes_before_score() -> None:
    pack = mini({"a": act("offer", value="9000"), "b": act(value="10"), "c": act("service", value="1")})
    assert listed(answer(pack)) == ["c", "b", "a"]


def test_duty_may_depend_on_the_case() -> None:
    """By a first-match table; what is unknown is skipped."""
    rows = [{"if": "pay.overdue_days > 3", "is": "owed"}, {"is": "care"}]
    pack = mini({"a": act("service", duty=rows, value="1"), "b": act(value="9000")})
    assert listed(answer(pack, {"pay": {"overdue_days": 4}})) == ["a", "b"]
    assert listed(answer(pack)) == ["b", "a"]


def test_equal_scores_go_by_priority_then_id() -> None:
    pack = mini({"a": act(), "b": act(priority=5), "c": act(priority=5), "d": act(priority=-1), "e": act(value="1", priority=100)})
    assert listed(answer(pack)) == ["b", "c", "a", "d", "e"]


def outranked(decision: Any) -> dict[str, tuple[str | None, str | None, float | None]]:
    return {item.action: (item.clause, item.lost_to, item.behind) for item in decision.outcomes if item.cause == "outranked"}


def test_the_list_is_as_long_as_asked_and_allowed() -> None:
    """What did not fit lost to the last on the list, by the difference in score."""
    actions = {name: act(value=str(value), category=name) for name, value in (("a", 400), ("b", 300), ("c", 200))}
    short = answer(mini(actions), max_actions=2)
    assert listed(short) == ["a", "b"]
    assert outranked(short) == {"c": ("max_actions", "b", 50)}
    assert listed(answer(mini(actions, arbitration={"max_actions": 1}))) == ["a"]


def test_a_category_is_capped() -> None:
    actions = {name: act(value=value) for name, value in (("a", "400"), ("b", "300"), ("c", "200"))} | {
        "d": act(value="2", category="other")
    }
    decision = answer(mini(actions, arbitration={"per_category": 2}))
    assert listed(decision) == ["a", "b", "d"]
    assert outranked(decision) == {"c": ("per_category", "b", 50)}


def test_one_commitment_at_a_time() -> None:
    """A choice without commitment stands beside it."""
    bound = [tariff("long", commitment_months=12), tariff("longer", commitment_months=24), tariff("small_pack")]
    actions = {"a": act("offer", tariff="long"), "b": act("offer", tariff="longer", value="9000"), "c": act("offer")}
    decision = answer(mini(actions, tariffs=bound))
    assert listed(decision) == ["b", "c"]
    assert outranked(decision) == {"a": ("commitments", "b", 4400)}
    none = answer(mini(actions, tariffs=bound, arbitration={"commitments": 0}))
    assert outranked(none) == {"a": ("commitments", None, None), "b": ("commitments", None, None)}


def test_concessions_stay_within_the_askers_limit() -> None:
    """Together; what would pass it is left out and what is smaller may still come."""
    actions = {
        "a": act("service", concession="2000", value="900"),
        "b": act("service", concession="1500", value="800"),
        "c": act("service", concession="1000", value="700"),
        "d": act("service", value="600"),
    }
    decision = answer(mini(actions))
    assert listed(decision) == ["a", "c", "d"]
    assert outranked(decision) == {"b": ("concession_limit", "a", 50)}
    assert listed(answer(mini(actions), role="self_service")) == ["d"]
    assert listed(answer(mini(actions), role="nobody")) == ["d"]


def test_service_comes_before_sales() -> None:
    """While something owed of a service category is on the list, offers leave it; care stays."""
    actions = {
        "fix": act("service", category="fault", applicable={"open": "cases.open_faults >= 1"}),
        "offer": act("offer", value="9000"),
        "care": act(),
    }
    pack = mini(actions)
    decision = answer(pack, {"cases": {"open_faults": 1}})
    assert listed(decision) == ["fix", "care"]
    assert outranked(decision)["offer"][:2] == ("service_first", "fix")
    assert listed(answer(pack, {"cases": {"open_faults": 0}})) == ["care", "offer"]


@pytest.mark.parametrize(("mine", "theirs"), [(["b"], []), ([], ["a"])])
def test_exclusion_works_both_ways(mine: list[str], theirs: list[str]) -> None:
    decision = answer(mini({"a": act(value="900", excludes=mine), "b": act(excludes=theirs)}))
    assert listed(decision) == ["a"]
    assert outranked(decision) == {"b": ("excludes", "a", 350)}


HARD = {
    "plain": act(eligible={"no": "account.tenure_months > 99"}),
    "help": act("information", eligible={"can": "account.tenure_months > 0"}, phases=["hands_off"]),
}
KNOWN = {"account": {"status": "active", "tenure_months": 5}}


@pytest.mark.parametrize(
    ("parts", "subscriber", "cause"),
    [
        ({}, KNOWN, "not_applicable"),
        (
            {"contact": [rule("quiet", "not action.marketing and churn.score < 0.5", "action.id == 'plain'")]},
            {**KNOWN, "churn": {"score": 0.9}},
            "suppressed",
        ),
        ({"clauses": [guard("law", "churn.score < 0.5", "action.id == 'plain'")]}, {**KNOWN, "churn": {"score": 0.9}}, "guardrail"),
        ({"clauses": [guard("law", "churn.score < 0.5", "action.id == 'plain'")]}, KNOWN, "unknown"),
        ({}, {**KNOWN, "port": {"state": "applied"}}, "port_out_in_progress"),
        ({}, {"account": {"status": "cancelled", "tenure_months": 5}}, "account_closed"),
    ],
)
def test_an_empty_list_has_a_cause_and_its_fallback(parts: Any, subscriber: Any, cause: str) -> None:
    """The farthest that any action came, or why hands are off; the pack's fallback for that cause is offered instead."""
    actions: dict[str, Any] = {"plain": act()} if parts else {"plain": HARD["plain"]}
    bare = answer(mini(actions, **parts), subscriber)
    assert (listed(bare), bare.empty_because) == ([], cause)
    helped = answer(mini(actions | {"help": HARD["help"]}, fallback={cause: ["help"]}, **parts), subscriber)
    if cause == "port_out_in_progress" or cause == "account_closed":
        assert listed(helped) == ["help"]  # fits the phase in any case
        return
    assert [(item.action, item.fallback_for, item.rank) for item in helped.ranked] == [("help", cause, 1)]
    assert helped.empty_because is None
    assert fate(helped, "help").cause is None


def test_a_fallback_must_be_possible_and_permitted() -> None:
    """It need not fit phase or signals, but its eligibility, channel, contact policy and guardrails hold for it too."""
    fallback = {"not_applicable": ["help"]}
    pack = mini(HARD, fallback=fallback)
    assert listed(answer(pack, KNOWN)) == ["help"]
    assert listed(answer(pack, {"account": {"status": "active", "tenure_months": 0}})) == []
    assert listed(answer(pack, KNOWN, channel="shop")) == []
    for parts in (
        {"contact": [rule("quiet", "churn.score < 0.5", "action.id == 'help'")]},
        {"clauses": [guard("law", "churn.score < 0.5")]},
    ):
        forbidden = answer(mini(HARD, fallback=fallback, **parts), {**KNOWN, "churn": {"score": 0.9}})
        assert (listed(forbidden), forbidden.empty_because) == ([], "not_applicable")


def test_fallbacks_are_held_to_the_same_caps() -> None:
    """Concession limit, exclusions, categories and length hold for fallbacks as for the list."""
    far = {"applicable": {"far": "account.tenure_months > 1000"}}
    actions = {
        "plain": HARD["plain"],
        "dear": act("service", concession="9000", **far),
        "unsure": act("service", concession="cases.compensation_12m", **far),
        "a": act("service", excludes=["b"], **far),
        "b": act("service", **far),
        "c": act("service", **far),
        "d": act("service", **far),
    }
    pack = mini(actions, fallback={"not_applicable": ["dear", "unsure", "a", "b", "c", "d"]})
    assert listed(answer(pack, KNOWN)) == ["a", "c", "d"]
    assert [item.rank for item in answer(pack, KNOWN, max_actions=2).ranked] == [1, 2]


def test_a_list_emptied_by_the_askers_limit_was_not_permitted() -> None:
    decision = answer(mini({"plain": act("service", concession="9000")}))
    assert (listed(decision), decision.empty_because, fate(decision).clause) == ([], "guardrail", "concession_limit")


def test_the_finished_list_is_asserted_again() -> None:
    """An action that is not permitted on a finished list is a defect, and answered by no answer."""
    pack = mini({"plain": act(), "other": act()}, clauses=[guard("law", "churn.score < 0.5", "action.id == 'plain'")])
    good = answer(pack, {"churn": {"score": 0.1}})
    bad = answer(pack, {"churn": {"score": 0.9}})
    assert_permitted(pack, good.facts, list(good.ranked))
    with pytest.raises(GuardrailBreach, match="`plain` against `law`"):
        assert_permitted(pack, bad.facts, list(good.ranked))
