"""Stages 5 and 6: contact policy and guardrails state what permits; only what surely holds does."""

import datetime
from typing import Any

import pytest

from app.engine.explain import explain
from tests.pipeline_packs import DAY, NOON, SECOND, ago, answer, ask, fate, guard, listed, mini, rule, signal

ZONE = NOON.tzinfo


@pytest.mark.parametrize("make", [rule, guard])
@pytest.mark.parametrize(
    ("score", "allow", "applies", "out"),
    [
        (0.1, False, None, None),
        (0.9, False, None, "false"),
        (None, False, None, "unknown"),
        (None, True, None, None),
        (0.9, True, None, "false"),
        (0.9, False, "action.marketing", None),
        (0.9, False, "action.kind == 'care'", "false"),
        (0.9, False, "action.kind == 'care' and account.tenure_months > 1", "unknown"),
        (0.1, False, "account.tenure_months > 1", None),
    ],
)
def test_only_what_surely_holds_permits(make: Any, score: float | None, allow: bool, applies: str | None, out: str | None) -> None:
    """False suppresses or removes; unknown removes with cause unknown, unless the clause says `unknown: allow`."""
    clauses = [make("calm", "churn.score < 0.5", applies, allow)]
    pack = mini(contact=clauses) if make is rule else mini(clauses=clauses)
    found = fate(answer(pack, {"churn": {"score": score}} if score is not None else {}))
    expected = {None: None, "unknown": "unknown", "false": "suppressed" if make is rule else "guardrail"}[out]
    assert (found.cause, found.clause) == (expected, "calm" if out else None)
    assert [item.gate for item in found.failing] == ([] if out is None else ["contact" if make is rule else "guardrail"])


def test_every_clause_that_does_not_permit_is_listed() -> None:
    """By name; the first false one is the cause, else the first unknown."""
    pack = mini(contact=[rule("b", "churn.score < 0.5"), rule("a", "pay.overdue_days < 5"), rule("c", "account.tenure_months > 5")])
    found = fate(answer(pack, {"churn": {"score": 0.9}, "account": {"tenure_months": 1}}))
    assert (found.cause, found.clause, [item.clause for item in found.failing]) == ("suppressed", "b", ["b", "a", "c"])


def test_contact_policy_comes_before_guardrails() -> None:
    pack = mini(contact=[rule("quiet", "churn.score < 0.5")], clauses=[guard("law", "churn.score < 0.5")])
    assert fate(answer(pack, {"churn": {"score": 0.9}})).cause == "suppressed"


def test_guardrails_see_everything() -> None:
    """Port data, protected facts, the clock, consent and the action: a guardrail may look at all of them."""
    permits = (
        "port.state == 'none' and holder.age_band == 'adult' and clock.time == '12:00' and clock.weekday == 3 and not clock.holiday"
        " and consent.marketing == 'yes' and action.id == 'plain' and phase == 'retention' and count(events.port_query, days=9) == 0"
    )
    body = {"holder": {"age_band": "adult"}, "consent": {"marketing": "yes", "personalised": "no"}}
    pack = mini(clauses=[guard("all", permits)])
    assert listed(answer(pack, body)) == ["plain"]
    assert fate(answer(pack, {**body, "port": {"state": "queried"}})).cause == "guardrail"
    assert fate(answer(pack, {**body, "holder": {}})).cause == "unknown"


