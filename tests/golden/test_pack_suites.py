"""The shipped pack's own suites: every test passes, and they cover the pack."""

from pathlib import Path

import pytest

from app.workbench.suites import Bench, Suites, load, read_suites
from app.workbench.suites.coverage import coverage
from app.workbench.suites.judging import Verdict, judge
from tests.pipeline import shipped_files

pytestmark = pytest.mark.golden

ROOT = Path(__file__).parents[2]
LEAST_COVERED = 95
"""Percent of the pack's parts that its suites have to have seen each way."""


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(shipped_files())


@pytest.fixture(scope="module")
def suites(bench: Bench) -> Suites:
    return load(read_suites(ROOT), bench)


@pytest.fixture(scope="module")
def verdicts(bench: Bench, suites: Suites) -> list[Verdict]:
    return [judge(test, bench, "en") for test in suites.tests]


def test_suites_hold_no_mistakes(suites: Suites) -> None:
    """Every subject, signal, action and clause that a suite names exists, and every request is one."""
    assert [str(problem) for problem in suites.problems] == []
    assert suites.tests


def test_every_test_of_the_pack_passes(suites: Suites, verdicts: list[Verdict]) -> None:
    """What the people who answer for the pack wrote down is what it decides."""
    failing = [
        f"{test.place}: {found.told.about}: expected {found.told.wanted}, got {found.told.got}"
        for test, verdict in zip(suites.tests, verdicts, strict=True)
        for found in verdict.failures
    ]
    assert failing == []
    assert [verdict.error for verdict in verdicts if verdict.error] == []


def test_suites_cover_the_pack(bench: Bench, verdicts: list[Verdict]) -> None:
    """Levels, clauses, guardrails of every jurisdiction, places and fallbacks were seen to come out each way."""
    found = coverage(bench, (verdict.seen for verdict in verdicts))
    gaps = [f"{gap.place}: {gap.part.owner} {gap.part.name}: {', '.join(gap.missing)}" for gap in found.gaps]
    assert found.percent >= LEAST_COVERED, gaps
