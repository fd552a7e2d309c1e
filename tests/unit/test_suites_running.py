"""Tests of suites as they run: what holds, what does not, and what is said of it."""

import pytest

from app.workbench.suites import load
from app.workbench.suites.judging import judge_all
from app.workbench.suites.junit import Ran, junit
from tests.packs import POLICY, SMALL, small
from tests.suites import bench_of, failures, suite, verdicts

pytestmark = pytest.mark.unit

FALLBACK = "fallback: {suppressed: thank_you}\n"


def test_everything_that_may_be_expected_holds_where_it_is_so() -> None:
    """One test that names every key passes."""
    found = verdicts(
        "- subject: caller\n"
        "  request: {locale: en}\n"
        "  expect:\n"
        "    stage: stable\n"
        "    phase: prevention\n"
        "    moment: none\n"
        "    signals: {high.toll: severe}\n"
        "    facts: {facts.toll: 4000, facts.worth: high, plan.id: plan_29, home.has_broadband: unknown}\n"
        "    actions: [thank_you, to_plan_59]\n"
        "    first: thank_you\n"
        "    offered: {to_plan_59: 2}\n"
        "    reasons: {to_plan_59: high.toll}\n"
        "    not_offered: {port_help: not_applicable/phase}\n"
        "    empty_because: none\n"
        "    says: {to_plan_59: [¥59, Plan 59]}\n"
        "    tariffs: {to_plan_59: plan_59}\n"
        "    concessions: {to_plan_59: 0}\n"
        "    asks: []\n"
        "    personalised: true\n".replace("home.has_broadband: unknown", "value.annual: 120000")
    )
    assert [found.told for found in found[0].failures] == []
    assert found[0].passed


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("stage: warning", "stage: warning, stable"),
        ("phase: retention", "phase: retention, prevention"),
        ("moment: complaint", "moment: complaint, none"),
        ("signals: {high.toll: high}", "signal high.toll (High tolls): high, severe"),
        ("signals: {high.toll: none}", "signal high.toll (High tolls): none, severe"),
        ("signals: {high.toll: unknown}", "signal high.toll (High tolls): unknown, severe"),
        ("facts: {facts.toll: 4001}", "fact facts.toll (toll charges): 4001, 4000"),
        ("facts: {facts.toll: unknown}", "fact facts.toll (toll charges): unknown, 4000"),
        ("actions: [to_plan_59, thank_you]", "actions: [to_plan_59, thank_you], [thank_you, to_plan_59]"),
        ("actions: []", "actions: [], [thank_you, to_plan_59]"),
        ("first: to_plan_59", "first action: to_plan_59, thank_you"),
        ("first: none", "first action: none, thank_you"),
        ("offered: {to_plan_59: 1}", "action to_plan_59 (Move to plan 59): rank 1, rank 2"),
        ("offered: port_help", "action port_help (Help with porting): offered, not_applicable/phase"),
        ("not_offered: thank_you", "action thank_you (Thank you): not offered, offered, rank 1"),
        ("not_offered: {port_help: suppressed}", "action port_help (Help with porting): suppressed, not_applicable/phase"),
        ("not_offered: {port_help: not_applicable/under_way}", "not_applicable/under_way, not_applicable/phase"),
        ("reasons: {to_plan_59: to_plan_59}", "reasons of to_plan_59 (Move to plan 59): [to_plan_59], [high.toll]"),
        ("says: {to_plan_59: free}", "text of to_plan_59 (Move to plan 59): [“free”], 59元套餐"),
        ("tariffs: {thank_you: plan_59}", "tariff of thank_you (Thank you): plan_59, none"),
        ("concessions: {to_plan_59: 100}", "concession of to_plan_59 (Move to plan 59): 100, 0"),
        ("empty_because: suppressed", "empty because: suppressed, none"),
        ("personalised: false", "personalised: false, true"),
        ("asks: [home.has_broadband]", "questions: [home.has_broadband], []"),
    ],
)
def test_what_does_not_hold_is_told_as_expected_and_got(expect: str, told: str) -> None:
    """Each key fails alone, in the words of a suite."""
    found = failures(f"- {{subject: caller, expect: {{{expect}}}}}")
    assert len(found) == 1
    assert told in found[0]


def test_unknown_signal_is_not_none() -> None:
    """Without the bill the signal is unknown; a suite tells that from not holding."""
    test = "- {{subject: caller, with: {{billing.toll_fee: unknown}}, expect: {{signals: {{high.toll: {}}}}}}}"
    assert failures(test.format("unknown")) == []
    assert failures(test.format("none")) == ["signal high.toll (High tolls): none, unknown"]


def test_number_is_compared_at_the_decimals_it_is_written_with() -> None:
    """4000.4 is 4000 to somebody who writes no decimals, and not to somebody who writes one."""
    pack = small(extra="facts:\n  - id: facts.part\n    title: {en: Part, zh: 占比}\n    is: facts.toll / 6000\n")
    assert failures("- {subject: caller, expect: {facts: {facts.part: 0.67}}}", pack) == []
    assert failures("- {subject: caller, expect: {facts: {facts.part: 0.670}}}", pack) == ["fact facts.part (part): 0.670, 0.666667"]


