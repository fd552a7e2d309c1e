"""`wanliu pack test`: the suites of a pack, run, with what they cover and what they would not notice."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from app.cli.console import cannot_read, complain, err, fail, out, write_json
from app.cli.packs import folder_of, table, unusable
from app.engine.pack import FOLDERS, PackError, read_folder
from app.engine.problems import shown
from app.engine.texts import Language, language_of
from app.workbench.suites.bench import Bench
from app.workbench.suites.coverage import Coverage, Gap, coverage, percent
from app.workbench.suites.judging import Verdict, judge_all
from app.workbench.suites.junit import Ran, junit
from app.workbench.suites.loading import FOLDER, Suites, load, read_suites
from app.workbench.suites.mutants import Mutant
from app.workbench.suites.mutation import Mutation, Trial, Trying, summed, try_all

if TYPE_CHECKING:
    from app.workbench.suites.model import Test

_SOME_FAILURES = 50

_words: Mapping[str, tuple[str, str]] = {
    "expected": ("expected ", "应为"),
    "got": (", got ", "，实为"),
    "passed": ("{} passed", "通过{}项"),
    "failed": ("{} failed", "未通过{}项"),
    "refused": ("mistakes in suites: {}", "测试集错误{}处"),
    "seconds": ("in {:.1f} s", "用时{:.1f}秒"),
    "more": ("… and {} more that fail; --run narrows", "……另有{}项未通过，可用--run缩小范围"),
    "coverage": ("Coverage", "覆盖"),
    "covered": ("covered", "已覆盖"),
    "of": ("of", "总数"),
    "total": ("total", "合计"),
    "gaps": ("{} parts are not covered; --uncovered lists them", "{}处未覆盖，--uncovered逐条列出"),
    "uncovered": ("Not covered", "未覆盖"),
    "level": ("signal levels", "信号级别"),
    "pattern": ("patterns", "事件组合"),
    "gate": ("gate clauses", "关卡条款"),
    "contact": ("contact clauses", "触达条款"),
    "guardrail": ("guardrails", "护栏"),
    "stage": ("stage clauses", "生命周期条款"),
    "phase": ("phase clauses", "阶段条款"),
    "moment": ("moments", "关键时刻"),
    "fallback": ("fallbacks", "兜底动作"),
    "level.held": ("never held", "从未成立"),
    "pattern.held": ("never held", "从未成立"),
    "gate.held": ("never let the action through", "从未放行"),
    "gate.held_not": ("never kept the action out", "从未拦下"),
    "contact.held": ("never permitted an action", "从未放行"),
    "contact.held_not": ("never held an action back", "从未拦下"),
    "guardrail.held": ("never permitted an action", "从未放行"),
    "guardrail.held_not": ("never held an action back", "从未拦下"),
    "stage.held": ("never made the stage", "从未成立"),
    "stage.held_not": ("never failed", "从未不成立"),
    "phase.held": ("never made the phase", "从未成立"),
    "phase.held_not": ("never failed", "从未不成立"),
    "moment.chosen": ("never revealed by events", "从未由事件识别"),
    "fallback.chosen": ("never chosen", "从未选中"),
    "and": ("; ", "；"),
    "mutation": ("Changes that no test would notice", "改了也没有测试发现"),
    "survived": ("not noticed", "未发现"),
    "tried": ("tried", "共试"),
    "parameter": ("parameters a step up or down", "参数上下调一档"),
    "figure": ("figures in conditions a step up or down", "条件中的数字上下调一档"),
    "row": ("rows taken out", "删去表中一行"),
    "gone.level": ("signal levels taken out", "删去信号级别"),
    "gone.pattern": ("patterns changed or taken out", "改动或删去事件组合"),
    "gone.gate": ("gate clauses taken out", "删去关卡条款"),
    "gone.contact": ("contact clauses taken out", "删去触达条款"),
    "gone.guardrail": ("guardrails taken out", "删去护栏"),
    "gone.stage": ("stage clauses taken out", "删去生命周期条款"),
    "gone.phase": ("phase clauses taken out", "删去阶段条款"),
    "gone.moment": ("moments taken out", "删去关键时刻识别"),
    "gone.fallback": ("fallbacks taken out", "删去兜底动作"),
    "trying": ("trying changes", "逐项试改"),
    "left out": ("{} tests fail and take no part", "{}项测试未通过，不参与"),
    "no mutants": ("the tests speak of no part that could be changed", "这些测试没有涉及可改动的部分"),
    "gone": ("gone", "删去"),
    "unnoticed": ("{} of {} changes not noticed", "{}处改动未被发现，共试{}处"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What the command was asked for."""

    run: str | None = None
    verbose: bool = False
    junit: Path | None = None
    jobs: int | None = None
    as_json: bool = False
    covered: bool | None = None
    uncovered: bool = False
    fail_under: float | None = None
    locale: str = "en"
    mutate: bool = False

    @property
    def language(self) -> Language:
        """The language of what is printed."""
        return language_of(self.locale)

    @property
    def wants_coverage(self) -> bool:
        """Is coverage worked out? Of some of the tests only where it was asked for."""
        return self.covered if self.covered is not None else self.run is None or self.uncovered or self.fail_under is not None

    def say(self, code: str, *given: object) -> str:
        """One of the phrases of this module."""
        return _words[code][self.language == "zh"].format(*given)


