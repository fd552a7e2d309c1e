"""Suites as they are read: subjects, changes, tables, and mistakes with their place."""

import datetime
from typing import Any

import pytest

from tests.suites import HEAD, loaded, problems

pytestmark = pytest.mark.unit

PASSES = "expect: {phase: prevention}"


def subscriber(tests: str) -> Any:
    """The subscriber of the first test."""
    found = loaded(tests)
    assert not found.problems, found.problems
    return found.tests[0].case.subscriber


def test_subject_takes_everything_from_the_one_it_is_like() -> None:
    """`like:` takes all sections, `with:` changes one value."""
    found = subscriber(f"- {{subject: quiet, {PASSES}}}")
    assert found.billing.toll_fee == (0, 0, 0)
    assert found.billing.total == (9000, 9000, 9000)


def test_changes_of_a_test_do_not_reach_the_next() -> None:
    """Two tests with one subject each see it as it was written."""
    found = loaded(f"- {{subject: caller, with: {{value.annual: 1}}, {PASSES}}}\n- {{subject: caller, {PASSES}}}")
    assert [test.case.subscriber.value.annual for test in found.tests if test.case.subscriber.value] == [1, 120000]


def test_unknown_takes_a_value_out() -> None:
    """What is `unknown` is not in the request; where that is a word of the fact, it is the word."""
    found = subscriber(f"- {{subject: caller, with: {{value.annual: unknown, plan: unknown, consent.marketing: unknown}}, {PASSES}}}")
    assert "annual" not in found.value.model_fields_set
    assert found.plan is None
    assert found.consent.marketing == "unknown"


def test_null_is_never_for_a_day() -> None:
    """A day that is null is never, as in the API."""
    found = subscriber(f"- {{subject: caller, with: {{contract.promo_end: null}}, {PASSES}}}")
    assert found.contract.promo_end is None
    assert "promo_end" in found.contract.model_fields_set


def test_days_and_moments_are_told_from_now() -> None:
    """`12 days ago`, `in 3 days`, `today` and `5 hours ago` count from the suite's own clock."""
    found = subscriber(
        "- subject: caller\n"
        "  with: {account.joined_on: 12 days ago, contract.promo_end: in 3 days, care.last_proactive_on: today}\n"
        "  add: {events: [{type: complaint, at: 5 hours ago, topic: billing}]}\n"
        f"  {PASSES}"
    )
    assert found.account.joined_on == datetime.date(2026, 11, 8)
    assert found.contract.promo_end == datetime.date(2026, 11, 23)
    assert found.care.last_proactive_on == datetime.date(2026, 11, 20)
    assert found.events[0].at == datetime.datetime.fromisoformat("2026-11-20T05:00:00+08:00")


def test_add_appends_to_lists() -> None:
    """Series and sets grow at their end, and lists that the subject does not have begin."""
    found = subscriber(f"- {{subject: caller, add: {{services.held: [a_pack]}}, {PASSES}}}")
    assert found.services.held == frozenset({"a_pack"})


def test_table_makes_a_test_of_each_row() -> None:
    """A row takes what the test says and changes it; its name or number follows the test's."""
    found = loaded(
        "- name: {en: Levels, zh: 级别}\n  subject: caller\n  request: {moment: complaint}\n  expect: {phase: prevention}\n"
        "  each:\n"
        "    - {name: high, with: {value.annual: 1}, expect: {signals: {high.toll: high}}}\n"
        "    - {request: {channel: shop}, expect: {phase: retention}}\n"
    )
    assert [test.title.zh for test in found.tests] == ["级别 · high", "级别 · 2"]
    first, second = found.tests
    assert [(item.kind, item.wanted) for item in first.expectations] == [("phase", "prevention"), ("signals", "high")]
    assert [(item.kind, item.wanted) for item in second.expectations] == [("phase", "retention")]
    assert (first.case.channel, second.case.channel, second.case.moment) == ("app", "shop", "complaint")


