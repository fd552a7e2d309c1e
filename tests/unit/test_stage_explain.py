"""The explanation: why this phase, why each action, why not the others, in both languages."""

from dataclasses import replace
from typing import Any

import pytest

from app.engine.answer import Explanation
from app.engine.explain import explain, factor_told
from app.engine.words import clause_in_words
from tests.pipeline_packs import act, ago, answer, ask, both, mini, rule, signal, tariff

TITLED = signal("toll", ("severe", "last(billing.toll_fee) >= 3000"), ("high", "last(billing.toll_fee) >= 1500"))
TITLED |= {
    "title": {"en": "High tolls", "zh": "高资费"},
    "reason": {"en": "{param.pack_fee:money} would do.", "zh": "只需{param.pack_fee:money}。"},
}
PACK_FEE = [{"id": "param.pack_fee", "is": "1000", "unit": "money", "why": both("Why.")}]


def told(pack: Any, subscriber: Any = None, detail: Any = "full", **request: Any) -> Explanation:
    return explain(pack, ask(pack, subscriber, **request), answer(pack, subscriber, **request), detail)


def why_not(pack: Any, subscriber: Any = None, **request: Any) -> Any:
    found = told(pack, subscriber, **request).not_offered
    assert found is not None
    return found[0]


def test_signals_come_with_level_text_and_evidence() -> None:
    pack = mini({"plain": act(applicable={"toll": "signal('toll')"}, reason=both("Mine."))}, signals=[TITLED], parameters=PACK_FEE)
    answered = told(pack, {"billing": {"toll_fee": [1800]}})
    (found,) = answered.signals
    assert (found.id, found.level, found.text) == ("toll", "high", "¥10 would do.")
    assert found.evidence is not None
    assert (found.evidence[0].test, found.evidence[0].values) == ("last(billing.toll_fee) >= 1500", {"last(billing.toll_fee)": 1800})
    assert [reason.text for reason in answered.actions[0].reasons] == ["¥10 would do.", "Mine."]


def test_scores_are_told_to_two_decimals() -> None:
    """What binary fractions add is not told, of the score, its parts and how far one is behind; what ranks stays as exact as it was."""
    third = "account.tenure_months / 3"
    pack = mini({"plain": act(propensity="0.7", value=third), "other": act(propensity="0.1234567", value=third)})
    subscriber = {"account": {"tenure_months": 1000}}
    ranked = answer(pack, subscriber, max_actions=1).ranked[0]
    found = told(pack, subscriber, max_actions=1)
    (first,) = found.actions
    assert first.score == 233.33 != ranked.score
    assert first.parts is not None
    assert (first.parts.propensity, first.parts.value) == (0.7, 333.33)
    (other,) = found.not_offered or []
    assert other.behind == 192.18
    assert factor_told(0.1234567) == 0.1235


def test_scores_are_told_where_they_are_asked_for() -> None:
    """Without them everything else is the same."""
    pack = mini({"plain": act(), "other": act()})
    case, decision = ask(pack, max_actions=1), answer(pack, max_actions=1)
    whole, told = (explain(pack, case, decision, "full", scores=scores) for scores in (True, False))
    (first,), (last,) = told.actions, told.not_offered or []
    assert (first.score, first.parts, last.behind) == (None, None, None)
    (scored,), (behind,) = whole.actions, whole.not_offered or []
    assert scored.score is not None
    assert scored.parts is not None
    assert behind.behind is not None
    assert replace(scored, score=None, parts=None) == first
    assert replace(behind, behind=None) == last


def test_what_a_clause_is_about() -> None:
    """Signals by their titles, a level in brackets, the weakest of a signal for all; values with the words that are asked for."""
    level = {"either": "level('toll') >= 'high'", "severe": "level('toll') >= 'severe' or moment == 'fault'"}
    pack = mini({"plain": act(applicable=level | {"bill": "last(billing.total) > 9"})}, signals=[TITLED], parameters=PACK_FEE)
    said = {clause.name: clause for clause in pack.actions[0].gates}
    assert clause_in_words(pack, said["either"], "en") == "high tolls (high)"
    assert clause_in_words(pack, said["severe"], "zh") == "高资费（严重）或关键时刻（故障）"
    assert clause_in_words(pack, said["bill"], "en") == "bill total last month"


