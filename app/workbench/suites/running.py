"""Runs tests: decides each case and holds the decision against what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from app.engine.answer import Explanation
from app.engine.decide import decide
from app.engine.decision import Decision, Outcome, Ranked
from app.engine.explain import explain
from app.engine.gates import in_full
from app.engine.pack import Pack
from app.workbench.suites.bench import Bench
from app.workbench.suites.comparing import compare
from app.workbench.suites.model import Expectation, Test


@dataclass(frozen=True)
class Decided:
    """A test's decision, and its answer in words where an expectation asks for it."""

    pack: Pack
    test: Test
    decision: Decision

    @cached_property
    def answer(self) -> Explanation:
        """The decision in words."""
        return explain(self.pack, self.test.case, self.decision)

    @cached_property
    def ranked(self) -> dict[str, Ranked]:
        """What is on the list, by action."""
        return {item.action: item for item in self.decision.ranked}

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """What became of every action."""
        return {item.action: item for item in self.decision.outcomes}

    @cached_property
    def kept_out(self) -> dict[str, Outcome]:
        """The same with every gate that kept an action out. What gates look at stands in the facts then."""
        return {item.action: item for item in in_full(self.pack, self.decision).outcomes}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An expectation that does not hold: what was wanted and what came of it, as a suite writes them."""

    expectation: Expectation
    wanted: str
    got: str


@dataclass(frozen=True)
class Result:
    """What a test came to. `decided` is none where deciding failed, and `error` says why."""

    test: Test
    decided: Decided | None
    mismatches: tuple[Mismatch, ...] = ()
    error: str = field(default="")

    @property
    def passed(self) -> bool:
        """Does every expectation hold?"""
        return not self.mismatches and not self.error


def run(tests: Iterable[Test], bench: Bench) -> Iterator[Result]:
    """Run tests in order."""
    for test in tests:
        yield run_one(test, bench.pack(test.jurisdiction, guardrails_alone=test.guardrails_alone))


def run_one(test: Test, pack: Pack) -> Result:
    """Run one test on a pack. What the engine itself refuses is a failure of the test."""
    try:
        decided = Decided(pack, test, decide(pack, test.case))
        mismatches = tuple(mismatches_of(decided))
    except AssertionError as error:
        return Result(test, None, error=str(error) or type(error).__name__)
    return Result(test, decided, mismatches)


def mismatches_of(decided: Decided) -> Iterator[Mismatch]:
    """The expectations of a decided test that do not hold."""
    for expectation in decided.test.expectations:
        found = compare(decided, expectation)
        if found is not None:
            yield Mismatch(expectation, *found)