@pytest.mark.parametrize(
    ("minute", "open_now"),
    [(8 * 60 + 59, False), (9 * 60, True), (11 * 60 + 59, True), (12 * 60, False), (14 * 60, True), (20 * 60, False)],
)
def test_hours_open_and_close_on_the_minute(minute: int, open_now: bool) -> None:
    """In the subscriber's own zone."""
    pack = mini(contact=[rule("hours", "'09:00' <= clock.time < '12:00' or '14:00' <= clock.time < '20:00'")])
    there = datetime.datetime(2026, 11, 18, minute // 60, minute % 60, 59, tzinfo=datetime.timezone(datetime.timedelta(hours=-5)))
    assert (listed(answer(pack, {"zone": "America/New_York"}, as_of=there.isoformat())) == ["plain"]) is open_now


def test_holidays_are_local_days() -> None:
    pack = mini(contact=[rule("workday", "not clock.holiday")], holidays=["2026-11-18"])
    assert fate(answer(pack)).cause == "suppressed"
    assert listed(answer(pack, {"zone": "Pacific/Honolulu"})) == ["plain"]


CAP = [rule("cap", "contacted(days=7, channel='sms_marketing') < 2")]


def sent(*days: float) -> dict[str, Any]:
    return {"contacts": [{"at": ago(day), "channel": "sms_marketing"} for day in days]}


def test_a_cap_counts_contacts_in_its_window() -> None:
    pack = mini(contact=CAP)
    assert listed(answer(pack, sent(1))) == ["plain"]
    assert fate(answer(pack, sent(1, 2))).cause == "suppressed"
    assert listed(answer(pack, sent(1, 7))) == ["plain"]
    assert fate(answer(pack, {"contacts": None})).cause == "unknown"


def until(pack: Any, subscriber: Any, **request: Any) -> Any:
    case = ask(pack, subscriber, **request)
    told = explain(pack, case, answer(pack, subscriber, **request), "full").not_offered
    assert told is not None
    return told[0].until


@pytest.mark.parametrize(
    ("permits", "subscriber", "end"),
    [
        ("contacted(days=7) < 2", sent(1, 2), NOON + 5 * DAY),
        ("contacted(days=7) < 1", sent(1, 2), NOON + 6 * DAY),
        ("refused(days=90) < 1", {"contacts": [{"at": ago(10, 3), "result": "refused"}]}, NOON + 80 * DAY - 3 * SECOND),
        ("count(events.complaint, days=30) == 0", {"events": [{"type": "complaint", "at": ago(4)}]}, NOON + 26 * DAY),
        ("days_since(contract.promo_end) >= 14", {"contract": {"promo_end": "2026-11-10"}}, datetime.datetime(2026, 11, 24, tzinfo=ZONE)),
        ("'14:00' <= clock.time < '20:00'", {}, NOON.replace(hour=14)),
        ("clock.time < '09:00'", {}, NOON.replace(hour=0) + DAY),
        ("clock.time > '13:30'", {}, NOON.replace(hour=13, minute=31)),
        ("clock.weekday >= 6", {}, NOON.replace(hour=0) + 3 * DAY),
        ("not clock.holiday", {}, NOON.replace(hour=0) + 2 * DAY),
        ("not clock.holiday and '09:00' <= clock.time", {}, NOON.replace(hour=9) + 2 * DAY),
        ("contacted(days=7) < 1 and clock.time >= '14:00'", sent(1), NOON.replace(hour=14) + 6 * DAY),
        ("since(events.bill) >= 5", {"events": [{"type": "bill", "at": ago(1, 60)}]}, NOON + 4 * DAY - 60 * SECOND),
        ("not signal('busy')", sent(1), NOON + 9 * DAY),
        ("consent.marketing == 'yes'", {"consent": {"marketing": "no"}}, None),
        ("days_since(contract.promo_end) >= 14", {"contract": {"promo_end": "2029-11-10"}}, None),
        ("contacted(days=7) >= 1", {}, None),
    ],
)
def test_a_suppression_says_when_it_ends(permits: str, subscriber: Any, end: datetime.datetime | None) -> None:
    """Caps end as contacts leave the window, hours at the next boundary, waits at midnight; what time does not end says nothing."""
    pack = mini(
        contact=[rule("rest", permits)],
        holidays=["2026-11-18", "2026-11-19"],
        signals=[signal("busy", ("high", "contacted(days=10) >= 1"))],
    )
    assert until(pack, subscriber) == end


def test_an_end_is_counted_from_the_planned_contact() -> None:
    """With a later `contact_at` the end is never before it."""
    pack = mini(contact=[rule("rest", "contacted(days=7) < 1")])
    assert until(pack, sent(1), contact_at=(NOON + 3 * DAY).isoformat()) == NOON + 6 * DAY
    assert listed(answer(pack, sent(1), contact_at=(NOON + 6 * DAY).isoformat())) == ["plain"]


def test_an_unknown_clause_of_contact_policy_has_no_end() -> None:
    pack = mini(contact=[rule("rest", "contacted(days=7) < 1")])
    assert until(pack, {"contacts": None}) is None