def test(given: Path | None, asked: Run) -> None:
    """Run the suites of a pack; exit code 1 when a test fails, a suite has a mistake, or there is nothing to run."""
    folder = folder_of(given)
    _check_options(folder, asked)
    began = time.perf_counter()
    bench, files, suites = _loaded(folder)
    tests = [item for item in suites.tests if asked.run is None or item.matches(asked.run)]
    complain(*suites.problems)
    if not tests:
        fail(_nothing(folder, asked, suites))
    verdicts = list(judge_all(tests, bench, files, asked.language, asked.jobs))
    covered = coverage(bench, (verdict.seen for verdict in verdicts)) if asked.wants_coverage else None
    mutation = _mutated(asked, bench, files, [item for item, verdict in zip(tests, verdicts, strict=True) if verdict.passed])
    took = time.perf_counter() - began
    report = Report(asked, folder, bench, suites, tests, verdicts, took, covered, mutation)
    if asked.junit is not None:
        asked.junit.write_bytes(junit([Ran(item, verdict) for item, verdict in report.pairs], suites.problems, took))
    if asked.as_json:
        write_json(report.as_json())
    else:
        report.print(out())
    if not report.fine:
        raise typer.Exit(1)


def _check_options(folder: Path, asked: Run) -> None:
    """Refuse what would be noticed only after the tests have run, or never.

    Raises:
        typer.BadParameter: exit code 2.
    """
    if asked.covered is False and (asked.uncovered or asked.fail_under is not None):
        raise typer.BadParameter("--uncovered and --fail-under need the coverage that --no-coverage leaves out")
    if asked.junit is None:
        return
    if any(asked.junit.resolve().is_relative_to((folder / name).resolve()) for name in FOLDERS):
        raise typer.BadParameter("the report would stand among the files of the pack; name a file outside of them", param_hint="--junit")
    if not asked.junit.parent.is_dir() or asked.junit.is_dir():
        fail(f"cannot write `{asked.junit}`: {'is a folder' if asked.junit.is_dir() else 'its folder does not exist'}")


def _mutated(asked: Run, bench: Bench, files: Mapping[str, bytes], passing: Sequence[Test]) -> Mutation | None:
    """Try every change on the tests that pass; with `--run` the changes of what they speak of. A bar on terminals shows how far it is."""
    if not asked.mutate:
        return None
    trying = Trying(bench, passing)
    wanted = trying.mutants if asked.run is None else trying.narrowed()
    trials = _begun(try_all(trying, wanted, bench, files, asked.jobs))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        return summed(wanted, bar.track(trials, total=len(wanted), description=asked.say("trying")))


def _begun(trials: Iterator[Trial]) -> Iterator[Trial]:
    """The same, its processes started before the thread of the progress bar is."""
    first = next(trials, None)
    return iter(()) if first is None else chain((first,), trials)


def _loaded(folder: Path) -> tuple[Bench, Mapping[str, bytes], Suites]:
    """The pack and its suites; what cannot be read ends the command."""
    try:
        bench, files = Bench(read_folder(folder)), read_suites(folder)
        suites = load(files, bench)
        gc.freeze()  # what was loaded stays: looking through it again and again takes longer than the tests
    except OSError as error:
        fail(cannot_read(f"the pack in `{folder}`", error))
    except PackError as error:
        unusable(folder, error)
    return bench, files, suites


def _nothing(folder: Path, asked: Run, suites: Suites) -> str:
    """Why there is nothing to run."""
    if not suites.files:
        return f"no suites in `{folder / FOLDER}`; write one as docs/pack-tests.md shows"
    if asked.run is not None and suites.tests:
        return f"no test matches {shown(asked.run)}; --verbose lists the names of all"
    return f"the suites in `{folder / FOLDER}` hold no test that can be run"


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
        for found in verdict.failures:
            told = found.told
            yield (
                Text("  ")
                .append(f"{told.about}{separator}")
                .append(self.asked.say("expected"))
                .append(told.wanted, style="green")
                .append(self.asked.say("got"))
                .append(told.got, style="red")
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
            "coverage": _coverage_json(self.covered) if self.covered is not None else None,
            "mutation": _mutation_json(self.mutation) if self.mutation is not None else None,
        }


