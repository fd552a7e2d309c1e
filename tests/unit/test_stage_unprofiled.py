"""Somebody who refused personalisation: offers and marketing care see channel, moment and clock alone; what is owed sees its own facts."""

from typing import Any

import pytest

from app.engine.explain import explain
from tests.pipeline_packs import act, answer, ask, both, fate, guard, listed, mini, rule, signal, tariff

REFUSED = {"consent": {"personalised": "no"}}
KNOWING = act("offer", eligible={"worth": "value.annual > 0"})
BLIND = act("offer", propensity=[{"if": "churn.score > 0.5", "is": "0.9"}, {"is": "0.1"}])


def test_an_offer_that_needs_a_profile_is_not_made() -> None:
    """Its gates find everything unknown; the same care and service, not being marketing, still see it."""
    actions = {
        "offer": KNOWING,
        "marketing_care": act(marketing="true", eligible={"worth": "value.annual > 0"}),
        "care": act(eligible={"worth": "value.annual > 0"}),
    }
    pack = mini(actions)
    body = {"value": {"annual": 50000}}
    assert listed(answer(pack, body)) == ["care", "marketing_care", "offer"]
    decision = answer(pack, body | REFUSED)
    assert (listed(decision), decision.personalised) == (["care"], False)
    assert (fate(decision, "offer").cause, fate(decision, "marketing_care").cause) == ("unknown", "unknown")


@pytest.mark.parametrize("consent", [None, {}, {"personalised": "yes"}, {"personalised": "unknown"}])
def test_only_a_refusal_is_one(consent: Any) -> None:
    """What was not asked, or is unknown, is not refused."""
    decision = answer(mini({"plain": KNOWING}), {"value": {"annual": 1}, "consent": consent})
    assert (listed(decision), decision.personalised) == (["plain"], True)


def test_a_refusal_does_not_age() -> None:
    pack = mini({"plain": KNOWING}, ages={"consent": 30})
    old = {"consent": {"personalised": "no", "as_of": "2020-01-01T00:00:00+08:00"}}
    assert not answer(pack, {"value": {"annual": 1}} | old).personalised


def test_scores_of_an_unprofiled_offer_are_everybodys() -> None:
    """Propensity, value and concession come from what may be looked at: nothing."""
    pack = mini({"plain": BLIND | {"value": "first_known(value.annual, 100)"}})
    (seen,) = answer(pack, {"churn": {"score": 0.9}, "value": {"annual": 7000}}).ranked
    (unseen,) = answer(pack, {"churn": {"score": 0.9}, "value": {"annual": 7000}} | REFUSED).ranked
    assert (seen.propensity, seen.value) == (0.9, 7000)
    assert (unseen.propensity, unseen.value) == (0.1, 100)


def test_moment_and_channel_may_be_used() -> None:
    moments = [{"id": "complaint", "title": both("C"), "relevance": {"plain": 4}}]
    pack = mini({"plain": act("offer", eligible={"here": "request.channel == 'app' and moment == 'complaint'"})}, moments=moments)
    (ranked,) = answer(pack, REFUSED, moment="complaint").ranked
    assert ranked.relevance == 4


def test_phases_for_offers_are_found_without_the_profile() -> None:
    """A score puts the person into rescue; their offers are those of the phase that shows without it."""
    even = {"policy": 1, "service": 1, "emotional": 1}
    phases = [
        {"id": "hands_off", "title": both("Off"), "mix": even},
        {"id": "rescue", "title": both("R"), "any": {"risk": "signal('risk')"}, "mix": {"policy": 9, "service": 9, "emotional": 9}},
        {"id": "retention", "title": both("K"), "mix": even},
    ]
    pack = mini({"a": act("offer"), "b": act(phases=["rescue"])}, phases=phases, signals=[signal("risk", ("high", "churn.score >= 0.7"))])
    decision = answer(pack, {"churn": {"score": 0.9}} | REFUSED)
    assert decision.phase.id == "rescue"
    assert [(item.action, item.lever) for item in decision.ranked] == [("b", 9), ("a", 1)]


def test_hands_stay_off_for_the_unprofiled_too() -> None:
    """Port data and a closed account bind whatever else may be looked at."""
    pack = mini({"plain": act("offer", phases=["retention"])})
    assert listed(answer(pack, REFUSED)) == ["plain"]
    for body in ({"port": {"state": "applied"}}, {"account": {"status": "cancelled"}}):
        decision = answer(pack, REFUSED | body)
        assert (listed(decision), fate(decision).clause) == ([], "phase")


def test_policy_and_guardrails_see_everything() -> None:
    pack = mini(
        {"plain": act("offer")}, contact=[rule("calm", "churn.score < 0.5")], clauses=[guard("adult", "holder.age_band == 'adult'")]
    )
    body = REFUSED | {"churn": {"score": 0.1}, "holder": {"age_band": "adult"}}
    assert listed(answer(pack, body)) == ["plain"]
    assert fate(answer(pack, body | {"churn": {"score": 0.9}})).cause == "suppressed"
    assert fate(answer(pack, body | {"holder": {"age_band": "minor"}})).cause == "guardrail"


def test_the_tariff_of_an_unprofiled_offer_is_nobodys_own() -> None:
    """The best plan for a person's use is a profile: it is neither found nor named."""
    used = {"usage": {"voice_out_min": [1, 1, 1], "data_mb": [1, 1, 1]}}
    pack = mini({"plain": act("offer", tariff="plan.best_public_id")}, tariffs=[tariff("plan_5", kind="plan", fee=500)])
    assert listed(answer(pack, used)) == ["plain"]
    assert (listed(answer(pack, used | REFUSED)), fate(answer(pack, used | REFUSED)).clause) == ([], "tariff_on_sale")


def test_reasons_of_an_offer_are_what_holds_without_the_profile() -> None:
    """Service is told with every signal that holds, an offer with those that channel and moment show."""
    gate = {"either": "signal('risk') or signal('here')"}
    signals = [
        signal("risk", ("high", "churn.score >= 0.7"), reason="At risk."),
        signal("here", ("high", "request.channel == 'app'"), reason="In the app."),
    ]
    pack = mini({"help": act("service", applicable=gate), "plain": act("offer", applicable=gate)}, signals=signals)
    body = {"churn": {"score": 0.9}} | REFUSED
    told = explain(pack, ask(pack, body), answer(pack, body))
    reasons = {action.action: sorted(reason.text for reason in action.reasons) for action in told.actions}
    assert reasons == {"help": ["At risk.", "In the app.", "The reason."], "plain": ["In the app.", "The reason."]}


def test_the_answer_says_that_nothing_was_looked_at_and_asks_nothing_for_it() -> None:
    """No question and no unknown fact on account of marketing, and one plain sentence for why not."""
    pack = mini({"plain": KNOWING}, questions=[{"fact": "value.annual", "who": "both", "en": "?", "zh": "？"}])
    case = ask(pack, REFUSED)
    told = explain(pack, case, answer(pack, REFUSED), "full")
    assert (told.personalised, told.ask) == (False, [])
    assert told.not_offered is not None
    assert told.not_offered[0].text == "The person refused personalisation: what this needs to know is not looked at."
    assert [item.fact for item in explain(pack, case, answer(pack, REFUSED)).unknown] == []