def test_a_table_without_rows_is_a_mistake() -> None:
    """Somebody meant to write them; as a test of its own it would expect nothing of nobody."""
    (found,) = problems("- {name: Levels, subject: caller, each: []}\n")
    assert found.endswith("error[schema]: `tests.0.each` is empty")


def test_more_files_than_are_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that is left out in silence would hold nothing."""
    monkeypatch.setattr("app.workbench.suites.loading.MOST_FILES", 1)
    found = loaded("- {subject: caller, expect: {phase: retention}}\n")
    assert [problem.code for problem in found.problems] == ["pack-too-large", "unknown-name"]


def test_request_role_answers_and_now_reach_the_case() -> None:
    """The role decides the limit of concession; answers are typed by their fact; a test may have its own clock."""
    found = loaded(
        "- subject: caller\n  role: self_service\n  now: '2026-01-01T00:00:00+00:00'\n  answers: {home.has_broadband: true}\n"
        f"  {PASSES}\n- {{subject: caller, {PASSES}}}"
    )
    assert not found.problems
    first, second = (test.case for test in found.tests)
    assert (first.asker.role, first.asker.concession_limit, second.asker.role, second.asker.concession_limit) == (
        "self_service",
        0,
        "agent",
        3000,
    )
    assert first.answers == {"home.has_broadband": True}
    assert first.times.as_of == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("subject: calle", "unknown subject `calle`; did you mean `caller`?"),
        ("subject: caller, with: {billing.tol_fee: 1}", "no fact `billing.tol_fee`; did you mean `billing.toll_fee`?"),
        ("subject: caller, with: {channel: app}", "`channel` is not part of the subscriber; write it under `request:`"),
        ("subject: caller, add: {value.annual: [1]}", "`value.annual` is not a list"),
        ("subject: caller, request: {chanel: app}", "`chanel` does not exist; did you mean `channel`?"),
        ("subject: caller, request: {subscriber: {id: a}}", "the subscriber is not part of `request:` here; write changes under `with:`"),
        ("subject: caller, with: {value.annual: much}", "`subscriber.value.annual` expected a whole number in the smallest unit"),
        ("subject: caller, add: {events: [{type: complaint, at: in 3 days}]}", "is dated after `as_of`"),
        ("subject: caller, answers: {plan.fee: 1}", "is not a fact that this pack asks for"),
        ("subject: caller, role: agnt", "unknown role `agnt`; did you mean `agent`?"),
        ("subject: caller, jurisdiction: uk", "there are no guardrails for `uk`; there are guardrails for `cn`"),
        ("subject: caller, now: yesterday", "`now`: `yesterday` is not a moment with its offset from UTC"),
        ("subject: caller, now: '2026-11-20T10:00:00'", "is not a moment with its offset from UTC"),
        ("subject: caller, expct: {}", "unknown key `expct`; did you mean `expect`?"),
    ],
)
def test_mistake_in_a_test_is_told_with_the_nearest_right_word(test: str, told: str) -> None:
    """Wrong names, values and fields are refused at the place where they are written."""
    found = problems(f"- {{{test}, {PASSES}}}")
    assert any(told in problem for problem in found), found
    assert all(problem.startswith("policies/tests/a.yaml:5:") for problem in found)


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("signals: {high.tol: high}", "unknown signal `high.tol`; did you mean `high.toll`?"),
        ("signals: {high.toll: watch}", "`high.toll` has no level `watch`; it is one of `severe`, `high`, `none`, `unknown`"),
        ("facts: {facts.tol: 1}", "unknown fact `facts.tol`; did you mean `facts.toll`?"),
        ("facts: {facts.toll: much}", "`much` is not a value of `facts.toll`, which is a number"),
        ("facts: {facts.worth: middle}", "`middle` is not a value of `facts.worth`, which is an enumeration; it is one of `low`, `high`"),
        ("phase: prevntion", "unknown phase `prevntion`; did you mean `prevention`?"),
        ("stage: none", "unknown stage `none`; it is one of `warning`, `stable`"),
        ("moment: complant", "unknown moment `complant`; did you mean `complaint`?"),
        ("actions: [thank_yu]", "unknown action `thank_yu`; did you mean `thank_you`?"),
        ("first: thank_yu", "unknown first `thank_yu`; did you mean `thank_you`?"),
        ("offered: {thank_yu: 1}", "unknown action `thank_yu`; did you mean `thank_you`?"),
        ("reasons: {thank_you: high.tol}", "unknown reason `high.tol`; did you mean `high.toll`?"),
        ("tariffs: {to_plan_59: plan_95}", "unknown tariff `plan_95`; did you mean `plan_59`?"),
        ("not_offered: {thank_you: supressed}", "unknown cause `supressed`; did you mean `suppressed`?"),
        ("not_offered: {thank_you: suppressed/consnt}", "no contact clause `consnt` gives the cause `suppressed`; did you mean `consent`?"),
        ("not_offered: {to_plan_59: not_suitable/tolls}", "no clause of `to_plan_59` `tolls` gives the cause `not_suitable`"),
        ("empty_because: nothing", "unknown empty because `nothing`"),
        ("asks: [home.broadband]", "unknown question about `home.broadband`; did you mean `home.has_broadband`?"),
        ("", "the test expects nothing"),
    ],
)
def test_mistake_in_an_expectation_is_told_with_the_nearest_right_word(expect: str, told: str) -> None:
    """Whatever is expected has to exist in the pack."""
    found = problems(f"- {{subject: caller, expect: {{{expect}}}}}")
    assert any(told in problem for problem in found), found


def test_mistake_points_at_the_word() -> None:
    """File, line and column of the wrong word itself, also below a row of a table."""
    found = problems("- subject: caller\n  each:\n    - expect:\n        signals:\n          high.toll: hig\n")
    assert found == [
        "policies/tests/a.yaml:9:24: error[unknown-word]: `high.toll` has no level `hig`; it is one of `severe`, `high`, `none`, `unknown`"
    ]


def test_subjects_like_themselves_are_refused() -> None:
    """A circle is told with its way round, an unknown `like:` with the nearest name."""
    head = "subjects:\n  a: {like: b}\n  b: {like: c}\n  c: {like: a}\n  d: {like: callr}\n" + HEAD
    found = problems(f"- {{subject: caller, {PASSES}}}", head)
    assert "a subject is like itself: `a` → `b` → `c` → `a`; break the circle" in found[0]
    assert found[1].endswith("unknown subject `callr`; did you mean `caller`?")
    assert len(found) == 2


def test_name_of_a_subject_stands_once() -> None:
    """Two files of a folder may not name the same subject."""
    found = problems(f"- {{subject: caller, {PASSES}}}", "subjects: {quiet: {like: caller}}\n" + HEAD)
    assert "subject `quiet` stands in policies/tests/a.yaml:1:12 already" in found[0]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("suite: A\ntests: []\n", "the suite has no tests"),
        ("suite: A\n", "the suite has no tests"),
        ("tests: []\n", "`suite` is missing"),
        ("- a\n", "the file is not a mapping"),
        ("suite: A\nsuite: B\n", "the key `suite` stands twice"),
        ("suite: &a A\n", "anchors and aliases are not used in a pack"),
    ],
)
def test_empty_and_odd_files_are_mistakes(head: str, told: str) -> None:
    """A suite without tests is a mistake, and so is what the pack's own reader refuses."""
    assert any(told in problem for problem in problems("", head))


def test_missing_clock_is_a_mistake() -> None:
    """Without `now` in the suite or the test nothing would be frozen."""
    found = problems(f"- {{subject: caller, {PASSES}}}", "suite: A\nrequest: {channel: app}\ntests:\n")
    assert "`now` is missing" in found[0]


def test_a_test_with_a_mistake_does_not_keep_the_others_from_running() -> None:
    """What is wrong is told, and what is right can be run."""
    found = loaded(f"- {{subject: calle, {PASSES}}}\n- {{subject: caller, {PASSES}}}")
    assert len(found.problems) == 1
    assert [test.place.line for test in found.tests] == [6]