def test_detail_grows_from_none_to_full() -> None:
    pack = mini({"plain": act(), "other": act(eligible={"a": "account.tenure_months > 9"})})
    none, summary, full = (told(pack, {"account": {"tenure_months": 1}}, detail) for detail in ("none", "summary", "full"))
    assert none.actions[0].reasons == []
    assert none.not_offered is None
    assert summary.actions[0].reasons
    assert summary.not_offered is None
    assert full.not_offered is not None
    assert [item.action for item in full.not_offered] == ["other"]


@pytest.mark.parametrize(
    ("test", "subscriber", "en", "zh"),
    [
        ("account.tenure_months > 9", {"account": {"tenure_months": 2}}, "Tenure: 2 months.", "网龄：2个月。"),
        ("last(billing.total) > 99", {"billing": {"total": [5]}}, "Bill total last month: ¥0.05.", "上月账单金额：0.05元。"),
        ("account.payer == 'self'", {"account": {"payer": "family"}}, "Payer: family.", "付费人：家人。"),
        ("account.status == 'lost'", {"account": {"status": "suspended_risk"}}, "Status: suspended for risk.", "用户状态：风险停机。"),
        ("account.line_type == 'iot'", {"account": {"line_type": "main"}}, "Line type: main card.", "号码类型：主卡。"),
        ("moment == 'fault'", {}, "Moment: none.", "关键时刻：无。"),
        ("signal('toll')", {"billing": {"toll_fee": [1]}}, "Not recognised: high tolls.", "未识别出高资费。"),
        ("known(churn.score)", {}, "Probability of leaving: not known.", "离网概率：未知。"),
        ("known(value.annual) and account.tenure_months > 9", {"account": {"tenure_months": 2}}, "Tenure: 2 months.", "网龄：2个月。"),
        (
            "days_until(contract.commitment_end) < 90",
            {"contract": {"commitment_end": None}},
            "Commitment ends: none.",
            "在网约定到期日：无。",
        ),
        ("days_since(care.last_visit_on) < 90", {"care": {"last_visit_on": None}}, "Last visit: never.", "最近走访：从未。"),
        (
            "days_until(contract.promo_end) > 0",
            {"contract": {"promo_end": "2026-11-15"}},
            "Promotion ends: 3 days ago.",
            "营销活动到期日：已过3天。",
        ),
        (
            "days_until(contract.promo_end) > 9",
            {"contract": {"promo_end": "2026-11-19"}},
            "Time until promotion ends: 1 day.",
            "距营销活动到期日还有：1天。",
        ),
        ("count(events.complaint, days=30) > 1", {}, "Complaint events in 30 days: 0.", "近30天投诉次数：0。"),
        ("refused(days=30) > 1", {}, "Refusals in 30 days: 0.", "近30天拒绝次数：0。"),
        ("plan.id != 'plan_1'", {"plan": {"id": "plan_1"}}, "Present plan: One.", "现用套餐：壹。"),
        (
            "account.payer == 'self' and account.urban",
            {"account": {"payer": "family", "urban": False}},
            "Payer: family; urban: no.",
            "付费人：家人；城镇用户：否。",
        ),
        (
            "share_over(billing.total, 500, 3) > 0.5",
            {"billing": {"total": [1, 2, 3]}},
            "Share of 3 months with bill total over 500: 0%.",
            "近3个月账单金额超过500的占比：0%。",
        ),
    ],
)
def test_what_a_clause_saw_reads_as_a_sentence(test: str, subscriber: Any, en: str, zh: str) -> None:
    """Titles and figures, words as people say them, a date that never comes as none; what is only asked to be known is left out."""
    plan = tariff("plan_1", kind="plan") | {"name": {"en": "One", "zh": "壹"}}
    pack = mini({"plain": act(eligible={"a": test})}, signals=[TITLED], tariffs=[plan], parameters=PACK_FEE)
    assert why_not(pack, subscriber, locale="en").text == en
    assert why_not(pack, subscriber, locale="zh-CN").text == zh


