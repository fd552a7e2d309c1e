"""Stage 1: what is known, what is too old, what an answer puts in place."""

import datetime
from typing import Any

import pytest

from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.runtime import NEVER
from tests.pipeline import at
from tests.pipeline_packs import DAY, NOON, SECOND, act, ago, answer, ask, fact, fact_value, fate, listed, mini, rule

CHURN = {"plain": act(eligible={"likely": "churn.score >= 0.5"})}


@pytest.mark.parametrize(("days", "known"), [(0, True), (34.9, True), (35, True), (35.99, True), (36, False), (400, False)])
def test_a_section_older_than_allowed_is_unknown(days: float, known: bool) -> None:
    """Age counts whole days; the limit itself is still allowed."""
    pack = mini(CHURN, ages={"churn": 35})
    decision = answer(pack, {"churn": {"score": 0.9, "as_of": ago(days)}})
    assert (listed(decision) == ["plain"]) is known
    assert decision.facts.too_old == ({} if known else {"churn.score": int(days)})
    assert known or fate(decision).cause == "unknown"


def test_a_facts_own_limit_stands_above_its_sections() -> None:
    """`churn.score: 60` holds for the score, `churn: 5` for the rest of the section."""
    pack = mini({"plain": act(eligible={"a": "churn.score >= 0.5", "b": "churn.model == 'm'"})}, ages={"churn": 5, "churn.score": 60})
    decision = answer(pack, {"churn": {"score": 0.9, "model": "m", "as_of": ago(20)}})
    assert fact_value(decision, pack, "churn.score") == 0.9
    assert decision.facts.too_old == {"churn.model": 20}


def test_a_section_without_its_own_time_is_as_new_as_the_request() -> None:
    assert listed(answer(mini(CHURN, ages={"churn": 1}), {"churn": {"score": 0.9}})) == ["plain"]


def test_without_a_limit_nothing_is_too_old() -> None:
    assert listed(answer(mini(CHURN), {"churn": {"score": 0.9, "as_of": ago(3000)}})) == ["plain"]


def test_too_old_is_told_with_its_age() -> None:
    """The answer lists what was too old, with days, apart from what was missing."""
    pack = mini(CHURN, ages={"churn": 35})
    case = ask(pack, {"churn": {"score": 0.9, "as_of": ago(41)}})
    found = explain(pack, case, answer(pack, {"churn": {"score": 0.9, "as_of": ago(41)}})).unknown
    assert [(item.fact, item.why, item.age_days) for item in found] == [("churn.score", "too_old", 41)]
    missing = explain(pack, ask(pack), answer(pack)).unknown
    assert [(item.fact, item.why, item.age_days) for item in missing] == [("churn.score", "missing", None)]


def test_a_date_given_as_never_can_be_too_old() -> None:
    pack = mini({"plain": act(eligible={"a": "days_since(care.last_visit_on) > 10"})}, ages={"care": 30})
    assert listed(answer(pack, {"care": {"last_visit_on": None}})) == ["plain"]
    old = answer(pack, {"care": {"last_visit_on": None, "as_of": ago(31)}})
    assert (fate(old).cause, old.facts.too_old) == ("unknown", {"care.last_visit_on": 31})


@pytest.mark.parametrize(
    ("section", "value", "cause"),
    [
        ({"commitment_end": None}, NEVER, None),
        ({}, None, "unknown"),
        (None, None, "unknown"),
        ({"commitment_end": "2026-12-01"}, 739951, "not_eligible"),
    ],
)
def test_an_explicit_null_date_is_never_and_an_absent_one_unknown(section: Any, value: int | None, cause: str | None) -> None:
    pack = mini({"plain": act(eligible={"free": "days_until(contract.commitment_end) > 3650"})})
    decision = answer(pack, {"contract": section})
    assert fact_value(decision, pack, "contract.commitment_end") == value
    assert fate(decision).cause == cause


QUESTION = [
    {"fact": "churn.score", "who": "agent", "en": "Score?", "zh": "分数？"},
    {"fact": "contract.promo_end", "who": "both", "en": "When?", "zh": "何时？"},
]


def test_an_answer_stands_in_for_what_is_missing_or_too_old() -> None:
    """Answers override the request's facts and count as known, however old the section is."""
    pack = mini(CHURN, ages={"churn": 35}, questions=QUESTION)
    old = {"churn": {"score": 0.1, "as_of": ago(300)}}
    assert listed(answer(pack, None, answers={"churn.score": 0.9})) == ["plain"]
    decision = answer(pack, old, answers={"churn.score": 0.9})
    assert (listed(decision), decision.facts.too_old) == (["plain"], {})
    assert listed(answer(pack, {"churn": {"score": 0.1}}, answers={"churn.score": 0.9})) == ["plain"]