def test_failure_is_followed_down_to_its_figures() -> None:
    """Every level with what it saw: derived facts with how they are worked out, parameters by name, money as people read it."""
    (found,) = verdicts("- {subject: quiet, expect: {signals: {high.toll: high}}}")[0].failures
    assert [line.text for line in found.told.because] == [
        "severe does not hold: facts.toll >= 2 * param.floor",
        "facts.toll = 0 (¥0)  ← last(billing.toll_fee)",
        "param.floor = 1500 (¥15)",
        "high does not hold: facts.toll >= param.floor",
        "facts.toll = 0 (¥0)  ← last(billing.toll_fee)",
        "param.floor = 1500 (¥15)",
    ]


def test_absence_names_the_clause_and_what_it_saw() -> None:
    """An offer that consent keeps out is explained by the contact clause; one of a gate by the gate and the other failing ones."""
    (found,) = verdicts("- {subject: caller, with: {consent.marketing: 'no'}, expect: {offered: to_plan_59}}")[0].failures
    assert found.told.because[0].text == "to_plan_59: contact.consent does not hold: consent.marketing == 'yes'"
    assert found.told.because[1].text == "consent.marketing = no"
    (found,) = verdicts("- {subject: caller, with: {billing: unknown}, expect: {offered: to_plan_59}}")[0].failures
    told = [line.text for line in found.told.because]
    assert told[0] == "to_plan_59: applicable.tolls not known: signal('high.toll')"
    assert "for want of billing.toll_fee" in told


def test_fallback_is_seen() -> None:
    """An empty list's cause and what fills it can be expected."""
    files = small(extra=FALLBACK) | {
        "policies/care/thank_you.yaml": SMALL["policies/care/thank_you.yaml"].replace(b"[prevention, retention]", b"[hands_off]")
    }
    expect = "{empty_because: none, actions: [thank_you], reasons: {thank_you: fallback.suppressed}}"
    test = f"- {{subject: caller, with: {{consent.marketing: 'no'}}, expect: {expect}}}"
    assert failures(test, files) == []


EU = """\
guardrails:
  jurisdiction: eu
  hands_off: []
  clauses:
    - id: never
      title: {en: Never, zh: 不营销}
      applies: action.marketing
      permits: value.annual < 0
      reason: {en: Never., zh: 不营销。}
      source: {en: A law, zh: 法规}
      checked: counsel
"""


def test_suite_runs_under_another_jurisdiction() -> None:
    """`jurisdiction:` puts another profile in force, and its clauses can be named."""
    files = small(eu=EU)
    test = "- {subject: caller, jurisdiction: eu, expect: {not_offered: {to_plan_59: guardrail/never}}}"
    assert failures(test, files) == []
    assert failures("- {subject: caller, expect: {offered: to_plan_59}}", files) == []


def test_guardrails_alone_leaves_the_contact_policy_out() -> None:
    """What contact policy would hold back comes through, what a guardrail holds back does not."""
    without = "- {subject: caller, guardrails_alone: true, with: {consent.marketing: 'no'}, expect: {offered: to_plan_59}}"
    assert failures(without) == []
    kept_out = "expect: {not_offered: {to_plan_59: guardrail/minors}}"
    minor = f"- {{subject: caller, guardrails_alone: true, with: {{holder.user_is_minor: true}}, {kept_out}}}"
    assert failures(minor) == []
    assert "consent" in POLICY


def test_processes_give_what_one_gives() -> None:
    """Several processes judge as one does, in the order of the tests."""
    bench, files = (
        bench_of(),
        suite(
            "- {subject: caller, expect: {phase: prevention}}\n- {subject: quiet, expect: {phase: rescue}}\n".replace(
                "rescue", "prevention"
            )
        ),
    )
    tests = load(files, bench).tests
    alone = list(judge_all(tests, bench, files, "en", 1))
    assert list(judge_all(tests, bench, files, "en", 2)) == alone
    assert [verdict.passed for verdict in alone] == [True, False]


def test_junit_report_counts_and_places_failures() -> None:
    """A testsuite a file with its counts; a failure with its file and line; characters that XML lacks are replaced."""
    from xml.etree import ElementTree

    bench, files = (
        bench_of(),
        suite("- {subject: caller, expect: {phase: prevention}}\n- {name: 'a & b', subject: quiet, expect: {phase: prevention}}"),
    )
    found = load(files, bench)
    ran = [Ran(test, verdict) for test, verdict in zip(found.tests, judge_all(found.tests, bench, files, "en"), strict=True)]
    top = ElementTree.fromstring(junit(ran, (), 0.5))  # noqa: S314 - our own report
    (part,) = top
    assert (top.get("tests"), top.get("failures"), top.get("errors")) == ("2", "1", "0")
    assert (part.get("name"), part.get("tests"), part.get("failures")) == ("A suite", "2", "1")
    failing = part[1]
    assert (failing.get("name"), failing.get("file"), failing.get("line")) == ("a & b", "policies/tests/a.yaml", "6")
    assert failing[0].tag == "failure"
    assert (failing[0].text or "").startswith("policies/tests/a.yaml:6:")