@dataclass(frozen=True)
class CoverageReport:
    """Coverage on its way to the terminal."""

    asked: Run
    covered: Coverage

    def parts(self) -> Iterator[object]:
        """The table by kind, then what is not covered, or how many."""
        asked, covered = self.asked, self.covered
        made = table(asked.say("coverage"), "", asked.say("covered"), asked.say("of"), "%", right=(1, 2, 3))
        for kind, (some, all_of_them) in covered.counts.items():
            made.add_row(asked.say(kind), f"{some:,}", f"{all_of_them:,}", self.share(some, all_of_them))
        made.add_row(
            asked.say("total"), f"{covered.covered:,}", f"{covered.parts:,}", self.share(covered.covered, covered.parts), style="bold"
        )
        yield made
        yield Text("")
        if asked.uncovered:
            yield from self.gaps()
        elif covered.gaps:
            yield Text(asked.say("gaps", f"{len(covered.gaps):,}"), style="dim")
            yield Text("")

    def share(self, some: int, all_of_them: int) -> Text:
        """A percentage, rounded down so that 100 is all of it."""
        value = percent(some, all_of_them)
        return Text(f"{int(value * 10) / 10:.1f}", style="green" if value >= 95 else "yellow" if value >= 80 else "red")

    def gaps(self) -> Iterator[Text]:
        """Everything that is not covered, a line each, with its place."""
        if self.covered.gaps:
            yield Text(self.asked.say("uncovered"), style="bold")
        for gap in self.covered.gaps:
            yield (
                Text(f"{gap.place.file}:{gap.place.line}", style="dim")
                .append(f"  {gap_name(gap)}", style="none")
                .append(f"  {self.missing(gap)}", style="yellow")
            )
        yield Text("")

    def missing(self, gap: Gap) -> str:
        """What was not seen of a part."""
        return self.asked.say("and").join(self.asked.say(f"{gap.part.kind}.{aspect}") for aspect in gap.missing)


@dataclass(frozen=True)
class MutationReport:
    """What the tests would not notice, on its way to the terminal."""

    asked: Run
    mutation: Mutation
    failed: int

    def parts(self) -> Iterator[object]:
        """Each change that no test noticed, then a table by kind."""
        asked, mutation = self.asked, self.mutation
        if not mutation.tried:
            yield Text(asked.say("no mutants"), style="dim")
            return
        if mutation.survivors:
            yield Text(asked.say("mutation"), style="bold")
        for (place, name), items in groupby(mutation.survivors, lambda item: (item.place, item.name)):
            changes = (", " if asked.language == "en" else "，").join(dict.fromkeys(self.change(item) for item in items))
            yield Text(f"{place.file}:{place.line}", style="dim").append(f"  {name}  ", style="none").append(changes, style="yellow")
        if mutation.survivors:
            yield Text("")
        yield self.table()
        yield Text("")
        if self.failed:
            yield Text(asked.say("left out", self.failed), style="red")

    def change(self, item: Mutant) -> str:
        """What was changed."""
        return self.asked.say("gone") if item.change == "gone" else item.change

    def table(self) -> Table:
        """How many of each kind were not noticed."""
        asked, mutation = self.asked, self.mutation
        made = table(asked.say("mutation"), "", asked.say("survived"), asked.say("tried"), "%", right=(1, 2, 3))
        for kind, (tried, left) in mutation.counts.items():
            label = asked.say(kind if kind in ("parameter", "figure", "row") else f"gone.{kind}")
            made.add_row(label, f"{left:,}", f"{tried:,}", self.share(left, tried))
        left = len(mutation.survivors)
        made.add_row(asked.say("total"), f"{left:,}", f"{mutation.tried:,}", self.share(left, mutation.tried), style="bold")
        return made

    def share(self, left: int, tried: int) -> Text:
        """A percentage, rounded up so that 0 is none of it."""
        value = math.ceil(percent(left, tried) * 10) / 10
        return Text(f"{value:.1f}", style="green" if value < 10 else "yellow" if value < 30 else "red")


def gap_name(gap: Gap) -> str:
    """A part as authors know it: `four_high.tariff severe`, `data_pack not_already`."""
    return " ".join(word for word in (gap.part.owner, gap.part.name) if word)


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


def _coverage_json(covered: Coverage) -> dict[str, object]:
    return {
        "percent": round(covered.percent, 2),
        "kinds": {kind: {"covered": some, "of": parts} for kind, (some, parts) in covered.counts.items()},
        "uncovered": [
            {
                "kind": gap.part.kind,
                "owner": gap.part.owner,
                "name": gap.part.name,
                "file": gap.place.file,
                "line": gap.place.line,
                "missing": list(gap.missing),
            }
            for gap in covered.gaps
        ],
    }


def _mutation_json(mutation: Mutation) -> dict[str, object]:
    return {
        "percent_not_noticed": round(mutation.percent, 2),
        "kinds": {kind: {"not_noticed": left, "tried": tried} for kind, (tried, left) in mutation.counts.items()},
        "not_noticed": [
            {
                "kind": item.kind,
                "name": item.name,
                "change": item.change,
                "file": item.place.file,
                "line": item.place.line,
                "column": item.place.column,
            }
            for item in mutation.survivors
        ],
    }