def test_an_answer_of_a_date_may_say_never() -> None:
    pack = mini({"plain": act(eligible={"free": "days_until(contract.promo_end) > 3650"})}, questions=QUESTION)
    assert listed(answer(pack, answers={"contract.promo_end": None})) == ["plain"]
    assert fate(answer(pack, answers={"contract.promo_end": "2026-11-30"})).cause == "not_eligible"


def test_own_facts_are_read_by_their_type() -> None:
    """Numbers, sets, series and dates of the operator's own come as the rules expect them."""
    custom = [
        {"id": "custom.n", "type": "int", "title": {"en": "N", "zh": "数"}},
        {"id": "custom.s", "type": "set", "title": {"en": "S", "zh": "集"}},
        {"id": "custom.r", "type": "series", "title": {"en": "R", "zh": "列"}},
        {"id": "custom.d", "type": "date", "title": {"en": "D", "zh": "日"}},
    ]
    gates = {"n": "custom.n >= 2", "s": "'x' in custom.s", "r": "mean(custom.r, 2) == 3", "d": "days_since(custom.d) == 1"}
    pack = mini({"plain": act(eligible=gates)}, custom=custom)
    assert listed(answer(pack, {"custom": {"n": 2, "s": ["x"], "r": [2, 4], "d": "2026-11-17"}})) == ["plain"]
    assert [item.unknown for item in fate(answer(pack)).failing] == [True] * 4
    never = answer(pack, {"custom": {"n": 2, "s": ["x"], "r": [2, 4], "d": None}})
    assert [(item.clause, item.unknown) for item in fate(never).failing] == [("d", False)]


@pytest.mark.parametrize(("seconds", "held"), [(-1, 1), (0, 0), (1, 0)])
def test_an_event_leaves_its_window_to_the_microsecond(seconds: int, held: int) -> None:
    """`days=30` holds what is younger than thirty days: at exactly thirty it is out."""
    pack = mini(facts=[fact("n", "count(events.complaint, days=30)")], actions={"plain": act(eligible={"a": "facts.n >= 1"})})
    event = {"type": "complaint", "at": ago(30, seconds)}
    assert fact_value(answer(pack, {"events": [event]}), pack, "facts.n") == held


@pytest.mark.parametrize(("seconds", "held"), [(-1, 0), (0, 1), (1, 1)])
def test_an_event_enters_its_window_at_the_moment_itself(seconds: int, held: int) -> None:
    pack = mini(facts=[fact("n", "count(events.complaint, days=30)")], actions={"plain": act(eligible={"a": "facts.n >= 1"})})
    events = [{"type": "complaint", "at": NOON.isoformat()}]
    case = at(ask(pack, {"events": events}), NOON + seconds * SECOND)
    assert fact_value(decide(pack, case), pack, "facts.n") == held


def test_days_count_whole_local_days() -> None:
    """Dates differ by local days: a minute before midnight in the subscriber's zone is still today."""
    pack = mini(facts=[fact("n", "days_since(contract.promo_end)")], actions={"plain": act(eligible={"a": "facts.n >= 0"})})
    body = {"zone": "America/New_York", "contract": {"promo_end": "2026-11-17"}}
    before_midnight = datetime.datetime(2026, 11, 17, 23, 59, tzinfo=datetime.timezone(datetime.timedelta(hours=-5)))
    for moment, days in ((before_midnight, 0), (before_midnight + 60 * SECOND, 1), (before_midnight + DAY, 1)):
        assert fact_value(answer(pack, body, as_of=moment.isoformat()), pack, "facts.n") == days


def test_contact_policy_looks_at_the_time_of_contact_and_all_else_at_as_of() -> None:
    """Windows and days in contact clauses run to `contact_at`; gates, facts and signals see `as_of`."""
    pack = mini(
        {"plain": act(eligible={"still_fresh": "contacted(days=7) == 1 and days_since(contract.promo_end) == 1"})},
        contact=[
            rule("rested", "contacted(days=7) == 0"),
            rule("late", "days_since(contract.promo_end) == 3"),
            rule("weekday", "clock.weekday == 5 and clock.time == '12:00'"),
        ],
    )
    body = {"contacts": [{"at": ago(6)}], "contract": {"promo_end": "2026-11-17"}}
    assert listed(answer(pack, body, contact_at=(NOON + 2 * DAY).isoformat())) == ["plain"]
    assert fate(answer(pack, body)).cause == "suppressed"
    assert {item.clause for item in fate(answer(pack, body)).failing} == {"rested", "late", "weekday"}


def test_a_missing_history_is_unknown_and_an_empty_one_is_none() -> None:
    pack = mini({"plain": act(eligible={"calm": "count(events.complaint, days=30) == 0", "left_alone": "contacted(days=7) == 0"})})
    assert listed(answer(pack)) == ["plain"]
    both = answer(pack, {"events": None, "contacts": None})
    assert [(item.clause, item.unknown) for item in fate(both).failing] == [("calm", True), ("left_alone", True)]
