"""The outcome of a run of the suites, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from app.cli.testing.asked import Run
from app.cli.testing.covering import CoverageReport, coverage_json
from app.cli.testing.mutating import MutationReport, mutation_json
from app.cli.testing.wording import worded
from app.engine.texts import Language
from app.workbench.suites.bench import Bench
from app.workbench.suites.coverage import Coverage
from app.workbench.suites.judging import Verdict
from app.workbench.suites.loading import Suites
from app.workbench.suites.mutation import Mutation

if TYPE_CHECKING:
    from app.workbench.suites.model import Test

_SOME_FAILURES = 50


@dataclass(frozen=True)
class Report:
    """The outcome of a run."""

    asked: Run
    folder: Path
    bench: Bench
    suites: Suites
    tests: Sequence[Test]
    verdicts: Sequence[Verdict]
    took: float
    covered: Coverage | None
    mutation: Mutation | None = None

    @property
    def pairs(self) -> list[tuple[Test, Verdict]]:
        """Each test with what it came to."""
        return list(zip(self.tests, self.verdicts, strict=True))

    @property
    def failed(self) -> list[tuple[Test, Verdict]]:
        """The tests that fail."""
        return [(item, verdict) for item, verdict in self.pairs if not verdict.passed]

    @property
    def enough(self) -> bool:
        """Is as much covered as was asked for?"""
        return self.asked.fail_under is None or self.covered is None or self.covered.percent >= self.asked.fail_under

    @property
    def fine(self) -> bool:
        """Does nothing speak against this pack?"""
        return not self.failed and not self.suites.problems and self.enough

    def print(self, console: Console) -> None:
        """For people."""
        for part in self.parts():
            console.print(part, soft_wrap=isinstance(part, Text))

    def parts(self) -> Iterator[object]:
        """Everything from top to bottom."""
        if self.asked.verbose:
            yield from self.names()
        for item, verdict in self.failed[:_SOME_FAILURES]:
            yield from self.failure(item, verdict)
        if len(self.failed) > _SOME_FAILURES:
            yield Text(self.asked.say("more", len(self.failed) - _SOME_FAILURES))
        if self.covered is not None:
            yield from CoverageReport(self.asked, self.covered).parts()
        if self.mutation is not None:
            yield from MutationReport(self.asked, self.mutation, len(self.failed)).parts()
        yield self.summary()

    def names(self) -> Iterator[Text]:
        """Every test under its suite."""
        file = ""
        for item, verdict in self.pairs:
            if item.place.file != file:
                yield Text(f"{'' if not file else chr(10)}{item.suite.say(self.asked.language)}", style="bold").append(
                    f"  {item.place.file}", style="dim"
                )
                file = item.place.file
            mark = Text("  ✓ ", style="green") if verdict.passed else Text("  ✗ ", style="red")
            yield mark.append(item.title.say(self.asked.language), style="none" if verdict.passed else "red")
        yield Text("")

    def failure(self, item: Test, verdict: Verdict) -> Iterator[Text]:
        """A test that fails: its name, then each expectation with what came and why."""
        language = self.asked.language
        separator = "：" if language == "zh" else ": "
        yield Text("✗ ", style="red").append(f"{item.suite.say(language)}{separator}{item.title.say(language)}", style="bold")
        yield Text(f"  {item.place}", style="dim")
        if verdict.error:
            yield Text(f"  {verdict.error}", style="red")
        pack, kinds = self.bench.pack(item.jurisdiction), {one.place: one.kind for one in item.expectations}
        for found in verdict.failures:
            told, kind = found.told, kinds[found.place]
            yield (
                Text("  ")
                .append(f"{told.about}{separator}")
                .append(self.asked.say("expected"))
                .append(worded(kind, told.wanted, pack, language), style="green")
                .append(self.asked.say("got"))
                .append(worded(kind, told.got, pack, language), style="red")
                .append(f"  {found.place.file}:{found.place.line}", style="dim")
            )
            for line in told.because:
                yield Text("    " + "  " * line.depth + line.text, style="dim" if line.quiet else "")
        yield Text("")

    def summary(self) -> Text:
        """One line of counts."""
        failed, passed, mistakes = len(self.failed), len(self.tests) - len(self.failed), len(self.suites.problems)
        asked = self.asked
        line = Text(asked.say("passed", f"{passed:,}"), style="green" if passed else "dim")
        for code, count in (("failed", failed), ("refused", mistakes)):
            if count:
                line.append("，" if asked.language == "zh" else ", ", style="none").append(asked.say(code, count), style="bold red")
        if self.mutation is not None and self.mutation.survivors:
            counts = f"{len(self.mutation.survivors):,}", f"{self.mutation.tried:,}"
            line.append("，" if asked.language == "zh" else ", ", style="none").append(asked.say("unnoticed", *counts), style="yellow")
        return line.append("，" if asked.language == "zh" else " ").append(asked.say("seconds", self.took), style="dim")

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "pack": self.bench.pack(self.bench.jurisdiction).name,
            "digest": self.bench.pack(self.bench.jurisdiction).digest,
            "passed": len(self.tests) - len(self.failed),
            "failed": len(self.failed),
            "seconds": round(self.took, 3),
            "problems": [str(problem) for problem in self.suites.problems],
            "tests": [_test_json(item, verdict, self.asked.language) for item, verdict in self.pairs],
            "coverage": coverage_json(self.covered) if self.covered is not None else None,
            "mutation": mutation_json(self.mutation) if self.mutation is not None else None,
        }


def _test_json(item: Test, verdict: Verdict, language: Language) -> dict[str, object]:
    return {
        "suite": item.suite.say(language),
        "name": item.title.say(language),
        "file": item.place.file,
        "line": item.place.line,
        "passed": verdict.passed,
        "error": verdict.error or None,
        "failures": [
            {
                "line": found.place.line,
                "about": found.told.about,
                "expected": found.told.wanted,
                "got": found.told.got,
                "because": ["  " * line.depth + line.text for line in found.told.because],
            }
            for found in verdict.failures
        ],
    }
