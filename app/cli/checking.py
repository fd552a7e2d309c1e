"""`wanliu pack check`: every mistake in a pack, for people, programs, editors and forges."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import typer

from app.cli.console import cannot_read, complain, fail, out, write_json
from app.cli.packs import counted, folder_of, settings
from app.cli.sarif import sarif
from app.engine.pack import Reasoned, digest_of, examine_files, printable, read_folder
from app.engine.pack.checking import Parts
from app.engine.problems import PackError, Problem

Form = Literal["text", "json", "sarif"]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a pack. `exceptions` are clauses with `unknown: allow`: of what kind, which, and why."""

    folder: Path
    files: dict[str, bytes]
    problems: tuple[Problem, ...]
    exceptions: tuple[tuple[str, str, str], ...]
    reasoned: Reasoned = field(default_factory=Reasoned)

    @property
    def errors(self) -> int:
        """How many mistakes keep the pack from running."""
        return sum(problem.severity == "error" for problem in self.problems)


def check(given: Path | None, form: Form, *, strict: bool) -> None:
    """Print every mistake in a pack; where there is none, the clauses that let an unknown pass.

    The exit code is 1 when there is an error; with `strict` also when there is a warning.
    """
    report = _checked(folder_of(given))
    if form == "text":
        _print(report)
    else:
        made = sarif(report.problems) if form == "sarif" else _as_json(report)
        write_json(made)
    if report.errors or (strict and report.problems):
        raise typer.Exit(1)


def _checked(folder: Path) -> Report:
    try:
        files = read_folder(folder)
        today = datetime.datetime.now(datetime.UTC).astimezone().date()
        examined = examine_files(files, cache=settings().cache_folder, today=today)
    except OSError as error:
        fail(cannot_read(f"the pack in `{folder}`", error))
    except PackError as error:
        return Report(folder, {}, error.problems, ())
    exceptions = tuple(_exceptions(examined.parts)) if examined.parts is not None else ()
    return Report(folder, files, examined.problems, exceptions, examined.reasoned)


def _exceptions(parts: Parts) -> Iterator[tuple[str, str, str]]:
    rules = [("contact", name, found.part) for name, found in parts.contact.items()]
    rules += [
        ("guardrail", f"{jurisdiction}.{name}", found.part)
        for jurisdiction, profile in parts.profiles.items()
        for name, found in profile.clauses.items()
    ]
    yield from ((kind, name, part.because.en) for kind, name, part in rules if part.because is not None)


def _print(report: Report) -> None:
    complain(*report.problems)
    told = counted(report.problems) if report.problems else "no mistakes"
    console = out()
    console.print(f"{len(report.files)} files checked: {told}", markup=False, soft_wrap=True)
    if report.reasoned.conditions:
        console.print(str(report.reasoned), markup=False, soft_wrap=True)
    if report.problems:
        return  # what is wrong stays in sight
    count = len(report.exceptions)
    console.print(f"{count} clause{'' if count == 1 else 's'} let an unknown pass{':' if count else ''}", markup=False)
    for kind, name, because in report.exceptions:
        console.print(f"  {kind} {name}: {because}", markup=False, soft_wrap=True)


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "folder": printable(report.folder),
        "digest": digest_of(report.files) if report.files else None,
        "files": len(report.files),
        "errors": report.errors,
        "problems": [_problem(problem) for problem in report.problems],
        "conditions": {"decided": report.reasoned.decided, "undecided": report.reasoned.undecided},
        "unknown_allowed": [{"kind": kind, "clause": name, "because": because} for kind, name, because in report.exceptions],
    }


def _problem(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "witness": dict(problem.witness),
    }
