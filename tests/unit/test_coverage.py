"""What suites cover of a pack: each part counts once it was seen to come out each way."""

import pytest

from app.workbench.suites import load
from app.workbench.suites.coverage import Coverage, Gap, coverage
from app.workbench.suites.judging import judge
from tests.packs import small
from tests.suites import bench_of, suite

pytestmark = pytest.mark.unit

FILES = small(extra="fallback: {suppressed: thank_you}\n")


def covered(tests: str) -> Coverage:
    """What tests cover of the small pack with a fallback."""
    bench = bench_of(FILES)
    found = load(suite(tests), bench)
    assert not found.problems, found.problems
    return coverage(bench, [judge(test, bench, "en").seen for test in found.tests])


def gaps(tests: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """What is not covered, by owner and name."""
    return {(gap.part.owner, gap.part.name): gap.missing for gap in covered(tests).gaps}


CALLER = "- {subject: caller, expect: {phase: prevention}}\n"


def test_everything_is_a_gap_before_anything_is_tested() -> None:
    """Every part of the pack is listed once, with what has to be seen of it."""
    found = covered("- {subject: quiet, expect: {phase: retention}}")
    assert len({gap.part for gap in found.gaps}) == len(found.gaps) == found.parts - found.covered
    assert list(found.counts) == ["level", "gate", "contact", "guardrail", "stage", "phase", "moment", "fallback"]
    assert sum(parts for _, parts in found.counts.values()) == found.parts
    assert found.percent == 100 * found.covered / found.parts


def test_level_counts_when_it_is_the_strongest_that_holds() -> None:
    """A severe signal does not cover its high level."""
    found = gaps(CALLER)
    assert ("high.toll", "severe") not in found
    assert found["high.toll", "high"] == ("held",)


def test_gate_clause_has_to_let_through_and_to_keep_out() -> None:
    """Letting through counts only where every gate of the action is open; keeping out wherever it was among the causes."""
    assert gaps(CALLER)["to_plan_59", "tolls"] == ("held_not",)
    assert gaps("- {subject: quiet, expect: {phase: retention}}")["to_plan_59", "tolls"] == ("held",)
    closed = "- {subject: caller, with: {plan.id: plan_59}, expect: {phase: prevention}}\n"
    assert gaps(closed)["to_plan_59", "tolls"] == ("held", "held_not")
    both = gaps(CALLER + "- {subject: quiet, expect: {phase: retention}}")
    assert ("to_plan_59", "tolls") not in both


def test_rules_count_where_an_action_came_that_far() -> None:
    """Contact clauses and guardrails are covered once they permitted and once they did not; an unknown that is allowed is neither."""
    refused = "- {subject: caller, with: {consent.marketing: 'no'}, expect: {phase: prevention}}\n"
    assert gaps(CALLER)["", "consent"] == ("held_not",)
    assert ("", "consent") not in gaps(CALLER + refused)
    assert gaps(CALLER)["cn", "minors"] == ("held", "held_not")
    known = "- {subject: caller, with: {holder.user_is_minor: false}, expect: {phase: prevention}}\n"
    assert gaps(known)["cn", "minors"] == ("held_not",)


def test_places_count_when_they_are_chosen_and_when_they_are_passed() -> None:
    """A clause of a stage or phase makes it once, and fails once; hands-off clauses are those of their jurisdiction."""
    found = gaps(CALLER)
    assert found["prevention", "toll"] == ("held_not",)
    assert found["warning", "leaving"] == ("held",)
    assert found["hands_off:cn", "port_out_in_progress"] == ("held",)


def test_moment_counts_when_events_reveal_it() -> None:
    """A moment that the request passes is not revealed."""
    passed = "- {subject: caller, request: {moment: complaint}, expect: {moment: complaint}}"
    revealed = "- {subject: caller, add: {events: [{type: complaint, at: 1 days ago}]}, expect: {moment: complaint}}"
    assert gaps(passed)["complaint", "revealed_by"] == ("chosen",)
    assert ("complaint", "revealed_by") not in gaps(revealed)


def test_gaps_point_at_the_line() -> None:
    """A gap stands where the part is written."""
    found: dict[str, Gap] = {gap.part.name: gap for gap in covered(CALLER).gaps}
    assert str(found["tolls"].place) == "policies/offers/to_plan_59.yaml:11:3"
    assert str(found["high"].place).startswith("rules/rules.yaml:")
    assert str(found["thank_you"].place).startswith("rules/extra.yaml:1:")
