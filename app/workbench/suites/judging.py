"""Runs many tests, in this process or in several, and keeps what there is to say of each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from app.engine.problems import Place
from app.engine.texts import Language
from app.workbench.suites.bench import Bench
from app.workbench.suites.coverage import Seen, seen_by
from app.workbench.suites.loading import load
from app.workbench.suites.model import Test
from app.workbench.suites.running import run_one
from app.workbench.suites.telling import Told, tell

WORTH_A_PROCESS = 1_500
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
        suites: the files they were loaded from; other processes load them again.
        language: of what is told about failures.
        jobs: processes. Left out: one for each 1,500 tests, up to the number of processors.
    """
    wanted = jobs or min(os.cpu_count() or 1, 1 + len(tests) // WORTH_A_PROCESS)
    if wanted <= 1 or len(tests) < 2:
        for test in tests:
            yield judge(test, bench, language)
        return
    numbers = [test.number for test in tests]
    with ProcessPoolExecutor(
        min(wanted, len(tests)), multiprocessing.get_context("spawn"), _Worker.start, (dict(bench.files), dict(suites), language)
    ) as pool:
        yield from pool.map(_Worker.judge, numbers, chunksize=max(1, min(_CHUNK, len(numbers) // wanted)))


class _Worker:
    """What a child process keeps between tests."""

    bench: Bench
    tests: Mapping[int, Test]
    language: Language

    @classmethod
    def start(cls, files: Mapping[str, bytes], suites: Mapping[str, bytes], language: Language) -> None:
        """Build the pack and load the tests once."""
        cls.bench = Bench(files)
        cls.tests = {test.number: test for test in load(suites, cls.bench).tests}
        cls.language = language

    @classmethod
    def judge(cls, number: int) -> Verdict:
        """Run the test of that number."""
        return judge(cls.tests[number], cls.bench, cls.language)
