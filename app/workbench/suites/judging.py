"""Runs many tests, in this process or in several, and keeps what there is to say of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from app.engine.problems import Place
from app.engine.texts import Language
from app.workbench.suites.bench import Bench
from app.workbench.suites.coverage import Seen, seen_by
from app.workbench.suites.loading import load
from app.workbench.suites.model import Test
from app.workbench.suites.running import run_one
from app.workbench.suites.sharing import shared
from app.workbench.suites.telling import Told, tell

WORTH_A_PROCESS = 1_000
"""Tests that one process runs in about the time that another takes to start."""
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold, in words, with its place."""

    place: Place
    told: Told


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test came to: it passed where nothing failed and there is no error. `seen` is what it covers of the pack."""

    test: int
    failures: tuple[Failure, ...]
    error: str
    seen: Seen

    @property
    def passed(self) -> bool:
        """Does every expectation hold?"""
        return not self.failures and not self.error


def judge(test: Test, bench: Bench, language: Language) -> Verdict:
    """Run one test."""
    result = run_one(test, bench.pack(test.jurisdiction, guardrails_alone=test.guardrails_alone))
    if result.decided is None:
        return Verdict(test.number, (), result.error, frozenset())
    decided = result.decided
    failures = tuple(Failure(item.expectation.place, tell(decided, item, language)) for item in result.mismatches)
    return Verdict(test.number, failures, "", seen_by(decided))


def judge_all(
    tests: Sequence[Test], bench: Bench, suites: Mapping[str, bytes], language: Language, jobs: int | None = None
) -> Iterator[Verdict]:
    """Run tests in order.

    Args:
        tests: which ones.
        bench: the pack they are run on.
        suites: the files they were loaded from; other processes may load them again.
        language: of what is told about failures.
        jobs: processes. Left out: one for each 1,000 tests, up to the number of processors.
    """
    court = _Court(bench, {test.number: test for test in tests}, language)
    count = jobs or min(os.cpu_count() or 1, 1 + len(tests) // WORTH_A_PROCESS)
    if count <= 1 or len(tests) < 2:
        yield from (judge(test, bench, language) for test in tests)
        return
    for test in tests:
        bench.pack(test.jurisdiction, guardrails_alone=test.guardrails_alone)
    numbers = [test.number for test in tests]
    again = partial(_court, dict(bench.files), dict(suites), language)
    yield from shared(_judged, numbers, court, again, min(count, len(tests)), max(1, min(_CHUNK, len(tests) // count)))


@dataclass(frozen=True, slots=True)
class _Court:
    """What is needed to judge a test by its number."""

    bench: Bench
    tests: Mapping[int, Test]
    language: Language


def _court(files: Mapping[str, bytes], suites: Mapping[str, bytes], language: Language) -> _Court:
    bench = Bench(files)
    return _Court(bench, {test.number: test for test in load(suites, bench).tests}, language)


def _judged(court: _Court, number: int) -> Verdict:
    return judge(court.tests[number], court.bench, court.language)
