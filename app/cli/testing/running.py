"""Running the suites: what is refused beforehand, what is read, and the exit code."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from pathlib import Path

import typer

from app.cli.console import cannot_read, complain, fail, out, write_json
from app.cli.packs import folder_of, unusable
from app.cli.testing.asked import Run
from app.cli.testing.mutating import mutated
from app.cli.testing.reporting import Report
from app.engine.pack import FOLDERS, PackError, read_folder
from app.engine.problems import shown
from app.workbench.suites.bench import Bench
from app.workbench.suites.coverage import coverage
from app.workbench.suites.judging import judge_all
from app.workbench.suites.junit import Ran, junit
from app.workbench.suites.loading import FOLDER, Suites, load, read_suites


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
    mutation = mutated(asked, bench, files, [item for item, verdict in zip(tests, verdicts, strict=True) if verdict.passed])
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