@pytest.mark.parametrize(
    ("test", "subscriber", "en", "zh"),
    [
        ("account.tenure_months >= 9", {"account": {"tenure_months": 2}}, "with tenure at 9 months or more", "若网龄达到9个月"),
        ("account.tenure_months < 9", {"account": {"tenure_months": 20}}, None, None),
        (
            "last(usage.data_mb) < 3072",
            {"usage": {"data_mb": [4096]}},
            "with data last month under 3 GB",
            "若上月通用流量低于3GB",
        ),
        ("plan.monthly_fee > 5900", {"plan": {"monthly_fee": 100}}, "with monthly fee over ¥59", "若月费超过59元"),
        ("churn.score > 0.5", {"churn": {"score": 0.1}}, "with probability of leaving over 50%", "若离网概率超过50%"),
        ("churn.score > 1", {"churn": {"score": 0.1}}, None, None),
        (
            "services.paid_unused_count == 0",
            {"services": {"paid_unused_count": 2}},
            "with paid and unused services at 0",
            "若订而未用业务数为0",
        ),
        (
            "services.paid_unused_count != 0",
            {"services": {"paid_unused_count": 0}},
            "with paid and unused services other than 0",
            "若订而未用业务数不为0",
        ),
        (
            "services.paid_unused_count > 2",
            {"services": {"paid_unused_count": 0}},
            "with paid and unused services at 3 or more",
            "若订而未用业务数达到3",
        ),
        (
            "services.paid_unused_count >= 1 and plan.monthly_fee >= 100",
            {"services": {"paid_unused_count": 0}, "plan": {"monthly_fee": 1}},
            "with paid and unused services at 1 or more and monthly fee at ¥1 or more",
            "若订而未用业务数达到1，且月费达到1元",
        ),
        (
            "signal('toll')",
            {"billing": {"toll_fee": [1]}},
            "with international and out-of-bundle call charges last month at ¥15 or more",
            "若上月国际及套外通话费达到15元",
        ),
        ("days_until(contract.promo_end) <= 10", {"contract": {"promo_end": "2026-12-10"}}, "in 12 days", "12天后"),
        (
            "days_until(contract.promo_end) <= 10 and plan.monthly_fee >= 100",
            {"contract": {"promo_end": "2026-11-28"}, "plan": {"monthly_fee": 1}},
            "with monthly fee at ¥1 or more",
            "若月费达到1元",
        ),
        (
            "days_until(contract.promo_end) <= 10 and plan.monthly_fee >= 100",
            {"contract": {"promo_end": "2026-11-30"}, "plan": {"monthly_fee": 1}},
            "in 2 days, with monthly fee at ¥1 or more",
            "2天后，若月费达到1元",
        ),
        ("days_until(contract.promo_end) >= 10", {"contract": {"promo_end": "2026-11-20"}}, None, None),
        ("days_until(contract.promo_end) <= 10", {"contract": {"promo_end": None}}, None, None),
        ("account.payer == 'self'", {"account": {"payer": "family"}}, None, None),
        ("count(events.bill, days=9) >= 1", {}, None, None),
        (
            "total(billing.total, 3) >= 900",
            {"billing": {"total": [100, 100, 100]}},
            "with total bill total over 3 months at ¥9 or more",
            "若近3个月账单金额合计达到9元",
        ),
        (
            "last(billing.total) >= 900 and mean(billing.total, 2) >= 600",
            {"billing": {"total": [100, 100]}},
            "with average bill total over 2 months at ¥6 or more",
            "若近2个月平均账单金额达到6元",
        ),
    ],
)
def test_what_would_change_it_is_said(test: str, subscriber: Any, en: str | None, zh: str | None) -> None:
    """Of figures and dates, by the nearest value; nothing where no person's figure could turn it."""
    pack = mini({"plain": act(eligible={"a": test})}, signals=[TITLED], parameters=PACK_FEE)
    assert why_not(pack, subscriber, locale="en").change == en
    assert why_not(pack, subscriber, locale="zh-CN").change == zh


def test_why_not_names_cause_clause_and_the_rest() -> None:
    pack = mini(
        {"plain": act(eligible={"a": "account.tenure_months > 9", "b": "churn.score > 0"}, suitable={"c": "pay.overdue_days == 0"})}
    )
    found = why_not(pack, {"account": {"tenure_months": 1}, "pay": {"overdue_days": 4}})
    assert (found.cause, found.clause, found.others) == ("not_eligible", "eligible.a", ["eligible.b", "suitable.c"])
    assert found.evidence is not None
    assert found.evidence.values == {"account.tenure_months": 1}


def test_suppression_is_told_in_the_rules_own_words() -> None:
    pack = mini(contact=[rule("rested", "contacted(days=7) < 1")])
    found = why_not(pack, {"contacts": [{"at": ago(1)}]})
    assert (found.cause, found.clause, found.text, found.change) == ("suppressed", "contact.rested", "Not rested.", None)


def test_losing_names_the_winner() -> None:
    pack = mini({"plain": act(), "other": act(value="900", excludes=["plain"])})
    found = why_not(pack)
    assert (found.cause, found.clause, found.lost_to, found.behind) == ("outranked", "excludes", "other", 350)
    assert found.text == "It does not go together with another action on the list."


def test_texts_are_filled_for_the_channel() -> None:
    """A script is said and a text sent; slots take facts and the tariff's published figures."""
    channels = {
        "app": {"text": both("{tariff.name} {tariff.fee:money}")},
        "call_centre": {"script": both("Hello {account.tenure_months:count}: {tariff.fee:money}.")},
    }
    pack = mini({"plain": act("offer", eligible={"a": "account.tenure_months > 0"}, channels=channels, reason=both("R"))})
    (sent,) = told(pack, {"account": {"tenure_months": 7}}).actions
    (said,) = told(pack, {"account": {"tenure_months": 7}}, channel="call_centre").actions
    assert (sent.text, sent.script) == ("small_pack ¥10", None)
    assert (said.text, said.script) == (None, "Hello 7: ¥10.")
    assert sent.tariff is not None
    assert (sent.tariff.filing_no, sent.tariff.fee) == ("TEST0001", 1000)
    assert sent.tariff.disclose == "Hello: ¥10 for 0 months, then ¥10. Leaving early: ¥0, bound for 0 months."


def test_a_fallback_says_why_it_is_there() -> None:
    actions = {"plain": act(eligible={"a": "account.tenure_months > 9"}), "help": act("information", phases=["hands_off"])}
    pack = mini(actions, fallback={"not_applicable": ["help"]})
    (found,) = told(pack, {"account": {"tenure_months": 1}}).actions
    assert (found.fallback_for, found.reasons[0].code) == ("not_applicable", "fallback.not_applicable")


def test_an_action_is_valid_from_the_contact_on() -> None:
    pack = mini({"plain": act(valid_days=3)})
    (found,) = told(pack, contact_at="2026-11-20T09:00:00+08:00").actions
    assert found.valid_until.isoformat() == "2026-11-23T09:00:00+08:00"


def test_words_of_a_derived_fact_are_told_as_the_pack_says() -> None:
    """By their titles where it gives any, in the reader's language; the evidence keeps the word."""
    rows = [{"if": "account.tenure_months > 9", "is": "old_hand"}, {"is": "fresh"}]
    fact = {"id": "facts.kind_of", "title": {"en": "Kind", "zh": "类型"}, "first": rows}
    titles = {"old_hand": {"en": "Long with us", "zh": "老客户"}, "fresh": {"en": "New", "zh": "新客户"}}
    for values, english, chinese in (
        (titles, "Kind: long with us.", "类型：老客户。"),
        (list(titles), "Kind: old hand.", "类型：old_hand。"),
    ):
        pack = mini({"plain": act(eligible={"a": "facts.kind_of == 'fresh'"})}, facts=[{**fact, "values": values}])
        found = why_not(pack, {"account": {"tenure_months": 12}})
        assert found.text == english
        assert found.evidence.values == {"facts.kind_of": "old_hand"}
        assert why_not(pack, {"account": {"tenure_months": 12}}, locale="zh-CN").text == chinese


@pytest.mark.parametrize(("name", "said"), [("usage.data_mb", "100 MB, —, 3 GB"), ("billing.total", "¥1, —, ¥30.72")])
def test_an_action_that_asks_only_whether_a_series_is_known_tells_it(name: str, said: str) -> None:
    """Value by value, oldest first; a cycle that is missing is a dash."""
    known = {key: value for key, value in act(applicable={"a": f"known({name})"}).items() if key != "reason"}
    section, field = name.split(".")
    (action,) = told(mini({"plain": known}), {section: {field: [100, None, 3072]}}, locale="en").actions
    assert said in action.reasons[0].text
